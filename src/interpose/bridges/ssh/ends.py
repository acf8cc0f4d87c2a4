"""The library's connections, towards a client and towards an upstream, with what they lack: pressure that is felt on both sides, and
public keys that are judged by the gateway. They know nothing of sessions or policy.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import asyncssh
from asyncssh.constants import MSG_GLOBAL_REQUEST, MSG_KEXINIT, MSG_REQUEST_SUCCESS
from asyncssh.packet import Boolean, String

from interpose.bridges.ssh.packets import Packets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncssh.channel import SSHForwardChannel
    from asyncssh.packet import SSHPacket

Opened = tuple["SSHForwardChannel[bytes]", "Awaitable[asyncssh.SSHTCPSession[bytes]]"]
"""A channel that the other side asks for, and what it waits for before it is confirmed."""

MOST_REQUESTS: Final = 64
"""Global requests of a client that wait for the answer to an earlier one, before the connection is closed."""
MOST_KEEPALIVES: Final = 10_000
"""The same for questions whether the gateway is still there, which cost a count only: one in 15 s is a day and a half."""
MOST_UNREAD: Final = 1024 * 1024
"""Bytes that wait for the library's parser before the socket is not read any more."""
MOST_UNREAD_EARLY: Final = 64 * 1024
"""The same until the other side is known: many may wait for their turn to exchange keys."""

_KEEPALIVE: Final = String("keepalive@openssh.com") + Boolean(True)


class Backwards(Protocol):
    """What hears of channels that an upstream opens; each method raises `asyncssh.ChannelOpenError` for what nobody asked for."""

    def forwarded(self, host: str, port: int, origin: tuple[str, int]) -> Opened:
        """A connection came to a port."""
        ...

    def forwarded_socket(self, path: str) -> Opened:
        """A connection came to a socket."""
        ...

    def borrowed(self, kind: str, origin: tuple[str, int]) -> Opened:
        """The host uses the client's `agent` or display (`x11`)."""
        ...


@runtime_checkable
class KeyJudge(Protocol):
    """Whether a client's key or certificate is taken."""

    async def offered(self, user: str, blob: bytes, signed: bytes | None, signature: bytes) -> bool:
        """`signed` is what the client must have signed, None when it only asks whether the key would do."""
        ...


@runtime_checkable
class Newcomer(Protocol):
    """A client that may have to wait before its keys are exchanged for the first time."""

    async def turn(self) -> None:
        """Wait for its turn."""
        ...


class Congestion:
    """Whether the socket behind a connection takes what is written, and who wants to know."""

    __slots__ = ("_listeners", "full")

    def __init__(self) -> None:
        """Nothing is written yet."""
        self.full = False
        self._listeners: dict[Callable[[], None], None] = {}

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this whenever `full` changes."""
        self._listeners[listener] = None

    def forget(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners.pop(listener, None)

    def changed(self, *, full: bool) -> None:
        """The socket is full, or has drained."""
        self.full = full
        for listener in list(self._listeners):
            listener()


class Pressed(Packets):
    """A connection that feels pressure: it tells when its socket is full, and reads no more than it can parse."""

    congestion: Congestion
    _unread_stopped = False

    @property
    def waiting(self) -> int:
        """Bytes that were written and that the socket has not taken."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def pause_writing(self) -> None:
        """The socket is full."""
        self.congestion.changed(full=True)

    def resume_writing(self) -> None:
        """The socket has drained."""
        self.congestion.changed(full=False)

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        """Bytes from the other side."""
        super().data_received(data, datatype)
        # INVARIANT: while something is awaited (a login, new keys) what waits to be parsed stays bounded.
        if len(self._inpbuf) > self._most_unread and self._transport is not None and not self._unread_stopped:
            self._unread_stopped = True
            self._transport.pause_reading()

    @property
    def _most_unread(self) -> int:
        return MOST_UNREAD if self._auth_complete else MOST_UNREAD_EARLY

    def _recv_data(self) -> None:
        super()._recv_data()
        if self._unread_stopped and len(self._inpbuf) <= self._most_unread and self._transport is not None:
            self._unread_stopped = False
            self._transport.resume_reading()


class _Keepalives:
    """Questions of a client whether the gateway is still there, in a row behind a request that is not answered: one entry for all of them."""

    def __init__(self, end: ClientEnd) -> None:
        self._end = end
        self.count = 0

    def __call__(self, packet: SSHPacket) -> None:
        """It is their turn."""
        for _ in range(self.count - 1):
            self._end.send_packet(MSG_REQUEST_SUCCESS)
        self._end._report_global_response(True)


class ClientEnd(Pressed, asyncssh.SSHServerConnection):
    """One client's connection."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: asyncssh.SSHServerConnectionOptions,
        owner: Callable[[], asyncssh.SSHServer],
    ) -> None:
        """`owner` makes the client object; it is asked about keys."""
        super().__init__(loop, options)
        self._protocol_factory = owner
        self.congestion = Congestion()

    @property
    def output_waits(self) -> bool:
        """Whether there is anything that the client does not take, in its socket or in a channel."""
        return self.congestion.full or any(each.get_write_buffer_size() for each in self._channels.values())

    async def answers(self) -> None:
        """Ask whether the client is there, and wait until it has answered, or is gone."""
        if not self.is_closed():
            await self._make_global_request(b"keepalive@openssh.com")

    def nudge(self) -> None:
        """Make the client look at what it has to do."""
        if not self.is_closed():
            self.send_ignored()

    async def reload_config(self) -> None:
        """Nothing is read again when a client says its name: there are no configuration files for SSH."""

    async def validate_public_key(self, username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        """Ask the gateway; the library would look into authorized keys."""
        # What is signed (RFC 4252 §7) begins with the session id, so a signature is good for this connection alone.
        signed = String(self._session_id) + msg if msg else None
        judge: object = self.get_owner()
        return isinstance(judge, KeyJudge) and await judge.offered(username, key_data, signed, signature)

    async def _process_kexinit(self, kind: int, number: int, packet: SSHPacket) -> None:
        newcomer: object = self.get_owner()
        if not self._session_id and isinstance(newcomer, Newcomer):
            await newcomer.turn()
        if self._transport is not None:
            await super()._process_kexinit(kind, number, packet)

    def _process_global_request(self, kind: int, number: int, packet: SSHPacket) -> None:
        if self._global_request_queue and packet.get_remaining_payload() == _KEEPALIVE:
            self._keepalive_waits(packet)
            return
        # INVARIANT: what waits behind a held request stays bounded.
        if len(self._global_request_queue) >= MOST_REQUESTS:
            raise asyncssh.ProtocolError("too many global requests at once")
        super()._process_global_request(kind, number, packet)

    def _keepalive_waits(self, packet: SSHPacket) -> None:
        """Answers come in the order of the requests (RFC 4254 §4), so this one waits for the held one. Until then any packet is a sign of life."""
        waiting = self._global_request_queue[-1][0]
        if not isinstance(waiting, _Keepalives):
            waiting = _Keepalives(self)
            self._global_request_queue.append((waiting, packet, True))
        waiting.count += 1
        if waiting.count > MOST_KEEPALIVES:
            raise asyncssh.ProtocolError("too many global requests at once")
        self.send_ignored()

    _packet_handlers = {  # noqa: RUF012 -- the library declares it as a variable of the instance
        **asyncssh.SSHServerConnection._packet_handlers,
        MSG_KEXINIT: _process_kexinit,
        MSG_GLOBAL_REQUEST: _process_global_request,
    }


class UpstreamEnd(Pressed, asyncssh.SSHClientConnection):
    """The gateway's connection to one upstream."""

    def __init__(self, loop: asyncio.AbstractEventLoop, options: asyncssh.SSHClientConnectionOptions) -> None:
        """`options.waiter` is told when the login is over."""
        super().__init__(loop, options, wait="auth")
        self.congestion = Congestion()
        self.backwards: Backwards | None = None

    async def ask(self, request: str, arguments: bytes) -> tuple[int, SSHPacket]:
        """Make a global request; the type of the answer and what it holds."""
        return await self._make_global_request(request.encode("ascii"), arguments)

    # --- channels that the upstream opens: nothing but what the session has asked for

    @property
    def _asked(self) -> Backwards:
        if self.backwards is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "nobody asked for this")
        return self.backwards

    def _process_forwarded_tcpip_open(self, packet: SSHPacket) -> Opened:  # type: ignore[override]
        host, port = _text(packet), packet.get_uint32()
        origin = _text(packet), packet.get_uint32()
        packet.check_end()
        return self._asked.forwarded(host, port, origin)

    def _process_forwarded_streamlocal_at_openssh_dot_com_open(self, packet: SSHPacket) -> Opened:  # type: ignore[override]
        path, _ = _text(packet), _text(packet)
        packet.check_end()
        return self._asked.forwarded_socket(path)

    def _process_auth_agent_at_openssh_dot_com_open(self, packet: SSHPacket) -> Opened:  # type: ignore[override]
        packet.check_end()
        return self._asked.borrowed("agent", ("", 0))

    def _process_x11_open(self, packet: SSHPacket) -> Opened:  # type: ignore[override]
        origin = _text(packet), packet.get_uint32()
        packet.check_end()
        return self._asked.borrowed("x11", origin)


def _text(packet: SSHPacket) -> str:
    """A string of the upstream's; what is no text is nothing that anybody has asked for."""
    return packet.get_string().decode("utf-8", "replace")
