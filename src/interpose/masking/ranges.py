"""Ranges and multiranges: each bound is masked by itself; what cannot be taken apart becomes the empty one.

Text: PostgreSQL 17 §8.17.5 (`[1,5)`, `empty`, quoted bounds). Binary: `range_send` (flags, then each bound that is there with its
length) and `multirange_send` (a count, then each range with its length). Only for masks that keep the bounds' order.
A range whose bounds fall together may be empty for the server: it is shown as what it is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

MAX_RANGE: Final = 1 << 20
"""Bytes of the longest multirange that is masked bound by bound."""

_LENGTH: Final = struct.Struct(">i")
_EMPTY, _LOWER_INFINITE, _UPPER_INFINITE, _KNOWN = 0x01, 0x08, 0x10, 0x1F

Bound = Callable[[bytes], bytes | None]
"""The mask of one bound; None when it cannot be masked."""


def range_mask(bound: Bound, wire_format: int, empty: bytes | None) -> Callable[[bytes], bytes | None]:
    """A mask of a whole range from the mask of a bound in the same format. `empty` is the empty range."""

    def mask(value: bytes) -> bytes | None:
        try:
            if wire_format:
                return _binary(bound, value)
            shown, end = _text(bound, value.decode(), 0)
            if end != len(value.decode()):
                raise ValueError("text behind the range")
            return shown.encode()
        except (ValueError, struct.error):
            return empty

    return mask


def multirange_mask(bound: Bound, wire_format: int, empty: bytes | None) -> Callable[[bytes], bytes | None]:
    """The same for a multirange; `empty` is the empty multirange."""

    def mask(value: bytes) -> bytes | None:
        if len(value) > MAX_RANGE:
            return empty
        try:
            return _binary_multirange(bound, value) if wire_format else _text_multirange(bound, value.decode())
        except (ValueError, struct.error):
            return empty

    return mask


def _binary(bound: Bound, value: bytes) -> bytes:
    if not value or value[0] & ~_KNOWN:
        raise ValueError("flags of a range that are not known")
    flags, position = value[0], 1
    pieces = [value[:1]]
    for infinite in (_LOWER_INFINITE, _UPPER_INFINITE):
        if flags & (infinite | _EMPTY):
            continue
        length: int = _LENGTH.unpack_from(value, position)[0]
        position += 4
        if not 0 <= length <= len(value) - position:
            raise ValueError("bound of a range is cut")
        masked = _masked(bound, value[position : position + length])
        position += length
        pieces.append(_LENGTH.pack(len(masked)) + masked)
    if position != len(value):
        raise ValueError("bytes behind the range")
    return b"".join(pieces)


def _masked(bound: Bound, value: bytes) -> bytes:
    masked = bound(value)
    if masked is None:
        raise ValueError("bound cannot be masked")
    return masked


def _binary_multirange(bound: Bound, value: bytes) -> bytes:
    count: int = _LENGTH.unpack_from(value)[0]
    if not 0 <= count <= len(value) // 5:
        raise ValueError("multirange is shorter than its count")
    position = 4
    pieces = [value[:4]]
    for _ in range(count):
        length: int = _LENGTH.unpack_from(value, position)[0]
        position += 4
        if not 0 < length <= len(value) - position:
            raise ValueError("range is cut")
        masked = _binary(bound, value[position : position + length])
        pieces.append(_LENGTH.pack(len(masked)) + masked)
        position += length
    if position != len(value):
        raise ValueError("bytes behind the multirange")
    return b"".join(pieces)


def _text(bound: Bound, text: str, position: int) -> tuple[str, int]:
    """The masked range that begins here and where it ends."""
    if text.startswith("empty", position):
        return "empty", position + 5
    opening = text[position : position + 1]
    lower, position = _bound(bound, text, position + 1, ",")
    upper, position = _bound(bound, text, position + 1, ")]")
    if opening not in ("[", "("):
        raise ValueError("not a range")
    return f"{opening}{lower},{upper}{text[position]}", position + 1


def _bound(bound: Bound, text: str, position: int, ends: str) -> tuple[str, int]:
    """The masked bound that begins here, empty where it is infinite, and the position of what ends it."""
    if text[position : position + 1] == '"':
        end = text.find('"', position + 1)
        inner = text[position + 1 : end]
        # Bounds of built-in ranges hold neither quotes nor backslashes.
        if end < 0 or "\\" in inner:
            raise ValueError("bound of a range is not closed")
        behind = end + 1
    else:
        behind = position
        while behind < len(text) and text[behind] not in ',()[]"\\':
            behind += 1
        inner = text[position:behind]
    if behind >= len(text) or text[behind] not in ends:
        raise ValueError("range is not closed")
    if not inner:
        return "", behind
    masked = _masked(bound, inner.encode()).decode()
    return (f'"{masked}"' if " " in masked else masked), behind


def _text_multirange(bound: Bound, text: str) -> bytes:
    if not (text.startswith("{") and text.endswith("}")):
        raise ValueError("not a multirange")
    pieces: list[str] = []
    position = 1
    while position < len(text) - 1:
        if pieces:
            if text[position] != ",":
                raise ValueError("ranges of a multirange stand apart by commas")
            position += 1
        shown, position = _text(bound, text, position)
        pieces.append(shown)
    if position != len(text) - 1:
        raise ValueError("multirange is not closed")
    return ("{" + ",".join(pieces) + "}").encode()
