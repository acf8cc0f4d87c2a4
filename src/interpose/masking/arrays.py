"""Arrays: each element is masked by itself, dimensions and NULLs stay as they are.

Text: PostgreSQL 17 §8.15.2 (`{a,"b c",NULL}`, optional bounds in front). Binary: `array_send` (dimensions, a flag
for NULLs, the element's oid, then a length and a lower bound for each dimension, then the elements). An array that cannot be
taken apart, or that is longer than `MAX_ARRAY`, becomes the empty array.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from interpose.masking.types import BOX

MAX_ARRAY: Final = 1 << 20
"""Bytes of the longest array that is masked element by element; taking a longer one apart would keep others waiting."""

_HEAD: Final = struct.Struct(">iiI")
_LENGTH: Final = struct.Struct(">i")
_MAX_DIMENSIONS: Final = 6  # MAXDIM
_NULL_LENGTH: Final = b"\xff\xff\xff\xff"
_NEEDS_QUOTES: Final = frozenset('{}",\\ \t\n\r\v\f')


def array_mask(
    element: Callable[[bytes], bytes | None], element_oid: int, wire_format: int, empty: bytes | None
) -> Callable[[bytes], bytes | None]:
    """A mask of a whole array from the mask of one element in the same format. `empty` is the empty array."""
    delimiter = ";" if element_oid == BOX else ","

    def mask(value: bytes) -> bytes | None:
        if len(value) > MAX_ARRAY:
            return empty
        try:
            return _binary(element, element_oid, value) if wire_format else _text(element, value, delimiter)
        except (ValueError, struct.error):
            return empty

    return mask


def _binary(element: Callable[[bytes], bytes | None], element_oid: int, value: bytes) -> bytes:
    dimensions, _has_nulls, oid = _HEAD.unpack_from(value)
    if not 0 <= dimensions <= _MAX_DIMENSIONS or oid != element_oid:
        raise ValueError("not an array of this element type")
    position = 12 + 8 * dimensions
    count = 1 if dimensions else 0
    for dimension in range(dimensions):
        count *= _LENGTH.unpack_from(value, 12 + 8 * dimension)[0]
    if not 0 <= 4 * count <= len(value) - position:
        raise ValueError("array is shorter than its dimensions")
    pieces: list[bytes] = []
    has_nulls = 0
    for _ in range(count):
        length: int = _LENGTH.unpack_from(value, position)[0]
        position += 4
        masked = None
        if length >= 0:
            if position + length > len(value):
                raise ValueError("array element is cut")
            masked = element(value[position : position + length])
            position += length
        elif length != -1:
            raise ValueError("array element has a negative length")
        if masked is None:
            has_nulls = 1
            pieces.append(_NULL_LENGTH)
        else:
            pieces.append(_LENGTH.pack(len(masked)) + masked)
    if position != len(value):
        raise ValueError("bytes behind the array")
    return _HEAD.pack(dimensions, has_nulls, oid) + value[12 : 12 + 8 * dimensions] + b"".join(pieces)


def _text(element: Callable[[bytes], bytes | None], value: bytes, delimiter: str) -> bytes:
    text = value.decode()
    start = text.find("{")
    prefix = text[:start]
    if start < 0 or (prefix and not (prefix.endswith("=") and set(prefix) <= set("[]:-0123456789="))):
        raise ValueError("not an array")
    pieces = [prefix]
    position, depth = start, 0
    while position < len(text):
        character = text[position]
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
        elif character != delimiter:
            item, position = _item(text, position, delimiter)
            pieces.append(_written(None if item is None else element(item.encode()), delimiter))
            continue
        if depth < 0:
            raise ValueError("array is closed twice")
        pieces.append(character)
        position += 1
    if depth:
        raise ValueError("array is not closed")
    return "".join(pieces).encode()


def _item(text: str, position: int, delimiter: str) -> tuple[str | None, int]:
    """The element that begins here (None for NULL) and where it ends."""
    if text[position] != '"':
        end = position
        ends = delimiter + '}{"\\'
        while end < len(text) and text[end] not in ends:
            end += 1
        if end == len(text) or text[end] not in (delimiter, "}"):
            raise ValueError("array element is not closed")
        word = text[position:end]
        return (None if word.upper() == "NULL" else word), end
    characters: list[str] = []
    position += 1
    while text[position : position + 1] != '"':
        if text[position : position + 1] == "\\":
            position += 1
        if position >= len(text):
            raise ValueError("quoted array element is not closed")
        characters.append(text[position])
        position += 1
    return "".join(characters), position + 1


def _written(value: bytes | None, delimiter: str) -> str:
    if value is None:
        return "NULL"
    text = value.decode()
    if text and text.upper() != "NULL" and delimiter not in text and _NEEDS_QUOTES.isdisjoint(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
