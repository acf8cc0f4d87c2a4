"""What the library does for each packet and the gateway has no use for, left out: it decides how fast large copies are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asyncssh.connection import SSHConnection
from asyncssh.constants import MSG_IGNORE
from asyncssh.packet import SSHPacketLogger, String

if TYPE_CHECKING:
    from asyncssh.packet import SSHPacket

PIECE: Final = 40 * 1024
"""Bytes that the parser is given at once: a packet of data as OpenSSH makes them, and a little. It copies all that waits, several times a packet."""


class Unlogged(SSHPacketLogger):
    """Packets are not described to the log of the library, which could hold what is in them."""

    def log_sent_packet(self, pkttype: int, pktid: int | None, packet: SSHPacket | bytes, note: str = "") -> None:
        """Nothing."""

    def log_received_packet(self, pkttype: int, pktid: int | None, packet: SSHPacket | bytes, note: str = "") -> None:
        """Nothing."""


class Packets(Unlogged, SSHConnection):
    """A connection's packets. Comes before the library's classes among the bases."""

    def send_packet(self, pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        """Send one; but not the empty one that the library puts before each other.

        That is a measure against ciphers in CBC mode, whose next packet can be guessed at from the last (RFC 4251 §9.3.1). None is offered here.
        """
        if pkttype != MSG_IGNORE:
            super().send_packet(pkttype, *args, handler=handler)

    def send_ignored(self) -> None:
        """Send a message without content (RFC 4253 §11.2): a sign of life, at which the other side looks at what it has to do."""
        super().send_packet(MSG_IGNORE, String(b""))

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        """Bytes from the other side."""
        if len(data) <= PIECE:
            super().data_received(data, datatype)
            return
        for begin in range(0, len(data), PIECE):
            # INVARIANT: nothing is parsed behind what closed the connection.
            if self._transport is None:
                return
            super().data_received(data[begin : begin + PIECE], datatype)
