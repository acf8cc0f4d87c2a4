"""What goes up: the client's messages in order, each decoded once and treated as the message table says.

PostgreSQL 17 §53.2.3 (extended query), §53.2.4 (pipelining), §53.2.6 (COPY). A message that must wait stays where it is in the
inbox, and everything behind it too.
"""

from __future__ import annotations

from typing import Final

from interpose.model.command import Command, CommandKind
from interpose.protocols.intents import Ask, Part, Treatment
from interpose.protocols.postgres.backend import error_message
from interpose.protocols.postgres.messages import (
    Describe,
    decode_bind,
    decode_close,
    decode_copy_fail,
    decode_describe,
    decode_empty,
    encode,
)
from interpose.protocols.postgres.relay.commands import EXECUTE_UNNAMED, Asking, Commands
from interpose.protocols.postgres.relay.names import Portal, Statement
from interpose.protocols.postgres.relay.outstanding import BIND, CLOSE, DESCRIBE, EXECUTE, Expected, OfPortal
from interpose.protocols.postgres.relay.path import SYNC_MESSAGE, TERMINATE
from interpose.protocols.postgres.table import MESSAGE_TABLE
from interpose.protocols.postgres.wire import HEADER, BodyError, frame

_SMALL: Final = 10_000
"""The longest message of a type that has no reason to be long (PQ_SMALL_MESSAGE_LIMIT)."""

_LONG_TYPES: Final = frozenset(b"QPBFdp")
_DESCRIBE_UNNAMED: Final = frame(b"D", encode(Describe("P", "")))
_DESCRIBE_AND_EXECUTE: Final = _DESCRIBE_UNNAMED + EXECUTE_UNNAMED


class Client(Commands):
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
            if kind == 0x42:
                run = 2 if data.startswith(_DESCRIBE_AND_EXECUTE, end) else int(data.startswith(EXECUTE_UNNAMED, end))
                if run and self._bind_and_execute(data[start:end], described=run == 2):
                    box.position = end + (len(_DESCRIBE_AND_EXECUTE) if run == 2 else len(EXECUTE_UNNAMED))
                    break
            elif kind == 0x64 and self._copy_in:
                end = _copy_run(data, end, limit)
            if not self._message_up(kind, data[start:end]):
                self._blocked = True
                if self._asking is None:
                    self._send_up()
                return
            box.position = end
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

    def _bind_and_execute(self, message: bytes, *, described: bool) -> bool:
        """The hot path: Bind to the unnamed portal with its Execute right behind, treated in one go.

        False: something is not as usual, and nothing was done; message by message, the ordinary way does the same.
        """
        if (
            self._skipping
            or self._barrier
            or self._path_stale
            or self._temporary_stale
            or self._own_running
            or self._own_error
            or self._copy_wait
        ):
            return False
        try:
            bind = decode_bind(message[5:])
        except BodyError:
            return False
        statement = self._statements.find(bind.statement)
        if (
            bind.portal
            or statement is None
            or statement.analysis is None
            or statement.path != self._path
            or statement.batch < 0
            or not (statement.resolved or statement.batch == self._batch)
        ):
            return False
        self._batch_open = True
        self._send_up()
        analysis, scrub = statement.analysis, statement.scrub
        portal = Portal("", statement, analysis, bind.parameters, bind.formats, self._batch)
        portal.path = self._path
        self._portals.add(portal)
        self._queue.append(OfPortal(BIND, portal, scrub))
        self._unsent.append(message)
        if described:
            portal.described = True
            self._queue.append(OfPortal(DESCRIBE, portal, scrub))
            self._unsent.append(_DESCRIBE_UNNAMED)
        self._batch_scrub = self._batch_scrub or scrub
        self._unflushed = True
        self._asking = Asking(EXECUTE, EXECUTE_UNNAMED, None, portal)
        context = self._context()
        self._out.append(
            Ask(Command(CommandKind.EXECUTE, statement.text, context, bind.parameters, bind.formats, analysis))
        )
        return True

    def _bind(self, message: bytes) -> bool:
        if self._skipping:
            return True
        may = self._may_judge(simple=False)
        if may is None:
            return True
        if not may:
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
        if self._unsent_permit is not None:
            # A Parse with its own permit leaves first; Bind leaves with its Execute.
            self._send_up()
        portal = Portal(bind.portal, statement, statement.analysis, bind.parameters, bind.formats, self._batch)
        portal.path = self._path
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
        if self._batch_unsettled():
            return False
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


def _copy_run(data: bytes, end: int, limit: int) -> int:
    """Where the last of the whole CopyData messages ends that stand one behind the other from `end` on."""
    last = len(data) - 5
    while end <= last:
        kind, length = HEADER.unpack_from(data, end)
        after = end + 1 + length
        if kind != 0x64 or length < 4 or length > limit or after > len(data):
            break
        end = after
    return end
