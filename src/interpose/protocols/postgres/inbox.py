"""Bytes that came in and were not worked on yet: appended in pieces, joined only when a whole message is there."""

from __future__ import annotations

from typing import Final

_SMALL: Final = 4096


class Inbox:
    """`data` from `position` on is next; more of it may wait in pieces until a whole message is there.

    INVARIANT: a message of n bytes that comes in pieces is copied once, not once a piece.
    """

    __slots__ = ("_pieces", "_waiting", "data", "position")

    def __init__(self) -> None:
        """Empty."""
        self.data = b""
        self.position = 0
        self._pieces: list[bytes] = []
        self._waiting = 0

    def __len__(self) -> int:
        """Bytes that were not worked on."""
        return len(self.data) - self.position + self._waiting

    @property
    def in_pieces(self) -> bool:
        """Whether there is more than `data` holds."""
        return bool(self._pieces)

    def add(self, data: bytes) -> None:
        """More bytes."""
        if self.position == len(self.data) and not self._pieces:
            self.data = data
            self.position = 0
        else:
            pieces = self._pieces
            self._waiting += len(data)
            if pieces and len(pieces[-1]) + len(data) < _SMALL:
                # Single bytes would each cost an object.
                pieces[-1] += data
            else:
                pieces.append(data)

    def gather(self, need: int) -> bool:
        """Make `data` hold at least `need` bytes from `position` on, if there are so many."""
        have = len(self.data) - self.position
        if have >= need:
            return True
        if have + self._waiting < need:
            return False
        self._pieces.insert(0, self.data[self.position :])
        self.data = b"".join(self._pieces)
        self.position = 0
        self._pieces.clear()
        self._waiting = 0
        return True

    def clear(self) -> None:
        """Forget everything."""
        self.data = b""
        self.position = 0
        self._pieces.clear()
        self._waiting = 0
