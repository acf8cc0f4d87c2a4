"""PostgreSQL's binary `numeric`: base-10000 digits with a weight, a sign and a display scale.

Source: PostgreSQL 17, `src/backend/utils/adt/numeric.c`, `numeric_send`.
"""

from __future__ import annotations

import re
import struct
from typing import Final

_HEAD: Final = struct.Struct(">hhHH")
_POSITIVE: Final = 0x0000
_NEGATIVE: Final = 0x4000
_SPECIAL: Final = {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}
_MAX_SCALE: Final = 16383
_DECIMAL: Final = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?", re.ASCII)
_MAX_EXPONENT: Final = 400


def decode_numeric(data: bytes) -> str:
    """The number as PostgreSQL writes it in text; raises `ValueError` when the bytes are no numeric."""
    if len(data) < 8:
        raise ValueError("numeric is shorter than its head")
    count, weight, sign, scale = _HEAD.unpack_from(data)
    if sign in _SPECIAL:
        return _SPECIAL[sign]
    if count < 0 or len(data) != 8 + 2 * count or sign not in (_POSITIVE, _NEGATIVE) or scale > _MAX_SCALE:
        raise ValueError("numeric is malformed")
    groups = struct.unpack_from(f">{count}h", data, 8)
    if any(not 0 <= group < 10000 for group in groups):
        raise ValueError("numeric has a digit out of range")
    whole = "".join(f"{groups[i] if i < count else 0:04d}" for i in range(weight + 1)).lstrip("0") or "0"
    fraction = "".join(
        f"{groups[i] if 0 <= i < count else 0:04d}" for i in range(weight + 1, weight + 1 + (scale + 3) // 4)
    )[:scale]
    return f"{'-' if sign == _NEGATIVE else ''}{whole}{'.' + fraction if scale else ''}"


def encode_numeric(text: str) -> bytes:
    """The binary form of a decimal number without exponent; raises `ValueError` for anything else."""
    if text in _SPECIAL.values():
        sign = next(code for code, name in _SPECIAL.items() if name == text)
        return _HEAD.pack(0, 0, sign, 0)
    body = text[1:] if text[:1] in ("-", "+") else text
    whole, point, fraction = body.partition(".")
    if not (whole.isascii() and whole.isdigit()) or (point and not (fraction.isascii() and fraction.isdigit())):
        raise ValueError("not a decimal number")
    if len(whole) > 131072 or len(fraction) > _MAX_SCALE:
        raise ValueError("number is out of numeric's range")
    whole = whole.lstrip("0")
    whole = whole.zfill((len(whole) + 3) // 4 * 4)
    padded = fraction.ljust((len(fraction) + 3) // 4 * 4, "0")
    groups = [int(part) for part in _fours(whole)] + [int(part) for part in _fours(padded)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    if not groups:
        return _HEAD.pack(0, 0, _POSITIVE, len(fraction))
    sign = _NEGATIVE if text[0] == "-" else _POSITIVE
    return _HEAD.pack(len(groups), weight, sign, len(fraction)) + struct.pack(f">{len(groups)}h", *groups)


def _fours(digits: str) -> list[str]:
    return [digits[i : i + 4] for i in range(0, len(digits), 4)]


def canonical_number(text: str) -> str:
    """One spelling for equal numbers: no plus, no leading zeros, no zeros behind the last digit of a fraction."""
    sign = "-" if text.startswith("-") else ""
    whole, point, fraction = text.lstrip("+-").partition(".")
    whole = whole.lstrip("0") or "0"
    fraction = fraction.rstrip("0") if point else ""
    number = f"{whole}.{fraction}" if fraction else whole
    return number if number == "0" else sign + number


def plain_number(text: str) -> str | None:
    """The number without exponent and plus sign (`1.5e+3` is `1500`); None for anything else, NaN and the infinities included."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction, exponent = match[1].strip("+"), match[2], match[3] or "", int(match[4] or 0)
    if abs(exponent) > _MAX_EXPONENT:
        return None
    if exponent > 0:
        fraction = fraction.ljust(exponent, "0")
        whole, fraction = whole + fraction[:exponent], fraction[exponent:]
    elif exponent < 0:
        whole = whole.rjust(1 - exponent, "0")
        whole, fraction = whole[:exponent], whole[exponent:] + fraction
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole
