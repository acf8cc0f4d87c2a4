"""What a channel keeps while it is not read: never more than its window, and in pieces that are worth keeping.

The library (asyncssh 2.24, `SSHChannel._deliver_data`) opens the whole window again when the first piece of what it has kept is delivered, and so keeps
more and more of a side that is faster than the other; and it keeps a byte that comes alone as an object of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, SupportsIndex

from asyncssh.channel import SSHChannel
from asyncssh.constants import MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.packet import UInt32

from interpose.bridges.ssh.packets import Unlogged

if TYPE_CHECKING:
    Piece = tuple[bytes | bytearray, int | None]

JOINED: Final = 32 * 1024
"""Bytes up to which pieces of one stream are kept as one."""


class Kept(list["Piece"]):
    """Pieces that wait to be delivered, oldest first, each with its kind of data. `size` is their bytes in all."""

    size = 0

    def append(self, piece: Piece) -> None:
        """Keep it behind the others, in one with the last of them where that is small."""
        data, kind = piece
        self.size += len(data)
        if self and self[-1][1] == kind and len(self[-1][0]) + len(data) <= JOINED:
            last = self[-1][0]
            if isinstance(last, bytearray):
                last += data
            else:
                self[-1] = (bytearray(last) + data, kind)
        else:
            super().append(piece)

    def pop(self, index: SupportsIndex = -1) -> Piece:
        """Take one out."""
        data, kind = super().pop(index)
        self.size -= len(data)
        return bytes(data), kind

    def clear(self) -> None:
        """Keep nothing."""
        self.size = 0
        super().clear()


class Windowed(Unlogged, SSHChannel[bytes]):
    """A channel whose window is opened by what was delivered, and by no more. Comes before the library's class among the bases."""

    def __init__(self, *arguments: object) -> None:
        """As the library's."""
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._kept = Kept()
        self._recv_buf = self._kept  # type: ignore[assignment]

    def _discard_recv(self) -> None:
        self._kept.clear()
        super()._discard_recv()

    def _deliver_data(self, data: bytes, datatype: int | None) -> None:
        # INVARIANT: what the other side may send and what is kept of it are one window together.
        opened = self._init_recv_window - self._recv_window - self._kept.size
        if opened > self._init_recv_window // 2:
            self._recv_window += opened
            self.send_packet(MSG_CHANNEL_WINDOW_ADJUST, UInt32(opened))
        if self._session is not None:
            self._session.data_received(data, datatype)
