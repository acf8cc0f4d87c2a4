"""One cell: bytes of a value in, bytes of its masked value out, always valid for the type in the same format.

A cell mask is built once per column and called per value. What a transform cannot do for the type or the value becomes the
type's redaction constant, and NULL where there is none. SQL NULL never gets here: that a value is absent is not hidden.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import final
from uuid import UUID

from interpose.masking.arrays import array_mask
from interpose.masking.numeric import canonical_number
from interpose.masking.partial import TextTransform, text_transform
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.transforms import VALID_FOR, Transform
from interpose.masking.types import BINARY_FORMAT, BPCHAR, TEXT_FORMAT, Family, PgType, type_of
from interpose.masking.values import decode_value, encode_value, fit_text, redaction
from interpose.model.errors import Unmaskable

CellMask = Callable[[bytes], bytes | None]
"""A value in its wire format to its masked form, None for SQL NULL."""


def cell_mask(
    transform: Transform, type_oid: int, type_modifier: int, wire_format: int, pseudonyms: Pseudonyms
) -> CellMask:
    """The mask of a column of this type; raises `Unmaskable` for a format that PostgreSQL does not have."""
    if wire_format not in (TEXT_FORMAT, BINARY_FORMAT):
        raise Unmaskable(
            "a column that must be masked comes in a format that is not known",
            detail=f"format code {wire_format}",
            hint="ask for the result in text format",
        )
    return _mask(transform, type_of(type_oid), type_modifier, wire_format, pseudonyms)


def _mask(t: Transform, pg_type: PgType, modifier: int, wire_format: int, pseudonyms: Pseudonyms) -> CellMask:
    constant = redaction(pg_type, modifier, wire_format)
    if t.name == "null":
        return ConstantMask(None)
    if pg_type.element is not None:
        element = _mask(t, pg_type.element, modifier, wire_format, pseudonyms)
        return array_mask(element, pg_type.element.oid, wire_format, constant)
    if t.name == "redact" or pg_type.family not in VALID_FOR[t.name]:
        return ConstantMask(constant)
    if t.name == "fixed":
        return ConstantMask(_fixed(t, pg_type, modifier, wire_format, constant))
    if pg_type.family is Family.TEXT:
        return _text_mask(text_transform(t, pseudonyms), pg_type, modifier, constant)
    return _typed_mask(_on_canonical(t, pg_type, modifier, pseudonyms), pg_type, modifier, wire_format, constant)


@final
class ConstantMask:
    """A mask that makes `value` of every value."""

    __slots__ = ("value",)

    def __init__(self, value: bytes | None) -> None:
        """`value` is in the column's wire format, None for SQL NULL."""
        self.value = value

    def __call__(self, _value: bytes) -> bytes | None:
        """The constant."""
        return self.value


def _fixed(t: Transform, pg_type: PgType, modifier: int, wire_format: int, constant: bytes | None) -> bytes | None:
    text = t.text
    if pg_type.family in (Family.JSON, Family.JSONB):
        text = json.dumps(text, ensure_ascii=False)
    elif pg_type.family is Family.XML and ("<" in text or "&" in text):
        return constant
    try:
        if pg_type.family is Family.NUMERIC and abs(Decimal(text)) >= _bound(pg_type, modifier):
            return constant
        return encode_value(pg_type, modifier, wire_format, text)
    except (ValueError, ArithmeticError):
        return constant  # a text that is no value of this type: the constant stands in for it


def _text_mask(transform: TextTransform, pg_type: PgType, modifier: int, constant: bytes | None) -> CellMask:
    padded = pg_type.oid == BPCHAR

    def mask(value: bytes) -> bytes | None:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return constant
        masked = transform(text.rstrip(" ") if padded else text)
        return constant if masked is None else fit_text(pg_type, modifier, masked)

    if modifier < 4 and not padded and pg_type.name in ("text", "varchar"):

        def unlimited(value: bytes) -> bytes | None:
            try:
                masked = transform(value.decode())
            except UnicodeDecodeError:
                return constant
            return constant if masked is None else masked.encode()

        return unlimited
    return mask


def _typed_mask(
    transform: TextTransform, pg_type: PgType, modifier: int, wire_format: int, constant: bytes | None
) -> CellMask:
    def mask(value: bytes) -> bytes | None:
        try:
            masked = transform(decode_value(pg_type, wire_format, value))
            return constant if masked is None else encode_value(pg_type, modifier, wire_format, masked)
        except (ValueError, OverflowError, RecursionError):
            return constant  # not a value that this transform can take apart: hidden whole

    return mask


def _on_canonical(t: Transform, pg_type: PgType, modifier: int, pseudonyms: Pseudonyms) -> TextTransform:
    """The transform over canonical text of a type that is not a text itself."""
    family = pg_type.family
    if family in (Family.JSON, Family.JSONB):
        return _json_scalar(text_transform(t, pseudonyms))
    if family in (Family.INTEGER, Family.NUMERIC):
        return _number(t, _bound(pg_type, modifier), pseudonyms)
    if t.name == "hash":
        match family:
            case Family.UUID:
                return lambda text: pseudonyms.uuid(str(UUID(text))).hex()
            case Family.BYTEA:
                return lambda text: pseudonyms.digest(bytes.fromhex(text)).hex()
            case _:
                return pseudonyms.text
    return text_transform(t, pseudonyms)


def _bound(pg_type: PgType, modifier: int) -> int:
    """One more than the greatest number that fits the type with certainty."""
    if pg_type.family is Family.INTEGER:
        return 1 << (8 * pg_type.size - 1)
    if modifier < 4:
        return 10**18
    # numeric(precision, scale): the modifier is ((precision << 16) | scale) + 4, with an 11-bit signed scale.
    precision, scale = (modifier - 4) >> 16 & 0xFFFF, ((modifier - 4) & 0x7FF ^ 0x400) - 0x400
    digits: int = min(max(precision - max(scale, 0), 0), 18)
    return int("1" + "0" * digits)


def _number(t: Transform, bound: int, pseudonyms: Pseudonyms) -> TextTransform:
    def last(text: str) -> str | None:
        digits = text.lstrip("+-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) < 2 * t.keep:
            return None
        kept = int(digits[-t.keep :])
        return str(kept) if kept < bound else None

    def pseudonym(text: str) -> str | None:
        if text in ("NaN", "Infinity", "-Infinity") or len(text) > 2000:
            return None
        return str(pseudonyms.number(canonical_number(text), bound))

    return pseudonym if t.name == "hash" else last


def _json_scalar(transform: TextTransform) -> TextTransform:
    """Applies to a JSON document that is one string; any other document is redacted whole."""

    def mask(text: str) -> str | None:
        document: object = json.loads(text) if text.lstrip(" \t\r\n").startswith('"') else None
        masked = transform(document) if isinstance(document, str) else None
        return None if masked is None else json.dumps(masked, ensure_ascii=False)

    return mask
