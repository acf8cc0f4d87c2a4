"""One tunnelled connection: a channel to the client and one to the upstream, and the bytes between them under an open permit.

Everything here runs in callbacks of the library. It knows nothing of policy: what may be opened was judged before.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncssh
from asyncssh.channel import SSHForwardChannel

from interpose.bridges.ssh.windows import Windowed
from interpose.recording.channel_frames import StreamName

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.bridges.ssh.ends import ClientEnd, Congestion, UpstreamEnd
    from interpose.bridges.ssh.relaying import Counts
    from interpose.engine.ports import SessionRecorder
    from interpose.model.proofs import Permit

TUNNEL_WINDOW: Final = 1024 * 1024
"""Bytes that a side of a tunnel may send before the gateway has taken them."""


class TunnelChannel(Windowed, SSHForwardChannel[bytes]):
    """One side's channel of a tunnel; delivers only when the tunnel says so. No request on it is known."""

    def __init__(self, end: ClientEnd | UpstreamEnd) -> None:
        """Nothing is opened yet."""
        super().__init__(end, asyncio.get_running_loop(), None, "strict", TUNNEL_WINDOW, 32768)

    async def open(self, kind: str, payload: bytes, session: asyncssh.SSHTCPSession[bytes]) -> None:
        """Open it towards the other side; raises `asyncssh.ChannelOpenError`."""
        packet = await self._open(kind.encode("ascii"), payload)
        packet.check_end()
        self._session = session
        session.connection_made(self)  # type: ignore[arg-type]

    def resume_reading(self) -> None:
        """The library would begin at once; the tunnel begins when both of its sides are open."""

    def deliver(self) -> None:
        """Deliver what has come and what comes, until `pause_reading`."""
        super().resume_reading()

    def set_inbound_peer_names(self, *names: object) -> None:
        """What the library would keep of the addresses; nobody asks for them."""


class _Side(asyncssh.SSHTCPSession[bytes]):
    """What hears of one of the two channels."""

    def __init__(self, tunnel: Tunnel, congestion: Congestion, stream: StreamName) -> None:
        self.tunnel = tunnel
        self.congestion = congestion
        self.stream = stream
        self.channel: TunnelChannel | None = None
        self.other: _Side = self
        self.full = False
        self.stopped = False
        self.ended = False
        self.sent = 0

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        """The channel is open."""
        self.channel = chan  # type: ignore[assignment]
        self.tunnel.opened()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Bytes for the other side."""
        self.tunnel.carry(self, data)

    def eof_received(self) -> bool:
        """No more bytes from here; the other way goes on."""
        self.ended = True
        other = self.other.channel
        if other is not None and not other.is_closing():
            other.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed, and everything that came of it was handed on."""
        self.channel = None
        self.tunnel.side_closed(self)

    def pause_writing(self) -> None:
        """It takes no more."""
        self.full = True
        self.tunnel.balance()

    def resume_writing(self) -> None:
        """It takes bytes again."""
        self.full = False
        self.tunnel.balance()


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where the bytes of a tunnel are told. Their content is recorded only if `content`; `number` is the tunnel's in the recording."""

    recorder: SessionRecorder
    counts: Counts
    number: int
    content: bool


class Tunnel:
    """Two sides that become each other's. `over` is called once, with an exception when something of ours failed."""

    def __init__(
        self,
        permit: Permit,
        accounts: Accounts,
        towards_client: Congestion,
        towards_upstream: Congestion,
        over: Callable[[Tunnel, BaseException | None], None],
    ) -> None:
        """The permit is spent before the first byte."""
        self._permit = permit
        self._accounts = accounts
        self._over = over
        self._done = False
        self._flows = False
        self.client = _Side(self, towards_client, StreamName.STDIN)
        self.upstream = _Side(self, towards_upstream, StreamName.STDOUT)
        self.client.other, self.upstream.other = self.upstream, self.client
        for side in (self.client, self.upstream):
            side.congestion.listen(self.balance)

    @property
    def tag(self) -> str:
        """How much went either way, for the records."""
        return f"{self.client.sent} bytes up, {self.upstream.sent} bytes down"

    def opened(self) -> None:
        """One side is open; bytes flow when both are."""
        sides = (self.upstream, self.client)
        if self._done:
            # It was stopped while this side was being opened.
            for side in sides:
                if side.channel is not None:
                    side.channel.abort()
            return
        if any(side.channel is None for side in sides):
            return
        self._flows = True
        for side in sides:
            side.stopped = side.other.full or side.other.congestion.full
            if side.channel is not None and not side.stopped:
                side.channel.deliver()

    def carry(self, side: _Side, data: bytes) -> None:
        """Bytes of one side, for the other."""
        if self._done:
            return
        accounts, other = self._accounts, side.other.channel
        try:
            self._permit.check_part()
            if accounts.content:
                # INVARIANT: recorded before it is written; a record that fails passes nothing on.
                accounts.recorder.stream(accounts.number, side.stream, data)
            side.sent += len(data)
            accounts.counts.came(len(data)) if side is self.client else accounts.counts.went(len(data))
            if other is not None and not other.is_closing():
                other.write(data)
        except Exception as error:  # noqa: BLE001 -- INVARIANT: any exception in a session closes both of its sides
            self.stop(error)

    def side_closed(self, side: _Side) -> None:
        """One side is gone: what came of it still goes to the other one, then that is closed."""
        if self._done:
            return
        if side.other.channel is not None:
            side.other.channel.close()
        self._end(None)

    def stop(self, error: BaseException | None = None) -> None:
        """Nothing more goes either way."""
        if self._done:
            return
        for side in (self.client, self.upstream):
            if side.channel is not None:
                side.channel.abort()
        self._end(error)

    def balance(self) -> None:
        """Read each side only while the other one takes what comes of it."""
        if self._done or not self._flows:
            return
        for side in (self.client, self.upstream):
            stop = side.other.full or side.other.congestion.full
            if side.channel is not None and stop is not side.stopped:
                side.stopped = stop
                side.channel.pause_reading() if stop else side.channel.deliver()

    def _end(self, error: BaseException | None) -> None:
        self._done = True
        for side in (self.client, self.upstream):
            side.congestion.forget(self.balance)
        self._over(self, error)
