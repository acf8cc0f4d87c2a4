"""A wire: one TCP connection, with TLS or without, as the rest of this folder uses it.

An `asyncio.Protocol` whose owner can change (login, then session; dialogue, then session). It knows bytes only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, cast

from interpose.net import sockets

if TYPE_CHECKING:
    import socket

    from interpose.net.tls import TlsChannel

_JOIN_LIMIT: Final = 64 * 1024

Received = Callable[[bytes], None]
Lost = Callable[[Exception | None], None]


class Writable(Protocol):
    """Hears whether the peer takes more."""

    def __call__(self, *, writable: bool) -> None:
        """True once what waited has drained."""


def _ignore_bytes(data: bytes) -> None:
    """Nobody reads any more."""


def _ignore_lost(error: Exception | None) -> None:
    """Nobody waits for the end."""


def _ignore_writable(*, writable: bool) -> None:
    """Nobody is slowed down."""


class Wire(asyncio.Protocol):
    """One connection's bytes.

    The owner sets three callbacks: `on_bytes` gets decrypted bytes, `on_lost` hears *once* that the peer is gone (end of
    file, reset, TLS failure; the error where there was one), `on_writable` hears False when more than the high-water mark
    waits to be sent and True when it has drained. After `finish` or `abort` the owner hears nothing more.
    What arrives before there is an owner is in `early`.
    """

    __slots__ = (
        "_closing",
        "_gone",
        "_linger",
        "_loop",
        "_on_tls",
        "_reading",
        "_timer",
        "_transport",
        "closed",
        "early",
        "high_water",
        "on_bytes",
        "on_closed",
        "on_lost",
        "on_made",
        "on_writable",
        "tls",
        "writable",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, *, high_water: int, linger: float) -> None:
        """`high_water` in bytes, `linger` in seconds; the transport comes with `connection_made`."""
        self._loop = loop
        self._linger = linger
        self.high_water = high_water
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._on_tls: Callable[[], None] | None = None
        self._reading = True
        self._closing = False
        self._gone = False
        self.closed = False
        self.writable = True
        self.tls: TlsChannel | None = None
        self.early: list[bytes] = []
        self.on_made: Callable[[], None] | None = None
        self.on_bytes: Received = self.early.append
        self.on_lost: Lost = _ignore_lost
        self.on_writable: Writable = _ignore_writable
        self.on_closed: Callable[[], None] | None = None

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport and set its bounds."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self.high_water)
        sock = self.socket
        if sock is not None:
            sockets.tune(sock)
        on_made, self.on_made = self.on_made, None
        if on_made is not None:
            on_made()

    def data_received(self, data: bytes) -> None:
        """Bytes from the socket: decrypted when TLS is on, then the owner's."""
        channel = self.tls
        if channel is None:
            self.on_bytes(data)
        else:
            self._decrypted(channel, data)

    def eof_received(self) -> bool:
        """The peer sends no more: for every protocol here that is the end of the session."""
        self._lose(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._lose(exc)
        on_closed, self.on_closed = self.on_closed, None
        self._detach()
        if on_closed is not None:
            on_closed()

    def pause_writing(self) -> None:
        """More than the high-water mark waits for the peer to read."""
        self.writable = False
        self.on_writable(writable=False)

    def resume_writing(self) -> None:
        """The peer has read enough."""
        self.writable = True
        self.on_writable(writable=True)

    # --- the owner's side

    def write(self, chunks: list[bytes]) -> None:
        """Send `chunks` in order, with as few calls below as is cheap; ignored once the connection is closing."""
        transport = self._transport
        if transport is None or self._closing or self._gone:
            return
        if len(chunks) > 1 and sum(map(len, chunks)) <= _JOIN_LIMIT:
            # Many small pieces in one call; large ones are not copied. (`writelines` ignores the high-water mark
            # in some Python versions.)
            chunks = [b"".join(chunks)]
        channel = self.tls
        if channel is None:
            for chunk in chunks:
                transport.write(chunk)
            return
        for chunk in chunks:
            channel.send(chunk)
        transport.write(channel.take_outgoing())

    def start_tls(self, channel: TlsChannel, on_tls: Callable[[], None], pending: bytes = b"") -> None:
        """Speak TLS from now on; `on_tls` is called when the handshake is over, a failure goes to `on_lost`.

        `pending` are bytes of the handshake that were read before (direct TLS).
        """
        self.tls = channel
        self._on_tls = on_tls
        channel.start()
        self._flush(channel)
        if pending:
            self._decrypted(channel, pending)

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`; what was read is with the owner already."""
        if self._reading and self._transport is not None and not self._closing and not self._gone:
            self._reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if not self._reading and self._transport is not None and not self.closed:
            self._reading = True
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def finish(self) -> None:
        """Send what waits, say goodbye and close; cut after the linger time. The owner hears nothing more.

        Our side is closed first and the peer's bytes are discarded until it closes too: closing with unread bytes would
        make the kernel send a reset, which can overtake the last word.
        """
        transport = self._transport
        if self._closing or transport is None:
            return
        self._detach()
        if self.tls is not None and not self._gone:
            self.tls.shut()
            self._flush(self.tls)
        self._closing = True
        if self.closed:
            return
        if self._gone or not transport.can_write_eof():
            transport.close()
        else:
            self.resume_reading()
            transport.write_eof()
        self._timer = self._loop.call_later(self._linger, transport.abort)

    def abort(self) -> None:
        """Close at once and drop what waits. The owner hears nothing more."""
        self._detach()
        self._closing = True
        if self._transport is not None and not self.closed:
            self._transport.abort()

    @property
    def gone(self) -> bool:
        """Whether the peer is known to be gone."""
        return self._gone

    @property
    def usable(self) -> bool:
        """Whether bytes can still be exchanged with the peer, as far as is known."""
        return self._transport is not None and not (self._gone or self._closing or self.closed)

    @property
    def waiting(self) -> int:
        """Bytes that wait for the peer to read."""
        return 0 if self._transport is None or self.closed else self._transport.get_write_buffer_size()

    @property
    def socket(self) -> socket.socket | None:
        """The socket below, for its options and state only."""
        if self._transport is None:
            return None
        return cast("socket.socket | None", self._transport.get_extra_info("socket"))

    @property
    def peer(self) -> tuple[str, int]:
        """The peer's address and port; empty and 0 when it cannot be told."""
        name = self._transport.get_extra_info("peername") if self._transport is not None else None
        return (str(name[0]), int(name[1])) if name else ("", 0)

    # --- within

    def _decrypted(self, channel: TlsChannel, data: bytes) -> None:
        plain = channel.receive(data)
        self._flush(channel)
        if self._on_tls is not None and channel.established:
            on_tls, self._on_tls = self._on_tls, None
            on_tls()
        if plain:
            self.on_bytes(plain)
        if channel.failure is not None or channel.peer_closed:
            self._lose(None)
            if not self._closing and self._transport is not None:
                self._transport.close()

    def _flush(self, channel: TlsChannel) -> None:
        data = channel.take_outgoing()
        if data and self._transport is not None and not self.closed:
            self._transport.write(data)

    def _lose(self, error: Exception | None) -> None:
        if not self._gone:
            self._gone = True
            on_lost, self.on_lost = self.on_lost, _ignore_lost
            on_lost(error)

    def _detach(self) -> None:
        self.on_bytes = _ignore_bytes
        self.on_lost = _ignore_lost
        self.on_writable = _ignore_writable
        self._on_tls = None
