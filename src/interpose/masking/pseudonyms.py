"""Keyed pseudonyms: the same value under the same key is the same pseudonym, and nobody without the key can go back.

HMAC-SHA256 (RFC 2104) over the value's canonical text, so that text and binary format, `int4` and `int8`, agree. The key is
handed in and belongs to one scope (`scope_key`); who knows it can test guesses. A pseudonym of a number is cut to the range of its type:
distinct values may then meet (`int2` has 32768 pseudonyms, `int4` 2**31), and joins between number types of other sizes do not hold.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

_DOMAIN: Final = b"interpose.pseudonym.v1\0"
_STREAM: Final = b"interpose.pseudonym.form.v1\0"
_SCOPE: Final = b"interpose.pseudonym.scope.v1\0"
_MIN_KEY: Final = 16
_BLOCK: Final = 64  # bytes of a block of SHA-256
_INNER: Final = bytes(x ^ 0x36 for x in range(256))
_OUTER: Final = bytes(x ^ 0x5C for x in range(256))
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"  # Base 32 (RFC 4648 §6) in lower case
_PAIRS: Final = tuple(a + b for a in _LETTERS for b in _LETTERS)


def scope_key(master: bytes, scope: str) -> bytes:
    """The 32-byte key of one scope, from the gateway's own: pseudonyms of two scopes cannot be compared.

    Raises `ValueError` when `master` has fewer than 16 bytes (our bug).
    """
    if len(master) < _MIN_KEY:
        raise ValueError(f"a pseudonym key has at least {_MIN_KEY} bytes")
    return hmac.digest(master, _SCOPE + scope.encode(), "sha256")


class Pseudonyms:
    """Pseudonyms under one key."""

    __slots__ = ("_inner", "_key", "_outer")

    def __init__(self, key: bytes) -> None:
        """`key` is at least 16 secret bytes; raises `ValueError` for fewer (our bug)."""
        if len(key) < _MIN_KEY:
            raise ValueError(f"a pseudonym key has at least {_MIN_KEY} bytes")
        self._key = bytes(key)
        # HMAC hashes a block made of the key first, twice for each value. Done once here, a digest takes a third of the time.
        block = (self._key if len(key) <= _BLOCK else sha256(self._key).digest()).ljust(_BLOCK, b"\0")
        self._inner = sha256(block.translate(_INNER) + _DOMAIN)
        self._outer = sha256(block.translate(_OUTER))

    def digest(self, value: bytes) -> bytes:
        """32 bytes that stand for the value."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value)
        outer.update(inner.digest())
        return outer.digest()

    def text(self, value: str) -> str:
        """`h_` and 24 lower-case letters and digits (120 bits)."""
        n = int.from_bytes(self.digest(value.encode("utf-8", "surrogatepass"))[:15], "big")
        p = _PAIRS
        return (
            f"h_{p[n >> 110]}{p[n >> 100 & 1023]}{p[n >> 90 & 1023]}{p[n >> 80 & 1023]}{p[n >> 70 & 1023]}{p[n >> 60 & 1023]}"
            f"{p[n >> 50 & 1023]}{p[n >> 40 & 1023]}{p[n >> 30 & 1023]}{p[n >> 20 & 1023]}{p[n >> 10 & 1023]}{p[n & 1023]}"
        )

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
