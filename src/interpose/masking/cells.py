"""One cell: bytes of a value in, bytes of its masked value out, always valid for the type in the same format.

A cell mask is built once per column and called per value. What a transform cannot do for the type or the value becomes the
type's redaction constant, and NULL where there is none. SQL NULL never gets here: that a value is absent is not hidden.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Final, final
from uuid import UUID

from interpose.masking.arrays import array_mask
from interpose.masking.buckets import bucket_money, bucket_units
from interpose.masking.calendar import INFINITIES
from interpose.masking.coarse_dates import Unit, coarse_date
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.ranges import multirange_mask, range_mask
from interpose.masking.texts import TextTransform, json_scalar, number_transform, text_transform
from interpose.masking.transforms import VALID_FOR, Transform
from interpose.masking.types import BINARY_FORMAT, BPCHAR, TEXT_FORMAT, Family, PgType, type_of
from interpose.masking.values import decode_value, encode_value, fit_text, redaction
from interpose.model.errors import Unmaskable

CellMask = Callable[[bytes], bytes | None]
"""A value in its wire format to its masked form, None for SQL NULL."""

_DATES: Final = frozenset({Family.DATE, Family.TIMESTAMP, Family.TIMESTAMPTZ})
_MONEY_MARKS: Final = str.maketrans("", "", "-$,.")


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
    valid = VALID_FOR[t.name]
    if t.name == "redact" or pg_type.family not in valid:
        return ConstantMask(constant)
    if pg_type.bound is not None:
        if pg_type.bound.family not in valid:
            return ConstantMask(constant)
        # A bound that cannot be masked (None) empties the range: a constant could stand on the wrong side of the other bound.
        bound = _scalar(t, pg_type.bound, -1, wire_format, pseudonyms, None)
        whole = multirange_mask if pg_type.family is Family.MULTIRANGE else range_mask
        return whole(bound, wire_format, constant)
    return _scalar(t, pg_type, modifier, wire_format, pseudonyms, constant)


def _scalar(
    t: Transform, pg_type: PgType, modifier: int, wire_format: int, pseudonyms: Pseudonyms, constant: bytes | None
) -> CellMask:
    """The mask of one value that is no array and no range; `constant` stands in for what cannot be masked."""
    if t.name == "fixed":
        return ConstantMask(_fixed(t, pg_type, modifier, wire_format, constant))
    if pg_type.family is Family.TEXT:
        return _text_mask(text_transform(t, pseudonyms), pg_type, modifier, constant)
    if pg_type.family is Family.MONEY:
        return _money_mask(t.step, wire_format, constant)
    if pg_type.family in _DATES:
        return _date_mask(t, pg_type, modifier, wire_format, constant)
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
        if pg_type.family is Family.NUMERIC and _too_great(Decimal(text), _bound(t, pg_type, modifier)):
            return constant
        return encode_value(pg_type, modifier, wire_format, text)
    except (ValueError, ArithmeticError):
        return constant  # a text that is no value of this type: the constant stands in for it


def _too_great(number: Decimal, bound: int | None) -> bool:
    return bound is not None and abs(number) >= bound


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


def _date_mask(t: Transform, pg_type: PgType, modifier: int, wire_format: int, constant: bytes | None) -> CellMask:
    unit, utc = Unit(t.name), pg_type.family is Family.TIMESTAMPTZ
    finite = _typed_mask(lambda text: coarse_date(text, unit, utc=utc), pg_type, modifier, wire_format, constant)

    def mask(value: bytes) -> bytes | None:
        try:
            # The infinite dates are in no year; they tell of no day either.
            return value if decode_value(pg_type, wire_format, value) in INFINITIES else finite(value)
        except ValueError:
            return constant

    return mask


def _money_mask(width: int, wire_format: int, constant: bytes | None) -> CellMask:
    def mask(value: bytes) -> bytes | None:
        try:
            if wire_format == BINARY_FORMAT:
                units = bucket_units(int.from_bytes(value, "big", signed=True), width) if len(value) == 8 else None
                return constant if units is None else units.to_bytes(8, "big", signed=True)
            masked = bucket_money(value.decode("ascii"), width)
            if masked is None or int(masked.translate(_MONEY_MARKS)) >= 1 << 63:
                return constant
            return masked.encode()
        except (ValueError, OverflowError):
            return constant

    return mask


def _on_canonical(t: Transform, pg_type: PgType, modifier: int, pseudonyms: Pseudonyms) -> TextTransform:
    """The transform over canonical text of a type that is not a text itself."""
    family = pg_type.family
    if family in (Family.JSON, Family.JSONB):
        text = text_transform(t, pseudonyms)
        return text if t.name == "json" else json_scalar(text)
    if family in (Family.INTEGER, Family.NUMERIC, Family.FLOAT):
        return number_transform(t, _bound(t, pg_type, modifier), pseudonyms)
    if t.name == "hash":
        match family:
            case Family.UUID:
                return lambda text: pseudonyms.uuid(str(UUID(text))).hex()
            case Family.BYTEA:
                return lambda text: pseudonyms.digest(bytes.fromhex(text)).hex()
            case _:
                return pseudonyms.text
    return text_transform(t, pseudonyms)


def _bound(t: Transform, pg_type: PgType, modifier: int) -> int | None:
    """One more than the greatest whole number that fits the type with certainty, None where any does.

    What is made up (`hash`) or cut out (`last`) has 18 digits at most; other transforms make no more digits than the value has.
    """
    if pg_type.family is Family.INTEGER:
        return 1 << (8 * pg_type.size - 1)
    short = t.name in ("hash", "last")
    if pg_type.family is Family.FLOAT or modifier < 4:
        return 10**18 if short else None
    # numeric(precision, scale): the modifier is ((precision << 16) | scale) + 4, with an 11-bit signed scale.
    precision, scale = (modifier - 4) >> 16 & 0xFFFF, ((modifier - 4) & 0x7FF ^ 0x400) - 0x400
    digits: int = max(precision - max(scale, 0), 0)
    return int("1" + "0" * (min(digits, 18) if short else digits))
