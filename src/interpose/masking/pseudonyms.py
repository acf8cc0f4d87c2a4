"""Keyed pseudonyms: the same value under the same key is the same pseudonym, and nobody without the key can go back.

HMAC-SHA256 (RFC 2104) over the value's canonical text, so that text and binary format, `int4` and `int8`, agree. The key is
handed in and belongs to one scope (`scope_key`); who knows it can test guesses. A pseudonym of a number is cut to the range of its type:
distinct values may then meet (`int2` has 32768 pseudonyms, `int4` 2**31), and joins between number types of other sizes do not hold.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from typing import Final

_DOMAIN: Final = b"interpose.pseudonym.v1\0"
_STREAM: Final = b"interpose.pseudonym.form.v1\0"
_SCOPE: Final = b"interpose.pseudonym.scope.v1\0"
_MIN_KEY: Final = 16


def scope_key(master: bytes, scope: str) -> bytes:
    """The 32-byte key of one scope, from the gateway's own: pseudonyms of two scopes cannot be compared.

    Raises `ValueError` when `master` has fewer than 16 bytes (our bug).
    """
    if len(master) < _MIN_KEY:
        raise ValueError(f"a pseudonym key has at least {_MIN_KEY} bytes")
    return hmac.digest(master, _SCOPE + scope.encode(), "sha256")


class Pseudonyms:
    """Pseudonyms under one key."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """`key` is at least 16 secret bytes; raises `ValueError` for fewer (our bug)."""
        if len(key) < _MIN_KEY:
            raise ValueError(f"a pseudonym key has at least {_MIN_KEY} bytes")
        self._key = bytes(key)

    def digest(self, value: bytes) -> bytes:
        """32 bytes that stand for the value."""
        return hmac.digest(self._key, _DOMAIN + value, "sha256")

    def text(self, value: str) -> str:
        """`h_` and 24 lower-case letters and digits (120 bits)."""
        return "h_" + b32encode(self.digest(value.encode("utf-8", "surrogatepass"))[:15]).decode().lower()

    def number(self, value: str, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        return int.from_bytes(self.digest(value.encode())[:16], "big") % bound

    def uuid(self, value: str) -> bytes:
        """16 bytes of a UUID of version 8 (RFC 9562 §5.8)."""
        raw = bytearray(self.digest(value.encode())[:16])
        raw[6] = (raw[6] & 0x0F) | 0x80
        raw[8] = (raw[8] & 0x3F) | 0x80
        return bytes(raw)

    def stream(self, purpose: bytes, value: str, attempt: int, size: int) -> bytes:
        """`size` bytes for this value and purpose; another `attempt` gives others. `purpose` has no NUL."""
        text = value.encode("utf-8", "surrogatepass")
        head = b"%b%b\0%d\0" % (_STREAM, purpose, attempt)
        blocks = (
            hmac.digest(self._key, b"%b%d\0%b" % (head, block, text), "sha256") for block in range(-(-size // 32))
        )
        return b"".join(blocks)[:size]

    def __repr__(self) -> str:
        """Without the key."""
        return "Pseudonyms(…)"
