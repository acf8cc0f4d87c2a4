"""Cuts a stream into whole messages, with a limit on each: for dialogues, where every message is small and understood."""

from __future__ import annotations

from interpose.protocols.postgres.wire import HEADER, BodyError


class Frames:
    """Bytes in, (type, body) pairs out. `limit` is the longest message in bytes."""

    __slots__ = ("_buffer", "_limit")

    def __init__(self, limit: int) -> None:
        """Nothing is buffered yet."""
        self._buffer = b""
        self._limit = limit

    def feed(self, data: bytes) -> None:
        """More bytes from the peer."""
        self._buffer += data

    def next(self) -> tuple[bytes, bytes] | None:
        """The next whole message, None when more bytes are needed; raises `BodyError` for a length that cannot be."""
        buffer = self._buffer
        if len(buffer) < 5:
            return None
        kind, length = HEADER.unpack_from(buffer)
        if not 4 <= length <= self._limit:
            raise BodyError("a message has an impossible length")
        if len(buffer) < length + 1:
            return None
        self._buffer = buffer[length + 1 :]
        return bytes((kind,)), buffer[5 : length + 1]

    def take_raw(self, count: int) -> bytes:
        """The first `count` bytes without a frame (the answer to SSLRequest)."""
        raw, self._buffer = self._buffer[:count], self._buffer[count:]
        return raw

    @property
    def rest(self) -> bytes:
        """What is buffered."""
        return self._buffer
