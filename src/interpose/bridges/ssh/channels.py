"""The library's session channels, towards a client and towards an upstream, with what they lack: nothing is read before the gateway says
so, what is kept is bounded, and every request is either one that the gateway judges or refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import asyncssh
from asyncssh.constants import MSG_CHANNEL_CLOSE, MSG_CHANNEL_REQUEST
from asyncssh.packet import Byte, String, UInt32

from interpose.bridges.ssh.windows import Windowed

if TYPE_CHECKING:
    import asyncio

    from asyncssh.packet import SSHPacket

    from interpose.bridges.ssh.ends import ClientEnd, UpstreamEnd

WINDOW: Final = 2 * 1024 * 1024
"""Bytes that a side may send before the gateway has taken them: what is kept of a channel while it is held."""

MOST_REQUESTS: Final = 64
"""Requests on a channel that wait for the answer to an earlier one; further ones are dropped, or end the connection if they want an answer."""
MOST_VARIABLES: Final = 64
MOST_VARIABLE_BYTES: Final = 32 * 1024
"""What a client may ask to be set in the environment of one channel."""

SESSION_REQUESTS: Final = frozenset(
    {
        "pty-req",
        "env",
        "exec",
        "shell",
        "subsystem",
        "window-change",
        "signal",
        "auth-agent-req@openssh.com",
        "x11-req",
    }
)
"""Requests on a session channel that reach the gateway (RFC 4254 §6); any other is answered with a failure."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal as the client asks for it (RFC 4254 §6.2). `size` is columns, rows and the same in pixels."""

    term: str
    size: tuple[int, int, int, int]
    modes: tuple[tuple[int, int], ...] = field(default=())


class Requests(Protocol):
    """What hears of a client's channel beyond the library's own callbacks."""

    def variable(self, name: bytes, value: bytes) -> bool:
        """The client asks for a variable of the environment."""
        ...

    def lending_asked(self, name: str, arguments: bytes) -> None:
        """The client asks for its agent or display to be forwarded; answered by `ClientChannel.answer` later."""
        ...

    def untranslatable(self) -> bool:
        """The client asks for a command that is no text."""
        ...

    def client_closed(self) -> None:
        """The client has closed the channel; what it sent before may still wait."""
        ...

    def waiting_input(self, data: bytes) -> None:
        """Bytes came that are not delivered yet."""
        ...


class ClientChannel(Windowed, asyncssh.SSHServerChannel[bytes]):
    """A session channel of a client. It delivers nothing until `release`."""

    def __init__(self, end: ClientEnd, loop: asyncio.AbstractEventLoop, requests: Requests) -> None:
        """`requests` is the channel's session, which hears more than the library tells it."""
        super().__init__(end, loop, True, False, False, 0, 0, None, "strict", WINDOW, 32768)
        self._requests = requests
        self._held = True
        self._variables = 0
        self._variable_bytes = 0

    def release(self) -> None:
        """Deliver what has come and what comes, in order."""
        self._held = False
        self.resume_reading()

    def hold(self) -> None:
        """Deliver nothing more until the next `release`."""
        self._held = True
        self.pause_reading()

    def resume_reading(self) -> None:
        """Deliver, unless nothing is delivered yet."""
        if not self._held:
            super().resume_reading()

    def _accept_data(self, data: bytes, datatype: int | None = None) -> None:
        super()._accept_data(data, datatype)
        if self._held and data:
            self._requests.waiting_input(data)

    def _process_env_request(self, packet: SSHPacket) -> bool:
        name, value = packet.get_string(), packet.get_string()
        packet.check_end()
        self._variables += 1
        self._variable_bytes += len(name) + len(value)
        if self._variables > MOST_VARIABLES or self._variable_bytes > MOST_VARIABLE_BYTES:
            return False
        return self._requests.variable(name, value)

    def _process_exec_request(self, packet: SSHPacket) -> bool:
        command = packet.get_string()
        packet.check_end()
        try:
            text = command.decode("utf-8")
        except UnicodeDecodeError:
            return self._requests.untranslatable()
        return self._start_session(command=text)

    def answer(self, taken: bool) -> None:
        """Answer the request that was put off; what came behind it goes on."""
        if not self.is_closing():
            self._report_response(taken)

    def _process_x11_req_request(self, packet: SSHPacket) -> None:
        arguments = packet.get_remaining_payload()
        packet.get_boolean()
        packet.get_string()
        packet.get_string()
        packet.get_uint32()
        packet.check_end()
        self._requests.lending_asked("x11-req", arguments)

    def _process_auth_agent_req_at_openssh_dot_com_request(self, packet: SSHPacket) -> None:
        packet.check_end()
        self._requests.lending_asked("auth-agent-req@openssh.com", b"")

    def _process_request(self, kind: int, number: int, packet: SSHPacket) -> None:
        # INVARIANT: what waits behind a request that is put off stays bounded.
        if len(self._request_queue) >= MOST_REQUESTS:
            packet.get_string()
            if packet.get_boolean():
                raise asyncssh.ProtocolError("too many requests at once")
            return
        super()._process_request(kind, number, packet)

    def _process_close(self, kind: int, number: int, packet: SSHPacket) -> None:
        super()._process_close(kind, number, packet)
        self._requests.client_closed()

    _packet_handlers = {  # noqa: RUF012 -- the library declares it as a variable of the instance
        **asyncssh.SSHServerChannel._packet_handlers,
        MSG_CHANNEL_CLOSE: _process_close,
        MSG_CHANNEL_REQUEST: _process_request,
    }


class UpstreamChannel(Windowed, asyncssh.SSHClientChannel[bytes]):
    """A session channel to an upstream. It sends exactly the requests that it is told to send."""

    def __init__(self, end: UpstreamEnd, loop: asyncio.AbstractEventLoop) -> None:
        """Nothing is opened yet."""
        super().__init__(end, loop, "strict", None, "strict", WINDOW, 32768)

    async def open(self, session: asyncssh.SSHClientSession[bytes]) -> None:
        """Open; raises `asyncssh.ChannelOpenError`."""
        packet = await self._open(b"session")
        packet.check_end()
        self._session = session
        session.connection_made(self)

    async def ask(self, name: str, arguments: bytes) -> bool:
        """Make a request that was permitted; whether the host takes it."""
        return bool(await self._make_request(name.encode("ascii"), arguments))

    def set_variable(self, name: bytes, value: bytes) -> None:
        """Ask for a variable of the environment; the upstream need not take it."""
        self._send_request(b"env", String(name), String(value))

    async def get_terminal(self, terminal: Terminal) -> bool:
        """Ask for a terminal; whether there is one."""
        modes = b"".join(Byte(mode) + UInt32(value) for mode, value in terminal.modes) + Byte(0)
        size = [UInt32(number) for number in terminal.size]
        return bool(await self._make_request(b"pty-req", String(terminal.term), *size, String(modes)))

    async def start(self, kind: str, text: str) -> bool:
        """Start an `exec`, a `shell` or a `subsystem`; whether it was started. Reading begins with `release`."""
        if kind == "shell":
            return bool(await self._make_request(b"shell"))
        return bool(await self._make_request(kind.encode(), String(text.encode("utf-8"))))

    def _process_request(self, kind: int, number: int, packet: SSHPacket) -> None:
        if self._session is None:
            # The library would tell it to nobody, and fail.
            raise asyncssh.ProtocolError("the host says how a program ended before any was begun")
        super()._process_request(kind, number, packet)

    def release(self) -> None:
        """Deliver what has come and what comes."""
        self.resume_reading()

    def size_changed(self, size: tuple[int, int, int, int]) -> None:
        """The client's terminal has another size."""
        self.change_terminal_size(*size)

    _packet_handlers = {  # noqa: RUF012 -- the library declares it as a variable of the instance
        **asyncssh.SSHClientChannel._packet_handlers,
        MSG_CHANNEL_REQUEST: _process_request,
    }
