"""Spellings that look like, or stand for, plain characters: folded before a second search.

Full-width and other decimal digits, typographic spaces and dashes, invisible characters, and characters written as JSON or
JavaScript escapes (`\\u0040`), in URLs (`%40`) or as numeric HTML entities (`&#64;`). Not folded: base64, hexadecimal, words for digits.
"""

from __future__ import annotations

import re
from array import array
from typing import Final

_DIGITS: Final = r"\xef\xbc[\x90-\x99]|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xe0\xa5[\xa6-\xaf]|\xf0\x9d\x9f[\x8e-\xbf]"
_SPACES: Final = r"\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80"
_DASHES: Final = r"\xe2\x80[\x90-\x95]|\xe2\x88\x92|\xef\xb9[\x98\xa3]"
_INVISIBLE: Final = r"\xe2\x80[\x8b-\x8f]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xc2\xad"

PREFILTERS: Final = (
    _DIGITS,
    r"\xef\xbc[\x8e\xa0-\xba]|\xef\xbd[\x81-\x9a]",  # the full-width full stop, `@`, and letters
    rf"[0-9](?:{_SPACES}|{_DASHES}|{_INVISIBLE})",
    rf"(?:{_INVISIBLE})[A-Za-z0-9@]",
    r"\\u00[2-7][0-9A-Fa-f]",
    r"%40|[0-9]%2[0DdEe]|%3[0-9]",
    r"&#(?:x40|64|x3[0-9]|4[5689]|5[0-7]);",
)
"""Any of these calls for folding. Typographic marks count beside digits only, so that ordinary prose is not folded."""

_FOLDED: Final = re.compile(
    rb"(?P<fullwidth>\xef\xbc[\x81-\xbf]|\xef\xbd[\x80-\x9e])|(?P<digit>\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xe0\xa5[\xa6-\xaf]|\xf0\x9d\x9f[\x8e-\xbf])"
    rb"|(?P<space>"
    + _SPACES.encode()
    + rb")|(?P<dash>"
    + _DASHES.encode()
    + rb")|(?P<nothing>"
    + _INVISIBLE.encode()
    + rb")"
    rb"|\\+u00(?P<escape>[2-7][0-9A-Fa-f])|%(?P<percent>[2-7][0-9A-Fa-f])"
    rb"|&#(?:x(?P<hex>[2-7][0-9A-Fa-f])|(?P<decimal>3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6]));"
)


class Folded:
    """A text with its disguises folded, and where each of its bytes comes from."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, data: bytes) -> None:
        """`data` is UTF-8, more or less: what is not stays as it is."""
        pieces: list[bytes] = []
        starts, ends = array("L"), array("L")
        copied = 0
        for match in _FOLDED.finditer(data):
            start, end = match.span()
            pieces.append(data[copied:start])
            starts.extend(range(copied, start))
            ends.extend(range(copied + 1, start + 1))
            plain = _plain(match)
            if plain:
                pieces.append(plain)
                starts.append(start)
                ends.append(end)
            copied = end
        pieces.append(data[copied:])
        starts.extend(range(copied, len(data)))
        ends.extend(range(copied + 1, len(data) + 1))
        self.text = b"".join(pieces)
        self._starts = starts
        self._ends = ends

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of the folded text, not empty, is in the original."""
        return self._starts[start], self._ends[end - 1]


def _plain(match: re.Match[bytes]) -> bytes:
    kind, text = match.lastgroup, match.group()
    match kind:
        case "fullwidth":
            return bytes((ord(text.decode()) - 0xFEE0,))
        case "digit":
            return b"%d" % _digit(ord(text.decode()))
        case "space":
            return b" "
        case "dash":
            return b"-"
        case "nothing":
            return b""
        case "decimal":
            return bytes((int(match["decimal"]),))
        case _:
            return bytes((int(match[kind or 0], 16),))


def _digit(code: int) -> int:
    """The value of a decimal digit of one of the scripts that are folded."""
    for zero, last in ((0x660, 0x669), (0x6F0, 0x6F9), (0x966, 0x96F)):
        if zero <= code <= last:
            return code - zero
    return (code - 0x1D7CE) % 10
