"""A toy protocol with every intent in it, an upstream that speaks it, and engine parts that answer as a test says.

Lines end with `\\n`. Client: `tls`, `login NAME CONNECTION TOKEN`, `cancel KEY`, then commands (any line), `copy DATA` as a part of an
open command, `bye`. Upstream: `hello SECRET`, then per command any lines, `row …` being rows, `done` the end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from interpose.engine.admit import Admitted
from interpose.engine.limits import Limits
from interpose.model.command import Command, CommandKind, SqlContext
from interpose.model.connection import Address, Connection
from interpose.model.errors import InterposeError, UpstreamError
from interpose.model.ids import ApprovalId, ConnectionName, SessionId
from interpose.model.principal import Identity, Principal, PrincipalKind
from interpose.model.proofs import Clearance, Grant, Permit, seal_of_the_engine
from interpose.model.refusal import ConfirmationNotice, HoldNotice, Refusal
from interpose.model.shape import ResultShape
from interpose.net.admittance import Admittance
from interpose.net.cancels import Cancels
from interpose.net.certificates import ClientContexts, ServerCertificate
from interpose.net.journal import Traffic
from interpose.net.listener import Listener
from interpose.net.live import LiveSessions
from interpose.net.login import Service, SessionStarter
from interpose.net.options import DialOptions, ListenerOptions, SessionOptions
from interpose.net.pending import Pending
from interpose.net.sockets import listen
from interpose.net.upstream import Dialer
from interpose.protocols.contract import (
    Abilities,
    Credential,
    Done,
    Evidence,
    Failed,
    LoginOptions,
    ProtocolSpec,
    Send,
    SessionFacts,
    UpgradeTls,
)
from interpose.protocols.intents import (
    Allowed,
    Ask,
    CancelAsked,
    Close,
    Confirm,
    Control,
    Deliver,
    Ended,
    Forward,
    Part,
    Prove,
    Refused,
    Reply,
    Show,
    Showing,
    StartTls,
)

SEAL = seal_of_the_engine()
CONTEXT = SqlContext(None, 1)


class ToyLogin:
    """The client side of a toy handshake."""

    def __init__(self, options: LoginOptions) -> None:
        self.options = options
        self.buffer = b""
        self.proving = False
        self.handshaking = False

    def client_bytes(self, data: bytes) -> list[Any]:
        self.buffer += data
        intents: list[Any] = []
        while not self.proving and not self.handshaking and b"\n" in self.buffer:
            if self.buffer[:1] == b"\x16":
                break
            line, self.buffer = self.buffer.split(b"\n", 1)
            words = line.decode().split(" ")
            if words[0] == "tls":
                self.handshaking = True
                intents += [Reply(b"go\n"), StartTls()]
            elif words[0] == "login":
                self.proving = True
                intents.append(Prove(Evidence(words[1], words[2], words[3])))
            elif words[0] == "confirm":
                self.proving = True
                intents.append(Confirm(Evidence(words[1], words[2], "")))
            elif words[0] == "cancel":
                intents.append(CancelAsked(words[1].encode()))
            elif words[0] == "crash":
                raise ValueError("a value that must not be logged: 078-05-1120")
            else:
                intents += [Reply(b"what?\n"), Close("protocol_error")]
                break
        if self.buffer[:1] == b"\x16" and not self.handshaking:
            pending, self.buffer = self.buffer, b""
            self.handshaking = True
            return [StartTls(pending)]
        return intents

    def tls_started(self, alpn: str | None, certificate: bytes | None = None) -> list[Any]:
        self.handshaking = False
        return [Reply(f"secure {alpn}\n".encode())]

    def confirming(self, notice: ConfirmationNotice) -> list[Any]:
        return [Reply(f"type {notice.code}\n".encode())]

    def refused(self, refusal: Refusal) -> list[Any]:
        return [Reply(f"refused {refusal.code}: {refusal.message}\n".encode()), Close(refusal.code)]

    def accepted(self) -> list[Any]:
        return [Reply(b"welcome\n")]

    def leftover(self) -> bytes:
        return self.buffer

    @property
    def requested(self) -> Mapping[str, str]:
        return {}


class ToyDial:
    """Logs in at a toy upstream; `tls` is an `UpgradeTls` or None."""

    def __init__(self, secret: str, tls: UpgradeTls | None = None) -> None:
        self.secret = secret
        self.tls = tls
        self.buffer = b""
        self.certificate: bytes | None = None

    def start(self) -> list[Any]:
        return [Send(b"tls\n")] if self.tls else [Send(f"hello {self.secret}\n".encode())]

    def tls_started(self, certificate: bytes | None) -> list[Any]:
        self.certificate = certificate
        return [Send(f"hello {self.secret}\n".encode())]

    def received(self, data: bytes) -> list[Any]:
        self.buffer += data
        if b"\n" not in self.buffer:
            return []
        line, rest = self.buffer.split(b"\n", 1)
        self.buffer = b""
        if line == b"go" and self.tls is not None:
            return [self.tls]
        if line.startswith(b"hi "):
            return [Done((line[3:].decode(), self.certificate), rest)]
        return [Failed(UpstreamError("the upstream said no"))]

    def closed(self) -> list[Any]:
        return [Failed(UpstreamError("the upstream hung up"))]


class ToyCancel:
    """Cancels what runs on the upstream connection with this number."""

    def __init__(self, number: str) -> None:
        self.number = number

    def start(self) -> list[Any]:
        return [Send(f"cancel {self.number}\n".encode())]

    def tls_started(self, certificate: bytes | None) -> list[Any]:
        return []

    def received(self, data: bytes) -> list[Any]:
        return []

    def closed(self) -> list[Any]:
        return [Done(None)]


class ToyLookup:
    """Asks for the catalog: one line there, one line back."""

    def __init__(self, question: str) -> None:
        self.question = question

    def start(self) -> list[Any]:
        return [Send(f"look {self.question}\n".encode())]

    def tls_started(self, certificate: bytes | None) -> list[Any]:
        return []

    def received(self, data: bytes) -> list[Any]:
        line = data.rstrip(b"\n").decode()
        return [Failed(UpstreamError("no such thing"))] if line == "no" else [Done(line)]

    def closed(self) -> list[Any]:
        return [Failed(UpstreamError("the upstream hung up"))]


class ToyRelay:
    """One command at a time; what comes meanwhile is kept."""

    def __init__(self, facts: SessionFacts) -> None:
        self.facts = facts
        self.client_buffer = b""
        self.upstream_buffer = b""
        self.current: Allowed | None = None
        self.asked = False
        self.showing = False
        self.clearance: Clearance | None = None
        self.line = b""
        self.busy = False

    def start(self) -> list[Any]:
        return [Reply(b"key " + self.facts.cancel_key + b"\n")]

    def client_bytes(self, data: bytes) -> list[Any]:
        self.client_buffer += data
        if self.asked and len(self.client_buffer) > self.facts.max_buffer:
            return [Reply(b"too much\n"), Close("buffer_limit")]
        return self._next()

    def _next(self) -> list[Any]:
        intents: list[Any] = []
        while not self.asked and b"\n" in self.client_buffer:
            line = self.client_buffer[: self.client_buffer.index(b"\n") + 1]
            if self.busy and line.startswith(b"copy "):
                assert self.current is not None
                intents.append(Part(self.current.permit, line))
            elif self.busy:
                break
            elif line == b"bye\n":
                return [*intents, Control("bye", line), Close("client_closed")]
            elif line == b"crash\n":
                raise ValueError("a value that must not be logged: 078-05-1120")
            else:
                self.client_buffer = self.client_buffer[len(line) :]
                self.line, self.asked = line, True
                return [*intents, Ask(Command(CommandKind.QUERY, line.decode().rstrip(), CONTEXT))]
            self.client_buffer = self.client_buffer[len(line) :]
        return intents

    def answered(self, answer: Any) -> list[Any]:
        assert self.asked
        self.asked = False
        if isinstance(answer, Refused):
            return [Reply(f"refused {answer.refusal.code}\n".encode()), *self._next()]
        self.current, self.busy = answer, True
        return [Forward(answer.permit, self.line), *self._next()]

    def holding(self, notice: HoldNotice) -> list[Any]:
        return [Reply(f"held {notice.approval}\n".encode())]

    def upstream_bytes(self, data: bytes) -> list[Any]:
        self.upstream_buffer += data
        return self._results()

    def _results(self) -> list[Any]:
        intents: list[Any] = []
        while not self.showing and b"\n" in self.upstream_buffer:
            line = self.upstream_buffer[: self.upstream_buffer.index(b"\n") + 1]
            if line == b"crash\n":
                raise ValueError("a value that must not be logged: 078-05-1120")
            if self.current is None:
                self.upstream_buffer = self.upstream_buffer[len(line) :]
                intents.append(Deliver(self.facts.protocol_clearance, line))
            elif line.startswith(b"row ") and self.clearance is None:
                self.showing = True
                return [*intents, Show(self.current, ResultShape(()), 0)]
            else:
                self.upstream_buffer = self.upstream_buffer[len(line) :]
                intents.append(Deliver(self.clearance or self.facts.protocol_clearance, line))
                if line in (b"done\n", b"cancelled\n"):
                    outcome = "ok" if line == b"done\n" else "error"
                    intents.append(Ended(self.current, outcome))
                    self.current, self.clearance, self.busy = None, None, False
                    intents += self._next()
        return intents

    def shown(self, answer: Any) -> list[Any]:
        assert self.showing
        self.showing = False
        if isinstance(answer, Refused):
            return [Reply(b"refused result\n"), Close("result_refused")]
        self.clearance = answer.clearance
        return self._results()

    def client_closed(self) -> list[Any]:
        ended = [Ended(self.current, "cut")] if self.current is not None else []
        self.current = None
        return [*ended, Control("bye", b"bye\n"), Close("whatever")]

    def upstream_closed(self) -> list[Any]:
        ended = [Ended(self.current, "cut")] if self.current is not None else []
        return [*ended, Reply(b"upstream gone\n"), Close("whatever")]

    def end(self, refusal: Refusal) -> list[Any]:
        return [Reply(f"ended {refusal.code}\n".encode()), Close(refusal.code)]

    @property
    def buffered(self) -> int:
        waiting = self.asked or self.showing or self.busy
        return len(self.client_buffer) + len(self.upstream_buffer) if waiting else 0

    @property
    def idle(self) -> bool:
        return not (self.asked or self.busy)


@dataclass(frozen=True)
class ToyOptions:
    """What a toy connection may say: how to upgrade to TLS."""

    tls: UpgradeTls | None = None


def _dial(connection: Connection, credential: Credential, requested: Mapping[str, str]) -> ToyDial:
    options = connection.options
    assert isinstance(options, ToyOptions)
    return ToyDial(credential.value, options.tls)


def _no_analyst() -> Any:
    raise AssertionError("the driver never analyses")


SPEC = ProtocolSpec(
    name="toy",
    abilities=Abilities(hold=True, mask=False, cancel=True, notices=True),
    message_table={},
    default_port=0,
    parse_options=lambda raw: ToyOptions(),
    login=ToyLogin,
    dial=_dial,
    relay=lambda result, login, facts: ToyRelay(facts),
    cancel=lambda result: ToyCancel(result[0]),  # type: ignore[index]
    lookup=lambda names, path: ToyLookup(",".join(path)),
    fingerprint=lambda: ToyLookup("fingerprint"),
    survey=lambda schema: ToyLookup("survey"),
    sample=lambda request: ToyLookup("sample"),
    analyst=_no_analyst,
    replay=lambda data: [],
)


class _Lines:
    """Lines of any length from a stream, read only while `reading` is set."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader
        self.kept = bytearray()

    async def line(self, reading: asyncio.Event) -> bytes:
        while (end := self.kept.find(b"\n")) < 0:
            await reading.wait()
            data = await self.reader.read(65536)
            if not data:
                return b""
            self.kept += data
        line = bytes(self.kept[: end + 1])
        del self.kept[: end + 1]
        return line


class ToyUpstream:
    """A server that answers `echo X`, `rows N SIZE`, `sleep`, `say X`, `drop`, `look X`; it keeps what it was told."""

    def __init__(self, context: Any = None) -> None:
        self.lines: list[str] = []
        self.received = 0
        self.cancelled: list[str] = []
        self.count = 0
        self.gone: list[str] = []
        self.context = context
        self.silent = False
        self.reading = asyncio.Event()
        self.reading.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._sleeping: dict[str, asyncio.Event] = {}
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> ToyUpstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        number = str(self.count)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._lines(number, _Lines(reader), writer)
            self.gone.append(number)
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _lines(self, number: str, reader: _Lines, writer: asyncio.StreamWriter) -> None:
        while line := await reader.line(self.reading):
            self.received += len(line)
            text = line.decode().rstrip("\n")
            verb, _, rest = text.partition(" ")
            if self.silent:
                continue
            if verb == "tls":
                writer.write(b"go\n")
                await writer.start_tls(self.context)
            elif verb == "hello":
                writer.write(f"hi {number}\n".encode() if rest == "s3cret" else b"no\n")
            elif verb == "cancel":
                self.cancelled.append(rest)
                if rest in self._sleeping:
                    self._sleeping[rest].set()
                return
            elif verb == "look":
                self.lines.append(text)
                if rest == "drop":
                    return
                writer.write(b"no\n" if rest == "nothing" else f"{rest} {number}\n".encode())
            else:
                self.lines.append(text[:80])
                if not await self._answer(number, verb, rest, reader, writer):
                    return

    async def _answer(self, number: str, verb: str, rest: str, reader: _Lines, writer: asyncio.StreamWriter) -> bool:
        if verb == "echo":
            writer.write(f"row {rest}\ndone\n".encode())
        elif verb == "say":
            writer.write(f"{rest}\n".encode())
        elif verb == "rows":
            count, size = map(int, rest.split())
            row = b"row " + b"x" * (size - 5) + b"\n"
            for _ in range(count):
                writer.write(row)
                await writer.drain()
            writer.write(b"done\n")
        elif verb == "sleep":
            event = self._sleeping[number] = asyncio.Event()
            # Like a real server: it does not notice that its client is gone while it works.
            await asyncio.wait_for(event.wait(), 5)
            writer.write(b"cancelled\n")
        elif verb == "slow":
            writer.write(b"row half\n")
            await asyncio.sleep(0.1)
            writer.write(b"done\n")
        elif verb == "drop":
            writer.write(b"row last\n")
            await writer.drain()
            return False
        elif verb in ("bye", "copy"):
            return True
        else:
            writer.write(b"done\n")
        return True


class FakeRecorder:
    """Keeps what was delivered."""

    def __init__(self) -> None:
        self.delivered_bytes: dict[int, bytes] = {}
        self.failing: Exception | None = None

    def delivered(self, sequence: int, data: bytes) -> None:
        if self.failing is not None:
            raise self.failing
        self.delivered_bytes[sequence] = self.delivered_bytes.get(sequence, b"") + data


class FakeSession:
    """What the driver uses of a session."""

    def __init__(self, number: int, connection: Connection, cancel_key: bytes) -> None:
        self.id = SessionId(f"s_{number}")
        self.connection = connection
        self.cancel_key = cancel_key
        self.clearance = Clearance(SEAL, self.id, False)
        self.recorder = FakeRecorder()
        self.on_end: Callable[[Refusal], None] | None = None
        self.on_cancel: Callable[[], None] | None = None
        self.ended_with: Refusal | None = None
        self.ended: list[Ended] = []
        self.closed_with: list[str] = []

    def take_name(self, name: bytes) -> None:
        self.cancel_key = name + self.cancel_key[len(name) :]

    def command_ended(self, ended: Ended) -> None:
        ended.answer.permit.close()
        self.ended.append(ended)

    def end(self, refusal: Refusal) -> None:
        if self.ended_with is None and not self.closed_with:
            self.ended_with = refusal
            if self.on_end is not None:
                self.on_end(refusal)

    def close(self, reason: str) -> None:
        self.closed_with.append(reason)


class FakeEngine:
    """Authentication, admission, gate, release, secrets and registry in one, as tests need them.

    A command that starts with `refuse` is refused, `hold` waits for `approve`, `later` is judged in a task, `fault` fails.
    """

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self.connections = connections
        self.sessions: list[FakeSession] = []
        self.sequence = 0
        self.approve: asyncio.Event = asyncio.Event()
        self.voided = 0
        self.confirmed: asyncio.Event = asyncio.Event()
        self.denied = False
        self.swallow = ""
        self.show_later = False
        self.admitting: asyncio.Event | None = None
        self.judged: list[str] = []

    async def prove(self, evidence: Evidence, peer: str) -> Identity | Refused:
        if evidence.token != "good":
            return Refused(Refusal("authentication_failed", "authentication failed"))
        return Identity(Principal(PrincipalKind.USER, evidence.claimed_name), "token")

    async def confirm(
        self, evidence: Evidence, peer: str, tell: Callable[[ConfirmationNotice], None]
    ) -> Identity | Refused:
        """Waits for `confirmed`; what is in it is the answer."""
        tell(ConfirmationNotice("https://gw.example/confirm", "BCDF-GHJK", evidence.claimed_name, "toy", peer, 120.0))
        try:
            await self.confirmed.wait()
        except asyncio.CancelledError:
            self.voided += 1
            raise
        if self.denied:
            return Refused(Refusal("confirmation_denied", "no"))
        return Identity(Principal(PrincipalKind.USER, evidence.claimed_name), "browser")

    async def admit(self, identity: Identity, evidence: Evidence, peer: str) -> Admitted | Refused:
        if self.admitting is not None:
            await self.admitting.wait()
        connection = self.connections.get(evidence.connection)
        if connection is None:
            return Refused(Refusal("connection_unavailable", "there is no such connection"))
        session = FakeSession(len(self.sessions), connection, f"key{len(self.sessions)}".encode())
        self.sessions.append(session)
        return Admitted(session, Grant(SEAL, session.id, connection.name), connection)  # type: ignore[arg-type]

    async def fetch(self, grant: Grant, reference: str) -> Credential:
        return Credential(reference)

    def cancel(self, key: bytes) -> bool:
        for session in self.sessions:
            if session.cancel_key == key and session.on_cancel is not None:
                session.on_cancel()
                return True
        return False

    def _allow(self, command: Command) -> Allowed:
        self.sequence += 1
        return Allowed(Permit(SEAL, self.sequence), None, None, False, False)  # type: ignore[arg-type]

    def judge_now(self, session: FakeSession, command: Command) -> Allowed | Refused | None:
        self.judged.append(command.text)
        if command.text.startswith("refuse"):
            return Refused(Refusal("forbidden", "no"))
        if command.text.startswith(("hold", "later", "fault")):
            return None
        return self._allow(command)

    async def judge(self, session: FakeSession, command: Command, on_hold: Callable[[HoldNotice], None]) -> Allowed:
        if command.text.startswith("fault"):
            raise ValueError("a value that must not be logged: 078-05-1120")
        if command.text.startswith("hold"):
            on_hold(HoldNotice(ApprovalId("ap-1"), "risky", ("dba",), 1, 900.0))
            try:
                await self.approve.wait()
            except asyncio.CancelledError:
                if self.swallow == "answer":
                    return self._allow(command)
                if self.swallow == "once":
                    self.swallow = ""
                    await self.approve.wait()
                self.voided += 1
                raise
        else:
            await asyncio.sleep(0)
        return self._allow(command)

    def show_now(self, session: FakeSession, show: Show) -> Showing | None:
        return None if self.show_later else Showing(Clearance(SEAL, session.id, False), None)

    async def show(self, session: FakeSession, show: Show) -> Showing:
        await asyncio.sleep(0.05)
        return Showing(Clearance(SEAL, session.id, False), None)


@dataclass
class FakeJournal:
    """Keeps what it was told."""

    lines: list[tuple[str, ...]] = field(default_factory=list)

    def login_failed(self, source: str, protocol: str, reason: str) -> None:
        self.lines.append(("login_failed", reason))

    def session_opened(self, session: Any, protocol: str, tls: str) -> None:
        self.lines.append(("opened", session.id, tls))

    def session_closed(self, session: Any, reason: str, from_client: int, to_client: int, seconds: float) -> None:
        self.lines.append(("closed", session.id, reason))

    def session_failed(self, session: Any, failure: str) -> None:
        self.lines.append(("failed", str(session), failure))

    def upstream_failed(self, connection: str, error: InterposeError) -> None:
        self.lines.append(("upstream", connection, str(error)))

    def accepting_paused(self, address: str, cause: str) -> None:
        self.lines.append(("paused", cause))

    def of(self, kind: str) -> list[tuple[str, ...]]:
        return [line for line in self.lines if line[0] == kind]


class Gateway:
    """Everything in `net`, wired around a fake engine."""

    def __init__(
        self,
        engine: FakeEngine,
        *,
        certificate: ServerCertificate | None = None,
        plaintext: bool = True,
        listener: ListenerOptions | None = None,
        session: SessionOptions | None = None,
        dial: DialOptions | None = None,
        contexts: ClientContexts | None = None,
    ) -> None:
        self.engine: Any = engine
        self.journal = FakeJournal()
        self.clients: list[Client] = []
        self.traffic = Traffic()
        self.live = LiveSessions()
        listener = listener or ListenerOptions()
        session = session or SessionOptions(linger=0.3)
        loop = asyncio.get_running_loop()
        self.dialer = Dialer(contexts or ClientContexts(loop.time), dial or DialOptions(), session)
        self.cancels = Cancels(self.dialer, self.journal)
        self.starter = SessionStarter(
            self.engine,
            self.engine,
            self.cancels,
            self.live,
            self.journal,
            self.traffic,
            session,
            limits=Limits,
            version="0",
        )
        self.pending = Pending(listener)
        self.listener = Listener(
            listen("127.0.0.1", 0, 100),
            Service(SPEC, certificate, plaintext),
            self.pending,
            admittance=Admittance(self.engine, self.engine, self.engine, self.dialer, self.journal, self.engine),
            starter=self.starter,
            cancels=self.cancels,
            ask_cancel=self.engine.cancel,
            journal=self.journal,
            options=listener,
            session_options=session,
        )
        self.listener.start()
        self.port = self.listener.addresses[0][1]

    async def connect(self, **options: Any) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 26, **options)
        client = Client(reader, writer)
        self.clients.append(client)
        return client

    async def login(self, connection: str = "toy", token: str = "good") -> Client:
        client = await self.connect()
        client.send(f"login alice {connection} {token}")
        assert await client.line() == "welcome"
        assert (await client.line()).startswith("key ")
        return client


@dataclass
class Client:
    """A toy client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\n" for line in lines).encode())

    async def line(self) -> str:
        return (await asyncio.wait_for(self.reader.readline(), 10)).decode().rstrip("\n")

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), 10)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def reset(self) -> None:
        self.writer.transport.abort()


def connection(port: int, name: str = "toy", *, secret: str = "s3cret", tls: UpgradeTls | None = None) -> Connection:
    """A connection to a toy upstream on this port."""
    return Connection(ConnectionName(name), "toy", Address("127.0.0.1", port), secret, ToyOptions(tls))


async def eventually(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until a condition holds; fails the test after a while."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- a test polls
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def gateway(**options: Any) -> AsyncIterator[tuple[Gateway, ToyUpstream]]:
    """A gateway in front of one toy upstream, both on loopback; everything is closed behind it."""
    upstream_context = options.pop("upstream_context", None)
    tls = options.pop("tls", None)
    async with ToyUpstream(upstream_context) as upstream:
        made = Gateway(FakeEngine({"toy": connection(upstream.port, tls=tls)}), **options)
        try:
            yield made, upstream
        finally:
            made.listener.close()
            made.pending.close()
            for client in made.clients:
                client.reset()
                await client.close()
            await made.live.drain(Refusal("draining", "the test is over"), 0.0)
            await made.cancels.settle()
