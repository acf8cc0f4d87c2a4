"""Logins that wait for their person to confirm them in a browser: the value, and the port of the store that all workers share.

The waiting client hangs on one worker, and the pages are served by another: what was answered is in the store and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from interpose.model.principal import NOT_KNOWN, AuthenticationContext

PENDING: Final = "pending"
APPROVED: Final = "approved"
DENIED: Final = "denied"
WRONG_PERSON: Final = "wrong_person"
EXPIRED: Final = "expired"
LEFT: Final = "client_left"
DRAINED: Final = "draining"
USED: Final = "used"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who answered in the browser, by what a provider has proven: until when (wall clock), how; and from which address they answered."""

    principal: str
    provider: str
    method: str
    issuer: str
    subject: str
    valid_until: float
    source: str
    context: AuthenticationContext = NOT_KNOWN


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """One login that waits. `digest` is made of its code, which is shown to the client once and kept nowhere.

    `claimed_name` is canonical; `connection` and `client` are the client's own words, made safe to show. `source` is the client's
    address, `group` what of it is counted. `state` leaves `pending` once, and `approved` once, for `used` or an end. Times are wall-clock seconds.
    """

    id: str
    digest: bytes = field(repr=False)
    claimed_name: str
    connection: str
    client: str
    source: str
    group: str
    opened_at: float
    expires_at: float
    state: str = PENDING
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many logins may wait at once: in all workers together, from one address, for one name."""

    total: int = 125
    per_address: int = 10
    per_name: int = 5


class PendingLogins(Protocol):
    """The store; every change is atomic over all processes."""

    async def create(self, login: PendingLogin, bounds: Bounds) -> bool:
        """Store one that waits; False when `bounds` leave no room. Forgets what is long over. Raises `StoreError`."""
        ...

    async def get(self, login: str) -> PendingLogin | None:
        """As it is now; raises `StoreError`."""
        ...

    async def find(self, digest: bytes) -> PendingLogin | None:
        """The one whose code has this digest, in whatever state; raises `StoreError`."""
        ...

    async def answer(self, login: str, state: str, confirmation: Confirmation, now: float) -> bool:
        """Somebody answered one that waits and has not expired; False when it does not wait any more. Raises `StoreError`."""
        ...

    async def move(self, login: str, expected: str, state: str) -> bool:
        """From state `expected` to `state`; False when it was in another one. Raises `StoreError`."""
        ...
