"""PostgreSQL's binary dates and timestamps to ISO text and back.

A date is days, a timestamp microseconds, since 2000-01-01 in the proleptic Gregorian calendar (PostgreSQL 17 §8.5,
`src/include/datatype/timestamp.h`); years before 1 are written with `BC`, and there is no year 0. Python's `datetime` ends
at year 9999 and begins at 1, PostgreSQL does not: the civil calendar is computed here.
"""

from __future__ import annotations

from typing import Final

_EPOCH: Final = 730425
"""Days from 0000-03-01 to 2000-01-01."""
_DAY: Final = 86_400_000_000
INFINITIES: Final = {"infinity": 1, "-infinity": -1}
"""The dates beyond all others, with their side."""


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Astronomical year, month and day of a day counted from 2000-01-01."""
    era, day_of_era = divmod(days + _EPOCH, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return era * 400 + year_of_era + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def days_from_civil(year: int, month: int, day: int) -> int:
    """The day counted from 2000-01-01; the inverse of `civil_from_days`."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - _EPOCH


def format_date(days: int) -> str:
    """`1985-07-21`, `0044-03-15 BC`."""
    year, month, day = civil_from_days(days)
    return f"{year:04d}-{month:02d}-{day:02d}" if year > 0 else f"{1 - year:04d}-{month:02d}-{day:02d} BC"


def parse_date(text: str) -> int:
    """Days since 2000-01-01 of an ISO date; raises `ValueError`."""
    body, before_christ = (text[:-3], True) if text.endswith(" BC") else (text, False)
    parts = body.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 7 for part in parts):
        raise ValueError("not an ISO date")
    year, month, day = (int(part) for part in parts)
    if before_christ:
        year = 1 - year
    days = days_from_civil(year, month, day) if 1 <= month <= 12 else 0
    if not 1 <= month <= 12 or civil_from_days(days) != (year, month, day):
        raise ValueError("no such day")
    return days


def format_timestamp(microseconds: int, zone: str) -> str:
    """`1985-07-21 10:20:30.5` and the zone (empty or `+00`)."""
    days, rest = divmod(microseconds, _DAY)
    date = format_date(days)
    era = " BC" if date.endswith(" BC") else ""
    seconds, fraction = divmod(rest, 1_000_000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    part = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{date.removesuffix(' BC')} {clock}{part}{zone}{era}"


def parse_midnight(text: str, zone: str) -> int:
    """Microseconds since 2000-01-01 of the midnight that `coarse_date` writes, in UTC; raises `ValueError`."""
    era = " BC" if text.endswith(" BC") else ""
    body = text.removesuffix(" BC")
    suffix = f" 00:00:00{zone}"
    if not body.endswith(suffix):
        raise ValueError("not a midnight")
    return parse_date(body.removesuffix(suffix) + era) * _DAY
