"""Errors, notices and parameter reports from the upstream, and what they mean for what is still on its way.

PostgreSQL 17 §53.2.3: after an error in a batch the server skips everything up to the next Sync; so does the relay.
"""

from __future__ import annotations

from interpose.model.analysis import SessionChange
from interpose.protocols.intents import Allowed, Deliver, Reply
from interpose.protocols.postgres.backend import READY, error_message, read_fields, read_strings
from interpose.protocols.postgres.relay.core import PINNED
from interpose.protocols.postgres.relay.free_text import from_elsewhere, names_only, scrubbed
from interpose.protocols.postgres.relay.outstanding import (
    ABORT,
    BIND,
    CLOSE,
    DESCRIBE,
    FATAL,
    QUERY,
    REFUSED,
    REFUSED_READY,
    SYNC,
    Expected,
    Running,
)
from interpose.protocols.postgres.relay.results import DROP, GO, WAIT, Results
from interpose.protocols.postgres.wire import cstring, frame


class Errors(Results):
    """What ends badly, and what is said on the way."""

    __slots__ = ()

    def _error(self, due: Expected | None, buffer: bytes, position: int, end: int) -> int:
        """ErrorResponse: ends a simple query's statements, or everything up to the next Sync."""
        fields = read_fields(buffer[position + 5 : end])
        if fields.get("V", fields.get("S", "")) in ("FATAL", "PANIC"):
            self._last_word = True
        if due is None:
            return GO
        scrub = due.scrub
        self._deliver(buffer, position)
        self._down_clearance = self._clearance
        if isinstance(due, Running) and due.kind == QUERY:
            due.opened = due.copying = self._copy_in = False
            if due.answer is not None and due.answer.analysis.changes and self._touches_settings(due.answer):
                self._path_stale = True
            if due.muted:
                return DROP
            due.sqlstate = fields.get("C", "XX000")
            return self._tell("E", fields, scrub)
        if due.own:
            message = buffer[position:end]
            if (scrub or (self._hidden and from_elsewhere(fields, self._hidden))) and not names_only(fields):
                message = scrubbed("E", fields)
            return self._own_failed(message)
        if due.kind == SYNC:
            # Raised by the commit of the implicit transaction; ready comes behind it.
            return self._tell("E", fields, scrub)
        self._queue.popleft()
        if due.kind == ABORT:
            if due.data:
                self._out.append(Reply(due.data))
            self._fail_batch()
            return DROP
        self._drop(due, "error", fields.get("C", "XX000"))
        self._fail_batch()
        return self._tell("E", fields, scrub)

    def _touches_settings(self, answer: Allowed) -> bool:
        changes = answer.analysis.changes
        touched = SessionChange.SETTINGS in changes or SessionChange.OPAQUE in changes
        self._settings_touched = self._settings_touched or touched
        # Code that commits may have done all of this before it failed.
        self._role_touched = self._role_touched or touched
        self._temporary_stale = self._temporary_stale or SessionChange.OPAQUE in changes
        return touched

    def _tell(self, kind: str, fields: dict[str, str], scrub: bool) -> int:
        """Errors and notices: as they are, or without free text when hidden values are within reach."""
        scrub = scrub or (bool(self._hidden) and from_elsewhere(fields, self._hidden))
        if not scrub or names_only(fields):
            return GO
        self._out.append(Deliver(self._clearance, scrubbed(kind, fields)))
        return DROP

    def _notice(self, due: Expected | None, buffer: bytes, position: int, end: int) -> int:
        """NoticeResponse, at any time."""
        if not self._hidden and (due is None or not due.scrub):
            return GO
        self._deliver(buffer, position)
        return self._tell("N", read_fields(buffer[position + 5 : end]), due is not None and due.scrub)

    def _notification(self, buffer: bytes, position: int, end: int) -> int:
        """NotificationResponse, at any time. A trigger may have put a row into its payload: it is withheld where something is hidden."""
        if not self._hidden:
            return GO
        channel, _ = read_strings(buffer[position + 9 : end], 2)
        self._deliver(buffer, position)
        self._out.append(
            Deliver(self._clearance, frame(b"A", buffer[position + 5 : position + 9] + cstring(channel) + cstring("")))
        )
        return DROP

    def _parameter(self, due: Expected | None, buffer: bytes, position: int, end: int) -> int:
        """ParameterStatus, at any time. A report that the lexer's state has changed ends the session."""
        name, value = read_strings(buffer[position + 5 : end], 2)
        self._parameters[name] = value
        wanted = PINNED.get(name)
        if wanted is not None and value.upper() != wanted.upper():
            message = f"`{name}` was changed to `{value}`, which would change how commands are read"
            word = error_message("FATAL", "57P01", message, hint=f"leave `{name}` at `{wanted}` on this connection")
            self._deliver(buffer, position)
            self._close("pinned_setting_changed", message, word)
            return WAIT
        if due is not None and due.scrub and value not in ("on", "off"):
            return DROP
        return GO

    def _drop(self, due: Expected, outcome: str, sqlstate: str) -> None:
        """The upstream has not done this."""
        if due.statement is not None:
            self._statements.drop(due.statement)
        if due.portal is not None and due.kind in (BIND, CLOSE):
            self._portals.drop(due.portal)
        if isinstance(due, Running):
            self._release(due)
            if due.answer is not None and due.answer.analysis.changes and self._touches_settings(due.answer):
                self._path_stale = True
        if due.answer is not None:
            rows = due.rows if isinstance(due, Running) else 0
            self._end(due.answer, outcome, "", sqlstate, rows)

    def _release(self, due: Running) -> None:
        """Whoever waits for this command's end may go on."""
        if due.barrier:
            due.barrier = False
            self._barrier -= 1
            if due.withholds:
                due.withholds = False
                self._sync_barrier -= 1
        if self._copy_wait is due:
            self._copy_wait = None
            self._copy_in = False

    def _fail_batch(self) -> None:
        """The upstream skips everything up to the next Sync, and so does the relay."""
        queue = self._queue
        while queue:
            due = queue[0]
            if due.kind == SYNC or due.kind == FATAL:
                return
            queue.popleft()
            if not due.own:
                self._drop(due, "cut", "")
            elif due.kind != DESCRIBE:
                # A Describe of our own belongs to the client's Execute and is no step of a question to the session.
                self._own_step()
        self._skipping = True

    def _settle(self) -> None:
        """The gateway's own answers whose turn has come."""
        queue = self._queue
        while queue and queue[0].kind in (REFUSED, REFUSED_READY, FATAL):
            due = queue.popleft()
            if due.kind == FATAL:
                self._close(due.reason, "", due.data)
                return
            self._out.append(Reply(due.data + READY[self._status] if due.kind == REFUSED_READY else due.data))

    def _own_step(self) -> None:
        """One more answer to the gateway's own question has come (or will not come)."""
        self._own_running -= 1
        answers = self._own_answers
        if self._own_running == 0 and len(answers) >= 3 and not self._own_error:
            if len(answers) == 4:
                self._temporary_schema, self._temporary_stale = answers[3], False
            if self._status == "I":
                self._role_touched = False
            self._set_path(*answers[:3])

    def _own_failed(self, message: bytes) -> int:
        """The upstream answered the gateway's own question with an error (the client's cancel may have hit it).

        The command that waits for the answer gets that error: it is what happened to it.
        """
        own_sync = any(due.kind == SYNC and due.own for due in self._queue)
        self._fail_batch()
        if not own_sync:
            self._out.append(Deliver(self._clearance, message))
            return DROP
        self._own_error = message
        return DROP
