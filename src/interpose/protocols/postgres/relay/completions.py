"""What ends well: names that are made, commands that are complete, transactions that go on or end."""

from __future__ import annotations

from typing import Final

from interpose.model.analysis import SessionChange
from interpose.protocols.intents import Allowed, Ended, Reply
from interpose.protocols.postgres.backend import READY
from interpose.protocols.postgres.relay.effects import apply_statement, changes_role, forget_with_transaction
from interpose.protocols.postgres.relay.errors import Errors
from interpose.protocols.postgres.relay.outstanding import (
    ABORT,
    BIND,
    CLOSE,
    DESCRIBE,
    EXECUTE,
    PARSE,
    QUERY,
    REFUSED,
    SWALLOW,
    SYNC,
    UNDECIDED,
    Expected,
    Running,
)
from interpose.protocols.postgres.relay.path import ABORT_MESSAGE
from interpose.protocols.postgres.relay.results import DROP, GO, UpstreamFault
from interpose.protocols.postgres.wire import cstring, frame

_COPY_REFUSED: Final = frame(b"f", cstring("refused by the gateway: this command was not judged as a COPY FROM STDIN"))


class Completions(Errors):
    """Completions."""

    __slots__ = ()

    def _named(self, kind: int, due: Expected | None) -> int:
        """ParseComplete, BindComplete, CloseComplete: a name's version is committed."""
        if due is None or due.kind != (PARSE if kind == 0x31 else BIND if kind == 0x32 else CLOSE):
            raise UpstreamFault("a completion that nobody asked for")
        self._queue.popleft()
        if due.own:
            self._own_step()
            return DROP
        if due.portal is not None:
            self._portals.commit(due.portal)
        elif due.statement is not None:
            self._statements.commit(due.statement)
        if due.answer is not None:
            self._out.append(Ended(due.answer, "ok"))
        return GO

    def _described(self, kind: int, due: Expected) -> int:
        """NoData and ParameterDescription."""
        if due.kind != DESCRIBE:
            raise UpstreamFault("a description that nobody asked for")
        if kind == 0x6E:
            self._queue.popleft()
        return DROP if due.own else GO

    def _complete(self, due: Expected, buffer: bytes, position: int, end: int) -> int:
        """CommandComplete."""
        if not isinstance(due, Running):
            if due.kind != EXECUTE:
                raise UpstreamFault("a completion that nobody asked for")
            self._queue.popleft()
            self._own_step()
            return DROP
        answer = due.answer
        if answer is None:
            raise UpstreamFault("a completion without a command")
        tag = buffer[position + 5 : end - 1].decode(errors="replace")
        if answer.analysis.changes:
            self._happened(answer, due.index)
        if due.kind == EXECUTE:
            return self._executed(due, answer, tag, buffer, position, end)
        due.index += 1
        due.opened = due.copying = False
        if due.tags is None:
            due.tags = [tag]
        else:
            due.tags.append(tag)
        if due.mode == SWALLOW:
            return self._stand_in(due, buffer, position)
        if answer.describe:
            self._back_to_protocol(due, buffer, end)
            due.mode = UNDECIDED
        return GO

    def _suspended(self, kind: int, due: Expected, buffer: bytes, position: int, end: int) -> int:
        """PortalSuspended and EmptyQueryResponse."""
        if not isinstance(due, Running) or due.answer is None:
            raise UpstreamFault("an end that nobody asked for")
        if due.kind == EXECUTE:
            return self._executed(due, due.answer, "", buffer, position, end)
        if kind == 0x73:
            raise UpstreamFault("a simple query cannot be suspended")
        return DROP if due.muted else GO

    def _executed(self, due: Running, answer: Allowed, tag: str, buffer: bytes, position: int, end: int) -> int:
        """An Execute is over."""
        self._queue.popleft()
        if due.barrier or self._copy_wait is due:
            self._release(due)
        if due.portal is not None:
            due.portal.rows += due.rows
        if due.mode == SWALLOW:
            self._deliver(buffer, position)
            self._out.append(Reply(due.data))
            self._end(answer, "cut", tag, due.sqlstate, due.rows)
            self._after_withheld(due)
            return DROP
        if due.clearance is not self._clearance:
            self._back_to_protocol(due, buffer, end)
        self._ended.append(Ended(answer, "ok", tag, "", due.rows))
        return GO

    def _back_to_protocol(self, due: Running, buffer: bytes, end: int) -> None:
        """A shown result is over: what follows is no part of it."""
        self._deliver(buffer, end)
        self._down_clearance = due.clearance = self._clearance

    def _stand_in(self, due: Running, buffer: bytes, position: int) -> int:
        """The gateway's error takes the place of what is left of a simple query."""
        if not due.muted:
            self._deliver(buffer, position)
            self._out.append(Reply(due.data))
            due.muted = True
            self._down_clearance = self._clearance
        return DROP

    def _after_withheld(self, due: Running) -> None:
        """The client takes the error as the end of its batch: what is behind it must not be told, and not be kept either."""
        self._down_clearance = self._clearance
        behind = [later for later in self._queue if later.kind != REFUSED]
        self._queue.clear()
        self._queue.extend(behind)
        if any(later.kind == SYNC for later in behind):
            return
        self._skipping = True
        if (
            self._batch_ran
            and self._status == "I"
            and not due.reads
            and not any(later.kind == ABORT for later in behind)
        ):
            self._queue.append(Expected(ABORT))
            self._send_own("own:abort", ABORT_MESSAGE)

    def _happened(self, answer: Allowed, index: int) -> None:
        """A statement with effects on the session has ended well."""
        analysis = answer.analysis
        info = analysis.statements[index] if index < len(analysis.statements) else None
        changes = analysis.changes if info is None else info.changes
        if SessionChange.TRANSACTION in changes and SessionChange.OPAQUE not in changes:
            # Ending a transaction, or going back to a savepoint, undoes settings; where none was touched there is none to undo.
            self._path_stale = self._path_stale or self._settings_touched
        else:
            if SessionChange.SETTINGS in changes or SessionChange.OPAQUE in changes:
                self._path_stale = self._settings_touched = True
            if SessionChange.CATALOG in changes or SessionChange.OPAQUE in changes:
                self._temporary_stale = True
        if not self._role_touched and changes_role(analysis):
            self._role_touched = True
        if info is not None:
            apply_statement(info, self._statements, self._portals, self._path)

    def _ready(self, due: Expected, status: str) -> int:
        """ReadyForQuery: the transaction state, told truly."""
        if status not in READY or (due.kind != SYNC and due.kind != QUERY):
            raise UpstreamFault("an unexpected ready")
        self._queue.popleft()
        self._status = status
        if status == "I":
            if self._transaction_scrub:
                self._transaction_scrub = any(later.scrub for later in self._queue)
            if self._portals:
                forget_with_transaction(self._portals)
            if self._settings_touched:
                self._path_stale, self._settings_touched = True, False
        if self._path_stale:
            self._path_as_reported()
        if isinstance(due, Running) and due.answer is not None:
            self._release(due)
            outcome = "cut" if due.muted else "error" if due.sqlstate else "ok"
            tags = due.tags
            tag = "" if tags is None else tags[0] if len(tags) == 1 else "; ".join(tags)
            self._end(due.answer, outcome, tag, due.sqlstate, due.rows)
        elif due.own:
            self._own_step()
            return DROP
        return GO

    def _path_as_reported(self) -> None:
        """PostgreSQL 18 reports the search path by itself, before it is ready; it does not report the role."""
        reported = self._parameters.get("search_path", "$user")
        if "$user" not in reported and not self._role_touched:
            self._set_path(reported, self._role, self._parameters.get("session_authorization", ""))

    def _copy_in_begins(self, due: Expected) -> int:
        """`G`: the upstream wants the data of a COPY FROM STDIN."""
        if not isinstance(due, Running) or due.answer is None:
            raise UpstreamFault("an unexpected COPY")
        statements = due.answer.analysis.statements
        if due.muted or due.index >= len(statements) or statements[due.index].copy != "in":
            self._send_own("own:copy-fail", _COPY_REFUSED)
            return DROP
        self._copy_wait = due
        self._copy_in = True
        return GO
