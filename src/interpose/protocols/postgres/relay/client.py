"""What goes up: the client's messages, each decoded once, judged if it is a command, and sent as it was judged.

PostgreSQL 17 §53.2.3 (extended query), §53.2.4 (pipelining), §53.2.6 (COPY). A message that must wait stays where it is in the
inbox, and everything behind it too.
"""

from __future__ import annotations

from typing import Final

from interpose.model.actions import Action
from interpose.model.analysis import Analysis
from interpose.model.command import Command, CommandKind
from interpose.model.resources import FunctionResource
from interpose.protocols.intents import Allowed, Answer, Ask, Ended, Part, Refused, Treatment
from interpose.protocols.postgres.backend import error_message
from interpose.protocols.postgres.messages import (
    Describe,
    Execute,
    decode_bind,
    decode_close,
    decode_copy_fail,
    decode_describe,
    decode_empty,
    decode_execute,
    decode_parse,
    decode_query,
    encode,
)
from interpose.protocols.postgres.refusals import refusal_message
from interpose.protocols.postgres.relay.completions import Completions
from interpose.protocols.postgres.relay.effects import harmless_transaction
from interpose.protocols.postgres.relay.names import MAX_NAME, Portal, Statement
from interpose.protocols.postgres.relay.outstanding import (
    BIND,
    CLIENT_SYNC,
    CLOSE,
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
    FLUSH,
    OWN_PREFIX,
    SYNC_MESSAGE,
    TERMINATE,
)
from interpose.protocols.postgres.table import MESSAGE_TABLE
from interpose.protocols.postgres.wire import HEADER, BodyError, frame

_SMALL: Final = 10_000
"""The longest message of a type that has no reason to be long (PQ_SMALL_MESSAGE_LIMIT)."""

_LONG_TYPES: Final = frozenset(b"QPBFdp")

_READS: Final = frozenset({Action.SELECT, Action.SHOW, Action.COPY_OUT, Action.EXPLAIN})


_DESCRIBE_UNNAMED: Final = frame(b"D", encode(Describe("P", "")))
_EXECUTE_UNNAMED: Final = frame(b"E", encode(Execute("", 0)))


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


class Client(Completions):
    """The upward half of the relay."""

    __slots__ = ()

    def _pump(self) -> None:
        """Work on what the client sent, as far as it goes."""
        box = self._client
        limit = self._facts.max_message
        unpack = HEADER.unpack_from
        while self._asking is None and not self._closed and not self._no_input:
            data, start = box.data, box.position
            if len(data) - start < 5:
                if not box.gather(5):
                    break
                data, start = box.data, box.position
            kind, length = unpack(data, start)
            if length < 4 or length > limit or (length > _SMALL and kind not in _LONG_TYPES):
                self._fatal(
                    "08P01",
                    "invalid message length",
                    "bad_message_length",
                    "the message is longer than this gateway takes",
                )
                break
            end = start + 1 + length
            if end > len(data):
                if not box.gather(1 + length):
                    break
                data, start = box.data, box.position
                end = start + 1 + length
            if not self._message_up(kind, data[start:end]):
                self._blocked = True
                if self._asking is None:
                    self._send_up()
                return
            box.position += 1 + length
        self._blocked = self._asking is not None
        if not self._blocked:
            self._send_up()

    def _message_up(self, kind: int, message: bytes) -> bool:
        """Treat one whole message. False: it must wait (and so must what is behind it)."""
        if self._copy_wait is not None and kind != 0x58:
            treated = self._during_copy(kind, message)
            if treated is not None:
                return treated
        try:
            if kind == 0x42:
                return self._bind(message)
            if kind == 0x45:
                return self._execute(message)
            if kind == 0x53:
                return self._sync(message)
            if kind == 0x51:
                return self._query(message)
            if kind == 0x50:
                return self._parse(message)
            if kind == 0x44:
                return self._describe(message)
            if kind == 0x43:
                return self._close_name(message)
            if kind == 0x48:
                return self._flush(message)
            if kind == 0x58:
                return self._terminate(message)
            if kind == 0x64 or kind == 0x63 or kind == 0x66:
                # COPY data behind a COPY that has failed: the server ignores it too (PostgreSQL 17 §53.2.6).
                return True
        except BodyError as error:
            return self._malformed(kind, error)
        return self._unknown(kind)

    # --- commands

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
        return True

    def _ask_session(self) -> None:
        """Ask for search path and role. Nothing is outstanding, so the transaction is known not to have failed."""
        self._own_answers.clear()
        self._queue.extend(ASK_SESSION_EXPECTS)
        self._own_running = len(ASK_SESSION_EXPECTS)
        if self._batch_open:
            self._send_own("own:session", ASK_SESSION + FLUSH)
        else:
            self._queue.append(OWN_SYNC)
            self._own_running += 1
            self._send_own("own:session", ASK_SESSION + SYNC_MESSAGE)

    def _ask(self, asking: Asking, command: Command) -> bool:
        self._asking = asking
        if asking.kind != EXECUTE or self._unsent_permit is not None:
            # Bind and Describe wait, so that they leave with their Execute; what has a permit of its own leaves now.
            self._send_up()
        self._out.append(Ask(command))
        return True

    def _query(self, message: bytes) -> bool:
        if self._skipping:
            return True
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
        if message == _EXECUTE_UNNAMED:
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
        if statement is None:
            text = f"FETCH ALL FROM {_quoted(portal.name)}"
        elif statement.text or statement.batch >= 0:
            text = statement.text
            if statement.path != self._path:
                # The server plans it again under the path of now, and so it is judged by its text.
                analysis = None
        else:
            text = f"EXECUTE {_quoted(statement.name)}"
            if statement.path != self._path:
                analysis = None
        command = Command(CommandKind.EXECUTE, text, self._context(), portal.parameters, portal.formats, analysis)
        return self._ask(Asking(EXECUTE, message, None, portal), command)

    # --- answers

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
        if any(info.copy == "in" for info in analysis.statements):
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
                self._queue.append(Expected(DESCRIBE, own=True, portal=portal))
            self._batch_ran = self._unflushed = True
            self._batch_scrub = self._batch_scrub or answer.scrub
        self._queue.append(running)

    def _forget_unsent(self) -> None:
        """What was to go up with a command that is not sent: its batch is skipped."""
        self._unsent.clear()
        self._unsent_permit = None

    # --- parts and control

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

    def _bind(self, message: bytes) -> bool:
        if self._skipping:
            return True
        if self._barrier:
            self._flush_up()
            return False
        bind = decode_bind(message[5:])
        if bind.portal:
            self._check_name(bind.portal)
        if bind.statement:
            self._check_name(bind.statement)
        statement = self._statements.find(bind.statement)
        if statement is None or statement.gone or statement.analysis is None:
            if statement is not None and self._undecided(statement):
                return False
            what = f'prepared statement "{bind.statement}"' if bind.statement else "unnamed prepared statement"
            return self._absent("26000", f"{what} does not exist")
        if self._undecided(statement):
            return False
        self._in_batch()
        portal = Portal(bind.portal, statement, statement.analysis, bind.parameters, bind.formats, self._batch)
        self._portals.add(portal)
        self._queue.append(Expected(BIND, portal=portal, scrub=statement.scrub))
        self._batch_scrub = self._batch_scrub or statement.scrub
        self._unsent.append(message)
        self._unflushed = True
        return True

    def _describe(self, message: bytes) -> bool:
        if self._skipping:
            return True
        if self._barrier:
            self._flush_up()
            return False
        if message == _DESCRIBE_UNNAMED:
            portal = self._portals.find("")
        else:
            describe = decode_describe(message[5:])
            self._check_name(describe.name)
            portal = self._portals.find(describe.name) if describe.kind == "P" else None
        self._in_batch()
        if portal is not None:
            portal.described = True
        self._queue.append(Expected(DESCRIBE, portal=portal))
        self._unsent.append(message)
        self._unflushed = True
        return True

    def _close_name(self, message: bytes) -> bool:
        if self._skipping:
            return True
        if self._barrier:
            self._flush_up()
            return False
        close = decode_close(message[5:])
        self._check_name(close.name)
        self._in_batch()
        if close.kind == "S":
            statement = Statement(close.name, "", None, None, self._batch)
            self._statements.add(statement)
            self._queue.append(Expected(CLOSE, statement=statement))
        else:
            portal = Portal(close.name, None, None, (), (), self._batch)
            self._portals.add(portal)
            self._queue.append(Expected(CLOSE, portal=portal))
        self._unsent.append(message)
        self._unflushed = True
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

    def _flush(self, message: bytes) -> bool:
        decode_empty(message[5:])
        if not self._skipping:
            self._unsent.append(message)
            self._unflushed = False
        return True

    def _terminate(self, message: bytes) -> bool:
        decode_empty(message[5:])
        self._no_input = True
        self._client.clear()
        self._send_own("Terminate", TERMINATE)
        if self._queue:
            self._terminated = True
        else:
            self._close("client_terminated")
        return True

    # --- COPY FROM STDIN

    def _during_copy(self, kind: int, message: bytes) -> bool | None:
        """While a COPY FROM STDIN may run: only its parts are taken. None: treat as ever."""
        copy = self._copy_wait
        if kind == 0x58 or copy is None:
            return None
        if not self._copy_in:
            self._flush_up()
            return False
        if kind in (0x48, 0x53):
            # Ignored by the server during COPY; the client sends another Sync behind it.
            return True
        if kind not in (0x64, 0x63, 0x66) or copy.answer is None:
            self._fatal("08P01", f"unexpected message type 0x{kind:02X} during COPY from stdin", "bad_copy_message")
            return True
        try:
            if kind == 0x66:
                decode_copy_fail(message[5:])
            elif kind == 0x63:
                decode_empty(message[5:])
        except BodyError as error:
            self._fatal(error.sqlstate, str(error), "bad_copy_message")
            return True
        self._send_up()
        self._out.append(Part(copy.answer.permit, message))
        if kind != 0x64:
            self._copy_in = False
            if copy.kind == EXECUTE:
                # Its end comes with the client's next Sync; nothing else can ask for data before.
                self._copy_wait = None
        return True

    # --- faults of the client

    def _check_name(self, name: str) -> None:
        if len(name) > MAX_NAME and len(name.encode()) > MAX_NAME:
            raise BodyError("names of statements and portals have at most 63 bytes", "42622")
        if name.startswith(OWN_PREFIX):
            raise BodyError(f"names that begin with {OWN_PREFIX} are the gateway's own", "42939")

    def _absent(self, sqlstate: str, message: str) -> bool:
        """A name that stands for nothing that was judged: the server's own words, and nothing is sent."""
        self._refuse(error_message("ERROR", sqlstate, message), simple=False, abort=True)
        return True

    def _malformed(self, kind: int, error: BodyError) -> bool:
        """The frame is whole, its body is not what it should be: one refusal, and the session goes on."""
        simple = kind == 0x51
        self._refuse(error_message("ERROR", error.sqlstate, str(error)), simple=simple, abort=True)
        if simple and self._batch_open:
            self._sync(SYNC_MESSAGE)
        return True

    def _unknown(self, kind: int) -> bool:
        """A type that the table refuses, or that it does not know."""
        if self._skipping:
            return True
        rule = MESSAGE_TABLE.get(bytes((kind,)))
        if rule is None or rule.treatment is not Treatment.REFUSED:
            message, hint = (
                f"unknown message type 0x{kind:02X} is refused",
                "this gateway speaks PostgreSQL protocol 3.0 and 3.2",
            )
        else:
            message, hint = f"{rule.name} messages are refused: {rule.reason}", "use a query instead"
        self._refuse(error_message("ERROR", "0A000", message, hint=hint), simple=True)
        if self._batch_open:
            self._sync(SYNC_MESSAGE)
        return True


def _quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
