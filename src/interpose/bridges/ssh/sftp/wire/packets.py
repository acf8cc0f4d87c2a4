"""SFTP packets as bytes: framing, the fields within, and the few packets that the gateway makes itself.

A packet here is what stands behind its length: the type, then (but for INIT and VERSION) the request's id (draft-ietf-secsh-filexfer-02 §3).
"""

from __future__ import annotations

from enum import IntEnum, unique
from struct import Struct
from typing import Final

MOST_PACKET: Final = 256 * 1024 + 4096
"""Bytes of one packet; OpenSSH's own bound is 256 KiB."""

VERSION: Final = 3
"""The one version that is spoken."""


@unique
class Kind(IntEnum):
    """Packet types (draft-ietf-secsh-filexfer-02 §3)."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    SYMLINK = 20
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


@unique
class Status(IntEnum):
    """Status codes (§7)."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    NO_CONNECTION = 6
    CONNECTION_LOST = 7
    OP_UNSUPPORTED = 8


class MalformedError(Exception):
    """Bytes that are no packet of this protocol; the channel they came over ends."""


_U32: Final = Struct(">I")
_U64: Final = Struct(">Q")


class Fields:
    """Reads the fields of one packet; raises `MalformedError` for what is not there."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        """From `position` on."""
        self._data = data
        self._position = position

    def byte(self) -> int:
        """One byte."""
        return self._take(1)[0]

    def u32(self) -> int:
        """Four bytes."""
        return int(_U32.unpack(self._take(4))[0])

    def u64(self) -> int:
        """Eight bytes."""
        return int(_U64.unpack(self._take(8))[0])

    def string(self) -> bytes:
        """A length and as many bytes."""
        return self._take(self.u32())

    def rest(self) -> bytes:
        """Everything that is left."""
        return self._take(len(self._data) - self._position)

    @property
    def position(self) -> int:
        """Where the next field begins."""
        return self._position

    def since(self, position: int) -> bytes:
        """What was read since `position`."""
        return self._data[position : self._position]

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._position == len(self._data)

    def end(self) -> None:
        """Raise `MalformedError` unless nothing is left."""
        if not self.ended:
            raise MalformedError("a packet has bytes after its last field")

    def _take(self, count: int) -> bytes:
        end = self._position + count
        if end > len(self._data):
            raise MalformedError("a packet ends before its fields do")
        taken = self._data[self._position : end]
        self._position = end
        return taken


class Splitter:
    """Cuts a stream into packets. It keeps no more than one packet and what came with its last bytes."""

    __slots__ = ("_have", "_need", "_parts")

    def __init__(self) -> None:
        """Nothing has come."""
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 4

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are complete now, each without its length; raises `MalformedError` for an impossible length."""
        self._parts.append(data)
        self._have += len(data)
        if self._have < self._need:
            return []
        whole = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        packets = []
        position, end = 0, len(whole)
        while end - position >= 4:
            length = int.from_bytes(whole[position : position + 4], "big")
            if not 1 <= length <= MOST_PACKET:
                raise MalformedError("a packet has an impossible length")
            if end - position - 4 < length:
                self._need = 4 + length
                break
            packets.append(whole[position + 4 : position + 4 + length])
            position += 4 + length
        else:
            self._need = 4
        left = whole[position:]
        self._parts = [left] if left else []
        self._have = len(left)
        return packets


def string(value: bytes) -> bytes:
    """A string field."""
    return _U32.pack(len(value)) + value


def u32(value: int) -> bytes:
    """A field of four bytes."""
    return _U32.pack(value)


def u64(value: int) -> bytes:
    """A field of eight bytes."""
    return _U64.pack(value)


def framed(kind: int, *fields: bytes) -> bytes:
    """A packet with its length before it."""
    body = b"".join(fields)
    return b"%b%c%b" % (_U32.pack(1 + len(body)), kind, body)


def status(request: int, code: int, message: bytes = b"") -> bytes:
    """A STATUS reply, framed."""
    return framed(Kind.STATUS, u32(request), u32(code), string(message), string(b"en"))
