"""The use case of a login that a person confirms in a browser: a client without a password waits while its person types its code.

Knows neither the client's protocol nor the pages. INVARIANT: the code alone is worth nothing: it counts only together with the
proof of a provider that whoever typed it is the principal that the client claimed to be; and it counts once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from interpose.engine.admit import DRAINING
from interpose.engine.authenticate import TOO_MANY, UNAVAILABLE, WRONG, loggable
from interpose.engine.limits import FailureLimiter, address_group
from interpose.engine.pending_login import (
    APPROVED,
    DENIED,
    DRAINED,
    EXPIRED,
    LEFT,
    PENDING,
    USED,
    WRONG_PERSON,
    Bounds,
    Confirmation,
    PendingLogin,
)
from interpose.engine.user_code import read_user_code, user_code
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import RecordingError, StoreError
from interpose.model.principal import Identity
from interpose.model.refusal import ConfirmationNotice, Refusal
from interpose.protocols.contract import Refused

if TYPE_CHECKING:
    from interpose.engine.directory import Directory
    from interpose.engine.pending_login import PendingLogins
    from interpose.engine.ports import AuditChain, Bus, Clock, Ids
    from interpose.engine.signing_in import SignedIn
    from interpose.engine.snapshot import SnapshotHolder
    from interpose.protocols.contract import Evidence

TOPIC: Final = "logins.answered"
METHOD: Final = "browser"
"""How a session says that its person proved themselves."""

_POLL_SECONDS: Final = 2.0
_OPENED: Final = (30, 60.0)
"""Logins that one address may begin in so many seconds, a worker."""

_FULL: Final = Refusal(
    "too_many_confirmations",
    "too many logins wait for their confirmation in a browser",
    "finish or cancel the others, wait two minutes, or use an access token",
)


class Confirming:
    """Logins that wait, for the clients that wait and for the pages on which they are answered."""

    def __init__(
        self,
        store: PendingLogins,
        directory: Directory,
        holder: SnapshotHolder,
        audit: AuditChain,
        bus: Bus,
        clock: Clock,
        ids: Ids,
        *,
        key: bytes,
        page: str,
        canonical: Callable[[str], str | None],
        seconds: float = 120.0,
        bounds: Bounds | None = None,
    ) -> None:
        """`key` is the same in all workers; `page` is where codes are typed; `canonical` brings a claimed name to its one spelling.

        Run `run` as a task, so that answers in other processes are heard of at once.
        """
        self._store = store
        self._directory = directory
        self._holder = holder
        self._audit = audit
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._key = key
        self._page = page
        self._canonical = canonical
        self._seconds = seconds
        self._bounds = bounds or Bounds()
        self._opened = FailureLimiter(clock, *_OPENED)
        self._waiting: dict[str, asyncio.Event] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._draining = False

    @property
    def waiting(self) -> int:
        """How many clients wait in this process."""
        return len(self._waiting)

    # --- the waiting client

    async def confirm(
        self, evidence: Evidence, peer: str, tell: Callable[[ConfirmationNotice], None]
    ) -> Identity | Refused:
        """Wait until somebody has confirmed that this is their login: who it is, or why not. Nothing else happens meanwhile.

        `tell` is called once, with what the client is to show. When this is cancelled (the client left) the login is void.
        """
        if self._draining:
            return Refused(DRAINING)
        login, code = self._login(evidence, peer)
        try:
            if not login.claimed_name:
                return self._failed(login, "name_impossible", WRONG)
            if self._opened.blocked(login.group):
                return self._failed(login, "too_many_attempts", TOO_MANY)
            self._opened.failed(login.group)
            if not await self._store.create(login, self._bounds):
                return self._failed(login, _FULL.code, _FULL)
        except StoreError:
            return Refused(UNAVAILABLE)
        except RecordingError:
            return Refused(UNAVAILABLE)
        answered = self._waiting[login.id] = asyncio.Event()
        try:
            fields = {**_what(login), "expires_in": round(self._seconds)}
            self._audit.append(AuditEvent(AuditKind.LOGIN_OPENED, fields=fields))
            tell(ConfirmationNotice(self._page, code, login.claimed_name, login.connection, peer, self._seconds))
            return await self._wait(login, answered)
        except RecordingError:
            await self._void_surely(login, "audit_unavailable")
            return Refused(UNAVAILABLE)
        except BaseException:
            # INVARIANT: whatever ends the wait, nothing stays that could still be confirmed.
            await self._void_surely(login, LEFT)
            raise
        finally:
            del self._waiting[login.id]

    def _login(self, evidence: Evidence, peer: str) -> tuple[PendingLogin, str]:
        now = self._clock.wall()
        code = user_code(self._ids.secret_bytes(16))
        return PendingLogin(
            id=self._ids.secret_bytes(9).hex(),
            digest=self._digest(code),
            claimed_name=self._canonical(evidence.claimed_name) or "",
            connection=loggable(evidence.connection),
            client=loggable(evidence.details.get("application_name") or evidence.details.get("client_version", "")),
            source=peer,
            group=address_group(peer),
            opened_at=now,
            expires_at=now + self._seconds,
        ), code

    async def _wait(self, login: PendingLogin, answered: asyncio.Event) -> Identity | Refused:
        while True:
            answered.clear()
            outcome = await self._look(login)
            if outcome is not None:
                return outcome
            left = login.expires_at - self._clock.wall()
            with contextlib.suppress(TimeoutError):
                # Not `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that comes just when the event is set.
                async with asyncio.timeout(max(0.0, min(_POLL_SECONDS, left))):
                    await answered.wait()

    async def _look(self, login: PendingLogin) -> Identity | Refused | None:
        """One look at the store: the outcome, or None while nobody has answered."""
        over = DRAINED if self._draining else EXPIRED if self._clock.wall() >= login.expires_at else ""
        try:
            if over and await self._store.move(login.id, PENDING, over):
                return self._failed(login, over, self._refusal(over, login))
            current = await self._store.get(login.id)
            if current is not None and current.state == PENDING:
                return None
            if current is not None and current.state == APPROVED:
                # INVARIANT: one answer lets in one client, because the store moves `approved` to `used` at most once.
                if not over and current.confirmation is not None and await self._store.move(login.id, APPROVED, USED):
                    return await self._enter(login, current.confirmation)
                await self._store.move(login.id, APPROVED, over or EXPIRED)
                return self._failed(login, over or EXPIRED, self._refusal(over or EXPIRED, login))
        except StoreError:
            # A store that is down for a moment loses nothing; one that stays down until the expiry refuses.
            return Refused(UNAVAILABLE) if over else None
        reason = EXPIRED if current is None else current.state
        return self._failed(login, reason, self._refusal(reason, login))

    async def _enter(self, login: PendingLogin, confirmation: Confirmation) -> Identity | Refused:
        # Whoever signed in did so in another process perhaps, a moment ago.
        await self._directory.refresh()
        name, now = confirmation.principal, self._clock.wall()
        principals = self._holder.current.principals
        principal = principals.find(name)
        subject = (confirmation.provider, confirmation.subject)
        if (
            principal is None
            or principals.vouched(name) != subject
            or name != login.claimed_name
            or now >= confirmation.valid_until
        ):
            return self._failed(login, "principal_gone", WRONG)
        fields = {
            **_who(confirmation),
            **_what(login),
            "method": METHOD,
            "confirmed_from": confirmation.source,
            "expires_at": int(confirmation.valid_until),
        }
        self._audit.append(AuditEvent(AuditKind.LOGIN_SUCCEEDED, None, principal.label, fields))
        # Whatever ended at the provider since the client began to wait may be what was confirmed with.
        began = login.opened_at
        return Identity(
            principal, METHOD, None, confirmation.valid_until, *subject, confirmation.context, proven_at=began
        )

    def _refusal(self, reason: str, login: PendingLogin) -> Refusal:
        if reason == DRAINED:
            return DRAINING
        if reason == DENIED:
            return Refusal(
                "confirmation_denied", "this login was denied in the browser", "begin again if you want to log in"
            )
        if reason == WRONG_PERSON:
            return Refusal(
                "wrong_person",
                f"the code was entered by somebody who is not `{login.claimed_name}`",
                "give the name that the gateway's page shows when you have signed in as the user",
            )
        return Refusal(
            "confirmation_expired",
            f"nobody confirmed this login in a browser within {round(self._seconds)} s",
            f"connect again and enter the code that is shown at {self._page}; a client that shows none needs "
            "an access token (`interpose login`) as the password",
        )

    def _failed(self, login: PendingLogin, reason: str, refusal: Refusal) -> Refused:
        self._record_end(login, reason)
        return Refused(refusal)

    async def _void_surely(self, login: PendingLogin, reason: str) -> None:
        # A task of its own, since the one that waits here may be cancelled once more.
        task = asyncio.ensure_future(self._void(login, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        await asyncio.shield(task)

    async def _void(self, login: PendingLogin, reason: str) -> None:
        """As far as the store and the audit chain let it. Nothing depends on it: only the client that is gone could use the login."""
        with contextlib.suppress(StoreError):
            if not await self._store.move(login.id, PENDING, reason):
                await self._store.move(login.id, APPROVED, reason)
        with contextlib.suppress(RecordingError):
            self._record_end(login, reason)

    def _record_end(self, login: PendingLogin, reason: str) -> None:
        self._audit.append(
            AuditEvent(AuditKind.LOGIN_FAILED, fields={"reason": reason, "method": METHOD, **_what(login)})
        )

    # --- the pages

    async def typed(self, typed: str) -> PendingLogin | None:
        """The login whose code somebody typed, when it waits; None for every other text. Raises `StoreError`."""
        code = read_user_code(typed)
        # A text that is no code is looked up as well: it takes as long as a code that is not known.
        login = await self._store.find(self._digest(code or ""))
        waits = login is not None and login.state == PENDING and self._clock.wall() < login.expires_at
        return login if waits else None

    async def answer(self, login: PendingLogin, who: SignedIn, approved: bool, source: str) -> str:
        """Somebody answered from `source`; answers the state that the login has by that, empty when it does not wait any more.

        Whoever is not the principal that the client claimed to be voids the login, whatever they answered. In the audit chain before
        it takes effect. Raises `RecordingError`, `StoreError`.
        """
        proof, name = who.proof, who.identity.principal.name
        confirmation = Confirmation(
            name, proof.provider, proof.method, proof.issuer, proof.subject, proof.valid_until, source, proof.context
        )
        same = hmac.compare_digest(name.encode(), login.claimed_name.encode())
        state = WRONG_PERSON if not same else APPROVED if approved else DENIED
        fields = {
            **_who(confirmation),
            "approved": state == APPROVED,
            "outcome": state,
            "how": METHOD,
            "login": login.id,
            "claimed_name": login.claimed_name,
            "connection": login.connection,
            "client": login.client,
            "asked_from": login.source,
            "source": source,
        }
        self._audit.append(AuditEvent(AuditKind.LOGIN_DECIDED, None, who.identity.principal.label, fields))
        if not await self._store.answer(login.id, state, confirmation, self._clock.wall()):
            return ""
        self.wake(login.id)
        self._bus.publish(TOPIC, login.id)
        return state

    # --- wake-ups and the end

    async def run(self) -> None:
        """Hear of answers in other processes, until cancelled."""
        async for payload in self._bus.listen(TOPIC):
            self.wake(payload)

    def wake(self, login: str) -> None:
        """Make the client that waits for this answer look at the store, when it waits in this process."""
        event = self._waiting.get(login)
        if event is not None:
            event.set()

    def drain(self) -> None:
        """Refuse what waits and whatever comes: the gateway is shutting down."""
        self._draining = True
        for event in self._waiting.values():
            event.set()

    def _digest(self, code: str) -> bytes:
        # Keyed: whoever reads the database cannot try all codes within the two minutes that one lives.
        return hmac.digest(self._key, b"login code\0" + code.encode(), hashlib.sha256)


def _what(login: PendingLogin) -> dict[str, AuditValue]:
    return {
        "login": login.id,
        "claimed_name": login.claimed_name,
        "connection": login.connection,
        "client": login.client,
        "source": login.source,
    }


def _who(confirmation: Confirmation) -> dict[str, AuditValue]:
    return {
        "principal": confirmation.principal,
        "provider": confirmation.provider,
        "method": confirmation.method,
        "issuer": confirmation.issuer,
        "subject": loggable(confirmation.subject, 256),
    }
