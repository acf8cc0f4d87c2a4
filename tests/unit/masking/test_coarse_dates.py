"""Dates without what is below their unit."""

import pytest

from interpose.masking.coarse_dates import Unit, coarse_date


@pytest.mark.parametrize(
    ("text", "year", "month", "week", "day"),
    [
        ("1985-07-21", "1985-01-01", "1985-07-01", "1985-07-15", None),
        ("1985-07-22", "1985-01-01", "1985-07-01", "1985-07-22", None),
        ("2000-01-01", "2000-01-01", "2000-01-01", "1999-12-27", None),
        ("0044-03-15 BC", "0044-01-01 BC", "0044-03-01 BC", "0044-03-11 BC", None),
        ("0001-01-01", "0001-01-01", "0001-01-01", "0001-01-01", None),
        ("0001-12-31 BC", "0001-01-01 BC", "0001-12-01 BC", "0001-12-25 BC", None),
        ("5874897-12-31", "5874897-01-01", "5874897-12-01", "5874897-12-30", None),
        ("1985-07-21 10:20:30.5+02", "1985-01-01 00:00:00+02", "1985-07-01 00:00:00+02", "1985-07-15 00:00:00+02",
         "1985-07-21 00:00:00+02"),
        ("1985-07-21 10:20-03:30", "1985-01-01 00:00:00-03:30", "1985-07-01 00:00:00-03:30", "1985-07-15 00:00:00-03:30",
         "1985-07-21 00:00:00-03:30"),
        ("1985-07-21T10:20:30Z", "1985-01-01T00:00:00Z", "1985-07-01T00:00:00Z", "1985-07-15T00:00:00Z", "1985-07-21T00:00:00Z"),
        ("4714-11-24 BC", None, None, "4714-11-24 BC", None),
    ],
)  # fmt: skip
def test_units(text: str, year: str | None, month: str | None, week: str | None, day: str | None) -> None:
    assert [coarse_date(text, unit) for unit in Unit] == [year, month, week, day]


@pytest.mark.parametrize(
    "text",
    ["infinity", "21.07.1985", "07/21/1985", "Sun 21 Jul 10:20:30 1985 CEST", "1985-13-21", "1985-02-30", "1985-07-21 secret", "85-7-1",
     "1985-07-21 10:20:30+secret", "1985-07-21 10:20:30 Europe/Berlin", "1985-07-21 10:20:30+02 AD", "", "١٩٨٥-07-21"],
)  # fmt: skip
def test_what_is_no_iso_date_is_nothing(text: str) -> None:
    assert [coarse_date(text, unit) for unit in Unit] == [None] * 4


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1985-07-21 01:00:00+02", "1985-07-20 00:00:00+00"),
        ("1985-12-31 23:30:00-03:30", "1986-01-01 00:00:00+00"),
        ("1890-01-01 00:10:00+00:53:28", "1889-12-31 00:00:00+00"),
        ("0001-01-01 00:30:00+01", "0001-12-31 00:00:00+00 BC"),
    ],
)
def test_in_utc_the_day_is_that_of_the_moment(text: str, day: str) -> None:
    assert coarse_date(text, Unit.DAY, utc=True) == day
