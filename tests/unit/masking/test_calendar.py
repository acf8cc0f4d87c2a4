"""The civil calendar beyond Python's own."""

from datetime import date, timedelta

import pytest

from interpose.masking.calendar import (
    civil_from_days,
    days_from_civil,
    format_date,
    format_timestamp,
    parse_date,
    parse_midnight,
)


def test_agrees_with_python_where_python_has_dates() -> None:
    for days in range(-730119, 2921938, 997):
        day = date(2000, 1, 1) + timedelta(days=days)
        assert civil_from_days(days) == (day.year, day.month, day.day)
        assert days_from_civil(day.year, day.month, day.day) == days


def test_the_ends_of_postgresqls_calendar() -> None:
    assert format_date(-2451545) == "4714-11-24 BC"
    assert parse_date("4714-11-24 BC") == -2451545
    assert format_date(parse_date("5874897-12-31")) == "5874897-12-31"
    assert format_date(days_from_civil(0, 12, 31)) == "0001-12-31 BC"


@pytest.mark.parametrize(
    "text", ["", "2023-02-29", "2023-13-01", "2023-00-01", "2023-1", "infinity", "x-y-z", "2023-01-00"]
)
def test_days_that_do_not_exist_raise(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|day"):
        parse_date(text)


def test_timestamps() -> None:
    assert format_timestamp(0, "") == "2000-01-01 00:00:00"
    assert format_timestamp(-1_500_000, "+00") == "1999-12-31 23:59:58.5+00"
    assert parse_midnight("1999-12-31 00:00:00+00", "+00") == -86_400_000_000
    with pytest.raises(ValueError, match="midnight"):
        parse_midnight("1999-12-31 00:00:01", "")
