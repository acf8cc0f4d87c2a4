"""Buckets: a number becomes the lower end of its bucket, which is a multiple of the bucket's width.

`1234` in buckets of 1000 is `1000`, `-1` is `-1000`: buckets lie side by side over zero. NaN and the infinities are in none.
"""

from __future__ import annotations

import re
from typing import Final

from interpose.masking.numeric import plain_number

_MAX_DIGITS: Final = 1000
_MONEY: Final = re.compile(r"(-?)(\$?)([0-9]{1,3}(?:,[0-9]{3})*|[0-9]+)\.[0-9]{2}", re.ASCII)


def bucket(text: str, width: int) -> str | None:
    """The lower end of the bucket of a decimal number, with or without exponent; None for what is no number."""
    number = plain_number(text)
    if number is None or len(number) > _MAX_DIGITS:
        return None
    whole, _point, fraction = number.lstrip("-").partition(".")
    floor = int(whole)
    if number.startswith("-"):
        floor = -floor - (1 if fraction.strip("0") else 0)
    return str(floor // width * width)


def bucket_money(text: str, width: int) -> str | None:
    """The same for `money` as it is written with `lc_monetary` of `C` or `en_US` (`-$1,234.56`); None for any other."""
    match = _MONEY.fullmatch(text)
    if match is None:
        return None
    cents = text[-2:]
    low = bucket(f"{match[1]}{match[3].replace(',', '')}.{cents}", width)
    if low is None:
        return None
    number = f"{abs(int(low)):,}" if "," in text or len(low.lstrip("-")) > len(match[3]) else str(abs(int(low)))
    return f"{'-' if low.startswith('-') else ''}{match[2]}{number}.00"


def bucket_units(units: int, width: int) -> int:
    """The same for binary `money`: hundredths of the currency's unit."""
    return units // (100 * width) * (100 * width)
