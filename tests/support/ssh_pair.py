"""Both ends of a gateway in one event loop: a client and a host of the library over sockets, a real session and a real gate between them.

The host is no sshd: it says what a test has it say. What is claimed end to end is tried on a real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import asyncssh

from interpose.analysis.shell.analyst import ShellAnalyst
from interpose.bridges.ssh.channel_session import ClientSession
from interpose.bridges.ssh.channels import ClientChannel
from interpose.bridges.ssh.ends import ClientEnd, UpstreamEnd
from interpose.bridges.ssh.entering import Entered
from interpose.bridges.ssh.options import SshOptions
from interpose.bridges.ssh.parts import Parts
from interpose.bridges.ssh.session import SshSession
from interpose.bridges.ssh.tunnels import TunnelChannel
from interpose.bridges.ssh.upstream import log_in
from interpose.engine.gate import Gate
from interpose.model.actions import Action
from interpose.model.audit import AuditKind
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import PolicyId
from interpose.protocols.contract import Credential
from tests.support.gateway_core import Core
from tests.support.memory import MemoryRecorder, Rules

HELD = ApprovalRule(PolicyId("hold"), "dba", 1, 60.0, "it is looked at")


class Echo(asyncssh.SSHTCPSession[bytes]):
    """Sends back what comes, and `<end>` when nothing more does."""

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self._chan = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._chan.write(data)

    def eof_received(self) -> bool:
        self._chan.write(b"<end>")
        self._chan.write_eof()
        return False


class Host(asyncssh.SSHServer):
    """The host behind the gateway. `asked` is everything that it was asked for; `programs` are what an `exec` runs.

    `gives` is the port that it gives where none is named; None: it does not answer at all.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.reachable = True
        self.gives: int | None = 4000
        self.session: Callable[[], asyncssh.SSHTCPSession[bytes]] = Echo
        self.program: Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]] = self.exits
        self.connection: asyncssh.SSHServerConnection

    @staticmethod
    async def exits(process: asyncssh.SSHServerProcess[bytes]) -> None:
        """A program that does nothing."""
        process.exit(0)

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connection = conn

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return True

    def session_requested(self) -> object:
        return asyncssh.SSHServerProcess(cast(Any, self.program), None, 3, False)

    def connection_requested(  # type: ignore[override]
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> object:
        self.asked.append(f"connect {dest_host}:{dest_port}")
        if not self.reachable:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "nobody there")
        channel = self.connection.create_tcp_channel(encoding=None)
        return channel, self.session()

    async def server_requested(self, listen_host: str, listen_port: int) -> object:
        self.asked.append(f"listen {listen_host}:{listen_port}")
        if self.gives is None:
            await asyncio.Event().wait()
        return _Listening(self, f"{listen_host}:{listen_port}") if self.reachable else False

    async def come(self, host: str, port: int) -> tuple[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]]:
        """A connection comes to a port of the host."""
        return await self.connection.open_connection(host, port, encoding=None)

    async def open(self, kind: bytes, payload: bytes = b"") -> asyncssh.channel.SSHForwardChannel[bytes]:
        """Open any channel towards the gateway."""
        channel = asyncssh.channel.SSHForwardChannel[bytes](
            self.connection, asyncio.get_running_loop(), None, "strict", 65536, 32768
        )
        channel._session = asyncssh.SSHTCPSession()
        await channel._open(kind, payload)
        return channel


class _Listening(asyncssh.SSHListener):
    def __init__(self, host: Host, name: str) -> None:
        super().__init__()
        self._host = host
        self._name = name

    def get_port(self) -> int:
        return self._host.gives or 0

    def close(self) -> None:
        self._host.asked.append(f"cancel {self._name}")

    async def wait_closed(self) -> None: ...


class _Door(asyncssh.SSHServer):
    """The client's side of the gateway, with nobody to prove anything to."""

    session: SshSession
    end: ClientEnd

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        assert isinstance(conn, ClientEnd)
        self.end = conn

    def connection_lost(self, exc: Exception | None) -> None:
        self.session.client_left()

    def begin_auth(self, username: str) -> bool:
        return False

    def session_requested(self) -> tuple[ClientChannel, ClientSession]:
        async def enter(_: ClientSession) -> SshSession:
            return self.session

        made = ClientSession(enter, self.session.parts.faults)
        return ClientChannel(self.end, asyncio.get_running_loop(), made), made

    def connection_requested(  # type: ignore[override]
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> object:
        return TunnelChannel(self.end), self.session.forwards.connect(dest_host, dest_port, "")

    async def server_requested(self, listen_host: str, listen_port: int) -> object:
        return await self.session.forwards.listen(listen_host, listen_port, "") or False


@dataclass
class Around:
    """What a session tells the worker."""

    from_client: int = 0
    to_client: int = 0
    faults: list[BaseException] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def add(self, driver: object) -> None: ...

    def remove(self, driver: object) -> None: ...

    def session_opened(self, *_: object) -> None: ...

    def session_closed(self, session: object, reason: str, *_: object) -> None:
        self.closed.append(reason)

    def __call__(self, session: object, error: BaseException) -> None:
        self.faults.append(error)


class Pair:
    """Client, gateway and host. `said` is what the client was told beside its channels."""

    def __init__(
        self, core: Core, around: Around, session: SshSession, client: asyncssh.SSHClientConnection, host: Host
    ) -> None:
        self.core = core
        self.around = around
        self.session = session
        self.client = client
        self.host = host
        self.said: list[str] = []

    @property
    def recorder(self) -> MemoryRecorder:
        """What is recorded of the session."""
        return self.core.recordings.made[0]

    @property
    def ends(self) -> list[tuple[str, str]]:
        """Outcome and tag of every command that is over."""
        events = self.core.audit.of(AuditKind.COMMAND_ENDED)
        return [(str(each.fields["outcome"]), str(each.fields["tag"])) for each in events]

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(30):
            while not true():  # noqa: ASYNC110 -- what is waited for is a state, of which nobody tells
                await asyncio.sleep(0.001)

    async def connect(
        self, host: str = "db", port: int = 5432
    ) -> tuple[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]]:
        """The client wants a connection through the host."""
        return await self.client.open_connection(host, port, encoding=None)


@contextlib.asynccontextmanager
async def pair(permits: Iterable[Action] = (), holds: Iterable[Action] = (), **options: Any) -> AsyncIterator[Pair]:
    """A session whose policy permits and holds these; `options` are those of the connection."""
    loop = asyncio.get_running_loop()
    core = Core(rules=Rules({Action.CONNECT, *permits}, dict.fromkeys(holds, HELD)))
    analysts: Any = {"table": ShellAnalyst()}
    gate = Gate(core.holder, analysts, core.catalogs, core.approvals, core.audit, core.clock)
    around: Any = Around()
    nobody: Any = None
    parts = Parts(
        logins=nobody,
        entrance=nobody,
        gate=gate,
        release=core.release,
        foresight=nobody,
        live=around,
        pending=nobody,
        exchanges=nobody,
        journal=around,
        faults=around,
        traffic=around,
        choices=lambda identity, peer, protocol: [],
    )
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = " ".join(key.export_public_key().decode().split()[:2])
    near, far = _sockets()
    up, down = _sockets()
    host, door = Host(), _Door()
    serving = asyncio.ensure_future(
        asyncssh.run_server(down, server_factory=lambda: host, server_host_keys=[key], encoding=None)
    )
    settings = SshOptions("me", (public,), "/home/me", **options)
    credential = Credential(key.export_private_key().decode())
    upstream: UpstreamEnd = await log_in(up, "web-1", settings, credential, deadline=30.0, keepalive=30.0)
    await serving
    offer = asyncssh.SSHServerConnectionOptions(
        loop=loop, config=None, server_host_keys=[key], encoding=None, login_timeout=0
    )
    _, end = await loop.connect_accepted_socket(lambda: ClientEnd(loop, offer, lambda: door), far)
    client = await asyncssh.run_client(
        near, config=None, known_hosts=None, username="me", client_keys=None, agent_path=None
    )
    door.session = SshSession(parts, end, Entered(await core.session(), upstream, settings))
    made = Pair(core, around, door.session, client, host)
    client._owner.debug_msg_received = lambda msg, lang, always_display: made.said.append(msg)  # type: ignore[union-attr,method-assign]
    try:
        yield made
    finally:
        client.abort()
        door.session.client_left()
        await upstream.wait_closed()
        host.connection.abort()


def _sockets() -> tuple[socket.socket, socket.socket]:
    """Two ends of one connection that does not block; the library wants addresses, which a socket pair has none of."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = socket.create_connection(listening.getsockname())
        other, _ = listening.accept()
    for each in (one, other):
        each.setblocking(False)
    return one, other
