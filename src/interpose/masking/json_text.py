"""Masking by content inside JSON: every string, keys included, is searched decoded and written back as a JSON string.

Everything that is not a string keeps its bytes (spacing, order, duplicate keys, the spelling of numbers); a number that is a card
number becomes 0. The server vouches for the syntax; a document in which the tokens do not add up is refused here.
"""

from __future__ import annotations

import json
import re
from typing import Final, Protocol

from interpose.masking.detect import Finding
from interpose.masking.patterns import CARD

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_OUTSIDE: Final = re.compile(rb"[-+0-9.eE\s\[\]{},:truefalsn]*+")
_LONG_NUMBER: Final = re.compile(rb"(?<![0-9.eE+-])[0-9]{13,19}(?![0-9.eE])")


class JsonError(ValueError):
    """This is no JSON, so it cannot be masked in place."""


class Masker(Protocol):
    """What is asked of the scanner."""

    def mask_bytes(self, data: bytes, *, markup: bool = False) -> bytes:
        """UTF-8 text with what is found replaced; `data` itself when nothing is."""
        ...

    def find(self, data: bytes) -> list[Finding]:
        """What is found in UTF-8 text."""
        ...


def mask_json(document: bytes, masker: Masker) -> bytes:
    """The document with what is found in its strings replaced; raises `JsonError`."""
    pieces: list[bytes] = []
    copied = 0
    for match in _STRING.finditer(document):
        start, end = match.span()
        pieces.append(_outside(document[copied:start], masker))
        pieces.append(_string(document[start:end], masker))
        copied = end
    pieces.append(_outside(document[copied:], masker))
    return b"".join(pieces)


def _string(token: bytes, masker: Masker) -> bytes:
    if b"\\" not in token:
        inner = token[1:-1]
        masked = masker.mask_bytes(inner)
        return token if masked is inner else _written(masked)
    try:
        decoded: object = json.loads(token, strict=False)
    except ValueError as error:
        raise JsonError from error
    if not isinstance(decoded, str):
        raise JsonError
    # A lone surrogate is legal in `json`, and has no UTF-8: it passes through as its escape.
    raw = decoded.encode("utf-8", "surrogatepass")
    masked = masker.mask_bytes(raw)
    return token if masked is raw else _written(masked)


def _written(text: bytes) -> bytes:
    decoded = text.decode("utf-8", "surrogatepass")
    plain = all(not 0xD800 <= ord(character) <= 0xDFFF for character in decoded)
    return json.dumps(decoded, ensure_ascii=not plain).encode()


def _outside(text: bytes, masker: Masker) -> bytes:
    if _OUTSIDE.fullmatch(text) is None:
        raise JsonError
    return _LONG_NUMBER.sub(lambda match: _number(match, masker), text)


def _number(match: re.Match[bytes], masker: Masker) -> bytes:
    digits = match.group()
    return b"0" if any(finding.data_class == CARD for finding in masker.find(digits)) else digits
