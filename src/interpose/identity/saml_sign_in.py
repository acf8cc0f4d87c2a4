"""One SAML provider as the pages use it: proof, its one use and its record in one step each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from interpose.identity.saml import METHOD, SamlProvider
from interpose.model.errors import AuthenticationError, ProviderError, SecretError

if TYPE_CHECKING:
    from interpose.engine.ports import Clock
    from interpose.engine.signing_in import Departure, SignedIn, SignIn, UsedAssertions


class SamlSignIn:
    """Signs people in with one provider."""

    def __init__(self, provider: SamlProvider, sign_in: SignIn, used: UsedAssertions, clock: Clock) -> None:
        """Every outcome goes through `sign_in`, and so into the audit chain; `used` is asked about every assertion once."""
        self._provider = provider
        self._sign_in = sign_in
        self._used = used
        self._clock = clock
        self._retired = False

    def retire(self) -> None:
        """Another stands in its place, or none: from now on nobody comes in by it, not even who is on their way."""
        self._retired = True

    @property
    def name(self) -> str:
        """The provider's name in the configuration."""
        return self._provider.options.name

    @property
    def title(self) -> str:
        """What people read."""
        return self._provider.options.title or self.name

    @property
    def posts(self) -> bool:
        """Its page sends the answer as a form."""
        return True

    async def metadata(self, address: str) -> bytes:
        """What the gateway says of itself; raises `ProviderError`, `StoreError`."""
        try:
            return await self._provider.metadata(address)
        except SecretError as error:
            raise ProviderError(error.public_message, detail=error.detail, hint=error.hint) from error

    async def depart(self, redirect_uri: str, *, again: bool = False) -> Departure:
        """Where a browser signs in; `again` asks for a new authentication. Raises `ProviderError`, `StoreError`."""
        try:
            return await self._provider.depart(redirect_uri, again=again)
        except SecretError as error:
            raise ProviderError(error.public_message, detail=error.detail, hint=error.hint) from error

    async def arrive(self, departure: Departure, redirect_uri: str, answer: Mapping[str, str], source: str) -> SignedIn:
        """Who came back. Raises `AuthenticationError` (in the audit already), `ProviderError`, `StoreError`, `RecordingError`."""
        return await self._arrived(departure, redirect_uri, answer, source)

    async def unsolicited(self, redirect_uri: str, answer: Mapping[str, str], source: str) -> SignedIn:
        """Who came without having left from here. Raises the same; `state_unknown` for the answer to a login of another browser.

        INVARIANT: an answer to a request of ours counts in the browser alone from which that request went out.
        """
        try:
            if await self._provider.in_answer_to(answer) is not None:
                raise _denied("state_unknown")
            if not self._provider.options.idp_initiated:
                raise _denied("unsolicited_answer")
        except AuthenticationError as error:
            self._failed(error.detail, await self._provider.issuer(), source)
            raise
        return await self._arrived(None, redirect_uri, answer, source)

    async def farewell(self, hint: str, return_to: str) -> str | None:
        """Nowhere: a session at the provider goes on."""
        return None

    async def _arrived(
        self, departure: Departure | None, redirect_uri: str, answer: Mapping[str, str], source: str
    ) -> SignedIn:
        try:
            self._check_current()
            arrived = await self._provider.arrive(departure, redirect_uri, answer)
            # What was judged took a while.
            self._check_current()
            # INVARIANT: an assertion counts once, in whatever browser, and over restarts: the store has it before anybody is let in.
            if not await self._used.first_use(arrived.assertion, arrived.usable_until, self._clock.wall()):
                raise _denied("assertion_used")
        except AuthenticationError as error:
            self._failed(error.detail, await self._provider.issuer(), source)
            raise
        except (ProviderError, SecretError) as error:
            self._failed(error.code, "", source)
            raise ProviderError("the identity provider cannot be used", detail=error.detail) from error
        return await self._sign_in.accept(arrived.proof, source)

    def _check_current(self) -> None:
        if self._retired:
            raise _denied("provider_changed")

    def _failed(self, reason: str, issuer: str, source: str) -> None:
        self._sign_in.failed(self.name, METHOD, issuer, reason, source)


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError("authentication failed", detail=why)
