"""Commands: what must be known before one is judged, the question to the engine, and what its answer sends up.

INVARIANT: the bytes that go up under a permit are those that were decoded and judged (`messages` is canonical).
"""

from __future__ import annotations

from typing import Final

from interpose.model.actions import Action
from interpose.model.analysis import Analysis
from interpose.model.command import Command, CommandKind
from interpose.model.resources import FunctionResource
from interpose.protocols.intents import Allowed, Answer, Ask, Ended, Refused
from interpose.protocols.postgres.backend import error_message
from interpose.protocols.postgres.messages import (
    Describe,
    Execute,
    decode_empty,
    decode_execute,
    decode_parse,
    decode_query,
    encode,
)
from interpose.protocols.postgres.refusals import refusal_message
from interpose.protocols.postgres.relay.downward import Downward
from interpose.protocols.postgres.relay.effects import harmless_transaction
from interpose.protocols.postgres.relay.names import MAX_NAME, Portal, Statement
from interpose.protocols.postgres.relay.outstanding import (
    CLIENT_SYNC,
    DESCRIBE,
    EXECUTE,
    OWN_SYNC,
    PARSE,
    QUERY,
    SCRUBBED_SYNC,
    Expected,
    Running,
)
from interpose.protocols.postgres.relay.path import (
    ASK_SESSION,
    ASK_SESSION_EXPECTS,
    ASK_TEMPORARY,
    ASK_TEMPORARY_EXPECTS,
    FLUSH,
    OWN_PREFIX,
    SYNC_MESSAGE,
)
from interpose.protocols.postgres.wire import BodyError, frame

_READS: Final = frozenset({Action.SELECT, Action.SHOW, Action.COPY_OUT, Action.EXPLAIN})

EXECUTE_UNNAMED: Final = frame(b"E", encode(Execute("", 0)))


class Asking:
    """The command that the engine is judging: what will be sent, and what hangs on it."""

    __slots__ = ("data", "kind", "portal", "statement")

    def __init__(
        self, kind: int, data: bytes, statement: Statement | None = None, portal: Portal | None = None
    ) -> None:
        """`data` is the whole message."""
        self.kind = kind
        self.data = data
        self.statement = statement
        self.portal = portal


def only_reads(analysis: Analysis) -> bool:
    """Whether nothing that was judged changes anything, so that its result can be withheld without regret."""
    return not analysis.changes and all(
        effect.action in _READS
        or (effect.action is Action.CALL and isinstance(effect.resource, FunctionResource) and effect.resource.builtin)
        for effect in analysis.effects
    )


class Commands(Downward):
    """Judged messages."""

    __slots__ = ()

    def _may_judge(self, *, simple: bool) -> bool | None:
        """Whether the next command can be judged now: True; False: it must wait; None: an error has been put in its place.

        INVARIANT: a command is judged when the effects of all earlier ones on the session are known (THREATS, rule 8).
        """
        if self._barrier:
            self._flush_up()
            return False
        if self._own_error:
            error, self._own_error = self._own_error, b""
            self._refuse(error, simple=simple)
            return None
        if self._own_running:
            return False
        if self._path_stale and self._status != "E":
            if self._queue:
                self._flush_up()
                return False
            self._ask_session()
            return False
        if self._temporary_stale and not self._batch_open:
            if self._queue:
                # What ends first may end the transaction.
                return False
            if self._status == "I":
                self._ask_session()
                return False
        return True

    def _ask_session(self) -> None:
        """Ask what names mean now. Nothing is outstanding, so the transaction is known not to have failed."""
        question, expects = ASK_SESSION, ASK_SESSION_EXPECTS
        if self._temporary_stale and self._status == "I" and not self._batch_open:
            question, expects = question + ASK_TEMPORARY, expects + ASK_TEMPORARY_EXPECTS
        self._own_answers.clear()
        self._queue.extend(expects)
        self._own_running = len(expects)
        if self._batch_open:
            self._send_own("own:session", question + FLUSH)
        else:
            self._queue.append(OWN_SYNC)
            self._own_running += 1
            self._send_own("own:session", question + SYNC_MESSAGE)

    def _ask(self, asking: Asking, command: Command) -> bool:
        self._asking = asking
        if asking.kind != EXECUTE or self._unsent_permit is not None:
            # Bind and Describe wait, so that they leave with their Execute; what has a permit of its own leaves now.
            self._send_up()
        self._out.append(Ask(command))
        return True

    def _batch_unsettled(self) -> bool:
        """Whether it depends on answers still due if the server will skip what stands behind the open batch."""
        if self._batch_open and self._queue:
            self._flush_up()
            return True
        return False

    def _query(self, message: bytes) -> bool:
        if self._skipping:
            return True
        if self._batch_unsettled():
            return False
        may = self._may_judge(simple=True)
        if may is None:
            return True
        if not may:
            return False
        text = decode_query(message[5:]).text
        return self._ask(Asking(QUERY, message), Command(CommandKind.QUERY, text, self._context()))

    def _parse(self, message: bytes) -> bool:
        if self._skipping:
            return True
        may = self._may_judge(simple=False)
        if may is None:
            return True
        if not may:
            return False
        parse = decode_parse(message[5:])
        self._check_name(parse.name)
        self._in_batch()
        statement = Statement(parse.name, parse.text, None, self._path, self._batch)
        return self._ask(Asking(PARSE, message, statement), Command(CommandKind.PREPARE, parse.text, self._context()))

    def _execute(self, message: bytes) -> bool:
        if self._skipping:
            return True
        may = self._may_judge(simple=False)
        if may is None:
            return True
        if not may:
            return False
        if message == EXECUTE_UNNAMED:
            name = ""
        else:
            name = decode_execute(message[5:]).portal
            self._check_name(name)
        portal = self._portals.find(name)
        if portal is None or portal.gone or portal.analysis is None:
            if portal is not None and self._undecided(portal):
                return False
            return self._absent("34000", f'portal "{name}" does not exist')
        if self._undecided(portal):
            return False
        self._in_batch()
        statement = portal.statement
        analysis: Analysis | None = portal.analysis
        context = self._context()
        if statement is None:
            text = f"FETCH ALL FROM {_quoted(portal.name)}"
        else:
            text = statement.text if statement.batch >= 0 else f"EXECUTE {_quoted(statement.name)}"
            if statement.path != portal.path:
                # The server planned it again at Bind, under the path of that moment: so it is judged by its text.
                analysis = None
            if portal.path != self._path:
                context = self._context_under(portal.path, context.in_transaction)
        command = Command(CommandKind.EXECUTE, text, context, portal.parameters, portal.formats, analysis)
        return self._ask(Asking(EXECUTE, message, None, portal), command)

    def _answered(self, answer: Answer) -> None:
        """The engine's answer to the command that waits."""
        asking, self._asking = self._asking, None
        if not isinstance(asking, Asking):
            raise TypeError("an answer without a question")
        self._holding = False
        if self._skipping:
            # The batch failed while the command was judged: the upstream would skip it. So it is not sent at all.
            self._forget_unsent()
            if isinstance(answer, Allowed):
                self._out.append(Ended(answer, "cut"))
            return
        if isinstance(answer, Refused):
            self._refuse(refusal_message(answer.refusal), simple=asking.kind == QUERY)
            if asking.kind == QUERY and self._batch_open:
                self._sync(SYNC_MESSAGE)
            return
        reveal = answer.obligations.reveal
        if reveal is not self._reveal:
            self._reveal = reveal
            self._hidden = frozenset((column.schema, column.table) for column in reveal.columns)
        if asking.kind == PARSE:
            statement = asking.statement
            if statement is None:
                raise RuntimeError("a Parse without its statement")
            statement.analysis, statement.gone, statement.scrub = answer.analysis, False, answer.scrub
            self._statements.add(statement)
            self._queue.append(Expected(PARSE, statement=statement, answer=answer, scrub=answer.scrub))
            self._batch_scrub = self._batch_scrub or answer.scrub
            self._unflushed = True
        else:
            self._run(asking, answer)
        self._unsent.append(asking.data)
        self._unsent_permit = answer.permit

    def _run(self, asking: Asking, answer: Allowed) -> None:
        """A Query or Execute is about to be sent."""
        analysis = answer.analysis
        running = Running(asking.kind, answer, asking.portal, self._clearance)
        # A deferred constraint speaks at COMMIT or SET CONSTRAINTS, of rows that an earlier command wrote.
        running.scrub = self._transaction_scrub = self._transaction_scrub or answer.scrub
        limited = answer.obligations.max_rows is not None
        if analysis.changes and not harmless_transaction(analysis):
            running.barrier = True
        if limited or answer.describe:
            running.reads = only_reads(analysis)
            running.barrier = True
            if limited and answer.obligations.max_rows is not None:
                shown = 0 if asking.portal is None else asking.portal.rows
                running.cap = max(0, answer.obligations.max_rows - shown)
        if running.barrier:
            self._barrier += 1
        for info in analysis.statements:
            if info.copy == "in":
                self._copy_wait = running
        if asking.kind == QUERY:
            self._unflushed = False
        else:
            if limited or answer.describe:
                running.withholds = not running.reads
                if running.withholds:
                    self._sync_barrier += 1
            portal = asking.portal
            if answer.describe and portal is not None and portal.shape is None and not portal.described:
                portal.described = True
                self._unsent.append(frame(b"D", encode(Describe("P", portal.name))))
                self._queue.append(Expected(DESCRIBE, own=True, portal=portal, scrub=answer.scrub))
            self._batch_ran = self._unflushed = True
            self._batch_scrub = self._batch_scrub or answer.scrub
        self._queue.append(running)

    def _forget_unsent(self) -> None:
        """What was to go up with a command that is not sent: its batch is skipped."""
        self._unsent.clear()
        self._unsent_permit = None

    def _in_batch(self) -> None:
        """An extended message: a batch begins here, if none is open. What belongs to the batch before it leaves now."""
        if not self._batch_open:
            self._batch_open = True
            self._send_up()

    def _undecided(self, version: Statement | Portal) -> bool:
        """Whether it depends on an earlier batch that is still on its way what the name stands for."""
        if version.resolved or version.batch == self._batch:
            return False
        self._flush_up()
        return True

    def _sync(self, message: bytes) -> bool:
        if self._sync_barrier:
            self._flush_up()
            return False
        if message != SYNC_MESSAGE:
            decode_empty(message[5:])
        self._queue.append(SCRUBBED_SYNC if self._batch_scrub else CLIENT_SYNC)
        self._unsent.append(message)
        self._batch += 1
        self._batch_open = self._batch_ran = self._batch_scrub = self._skipping = self._unflushed = False
        return True

    def _check_name(self, name: str) -> None:
        if len(name) > MAX_NAME and len(name.encode()) > MAX_NAME:
            raise BodyError("names of statements and portals have at most 63 bytes", "42622")
        if name.startswith(OWN_PREFIX):
            raise BodyError(f"names that begin with {OWN_PREFIX} are the gateway's own", "42939")

    def _absent(self, sqlstate: str, message: str) -> bool:
        """A name that stands for nothing that was judged: the server's own words, and nothing is sent."""
        self._refuse(error_message("ERROR", sqlstate, message), simple=False, abort=True)
        return True


def _quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
