"""A PostgreSQL client of bare bytes, for what no driver would send: plain sockets, frames put together by hand."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Self

PROTOCOL_3_0 = 196608
SSL_REQUEST = struct.pack("!II", 8, 80877103)
SYNC = b"S\x00\x00\x00\x04"

Message = tuple[bytes, bytes]


def frame(kind: bytes, body: bytes = b"") -> bytes:
    """One typed message."""
    return kind + struct.pack("!I", len(body) + 4) + body


def startup(parameters: dict[str, str], version: int = PROTOCOL_3_0) -> bytes:
    """A StartupMessage."""
    body = struct.pack("!I", version)
    body += b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def query(text: bytes) -> bytes:
    """A simple Query with these bytes as its text, whatever they are."""
    return frame(b"Q", text + b"\0")


def fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse, by their letter."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


class RawClient:
    """One TCP connection. `source` is the loopback address that it comes from."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0))
        self._buffer = b""
        self.received = bytearray()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.socket.sendall(data)

    def exactly(self, count: int) -> bytes:
        """So many bytes, fewer when the other side closes before."""
        while len(self._buffer) < count:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                break
            self.received += data
            self._buffer += data
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def message(self) -> Message | None:
        """The next message; None when the other side has closed."""
        header = self.exactly(5)
        if len(header) < 5:
            return None
        (length,) = struct.unpack("!I", header[1:])
        return header[:1], self.exactly(length - 4)

    def messages(self) -> Iterator[Message]:
        """Messages up to the end."""
        while (message := self.message()) is not None:
            yield message

    def until(self, kind: bytes) -> list[Message]:
        """Messages up to the first of this kind; all that came when the other side closes before."""
        found: list[Message] = []
        for message in self.messages():
            found.append(message)
            if message[0] == kind:
                break
        return found

    def log_in(self, user: str, database: str, token: str, **more: str) -> list[Message]:
        """Startup and password; answers what came up to ReadyForQuery, or up to the end."""
        self.send(startup({"user": user, "database": database, **more}))
        asked = self.message()
        if asked is None or asked[0] != b"R":
            return [] if asked is None else [asked, *self.messages()]
        self.send(frame(b"p", token.encode() + b"\0"))
        return self.until(b"Z")

    def ask(self, text: bytes) -> list[Message]:
        """A simple query and its whole answer."""
        self.send(query(text))
        return self.until(b"Z")


def errors(messages: list[Message]) -> list[dict[str, str]]:
    """The fields of every ErrorResponse among these."""
    return [fields(body) for kind, body in messages if kind == b"E"]


def kinds(messages: list[Message]) -> bytes:
    """The letters of these messages in order."""
    return b"".join(kind for kind, _ in messages)
