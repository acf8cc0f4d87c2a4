"""Logins that are over because their provider says so: tokens and certificates that come from them are revoked, live sessions end.

One a process; the store is what all processes share, and the bus makes it quick. Does not know how a provider says it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from interpose.engine.authenticate import loggable
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interpose.engine.ports import AuditChain, Bus, Clock
    from interpose.engine.sessions import SessionRegistry
    from interpose.model.ids import TokenId
    from interpose.model.principal import Identity

TOPIC: Final = "logins.ended"
LOGGED_OUT: Final = Refusal(
    "logged_out", "your login was ended at your identity provider", "log in again, and connect with the new token"
)
LEEWAY: Final = 60.0
"""Seconds that the provider's clock may be behind ours: what began so much later than it says may still be meant."""
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class EndedLogin:
    """Which logins at a provider are over: a subject's (None: anybody's), of one of its sessions (None: of all)."""

    provider: str
    subject: str | None = None
    session: str | None = None

    def covers(self, identity: Identity) -> bool:
        """Whether this identity comes from such a login."""
        return (
            identity.provider == self.provider
            and (self.subject is None or identity.subject == self.subject)
            and (self.session is None or identity.context.session == self.session)
        )

    @classmethod
    def each_that_covers(cls, identity: Identity) -> tuple[EndedLogin, ...]:
        """All values whose `covers` holds for this identity; none for one that comes of no provider."""
        if identity.provider is None:
            return ()
        whose, of = (None, identity.subject), (None, identity.context.session)
        return tuple(cls(identity.provider, subject, session) for subject in whose for session in of)


class LoginTokens(Protocol):
    """The tokens and certificates that come from logins."""

    async def revoke_login(
        self, provider: str, subject: str | None, session: str | None, at: float, before: float
    ) -> Sequence[TokenId]:
        """Revoke at `at` what was made until `before` and comes from such logins (None: of any subject, of any session); answers which.

        INVARIANT: in the same step it is remembered that these logins are over, for the sessions that no token stands for.
        """
        ...


class Logins:
    """The use case."""

    def __init__(
        self, registry: SessionRegistry, tokens: LoginTokens, audit: AuditChain, bus: Bus, clock: Clock
    ) -> None:
        """Of one process."""
        self._registry = registry
        self._tokens = tokens
        self._audit = audit
        self._bus = bus
        self._clock = clock
        self._ended: OrderedDict[EndedLogin, float] = OrderedDict()

    async def end(self, login: EndedLogin, issuer: str, source: str, said_at: float) -> int:
        """The provider said at `said_at` (wall clock) that this is over; answers how many tokens and certificates were revoked.

        Raises `RecordingError` and `StoreError`: then the provider must be told that it was not done.
        """
        fields: dict[str, AuditValue] = {
            "provider": login.provider,
            "issuer": issuer,
            "subject": None if login.subject is None else loggable(login.subject, 256),
            "provider_session": None if login.session is None else loggable(login.session, 256),
            "reason": "logged_out_at_the_provider",
            "source": source,
        }
        self._audit.append(AuditEvent(AuditKind.LOGIN_ENDED, None, f"provider:{login.provider}", fields))
        now = self._clock.wall()
        self._remember(login, now)
        # What was got after the provider spoke comes from a later login.
        revoked = await self._tokens.revoke_login(
            login.provider, login.subject, login.session, now, min(now, said_at + LEEWAY)
        )
        for token in revoked:
            self._audit.append(
                AuditEvent(AuditKind.TOKEN_REVOKED, None, f"provider:{login.provider}", {"token": token})
            )
        told = {"provider": login.provider, "subject": login.subject, "session": login.session, "at": said_at}
        self._bus.publish(TOPIC, json.dumps(told))
        return len(revoked)

    def over(self, identity: Identity, since: float) -> bool:
        """Whether a login that was made at `since` has ended meanwhile: for what is still only in this process's memory."""
        return any(since <= at and login.covers(identity) for login, at in self._ended.items())

    async def hear(self) -> None:
        """End the live sessions of what ends in any process, until cancelled."""
        async for payload in self._bus.listen(TOPIC):
            told = json.loads(payload)
            self.end_sessions(EndedLogin(told["provider"], told["subject"], told["session"]), float(told["at"]))

    def end_sessions(self, login: EndedLogin, said_at: float) -> int:
        """End the live sessions here; answers how many."""
        ended = 0
        for session in self._registry.live():
            if session.opened_at <= said_at + LEEWAY and login.covers(session.identity):
                session.end(LOGGED_OUT)
                ended += 1
        return ended

    def _remember(self, login: EndedLogin, now: float) -> None:
        self._ended[login] = now
        self._ended.move_to_end(login)
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
