"""What comes down from the upstream that is no row: completions, errors, notices, parameter reports, transaction state.

One walk over message headers; what may go down as it stands is emitted in as few pieces as there are clearances.
"""

from __future__ import annotations

from typing import Final

from interpose.model.analysis import SessionChange
from interpose.protocols.intents import Allowed, Deliver, Ended, Reply
from interpose.protocols.postgres.backend import READY, error_message, read_fields, read_strings
from interpose.protocols.postgres.relay.core import PINNED
from interpose.protocols.postgres.relay.effects import apply_statement, forget_with_transaction
from interpose.protocols.postgres.relay.free_text import scrubbed
from interpose.protocols.postgres.relay.outstanding import (
    ABORT,
    BIND,
    CLOSE,
    DESCRIBE,
    EXECUTE,
    FATAL,
    PARSE,
    PASS,
    QUERY,
    REFUSED,
    REFUSED_READY,
    SWALLOW,
    SYNC,
    UNDECIDED,
    Expected,
    Running,
)
from interpose.protocols.postgres.relay.path import ABORT_MESSAGE
from interpose.protocols.postgres.relay.results import COPY_DATA, DATA_ROW, DROP, GO, WAIT, Results, UpstreamFault
from interpose.protocols.postgres.wire import HEADER, cstring, frame

_PIECE: Final = 1 << 16
_ROWS: Final = frozenset((DATA_ROW, COPY_DATA))
_COPY_REFUSED: Final = frame(b"f", cstring("refused by the gateway: this command was not judged as a COPY FROM STDIN"))


class Completions(Results):
    """The downward half of the relay."""

    __slots__ = ()

    def _walk(self) -> None:
        """Work on what the upstream sent, as far as it goes."""
        box = self._upstream
        if self._showing is not None or not self._skip_pieces() or not self._whole():
            return
        buffer, position = box.data, box.position
        size = len(buffer)
        self._down_start = position
        queue = self._queue
        unpack = HEADER.unpack_from
        while size - position >= 5:
            kind, length = unpack(buffer, position)
            if self._ended and kind != 0x5A:
                self._deliver(buffer, position)
            due = queue[0] if queue else None
            if kind in _ROWS:
                after = self._rows(due, kind, buffer, position)
                if after < 0:
                    break
                position = after
                continue
            end = position + 1 + length
            if length < 4 or length > self._facts.max_message:
                raise UpstreamFault("a message with an impossible length")
            if end > size:
                break
            if kind == 0x32 and due is not None and due.kind == BIND and due.portal is not None:
                # The hot path of `_named` and `_row_description`.
                queue.popleft()
                due.portal.resolved, due.portal.prev = True, None
                treatment = GO
            elif kind == 0x54 and due is not None and due.kind == DESCRIBE and due.portal is not None and not due.own:
                queue.popleft()
                due.portal.shape = buffer[position + 5 : end]
                treatment = GO
            else:
                treatment = self._message(kind, due, buffer, position, end)
            if treatment == GO:
                position = end
            elif treatment == DROP:
                self._deliver(buffer, position)
                position = self._down_start = end
            else:
                break
            if queue and queue[0].kind > QUERY and queue[0].kind != ABORT:
                self._deliver(buffer, position)
                self._settle()
                if self._closed:
                    return
        self._deliver(buffer, min(position, size))
        box.position = position
        if self._show is not None:
            self._out.append(self._show)
            self._show = None

    def _whole(self) -> bool:
        """Whether there is something to walk; joins what came in pieces."""
        box = self._upstream
        if not box.gather(5):
            return False
        kind, length = HEADER.unpack_from(box.data, box.position)
        want: int = 1 + length
        if kind in _ROWS and want > _PIECE:
            due = self._queue[0] if self._queue else None
            if not isinstance(due, Running) or due.mode in (PASS, SWALLOW):
                want = _PIECE
        if len(box.data) - box.position < want:
            box.gather(want)
        return True

    def _skip_pieces(self) -> bool:
        """Pass (or drop) the rest of a row that is not kept until it is whole. False: more of it is to come."""
        if not self._upstream_skip:
            return True
        box = self._upstream
        box.gather(len(box))
        take = min(self._upstream_skip, len(box))
        self._upstream_skip -= take
        if take and not self._skip_drops:
            self._out.append(Deliver(self._down_clearance, box.data[box.position : box.position + take]))
        box.position += take
        if self._upstream_skip:
            return False
        self._skip_drops = False
        self._out.extend(Reply(data) for data in self._late)
        self._late.clear()
        return True

    def _message(self, kind: int, due: Expected | None, buffer: bytes, position: int, end: int) -> int:
        """Treat one whole message: `GO`, `DROP` or `WAIT`."""
        if kind == 0x43 and due is not None:
            return self._complete(due, buffer, position, end)
        if kind == 0x5A and due is not None:
            return self._ready(due, chr(buffer[position + 5]) if end == position + 6 else "")
        if kind == 0x32 or kind == 0x31 or kind == 0x33:
            return self._named(kind, due)
        if kind == 0x54 and due is not None:
            return self._row_description(due, buffer, position, end)
        if kind == 0x45:
            return self._error(due, buffer, position, end)
        if kind == 0x4E:
            return self._notice(due, buffer, position, end)
        if kind == 0x53:
            return self._parameter(due, buffer[position + 5 : end])
        if kind == 0x41:
            return GO
        if due is not None:
            if kind == 0x6E or kind == 0x74:
                return self._described(kind, due)
            if kind == 0x73 or kind == 0x49:
                return self._suspended(kind, due, buffer, position, end)
            if kind == 0x48:
                return self._copy_out(due, buffer, position, end)
            if kind == 0x63:
                return self._copy_done(due)
            if kind == 0x47:
                return self._copy_in_begins(due)
        raise UpstreamFault(f"an unexpected message of type {chr(kind)!r}")

    # --- names

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

    # --- ends

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
        self._end(answer, "ok", tag, "", due.rows)
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

    def _happened(self, answer: Allowed, index: int) -> None:
        """A statement with effects on the session has ended well."""
        analysis = answer.analysis
        info = analysis.statements[index] if index < len(analysis.statements) else None
        changes = analysis.changes if info is None else info.changes
        if SessionChange.TRANSACTION in changes and SessionChange.OPAQUE not in changes:
            # Ending a transaction, or going back to a savepoint, undoes settings; where none was touched there is none to undo.
            self._path_stale = self._path_stale or self._settings_touched
        elif SessionChange.SETTINGS in changes or SessionChange.OPAQUE in changes:
            self._path_stale = self._settings_touched = True
        if info is not None:
            apply_statement(info, self._statements, self._portals, self._path)

    def _ready(self, due: Expected, status: str) -> int:
        """ReadyForQuery: the transaction state, told truly."""
        if status not in READY or (due.kind != SYNC and due.kind != QUERY):
            raise UpstreamFault("an unexpected ready")
        self._queue.popleft()
        self._status = status
        if status == "I":
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
        """PostgreSQL 18 reports the search path by itself, before it is ready."""
        reported = self._parameters.get("search_path", "$user")
        if "$user" not in reported:
            self._set_path(reported, self._role)

    # --- errors and notices

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
            return self._own_failed(buffer[position:end])
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
        return touched

    def _tell(self, kind: str, fields: dict[str, str], scrub: bool) -> int:
        """Errors and notices: as they are, or without free text when hidden values are within reach."""
        if not scrub:
            return GO
        self._out.append(Deliver(self._clearance, scrubbed(kind, fields)))
        return DROP

    def _notice(self, due: Expected | None, buffer: bytes, position: int, end: int) -> int:
        """NoticeResponse, at any time."""
        if due is None or not due.scrub:
            return GO
        self._deliver(buffer, position)
        return self._tell("N", read_fields(buffer[position + 5 : end]), True)

    def _parameter(self, due: Expected | None, body: bytes) -> int:
        """ParameterStatus, at any time. A report that the lexer's state has changed ends the session."""
        name, value = read_strings(body, 2)
        self._parameters[name] = value
        wanted = PINNED.get(name)
        if wanted is not None and value.upper() != wanted.upper():
            message = f"`{name}` was changed to `{value}`, which would change how commands are read"
            word = error_message("FATAL", "57P01", message, hint=f"leave `{name}` at `{wanted}` on this connection")
            self._close("pinned_setting_changed", message, word)
            return WAIT
        if due is not None and due.scrub and value not in ("on", "off"):
            return DROP
        return GO

    # --- after an error

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

    def _fail_batch(self) -> None:
        """The upstream skips everything up to the next Sync, and so does the relay."""
        queue = self._queue
        while queue:
            due = queue[0]
            if due.kind == SYNC or due.kind == FATAL:
                return
            queue.popleft()
            if due.own:
                self._own_step()
            else:
                self._drop(due, "cut", "")
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

    # --- COPY FROM STDIN

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

    # --- the gateway's own questions

    def _own_step(self) -> None:
        """One more answer to the gateway's own question has come (or will not come)."""
        self._own_running -= 1
        if self._own_running == 0 and len(self._own_answers) == 2 and not self._own_error:
            self._set_path(*self._own_answers)

    def _own_failed(self, message: bytes) -> int:
        """The upstream answered the gateway's own question with an error (the client's cancel may have hit it).

        The command that waits for the answer gets that error: it is what happened to it.
        """
        own_sync = any(due.kind == SYNC and due.own for due in self._queue)
        self._fail_batch()
        if not own_sync:
            return GO
        self._own_error = message
        return DROP
