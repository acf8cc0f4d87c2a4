"""A live session and the registry of all of them in this process.

A session knows who it is for, what it is connected to, its recorder and its counters; it does not know any protocol. The
driver that carries its bytes sets the hooks `on_end`, `on_cancel` and `on_say`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from interpose.engine.ports import AuditChain, Clock, SessionIndex, SessionRecorder
from interpose.model.analysis import FactValue
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.connection import Connection
from interpose.model.errors import RecordingError
from interpose.model.ids import ConnectionName, SessionId, TokenId
from interpose.model.principal import Identity
from interpose.model.proofs import Clearance
from interpose.model.refusal import Refusal
from interpose.protocols.contract import Ended
from interpose.recording.sanitize import sanitize

if TYPE_CHECKING:
    from interpose.engine.standing import Standing

SHORT_CANCEL_KEY_BYTES = 8
"""What PostgreSQL's protocol 3.0 has room for: 4 bytes in the place of a process id and 4 of secret."""

LONGEST_SAYING = 1000
"""Characters of a message to a session's user."""

RECORD_LOST = Refusal(
    "audit_unavailable",
    "the record of this session cannot be written",
    "ask the gateway's operator: no command is sent that cannot be recorded",
)
"""Why a session ends whose record cannot be written."""


class Session:
    """One client session, from its admission to its seal.

    `facts` is what policy may see of the session itself (source address, application name, task …). `clearance` clears what
    is no result (completions, errors, reports). `standing`, `catalog_dirty` and `catalog_opaque` belong to the gate.
    """

    __slots__ = (
        "_audit",
        "_clock",
        "_closed",
        "_ended_with",
        "_index",
        "cancel_key",
        "catalog_dirty",
        "catalog_opaque",
        "clearance",
        "commands",
        "connection",
        "facts",
        "id",
        "identity",
        "label",
        "on_cancel",
        "on_changes",
        "on_close",
        "on_end",
        "on_name",
        "on_say",
        "opened_at",
        "recorder",
        "refused",
        "salt",
        "source",
        "standing",
    )

    def __init__(
        self,
        session: SessionId,
        identity: Identity,
        connection: Connection,
        *,
        source: str,
        facts: Mapping[str, FactValue],
        recorder: SessionRecorder,
        clearance: Clearance,
        cancel_key: bytes,
        salt: bytes,
        audit: AuditChain,
        index: SessionIndex,
        clock: Clock,
    ) -> None:
        """`source` is the client's address without its port; `salt` keys the digests of this session's commands."""
        self.id = session
        self.identity = identity
        self.connection = connection
        self.source = source
        self.facts = facts
        self.recorder = recorder
        self.clearance = clearance
        self.cancel_key = cancel_key
        self.salt = salt
        self.label = identity.principal.label
        self.opened_at = clock.wall()
        self.commands = 0
        self.refused = 0
        self.standing: Standing | None = None
        self.catalog_dirty = False
        self.catalog_opaque = False
        self.on_end: Callable[[Refusal], None] | None = None
        self.on_cancel: Callable[[], None] | None = None
        self.on_changes: Callable[[Session, Ended], None] | None = None
        self.on_close: Callable[[Session], None] | None = None
        self.on_name: Callable[[Session, bytes], None] | None = None
        self.on_say: Callable[[str], None] | None = None
        self._audit = audit
        self._index = index
        self._clock = clock
        self._closed = False
        self._ended_with: Refusal | None = None

    @property
    def closed(self) -> bool:
        """Whether the session is sealed."""
        return self._closed

    @property
    def ended_with(self) -> Refusal | None:
        """Why the gateway ended the session, None while it has not."""
        return self._ended_with

    def take_name(self, name: bytes) -> None:
        """Put the upstream's own name for this session in the place of the first bytes of its cancel key; before it is told.

        The secret stays the gateway's own. A name that would make two keys alike is not taken.
        """
        if name and self.on_name is not None:
            self.on_name(self, name)

    def channel_opened(self, protocol: str) -> None:
        """What is no command itself begins, and carries commands that are judged one by one. Raises `RecordingError`.

        INVARIANT: it is in the audit chain before the upstream hears of it.
        """
        self._audit.append(AuditEvent(AuditKind.CHANNEL_OPENED, self.id, self.label, {"protocol": protocol}))
        self.recorder.note("channel", protocol)

    def command_ended(self, ended: Ended) -> None:
        """A permitted command is over: close its permit, record its end.

        If that cannot be written the session is ended: what follows could not be recorded either.
        """
        permit = ended.answer.permit
        permit.close()
        try:
            self._audit.append(
                AuditEvent(
                    AuditKind.COMMAND_ENDED,
                    self.id,
                    self.label,
                    {
                        "command": permit.sequence,
                        "outcome": ended.outcome,
                        "tag": ended.tag,
                        "error_class": ended.error_class,
                        "rows": ended.rows,
                        **(ended.facts or {}),
                    },
                )
            )
            self.recorder.ended(permit.sequence, ended.outcome, ended.tag, ended.error_class, ended.rows)
        except RecordingError:
            self.end(RECORD_LOST)
        if ended.answer.analysis.changes and self.on_changes is not None:
            self.on_changes(self, ended)

    def end(self, refusal: Refusal) -> None:
        """The gateway ends the session. The driver is told once, the first reason counts.

        A session whose driver has not begun (`on_end` unset) remembers the reason; the driver must look at `ended_with`.
        """
        if self._ended_with is not None or self._closed:
            return
        self._ended_with = refusal
        if self.on_end is not None:
            self.on_end(refusal)

    def say(self, text: str) -> bool:
        """Show the user a line of text; False when this session cannot (no driver took `on_say`, or it is over).

        INVARIANT: it is recorded first, and nothing in it is obeyed by a terminal.
        """
        if self._closed or self.on_say is None:
            return False
        line = sanitize(text)[:LONGEST_SAYING]
        try:
            self.recorder.note("said", line)
        except RecordingError:
            self.end(RECORD_LOST)
            return False
        self.on_say(line)
        return True

    def close(self, reason: str) -> None:
        """Seal the recording, append SESSION_CLOSED and tell the index; idempotent.

        Every step is tried even when one before it fails; the first `RecordingError` is then raised, for the log: the
        session is closed all the same.
        """
        if self._closed:
            return
        self._closed = True
        failed: RecordingError | None = None
        try:
            self.recorder.close(reason)
        except RecordingError as error:
            failed = error
        fields: dict[str, AuditValue] = {
            "reason": reason,
            "commands": self.commands,
            "refused": self.refused,
            "recording": "sealed" if failed is None else "unsealed",
        }
        try:
            self._audit.append(AuditEvent(AuditKind.SESSION_CLOSED, self.id, self.label, fields))
        except RecordingError as error:
            failed = failed or error
        self._index.closed(self.id, self._clock.wall(), reason, self.commands, self.refused)
        if self.on_close is not None:
            self.on_close(self)
        if failed is not None:
            raise failed


class SessionRegistry:
    """All live sessions of this process, by id and by cancel key."""

    def __init__(self) -> None:
        """Empty."""
        self._sessions: dict[SessionId, Session] = {}
        self._by_key: dict[bytes, Session] = {}
        self._per_principal: dict[str, int] = {}

    def add(self, session: Session) -> None:
        """Register; it leaves by itself when it is closed."""
        self._sessions[session.id] = session
        self._by_key[session.cancel_key[:SHORT_CANCEL_KEY_BYTES]] = session
        name = session.identity.principal.name
        self._per_principal[name] = self._per_principal.get(name, 0) + 1
        session.on_close = self.remove
        session.on_name = self._rename

    def remove(self, session: Session) -> None:
        """Forget a session; no harm when it is not there."""
        if self._sessions.pop(session.id, None) is None:
            return
        self._by_key.pop(session.cancel_key[:SHORT_CANCEL_KEY_BYTES], None)
        name = session.identity.principal.name
        left = self._per_principal[name] - 1
        if left:
            self._per_principal[name] = left
        else:
            del self._per_principal[name]

    def _rename(self, session: Session, name: bytes) -> None:
        key = name + session.cancel_key[len(name) :]
        # INVARIANT: no two live sessions have the same short key, or a cancel would hit the wrong one.
        if len(name) <= SHORT_CANCEL_KEY_BYTES // 2 and key[:SHORT_CANCEL_KEY_BYTES] not in self._by_key:
            del self._by_key[session.cancel_key[:SHORT_CANCEL_KEY_BYTES]]
            session.cancel_key = key
            self._by_key[key[:SHORT_CANCEL_KEY_BYTES]] = session

    def __len__(self) -> int:
        """How many sessions live."""
        return len(self._sessions)

    def get(self, session: SessionId) -> Session | None:
        """The live session with this id."""
        return self._sessions.get(session)

    def live(self) -> list[Session]:
        """All live sessions, oldest first."""
        return list(self._sessions.values())

    def uses(self, connection: ConnectionName) -> bool:
        """Whether a live session is on this connection."""
        return any(session.connection.name == connection for session in self._sessions.values())

    def count_of(self, principal: str) -> int:
        """How many sessions this principal has."""
        return self._per_principal.get(principal, 0)

    def cancel(self, key: bytes) -> bool:
        """Pass a cancel request to the session with this key; False when no session here has it.

        A client of PostgreSQL's protocol 3.0 has room for the first 8 bytes only, and those are then its whole key. The
        first 8 bytes are looked up by hash and the rest is compared in constant time, so that the time taken says
        nothing useful of how much of a guess was right.
        """
        session = self._by_key.get(key[:SHORT_CANCEL_KEY_BYTES])
        if session is None or session.on_cancel is None:
            return False
        if len(key) != SHORT_CANCEL_KEY_BYTES and not hmac.compare_digest(key, session.cancel_key):
            return False
        session.on_cancel()
        return True

    def end(self, session: SessionId, refusal: Refusal) -> bool:
        """End one session; False when it does not live here."""
        found = self._sessions.get(session)
        if found is None:
            return False
        found.end(refusal)
        return True

    def say(self, session: SessionId, text: str) -> bool:
        """Show one session's user a line of text; False when it does not live here or cannot show it."""
        found = self._sessions.get(session)
        return found is not None and found.say(text)

    def end_token(self, token: TokenId, refusal: Refusal) -> int:
        """End every session that was opened with this token; answers how many."""
        return self._end_all((s for s in self._sessions.values() if s.identity.token == token), refusal)

    def end_principal(self, name: str, refusal: Refusal) -> int:
        """End every session of this principal, and of every agent that acts for it; answers how many."""
        return self._end_all(
            (
                s
                for s in self._sessions.values()
                if name in (s.identity.principal.name, s.identity.principal.acting_for)
            ),
            refusal,
        )

    def end_connection(self, connection: ConnectionName, refusal: Refusal) -> int:
        """End every session on this connection; answers how many."""
        return self._end_all((s for s in self._sessions.values() if s.connection.name == connection), refusal)

    def end_all(self, refusal: Refusal) -> int:
        """End every session (the last act of a drain); answers how many."""
        return self._end_all(self._sessions.values(), refusal)

    @staticmethod
    def _end_all(sessions: Iterable[Session], refusal: Refusal) -> int:
        chosen = list(sessions)  # ending may remove from the registry
        for session in chosen:
            session.end(refusal)
        return len(chosen)
