"""Ends live sessions whose right to live is gone: token revoked or expired, login over at its provider, principal or connection gone.

Revocation reaches every process within a second by looking at the store; snapshots tell about themselves when they are swapped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from interpose.engine.logins import LOGGED_OUT, EndedLogin
from interpose.engine.standing import CONNECTION_GONE, KEY_GONE, PRINCIPAL_GONE, key_is_gone, present_identity
from interpose.model.errors import StoreError
from interpose.model.refusal import Refusal

if TYPE_CHECKING:
    from interpose.engine.ports import Clock
    from interpose.engine.sessions import Session, SessionRegistry
    from interpose.engine.snapshot import Snapshot
    from interpose.model.ids import TokenId

REVOKED = Refusal("token_revoked", "your access token or certificate was revoked", "log in again with another")
EXPIRED = Refusal("token_expired", "your access token or certificate has expired", "log in again with a new one")

_OVERLAP = 120.0
"""Seconds that each look reaches back behind the last one: clocks of processes differ, and a login that was under way when its
token was revoked is found by a later look."""


class Revocations(Protocol):
    """What the store knows of credentials and logins that are worth nothing any more."""

    async def ended_since(self, at: float) -> Sequence[tuple[TokenId, float, bool]]:
        """Tokens revoked or cut short at or after `at` (wall clock): id, when live sessions must end, whether it was revoked."""
        ...

    async def logins_over_since(self, at: float) -> Sequence[tuple[EndedLogin, float]]:
        """Logins that are over, each with the moment until which it is meant, where that is `at` or later (wall clock)."""
        ...


class SessionWatch:
    """Looks after the live sessions of this process."""

    def __init__(
        self,
        registry: SessionRegistry,
        tokens: Revocations,
        clock: Clock,
        *,
        interval: float = 1.0,
        patience: float = 30.0,
    ) -> None:
        """Looks every `interval` seconds. `patience` is how long the token store may be silent before it counts as an error of `health`."""
        self._registry = registry
        self._tokens = tokens
        self._clock = clock
        self._interval = interval
        self._patience = patience
        self._last_good = clock.monotonic()

    @property
    def healthy(self) -> bool:
        """Whether revocations have been seen lately."""
        return self._clock.monotonic() - self._last_good < self._patience

    async def run(self) -> None:
        """Look until cancelled. A store that is down ends no session and lets no new one in (logins need it, too)."""
        while True:
            await asyncio.sleep(self._interval)
            self.look_at_expiry()
            try:
                await self.look_at_revocations()
                await self.look_at_logins()
            except StoreError:
                continue
            self._last_good = self._clock.monotonic()

    async def look_at_revocations(self) -> int:
        """End sessions of tokens that were revoked, or cut short until now; answers how many. Raises `StoreError`."""
        if not len(self._registry):
            return 0
        now = self._clock.wall()
        # From the oldest live session on: a store that was down for an hour hides nothing then. Nor does a clock that was put back:
        # what is revoked by it may be older than every session.
        oldest = min(now, *(session.opened_at for session in self._registry.live()))
        ended = 0
        for token, end, revoked in await self._tokens.ended_since(oldest - _OVERLAP):
            if revoked or end <= now:
                ended += self._registry.end_token(token, REVOKED if revoked else EXPIRED)
        return ended

    async def look_at_logins(self) -> int:
        """End sessions that no token stands for, whose login is over; answers how many. Raises `StoreError`."""
        sessions = [
            each for each in self._registry.live() if each.identity.token is None and each.identity.provider is not None
        ]
        if not sessions:
            return 0
        until: dict[EndedLogin, float] = {}
        for login, meant in await self._tokens.logins_over_since(min(map(_began, sessions))):
            until[login] = max(meant, until.get(login, meant))
        ended = 0
        for session in sessions:
            over = [until[login] for login in EndedLogin.each_that_covers(session.identity) if login in until]
            if over and _began(session) <= max(over):
                session.end(LOGGED_OUT)
                ended += 1
        return ended

    def look_at_expiry(self) -> int:
        """End sessions whose token has expired; answers how many."""
        now = self._clock.wall()
        ended = 0
        for session in self._registry.live():
            expires = session.identity.expires_at
            if expires is not None and now >= expires:
                session.end(EXPIRED)
                ended += 1
        return ended

    def snapshot_swapped(self, _old: Snapshot, new: Snapshot) -> None:
        """End sessions whose principal or connection the new snapshot does not have; register with `SnapshotHolder.listen`."""
        now = self._clock.wall()
        for session in self._registry.live():
            expires = session.identity.expires_at
            if expires is not None and now >= expires:
                # What a provider vouched for until then is gone from the snapshot as well: the true reason is told.
                session.end(EXPIRED)
            elif session.connection.name not in new.connections:
                session.end(CONNECTION_GONE)
            elif (principal := present_identity(new, session.identity)) is None:
                session.end(PRINCIPAL_GONE)
            elif key_is_gone(session.identity, principal):
                session.end(KEY_GONE)


def _began(session: Session) -> float:
    """When the login that this session comes from began; what is not known of it was not before the session."""
    proven = session.identity.proven_at
    return session.opened_at if proven is None else proven
