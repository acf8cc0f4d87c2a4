"""Primitives of PostgreSQL's wire format: integers, strings, and one message's frame.

Knows the encoding (PostgreSQL 17 §53.6 and §55.7), nothing of what a message means.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

INT16: Final = Struct(">h")
INT32: Final = Struct(">i")
UINT32: Final = Struct(">I")
HEADER: Final = Struct(">BI")
"""A message's type byte and its length, which counts itself but not the type byte."""


class BodyError(ValueError):
    """A message's body is not as its type demands, while its frame is intact: the sender's fault, and it may go on.

    `sqlstate` and the text are safe to show.
    """

    def __init__(self, message: str, sqlstate: str = "08P01") -> None:
        """`message` is lower case and names no value."""
        super().__init__(message)
        self.sqlstate = sqlstate


def frame(kind: bytes, body: bytes) -> bytes:
    """One whole message of type `kind`."""
    return kind + UINT32.pack(len(body) + 4) + body


def cstring(text: str) -> bytes:
    """A NUL-terminated UTF-8 string; raises `ValueError` when the text holds a NUL itself."""
    if "\0" in text:
        raise ValueError("a string on the wire cannot hold a NUL")
    return text.encode() + b"\0"


def text_until_nul(body: bytes, start: int) -> tuple[str, int]:
    """The string that starts at `start`, and the offset behind its NUL; raises `BodyError`."""
    end = body.find(b"\0", start)
    if end < 0:
        raise BodyError("invalid string in message")
    try:
        return body[start:end].decode(), end + 1
    except UnicodeDecodeError as error:
        raise BodyError('invalid byte sequence for encoding "UTF8"', "22021") from error
