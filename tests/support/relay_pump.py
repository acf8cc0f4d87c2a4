"""A throw-away gateway of sockets only: Login, Dial and Relay of the PostgreSQL protocol, with answers made on the spot.

For tests of the protocol against a real server and real clients, without engine, policy or store.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from typing import cast

from interpose.model.analysis import Analysis
from interpose.model.command import Command
from interpose.model.connection import Connection
from interpose.model.decisions import Obligations
from interpose.model.ids import SessionId
from interpose.model.proofs import Clearance, Permit, seal_of_the_engine
from interpose.protocols.contract import Credential, LoginOptions, SessionFacts
from interpose.protocols.dialogue import Dialogue, Done, Failed, Send, UpgradeTls
from interpose.protocols.intents import (
    Allowed,
    Answer,
    Ask,
    CancelAsked,
    Close,
    Control,
    Deliver,
    Ended,
    Forward,
    Intent,
    Part,
    Prove,
    Reply,
    Show,
    ShowAnswer,
    Showing,
    StartTls,
)
from interpose.protocols.postgres.cancel import PostgresCancel
from interpose.protocols.postgres.dial import Dialled, PostgresDial
from interpose.protocols.postgres.login import PostgresLogin
from interpose.protocols.postgres.relay.relay import PostgresRelay

SEAL = seal_of_the_engine()
SESSION = SessionId("s_test")

Judge = Callable[[Command], Answer]
Shower = Callable[[Show], ShowAnswer]


def allowed(analysis: Analysis, *, scrub: bool = False, describe: bool = False, max_rows: int | None = None) -> Allowed:
    """A yes."""
    return Allowed(Permit(SEAL, 1), analysis, Obligations(max_rows=max_rows), scrub, describe)


def clearance(*, masked: bool = False) -> Clearance:
    """The right to show."""
    return Clearance(SEAL, SESSION, masked)


def show_as_it_is(show: Show) -> ShowAnswer:
    """Nothing is masked."""
    return Showing(clearance(), None)


class Pump(asyncio.Protocol):
    """The client's side of one session."""

    def __init__(self, gateway: RelayGateway) -> None:
        self.gateway = gateway
        self.login = PostgresLogin(LoginOptions(tls=False, allow_plaintext_tokens=True))
        self.relay: PostgresRelay | None = None
        self.upstream: asyncio.Transport | None = None
        self.transport: asyncio.Transport | None = None
        self.ended: list[Ended] = []
        self.key = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.relay is not None:
            self.carry_out(self.relay.client_bytes(data))
            return
        assert self.transport is not None
        for intent in self.login.client_bytes(data):
            match intent:
                case Reply(reply):
                    self.transport.write(reply)
                case Close():
                    self.transport.close()
                case Prove():
                    asyncio.get_running_loop().create_task(self.dial())
                case CancelAsked(key):
                    target = self.gateway.sessions.get(key)
                    if target is not None:
                        asyncio.get_running_loop().create_task(self.gateway.cancel(target))
                    self.transport.close()
                case StartTls():
                    raise AssertionError("no TLS here")

    async def dial(self) -> None:
        assert self.transport is not None
        dial = PostgresDial(self.gateway.connection, Credential(self.gateway.password), self.login.requested)
        wire, done = await self.gateway.converse(dial)
        if isinstance(done, Failed):
            self.transport.write(b"")
            self.transport.close()
            raise ConnectionError(str(done.error))
        assert isinstance(done.result, Dialled)
        self.dialled = done.result
        for intent in self.login.accepted():
            assert isinstance(intent, Reply)
            self.transport.write(intent.data)
        self.key = os.urandom(8 if self.login.minor == 0 else 36)
        self.gateway.sessions[self.key] = self
        facts = SessionFacts(SESSION, self.key, "test", clearance(), 64 << 20, 1 << 20)
        self.relay = PostgresRelay(done.result, self.login, facts)
        self.upstream = wire.transport
        wire.on_bytes = lambda data: self.carry_out(self.relay.upstream_bytes(data)) if self.relay else None
        wire.on_lost = lambda: self.carry_out(self.relay.upstream_closed()) if self.relay else None
        self.carry_out(self.relay.start())
        self.data_received(self.login.leftover())

    def connection_lost(self, exc: Exception | None) -> None:
        self.gateway.sessions.pop(self.key, None)
        if self.relay is not None:
            self.carry_out(self.relay.client_closed())

    def carry_out(self, intents: list[Intent]) -> None:
        relay = self.relay
        assert relay is not None and self.transport is not None and self.upstream is not None
        up: list[bytes] = []
        down: list[bytes] = []
        while intents:
            following: list[Intent] = []
            for intent in intents:
                match intent:
                    case Deliver(_, data) | Reply(data):
                        down.append(data)
                    case Forward(permit, data):
                        permit.spend()
                        up.append(data)
                    case Part(permit, data):
                        permit.check_part()
                        up.append(data)
                    case Control(_, data):
                        up.append(data)
                    case Ask(command):
                        following += relay.answered(self.gateway.judge(command))
                    case Show():
                        following += relay.shown(self.gateway.show(intent))
                    case Ended():
                        self.ended.append(intent)
                        self.gateway.ended.append(intent)
                    case Close(reason, detail):
                        self.gateway.closed.append((reason, detail))
                        following = []
                        if up:
                            self.upstream.write(b"".join(up))
                        if down:
                            self.transport.write(b"".join(down))
                        self.upstream.close()
                        self.transport.close()
                        return
            intents = following
        if up:
            self.upstream.write(b"".join(up))
        if down:
            self.transport.write(b"".join(down))


class Upstream(asyncio.Protocol):
    """The upstream's side of one session."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.on_bytes: Callable[[bytes], None] = lambda data: None
        self.on_lost: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.on_bytes(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_lost()


class RelayGateway:
    """Listens on a free port of loopback and relays every session to `connection`."""

    def __init__(self, connection: Connection, password: str, judge: Judge, show: Shower = show_as_it_is) -> None:
        self.connection = connection
        self.password = password
        self.judge = judge
        self.show = show
        self.sessions: dict[bytes, Pump] = {}
        self.ended: list[Ended] = []
        self.closed: list[tuple[str, str]] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._upstreams: list[asyncio.Transport] = []

    async def __aenter__(self) -> RelayGateway:
        self._server = await asyncio.get_running_loop().create_server(lambda: Pump(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        # Also those that a failed log-in or a client that has just left would leave open.
        for transport in self._upstreams:
            transport.abort()
        await asyncio.sleep(0)

    async def converse(self, dialogue: Dialogue, upstream: Upstream | None = None) -> tuple[Upstream, Done | Failed]:
        """Run a dialogue to its end; on a new connection, or on `upstream`."""
        loop = asyncio.get_running_loop()
        if upstream is None:
            address = self.connection.address
            _, upstream = await loop.create_connection(Upstream, address.host, address.port)
            self._upstreams.append(upstream.transport)
        over: asyncio.Future[Done | Failed] = loop.create_future()

        def carry_out(steps: list[object]) -> None:
            for step in steps:
                match step:
                    case Send(data):
                        upstream.transport.write(data)
                    case UpgradeTls():
                        task = loop.create_task(upgrade(step))
                        task.add_done_callback(lambda done: done.exception() and over.set_exception(done.exception()))
                    case Done() | Failed():
                        over.set_result(step)

        async def upgrade(step: UpgradeTls) -> None:
            context = ssl.create_default_context(cafile=step.ca_file)
            context.check_hostname = step.verify == "full"
            context.verify_mode = ssl.CERT_NONE if step.verify == "none" else ssl.CERT_REQUIRED
            context.set_alpn_protocols(list(step.alpn))
            name = step.server_name
            transport = await loop.start_tls(upstream.transport, upstream, context, server_hostname=name)
            assert transport is not None
            upstream.transport = transport
            self._upstreams.append(transport)
            peer = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            carry_out(list(dialogue.tls_started(peer)))

        upstream.on_bytes = lambda data: carry_out(list(dialogue.received(data)))
        upstream.on_lost = lambda: carry_out(list(dialogue.closed()))
        carry_out(list(dialogue.start()))
        done = await over
        upstream.on_bytes = lambda data: None
        upstream.on_lost = lambda: None
        return upstream, done

    async def hang_up(self, upstream: Upstream) -> None:
        """Close a connection that a dialogue has left."""
        upstream.transport.abort()
        for _ in range(3):
            await asyncio.sleep(0)

    async def cancel(self, target: Pump) -> None:
        """Cancel what runs on a session."""
        upstream, _ = await self.converse(PostgresCancel(target.dialled))
        upstream.transport.close()
        await asyncio.sleep(0)
