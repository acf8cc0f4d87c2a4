"""How single values are written: the redaction constant of each type, and codecs between wire formats and canonical text.

Canonical text is PostgreSQL's own text format in its default (ISO) styles. Only what masking needs is decoded and encoded;
what is not here raises `ValueError`, and the caller redacts.
"""

from __future__ import annotations

import math
import struct
from typing import Final
from uuid import UUID

from interpose.masking.calendar import format_date, format_timestamp, parse_date, parse_midnight
from interpose.masking.numeric import decode_numeric, encode_numeric
from interpose.masking.partial import REDACTED
from interpose.masking.types import BINARY_FORMAT, BPCHAR, NAME, Family, PgType, character_limit

_INTEGER: Final = {2: ">h", 4: ">i", 8: ">q"}
_DATE_INFINITY: Final = {0x7FFFFFFF: "infinity", -0x80000000: "-infinity"}
_STAMP_INFINITY: Final = {0x7FFFFFFFFFFFFFFF: "infinity", -0x8000000000000000: "-infinity"}
_1970_DATE: Final = -10957
_1970_STAMP: Final = _1970_DATE * 86_400_000_000

_CONSTANTS: Final[dict[Family, tuple[bytes, bytes]]] = {
    # The redaction constant of each family: in text, in binary.
    Family.CHAR: (b"*", b"*"),
    Family.NUMERIC: (b"0", encode_numeric("0")),
    Family.MONEY: (b"0", bytes(8)),
    Family.BOOL: (b"f", b"\0"),
    Family.BYTEA: (b"\\x", b""),
    Family.UUID: (b"00000000-0000-0000-0000-000000000000", bytes(16)),
    Family.DATE: (b"1970-01-01", struct.pack(">i", _1970_DATE)),
    Family.TIME: (b"00:00:00", bytes(8)),
    Family.TIMETZ: (b"00:00:00+00", bytes(12)),
    Family.TIMESTAMP: (b"1970-01-01 00:00:00", struct.pack(">q", _1970_STAMP)),
    Family.TIMESTAMPTZ: (b"1970-01-01 00:00:00+00", struct.pack(">q", _1970_STAMP)),
    Family.INTERVAL: (b"00:00:00", bytes(16)),
    Family.JSON: (b'"[redacted]"', b'"[redacted]"'),
    Family.JSONB: (b'"[redacted]"', b'\x01"[redacted]"'),
    Family.XML: (b"<redacted/>", b"<redacted/>"),
    # Family 2 is IPv4 (PGSQL_AF_INET), then bits, is_cidr, length and address.
    Family.INET: (b"0.0.0.0", b"\x02\x20\x00\x04" + bytes(4)),
    Family.CIDR: (b"0.0.0.0/32", b"\x02\x20\x01\x04" + bytes(4)),
    Family.MACADDR: (b"00:00:00:00:00:00", bytes(6)),
    Family.MACADDR8: (b"00:00:00:00:00:00:00:00", bytes(8)),
    Family.VARBIT: (b"", bytes(4)),
    Family.TSVECTOR: (b"", bytes(4)),
    # One operand (QI_VAL, no weight, no prefix): the server writes an empty tsquery in binary but does not read one.
    Family.TSQUERY: (b"'redacted'", b"\0\0\0\x01\x01\0\0redacted\0"),
    # Version 1 of the binary form is the text behind it.
    Family.JSONPATH: (b"$", b"\x01$"),
    Family.LSN: (b"0/0", bytes(8)),
    Family.RANGE: (b"empty", b"\x01"),
    Family.MULTIRANGE: (b"{}", bytes(4)),
    Family.ARRAY: (b"{}", b""),
}

_BY_NAME: Final[dict[str, tuple[bytes, bytes]]] = {
    # Families whose types are written differently: the constant of each type.
    "point": (b"(0,0)", bytes(16)),
    "lseg": (b"[(0,0),(0,0)]", bytes(32)),
    "box": (b"(0,0),(0,0)", bytes(32)),
    "path": (b"((0,0))", b"\x01\0\0\0\x01" + bytes(16)),  # closed, one point
    "polygon": (b"((0,0))", b"\0\0\0\x01" + bytes(16)),
    "line": (b"{1,0,0}", struct.pack(">ddd", 1, 0, 0)),  # A and B must not both be 0
    "circle": (b"<(0,0),0>", bytes(24)),
    "tid": (b"(0,0)", bytes(6)),
    # No transactions in progress, from 3 (the first normal one) to 3.
    "pg_snapshot": (b"3:3:", struct.pack(">iqq", 0, 3, 3)),
    "txid_snapshot": (b"3:3:", struct.pack(">iqq", 0, 3, 3)),
    # One dimension from 0 with one element, which is 0.
    "int2vector": (b"0", struct.pack(">iiIiiih", 1, 0, 21, 1, 0, 2, 0)),
    "oidvector": (b"0", struct.pack(">iiIiiiI", 1, 0, 26, 1, 0, 4, 0)),
}


def redaction(pg_type: PgType, type_modifier: int, wire_format: int) -> bytes | None:
    """The constant that stands for any value of this type, or None where there is none (it then becomes NULL)."""
    family = pg_type.family
    if family is Family.TEXT:
        return fit_text(pg_type, type_modifier, REDACTED)
    if family in (Family.INTEGER, Family.OID, Family.FLOAT):
        return bytes(pg_type.size) if wire_format == BINARY_FORMAT else b"0"
    if family is Family.BIT:
        # `bit(n)` has exactly n bits, and its modifier is n itself.
        if not 0 < type_modifier <= 83886080:
            return None
        if wire_format == BINARY_FORMAT:
            return struct.pack(">i", type_modifier) + bytes((type_modifier + 7) // 8)
        return b"0" * type_modifier
    if family is Family.ARRAY and pg_type.element is not None and wire_format == BINARY_FORMAT:
        return struct.pack(">iiI", 0, 0, pg_type.element.oid)
    pair = _CONSTANTS.get(family) or _BY_NAME.get(pg_type.name)
    return None if pair is None else pair[wire_format]


def fit_text(pg_type: PgType, type_modifier: int, text: str) -> bytes:
    """The text in UTF-8, cut to what the type can hold, and padded where the type pads."""
    limit = character_limit(pg_type, type_modifier)
    if limit is None:
        return text.encode("utf-8", "replace")
    if pg_type.oid == NAME:
        return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore").encode()
    cut = text[:limit]
    return (cut.ljust(limit) if pg_type.oid == BPCHAR else cut).encode("utf-8", "replace")


def decode_value(pg_type: PgType, wire_format: int, data: bytes) -> str:
    """The value as canonical text; raises `ValueError` for a type that is not decoded or bytes that are none of it."""
    family = pg_type.family
    if wire_format != BINARY_FORMAT:
        text = data.decode("utf-8")
        return bytea_from_text(text).hex() if family is Family.BYTEA else text
    if pg_type.size and len(data) != pg_type.size:
        raise ValueError("the value has another size than its type")
    match family:
        case Family.TEXT | Family.JSON | Family.XML:
            return data.decode("utf-8")
        case Family.JSONB:
            if data[:1] != b"\x01":
                raise ValueError("an unknown version of jsonb")
            return data[1:].decode("utf-8")
        case Family.INTEGER:
            return str(int.from_bytes(data, "big", signed=True))
        case Family.OID:
            return str(int.from_bytes(data, "big"))
        case Family.NUMERIC:
            return decode_numeric(data)
        case Family.FLOAT:
            number: float = struct.unpack(">f" if pg_type.size == 4 else ">d", data)[0]
            return repr(number)
        case Family.BOOL:
            return "t" if data != b"\0" else "f"
        case Family.BYTEA:
            return data.hex()
        case Family.UUID:
            return str(UUID(bytes=data))
        case Family.DATE:
            days = int.from_bytes(data, "big", signed=True)
            return _DATE_INFINITY.get(days) or format_date(days)
        case Family.TIMESTAMP | Family.TIMESTAMPTZ:
            stamp = int.from_bytes(data, "big", signed=True)
            zone = "+00" if family is Family.TIMESTAMPTZ else ""
            return _STAMP_INFINITY.get(stamp) or format_timestamp(stamp, zone)
        case _:
            raise ValueError("values of this type are not decoded")


def encode_value(pg_type: PgType, type_modifier: int, wire_format: int, text: str) -> bytes:
    """The wire form of a canonical text; raises `ValueError` when it is none of this type."""
    family = pg_type.family
    binary = wire_format == BINARY_FORMAT
    match family:
        case Family.TEXT:
            return fit_text(pg_type, type_modifier, text)
        case Family.JSON | Family.XML:
            return text.encode()
        case Family.JSONB:
            return b"\x01" + text.encode() if binary else text.encode()
        case Family.INTEGER:
            packed = struct.pack(_INTEGER[pg_type.size], _whole(text, pg_type.size))
            return packed if binary else str(int(text)).encode()
        case Family.OID:
            number = _whole(text, 16)
            packed = number.to_bytes(pg_type.size, "big") if number >= 0 else b""
            if not packed:
                raise ValueError("an oid has no sign")
            return packed if binary else str(number).encode()
        case Family.NUMERIC:
            raw = encode_numeric(text)
            return raw if binary else text.encode()
        case Family.FLOAT:
            value = float(text)
            if not math.isfinite(value) or (pg_type.size == 4 and abs(value) > 3e38):
                raise ValueError("not a number of this size")
            return struct.pack(">f" if pg_type.size == 4 else ">d", value) if binary else repr(value).encode()
        case Family.BOOL:
            truth = {"t": True, "true": True, "f": False, "false": False}.get(text.lower())
            if truth is None:
                raise ValueError("not a truth value")
            return (b"\1" if truth else b"\0") if binary else (b"t" if truth else b"f")
        case Family.UUID:
            parsed = UUID(text)
            return parsed.bytes if binary else str(parsed).encode()
        case Family.BYTEA:
            raw = bytes.fromhex(text)
            return raw if binary else b"\\x" + raw.hex().encode()
        case Family.DATE:
            days = parse_date(text)
            return struct.pack(">i", days) if binary else text.encode()
        case Family.TIMESTAMP | Family.TIMESTAMPTZ:
            zone = "+00" if family is Family.TIMESTAMPTZ else ""
            return struct.pack(">q", parse_midnight(text, zone)) if binary else text.encode()
        case _:
            raise ValueError("values of this type are not encoded")


def _whole(text: str, size: int) -> int:
    if len(text) > 40:
        raise ValueError("not a whole number of this size")
    number = int(text)
    if not -(1 << (8 * size - 1)) <= number < 1 << (8 * size - 1):
        raise ValueError("not a whole number of this size")
    return number


def bytea_from_text(text: str) -> bytes:
    """The bytes of a bytea in text, in `hex` or `escape` output (PostgreSQL 17 §8.4); raises `ValueError`."""
    if text.startswith("\\x"):
        return bytes.fromhex(text[2:])
    out = bytearray()
    position = 0
    while position < len(text):
        character = text[position]
        if character != "\\":
            out.append(ord(character))  # ValueError for anything beyond one byte
            position += 1
        elif text[position + 1 : position + 2] == "\\":
            out.append(0x5C)
            position += 2
        else:
            out.append(int(text[position + 1 : position + 4], 8))
            position += 4
    return bytes(out)
