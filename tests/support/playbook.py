"""Playbooks: a relay is played message by message, and what it asks for is written as short lines that can be compared.

play.client(Q("select 1"))          == ["ask query: select 1"]
play.allow()                        == ["forward Q"]
play.upstream(row(b"1"), tag("SELECT 1"), READY["I"]) == ["deliver D C Z rows=1", "ended ok: SELECT 1 rows=1"]
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import pack
from types import MappingProxyType
from typing import assert_never

from interpose.masking.plan import build_plan
from interpose.model.analysis import Analysis, SessionChange, StatementInfo
from interpose.model.command import Command
from interpose.model.decisions import Obligations
from interpose.model.ids import ApprovalId, SessionId
from interpose.model.masks import NOTHING_HIDDEN, MaskRule, RevealTable
from interpose.model.proofs import Clearance, Permit, seal_of_the_engine
from interpose.model.refusal import HoldNotice, Refusal
from interpose.protocols.contract import LoginOptions, SessionFacts
from interpose.protocols.intents import (
    Allowed,
    Ask,
    Close,
    Control,
    Deliver,
    Ended,
    Forward,
    Intent,
    Part,
    Refused,
    Reply,
    Show,
    ShowAnswer,
    Showing,
)
from interpose.protocols.postgres.backend import READY, read_fields
from interpose.protocols.postgres.dial import Dialled
from interpose.protocols.postgres.login import PostgresLogin
from interpose.protocols.postgres.messages import (
    Bind,
    CloseName,
    CopyData,
    CopyFail,
    Describe,
    Empty,
    Execute,
    Message,
    Parse,
    Query,
    encode,
)
from interpose.protocols.postgres.options import PostgresOptions, TlsMode
from interpose.protocols.postgres.relay.relay import PostgresRelay
from interpose.protocols.postgres.wire import HEADER, cstring, frame

SESSION = SessionId("s_test")
SEAL = seal_of_the_engine()
CLEARANCE = Clearance(SEAL, SESSION, False)
KEY = b"gatekey!"
NOTHING = Analysis((), (StatementInfo("SELECT"),))
PG_TEXT = 25


def dialled(
    parameters: Mapping[str, str] | None = None, *, search_path: str = '"$user", public', version: int = 17
) -> Dialled:
    """An upstream session as the dial would leave it."""
    reported = {"client_encoding": "UTF8", "standard_conforming_strings": "on", "session_authorization": "app"}
    options = PostgresOptions("shop", "app", TlsMode.INSECURE_PLAINTEXT)
    return Dialled({**reported, **(parameters or {})}, b"upstream", version, search_path, "none", options, "upstream")


# --- the client's messages


def Q(text: str) -> bytes:
    """Query."""
    return frame(b"Q", encode(Query(text)))


def P(text: str, name: str = "") -> bytes:
    """Parse."""
    return frame(b"P", encode(Parse(name, text, ())))


def B(statement: str = "", portal: str = "", *parameters: bytes | None) -> bytes:
    """Bind."""
    return frame(b"B", encode(Bind(portal, statement, (), parameters, ())))


def D(kind: str = "P", name: str = "") -> bytes:
    """Describe."""
    return frame(b"D", encode(Describe(kind, name)))


def E(portal: str = "", max_rows: int = 0) -> bytes:
    """Execute."""
    return frame(b"E", encode(Execute(portal, max_rows)))


def C(kind: str, name: str) -> bytes:
    """Close."""
    return frame(b"C", encode(CloseName(kind, name)))


S = frame(b"S", encode(Empty()))
H = frame(b"H", encode(Empty()))
X = frame(b"X", encode(Empty()))
COPY_DONE = frame(b"c", encode(Empty()))


def copy_data(data: bytes) -> bytes:
    """CopyData, of either side."""
    return frame(b"d", encode(CopyData(data)))


def copy_fail(reason: str) -> bytes:
    """CopyFail."""
    return frame(b"f", encode(CopyFail(reason)))


def message(kind: bytes, body: Message) -> bytes:
    """Any message of the client's."""
    return frame(kind, encode(body))


# --- the upstream's messages

PARSED = frame(b"1", b"")
BOUND = frame(b"2", b"")
CLOSED = frame(b"3", b"")
NO_DATA = frame(b"n", b"")
SUSPENDED = frame(b"s", b"")
EMPTY_QUERY = frame(b"I", b"")
COPY_IN = frame(b"G", b"\0\0\1\0\0")
COPY_OUT = frame(b"H", b"\0\0\1\0\0")
COPY_BOTH = frame(b"W", b"\0\0\0")
IDLE, BLOCK, FAILED = READY["I"], READY["T"], READY["E"]


def columns(*names: str) -> bytes:
    """RowDescription of text columns."""
    body = b"".join(cstring(name) + pack(">IhIhih", 0, 0, PG_TEXT, -1, -1, 0) for name in names)
    return frame(b"T", pack(">h", len(names)) + body)


def row(*cells: bytes | None) -> bytes:
    """DataRow."""
    body = b"".join(b"\xff\xff\xff\xff" if cell is None else pack(">i", len(cell)) + cell for cell in cells)
    return frame(b"D", pack(">h", len(cells)) + body)


def tag(text: str) -> bytes:
    """CommandComplete."""
    return frame(b"C", cstring(text))


def report(
    kind: bytes = b"E",
    code: str = "22012",
    text: str = "division by zero",
    severity: str = "ERROR",
    more: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """ErrorResponse or NoticeResponse; `more` are further fields by their letter."""
    fields = (("S", severity), ("V", severity), ("C", code), ("M", text), *more.items())
    return frame(kind, b"".join(name.encode() + cstring(value) for name, value in fields) + b"\0")


def status(name: str, value: str) -> bytes:
    """ParameterStatus."""
    return frame(b"S", cstring(name) + cstring(value))


def own_answers(
    search_path: str, role: str = "none", user: str = "app", temporary: str = "", end: bytes = IDLE
) -> bytes:
    """What the upstream answers to the gateway's own question for search path, role, user and, where it asks, temporary schema."""
    texts = (search_path, role, user, temporary) if temporary else (search_path, role, user)
    return b"".join(PARSED + BOUND + row(text.encode()) + tag("SHOW") + CLOSED + CLOSED for text in texts) + end


# --- words


def kinds(data: bytes) -> str:
    """The message types in `data`, errors and notices with their code, ready with its state."""
    words: list[str] = []
    position = 0
    while position + 5 <= len(data):
        kind, length = HEADER.unpack_from(data, position)
        body = data[position + 5 : position + 1 + length]
        word = chr(kind)
        if word in "EN" and body and body[-1] == 0 and body[0] in b"SVC":
            word += f":{read_fields(body).get('C', '')}"
        elif word == "Z" and len(body) == 1:
            word += f":{body.decode()}"
        words.append(word)
        position += 1 + length
    if position < len(data):
        words.append(f"+{len(data) - position}")
    return " ".join(words)


def words(intent: Intent) -> str:
    """One intent as a line."""
    match intent:
        case Ask(command):
            return f"ask {command.kind.value}: {command.text}"
        case Forward(_, data):
            return f"forward {kinds(data)}"
        case Part(_, data):
            return f"part {kinds(data)}"
        case Control(kind, data):
            return f"control {kind}: {kinds(data)}"
        case Show(_, shape, statement):
            return f"show {statement}: {', '.join(column.name for column in shape.columns)}"
        case Deliver(clearance, data, rows):
            shown = " masked" if clearance.masked else ""
            return f"deliver{shown} {kinds(data)}" + (f" rows={rows}" if rows else "")
        case Reply(data):
            return f"reply {kinds(data)}"
        case Ended(_, outcome, command_tag, error_class, rows):
            parts = [f"ended {outcome}"]
            parts += [f": {command_tag}"] if command_tag else []
            parts += [f" {error_class}"] if error_class else []
            parts += [f" rows={rows}"] if rows else []
            return "".join(parts)
        case Close(reason, _):
            return f"close {reason}"
        case _ as never:
            assert_never(never)


def down(intents: list[Intent]) -> bytes:
    """What the client is sent."""
    return b"".join(intent.data for intent in intents if isinstance(intent, Deliver | Reply))


def up(intents: list[Intent]) -> bytes:
    """What the upstream is sent."""
    return b"".join(intent.data for intent in intents if isinstance(intent, Forward | Part | Control))


class Play:
    """One relay under test. `intents` are those of the last call, `asked` is the last command that was asked for."""

    def __init__(
        self,
        upstream: Dialled | None = None,
        *,
        max_buffer: int = 1 << 16,
        max_message: int = 1 << 20,
        start: bool = True,
    ) -> None:
        facts = SessionFacts(SESSION, KEY, "test", CLEARANCE, max_message, max_buffer)
        self.relay = PostgresRelay(upstream or dialled(), PostgresLogin(LoginOptions()), facts)
        self.intents: list[Intent] = []
        self.asked: Command | None = None
        self.answers: list[Allowed] = []
        self._sequence = 0
        if start:
            self.relay.start()

    def client(self, *messages: bytes) -> list[str]:
        """The client sends, all in one piece."""
        return self._said(self.relay.client_bytes(b"".join(messages)))

    def upstream(self, *messages: bytes) -> list[str]:
        """The upstream sends, all in one piece."""
        return self._said(self.relay.upstream_bytes(b"".join(messages)))

    def allow(
        self,
        analysis: Analysis = NOTHING,
        *,
        scrub: bool = False,
        describe: bool = False,
        max_rows: int | None = None,
        reveal: RevealTable = NOTHING_HIDDEN,
    ) -> list[str]:
        """The engine permits."""
        self._sequence += 1
        answer = Allowed(Permit(SEAL, self._sequence), analysis, Obligations(reveal, max_rows), scrub, describe)
        self.answers.append(answer)
        return self._said(self.relay.answered(answer))

    def refuse(self, code: str = "forbidden") -> list[str]:
        """The engine refuses."""
        return self._said(self.relay.answered(Refused(Refusal(code, "policy says no", "ask somebody"))))

    def hold(self) -> list[str]:
        """The engine holds."""
        return self._said(self.relay.holding(HoldNotice(ApprovalId("ap-1"), "risky", ("dba",), 1, 900.0)))

    def show(self, answer: ShowAnswer) -> list[str]:
        """The engine answers a `Show`."""
        return self._said(self.relay.shown(answer))

    def query(self, text: str, *answer: bytes, analysis: Analysis = NOTHING) -> list[str]:
        """A whole simple query, permitted; answers what came down."""
        self.client(Q(text))
        self.allow(analysis)
        return self.upstream(*answer)

    def _said(self, intents: list[Intent]) -> list[str]:
        self.intents = intents
        for intent in intents:
            if isinstance(intent, Ask):
                self.asked = intent.command
        return [words(intent) for intent in intents]


def analysis(statement_tag: str, *changes: SessionChange, **more: object) -> Analysis:
    """An analysis of one statement."""
    info = StatementInfo(statement_tag, changes=frozenset(changes), **more)  # type: ignore[arg-type]
    return Analysis((), (info,), info.changes)


def redacting(play: Play) -> Showing:
    """A plan that hides the last column of the result that is asked for."""
    (show,) = [intent for intent in play.intents if isinstance(intent, Show)]
    rules = [None] * (len(show.shape.columns) - 1) + [MaskRule("redact")]
    return Showing(Clearance(SEAL, SESSION, True), build_plan(show.shape, rules, {}, b"k" * 16))
