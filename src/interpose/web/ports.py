"""What the pages need from below: providers that people sign in with, and the desk that hands out access tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from interpose.engine.pending_login import PendingLogin
from interpose.engine.signing_in import Departure, SignedIn


class Provider(Protocol):
    """One configured identity provider to which a browser is sent."""

    @property
    def name(self) -> str:
        """Its name in the configuration, as it stands in paths."""
        ...

    @property
    def title(self) -> str:
        """What people read on the button."""
        ...

    @property
    def posts(self) -> bool:
        """Whether its own page sends the answer as a form (SAML), instead of a redirect whose query it is."""
        ...

    async def depart(self, redirect_uri: str, *, again: bool = False) -> Departure:
        """Begin a login; `again`: the provider must authenticate the person anew, and the answer says so. Raises `ProviderError`."""
        ...

    async def arrive(self, departure: Departure, redirect_uri: str, answer: Mapping[str, str], source: str) -> SignedIn:
        """The browser came back with `answer`. Raises `AuthenticationError` (already in the audit), `ProviderError`, `StoreError`.

        The error's `detail` is `provider_changed` where the provider was changed or removed since the browser left.
        """
        ...

    async def farewell(self, hint: str, return_to: str) -> str | None:
        """Where to end the session at the provider as well; None when it has no such place."""
        ...


class PostingProvider(Provider, Protocol):
    """One whose own page sends the answer as a form, and that can begin a login by itself."""

    async def metadata(self, address: str) -> bytes:
        """What the gateway says of itself to it, as XML; answers come to `address`. Raises `ProviderError`, `StoreError`."""
        ...

    async def unsolicited(self, redirect_uri: str, answer: Mapping[str, str], source: str) -> SignedIn:
        """A browser came with `answer` that did not leave from here. Raises as `arrive` does."""
        ...


@dataclass(frozen=True, slots=True)
class Issued:
    """A new access token; shown to the program that asked, once."""

    token: str = field(repr=False)
    id: str
    principal: str
    expires_at: float


class Desk(Protocol):
    """Hands out and takes back access tokens, and keeps the record of what people answered."""

    def present(self, who: SignedIn) -> bool:
        """Whether this principal is known, not disabled, and still vouched for."""
        ...

    async def issue(self, who: SignedIn, client: str) -> Issued:
        """A token for them. Raises `ClientError` when they are gone, `RecordingError`, `StoreError`."""
        ...

    async def revoke(self, token: str) -> bool:
        """Take back a token by its text; False when it is none. Raises `RecordingError`, `StoreError`."""
        ...

    async def withdraw(self, issued: Issued) -> None:
        """Take back a token that somebody else may have. Raises `RecordingError`, `StoreError`."""
        ...

    def decided(self, who: SignedIn, approved: bool, how: str, client: str, asked_from: str, source: str) -> None:
        """Record an answer, before it takes effect. Raises `RecordingError`."""
        ...

    def signed_out(self, who: SignedIn, source: str) -> None:
        """Record that somebody signed out. Raises `RecordingError`."""
        ...

    def failed(self, provider: str, reason: str, source: str) -> None:
        """Record a login or a guess that failed before any provider saw it. Raises `RecordingError`."""
        ...


class Confirmations(Protocol):
    """Clients that wait for their person, in whatever worker."""

    async def typed(self, typed: str) -> PendingLogin | None:
        """The login whose code somebody typed, when it waits. Raises `StoreError`."""
        ...

    async def answer(self, login: PendingLogin, who: SignedIn, approved: bool, source: str) -> str:
        """Somebody answered; answers the state by that, empty when it does not wait any more. Raises `RecordingError`, `StoreError`."""
        ...
