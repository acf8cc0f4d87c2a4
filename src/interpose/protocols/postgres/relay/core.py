"""The state of one relay, and how it emits: the base that the halves of the relay stand on.

Knows the bookkeeping (queue of due answers, names, transaction state, search path), no message's meaning.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from interpose.model.command import SqlContext
from interpose.model.masks import NOTHING_HIDDEN, RevealTable
from interpose.model.proofs import Permit
from interpose.protocols.contract import SessionFacts
from interpose.protocols.intents import Allowed, Close, Control, Deliver, Ended, Forward, Intent, Reply, Show
from interpose.protocols.postgres.backend import READY, error_message
from interpose.protocols.postgres.dial import Dialled
from interpose.protocols.postgres.inbox import Inbox
from interpose.protocols.postgres.relay.names import AnalysisView, Names, PlannedView, Portal, Statement
from interpose.protocols.postgres.relay.outstanding import (
    ABORT,
    FATAL,
    REFUSED,
    REFUSED_READY,
    Expected,
    Running,
)
from interpose.protocols.postgres.relay.path import ABORT_MESSAGE, FLUSH, SearchPath, effective_path
from interpose.protocols.postgres.table import MESSAGE_TABLE

PINNED: Final = {"client_encoding": "UTF8", "standard_conforming_strings": "on"}
"""Settings that decide how a text is read; when the upstream reports another value the session ends."""


class Core:
    """State and emission. Every list of intents is built in `_out`."""

    __slots__ = (
        "_asking",
        "_barrier",
        "_batch",
        "_batch_open",
        "_batch_ran",
        "_batch_scrub",
        "_blocked",
        "_clearance",
        "_client",
        "_closed",
        "_contexts",
        "_copy_in",
        "_copy_wait",
        "_cursors",
        "_down_clearance",
        "_down_rows",
        "_down_start",
        "_ended",
        "_facts",
        "_hidden",
        "_holding",
        "_last_word",
        "_late",
        "_no_input",
        "_out",
        "_own_answers",
        "_own_error",
        "_own_running",
        "_parameters",
        "_path",
        "_path_stale",
        "_portals",
        "_queue",
        "_reveal",
        "_role",
        "_role_touched",
        "_search_path",
        "_server_version",
        "_settings_touched",
        "_show",
        "_showing",
        "_skip_drops",
        "_skipping",
        "_statements",
        "_status",
        "_sync_barrier",
        "_temporary_schema",
        "_temporary_stale",
        "_terminated",
        "_transaction_scrub",
        "_unflushed",
        "_unsent",
        "_unsent_permit",
        "_upstream",
        "_upstream_skip",
    )

    def __init__(self, dialled: Dialled, facts: SessionFacts) -> None:
        """A session whose two sides are up and idle."""
        self._facts = facts
        self._clearance = facts.protocol_clearance
        self._out: list[Intent] = []
        self._closed = False
        # What the client sent and what the upstream sent, not yet worked on.
        self._client = Inbox()
        self._upstream = Inbox()
        # Bytes of a row that is passed down in pieces which are still to come.
        self._upstream_skip = 0
        self._skip_drops = False
        # Answers that are due.
        self._queue: deque[Expected] = deque()
        self._status = "I"
        self._parameters = dict(dialled.parameters)
        self._server_version = dialled.server_version
        # The batch of extended messages that the client is in: everything up to its next Sync.
        self._batch = 0
        self._batch_open = False
        self._batch_ran = False
        self._batch_scrub = False
        # Hidden values have been within reach in this transaction: what is raised at its commit may carry them.
        self._transaction_scrub = False
        # What is hidden from the client, as the newest answer of the engine says, and the tables that it is in.
        self._reveal: RevealTable = NOTHING_HIDDEN
        self._hidden: frozenset[tuple[str, str]] = frozenset()
        self._skipping = False
        self._unflushed = False
        # Names.
        self._statements: Names[Statement] = Names()
        self._portals: Names[Portal] = Names()
        self._cursors = AnalysisView(self._portals)
        # Search path.
        self._search_path = dialled.search_path
        self._role = dialled.role
        self._path = effective_path(
            dialled.search_path, dialled.role, self._parameters.get("session_authorization", "")
        )
        self._path_stale = self._path is None
        self._settings_touched = False
        # The role may be another one; a statement may have made or dropped something temporary.
        self._role_touched = False
        self._temporary_stale = False
        self._temporary_schema = ""
        self._contexts: dict[str, SqlContext] = {}
        # The gateway's own questions.
        self._own_running = 0
        self._own_answers: list[str] = []
        self._own_error = b""
        # Waiting.
        self._asking: object | None = None
        self._holding = False
        self._blocked = False
        self._showing: Running | None = None
        self._show: Show | None = None
        self._barrier = 0
        self._sync_barrier = 0
        self._copy_wait: Running | None = None
        self._copy_in = False
        self._terminated = False
        self._no_input = False
        self._last_word = False
        # On the way up, not yet emitted.
        self._unsent: list[bytes] = []
        self._unsent_permit: Permit | None = None
        # On the way down, not yet emitted.
        self._down_start = 0
        self._down_rows = 0
        self._down_clearance = facts.protocol_clearance
        self._ended: list[Ended] = []
        self._late: list[bytes] = []

    # --- emission

    def _take(self) -> list[Intent]:
        """What this call has to say."""
        out, self._out = self._out, []
        return out

    def _send_up(self) -> None:
        """Emit what is on the way up: under its permit, or as control."""
        unsent = self._unsent
        if not unsent:
            return
        data = unsent[0] if len(unsent) == 1 else b"".join(unsent)
        if self._unsent_permit is not None:
            self._out.append(Forward(self._unsent_permit, data))
            self._unsent_permit = None
        else:
            kinds = dict.fromkeys(MESSAGE_TABLE[message[:1]].name for message in unsent)
            self._out.append(Control("+".join(kinds), data))
        self._unsent = []

    def _send_own(self, kind: str, data: bytes) -> None:
        """Send a message of the gateway's own, behind what is on the way up."""
        self._send_up()
        self._out.append(Control(kind, data))

    def _flush_up(self) -> None:
        """Make the upstream answer what it was sent, where no Sync does so."""
        if self._unflushed:
            self._unflushed = False
            self._send_own("own:flush", FLUSH)

    def _deliver(self, buffer: bytes, end: int) -> None:
        """Emit what was walked up to `end`, and then the ends of commands that wait behind it."""
        start = self._down_start
        if end > start:
            data = buffer if start == 0 and end == len(buffer) else buffer[start:end]
            self._out.append(Deliver(self._down_clearance, data, self._down_rows))
            self._down_start = end
            self._down_rows = 0
        if self._ended:
            self._out.extend(self._ended)
            self._ended.clear()

    def _end(self, answer: Allowed, outcome: str, tag: str = "", error_class: str = "", rows: int = 0) -> None:
        """A command is over. Emitted behind the bytes that belong to it."""
        self._ended.append(Ended(answer, outcome, tag, error_class, rows))

    # --- context

    def _context(self) -> SqlContext:
        """What decides a text's meaning at this moment."""
        # The implicit transaction of a batch of which something runs already is one: what it changed is not committed.
        status = "T" if self._batch_ran and self._status == "I" else self._status
        context = self._contexts.get(status)
        if context is None:
            context = self._contexts[status] = self._context_under(self._path, status)
        return context

    def _context_under(self, path: SearchPath | None, status: str) -> SqlContext:
        """What decided a text's meaning when it was planned under `path`."""
        return SqlContext(
            path=None if path is None else path.schemas,
            server_version=self._server_version,
            prepared=PlannedView(self._statements, path),
            cursors=self._cursors,
            in_transaction=status,
            role="" if path is None else path.role,
        )

    def _set_path(self, search_path: str, role: str, user: str) -> None:
        """The upstream has told its search path, role and session user."""
        path = effective_path(search_path, role, user, self._temporary_schema)
        self._search_path, self._role, self._path_stale = search_path, role, False
        if path != self._path:
            self._path = path
            self._contexts = {}

    # --- the gateway's own answers to the client

    def _refuse(self, error: bytes, *, simple: bool, abort: bool = False) -> None:
        """Put `error` in the place of an answer: behind those that are due, and then as the protocol goes on after an error.

        A refusal does not abort a transaction block: the upstream never heard of the command, and the block lives on. The
        implicit transaction of a batch is another matter: its commands stand or fall together, so it is made to fail. `abort`
        makes any transaction fail: the server itself would have refused the message, and its client knows that.
        """
        if simple and not self._batch_open:
            self._send_up()
            if self._queue:
                self._queue.append(Expected(REFUSED_READY, data=error))
            else:
                self._out.append(Reply(error + READY[self._status]))
            return
        self._batch_open = True
        self._skipping = True
        if abort or (self._batch_ran and self._status == "I"):
            self._queue.append(Expected(ABORT, data=error))
            self._send_own("own:abort", ABORT_MESSAGE)
            self._unflushed = True
        elif self._queue:
            self._queue.append(Expected(REFUSED, data=error))
            self._flush_up()
        else:
            self._send_up()
            self._out.append(Reply(error))

    def _say(self, data: bytes) -> None:
        """An asynchronous message of the gateway's own (a notice): at once, but never inside another message."""
        if self._upstream_skip:
            self._late.append(data)
        else:
            self._out.append(Reply(data))

    # --- the end

    def _fatal(self, sqlstate: str, message: str, reason: str, hint: str = "") -> None:
        """The client broke the protocol: it gets its due answers, then a last word, then the session ends."""
        self._no_input = True
        self._client.clear()
        word = error_message("FATAL", sqlstate, message, hint=hint)
        if self._queue:
            self._queue.append(Expected(FATAL, data=word, reason=reason))
            self._flush_up()
        else:
            self._close(reason, message, word)

    def _close(self, reason: str, detail: str = "", word: bytes = b"") -> None:
        """End the session now, with a last word where one can still be said."""
        if self._closed:
            return
        self._closed = True
        self._send_up()
        self._out.extend(self._ended)
        self._ended.clear()
        for due in self._queue:
            if due.answer is not None:
                self._out.append(
                    Ended(
                        due.answer,
                        "cut",
                        "",
                        due.sqlstate if isinstance(due, Running) else "",
                        due.rows if isinstance(due, Running) else 0,
                    )
                )
        self._queue.clear()
        if word and not self._upstream_skip and not self._last_word:
            self._out.append(Reply(word))
        self._out.append(Close(reason, detail))
        self._client.clear()
        self._upstream.clear()
