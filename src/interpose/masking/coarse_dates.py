"""Coarse dates: the first day of the year, month or week that a date is in, or the day of a timestamp without its time.

Reads and writes PostgreSQL's ISO style only (PostgreSQL 17 §8.5.2); in another `DateStyle` a date has not the form that is asked
for, and is hidden whole.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from interpose.masking.calendar import civil_from_days, days_from_civil, format_date, parse_date

_MONDAY: Final = 2
"""2000-01-03, the first Monday that is counted from 2000-01-01."""
_FIRST_DAY: Final = -2451545
"""4714-11-24 BC, PostgreSQL's first."""
_MOMENT: Final = re.compile(
    r"(?P<date>[0-9]{4,7}-[0-9]{2}-[0-9]{2})"
    r"(?:(?P<mark>[ T])(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?)?"
    r"(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?)?"
    r"(?P<era> BC)?",
    re.ASCII,
)


class Unit(Enum):
    """What is kept of a date."""

    YEAR = "date-year"
    MONTH = "date-month"
    WEEK = "date-week"
    """Weeks begin on Monday (ISO 8601)."""
    DAY = "date-day"


def coarse_date(text: str, unit: Unit, *, utc: bool = False) -> str | None:
    """`1985-07-21 10:20:30+02` to `1985-01-01 00:00:00+02` (year); None when the text is no date, or what is kept is no date.

    Keeps the unit, the era and the offset from UTC. With `utc` the moment is taken in UTC and written so: what the binary format,
    which has no offset, gives. A date without a time of day has nothing that DAY could hide: None.
    """
    match = _MOMENT.fullmatch(text)
    if match is None or (unit is Unit.DAY and match["mark"] is None):
        return None
    era, zone = match["era"] or "", match["zone"] or ""
    try:
        days = parse_date(match["date"] + era)
    except ValueError:
        return None
    if utc and match["mark"] is not None:
        clock = 3600 * int(match["hour"]) + 60 * int(match["minute"]) + int(match["second"] or 0)
        days += (clock - _offset(zone)) // 86400
        zone = "+00"
    first = _first_day(days, unit)
    if first < _FIRST_DAY:
        return None
    day = format_date(first)
    if match["mark"] is None:
        return day
    return f"{day.removesuffix(' BC')}{match['mark']}00:00:00{zone}{' BC' if day.endswith(' BC') else ''}"


def _first_day(days: int, unit: Unit) -> int:
    if unit is Unit.DAY:
        return days
    if unit is Unit.WEEK:
        return days - (days - _MONDAY) % 7
    year, month, _day = civil_from_days(days)
    return days_from_civil(year, month if unit is Unit.MONTH else 1, 1)


def _offset(zone: str) -> int:
    """Seconds east of UTC."""
    if zone in ("", "Z"):
        return 0
    digits = zone[1:].replace(":", "").ljust(6, "0")
    seconds = 3600 * int(digits[:2]) + 60 * int(digits[2:4]) + int(digits[4:6])
    return -seconds if zone[0] == "-" else seconds
