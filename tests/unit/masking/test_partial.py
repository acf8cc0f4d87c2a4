"""What each transform keeps of a text, and what it refuses to take for one of its own."""

import pytest

from interpose.masking.partial import (
    REDACTED,
    coarse_date,
    keep_first,
    keep_last,
    partial_card,
    partial_email,
    partial_name,
    partial_phone,
    span_transform,
    text_transform,
)
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.transforms import parse_transform

KEY = Pseudonyms(b"k" * 32)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ada@example.com", "a***@e***.com"),
        ("a@e.com", "***@***.com"),
        ("ada@mail.example.co.uk", "a***@m***.uk"),
        ("ada@example.internalname", "a***@e***.***"),
        ('"ada"@example.com', "***@e***.com"),
        ("ünal@bücher.de", "ü***@b***.de"),
        ("Ada <ada@example.com>", None),
        ("a@b.com, c@d.com", None),
        ("no address", None),
        ("", None),
        ("@example.com", None),
        ("ada@localhost", None),
        ("x" * 400 + "@example.com", None),
    ],
)
def test_partial_email(text: str, masked: str | None) -> None:
    assert partial_email(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+49 170 1234567", "+** *** ***4567"),
        ("(555) 234-5678", "(***) ***-5678"),
        ("2345678", "*****78"),
        ("123456", None),
        ("555 234 5678 ext 9", None),
        ("1" * 18, None),
    ],
)
def test_partial_phone(text: str, masked: str | None) -> None:
    assert partial_phone(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111111111111111", "411111******1111"),
        ("4111 1111-1111 1111", "4111 11**-**** 1111"),
        ("30569309025904", "**********5904"),
        ("41111111111", None),
        ("4111111111111111x", None),
    ],
)
def test_partial_card(text: str, masked: str | None) -> None:
    assert partial_card(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Ada Lovelace", "A*** L***"),
        ("X", "***"),
        ("Li", "L***"),
        ("4711 x", "*** ***"),
        ("a b c d e", None),
        (" ", None),
    ],
)
def test_partial_name(text: str, masked: str | None) -> None:
    assert partial_name(text) == masked


def test_keeping_characters_needs_a_text_twice_as_long() -> None:
    assert keep_last("12345678", 4) == "***5678"
    assert keep_last("1234567", 4) is None
    assert keep_first("12345678", 4) == "1234***"
    assert keep_first("1234567", 4) is None


@pytest.mark.parametrize(
    ("text", "year", "month"),
    [
        ("1985-07-21", "1985-01-01", "1985-07-01"),
        ("0044-03-15 BC", "0044-01-01 BC", "0044-03-01 BC"),
        ("1985-07-21 10:20:30.5+02", "1985-01-01 00:00:00+02", "1985-07-01 00:00:00+02"),
        ("1985-07-21 10:20:30-03:30", "1985-01-01 00:00:00-03:30", "1985-07-01 00:00:00-03:30"),
        ("1985-07-21T10:20:30Z", "1985-01-01T00:00:00Z", "1985-07-01T00:00:00Z"),
        ("4713-11-24 BC", None, None),
        ("infinity", None, None),
        ("21.07.1985", None, None),
        ("1985-13-21", None, None),
        ("1985-07-21 secret", None, None),
        ("1985-07-21 10:20:30+secret", None, None),
        ("1985-07-21 10:20:30 Europe/Berlin", None, None),
    ],
)
def test_coarse_dates(text: str, year: str | None, month: str | None) -> None:
    assert coarse_date(text, month=False) == year
    assert coarse_date(text, month=True) == month


def test_every_name_has_a_function_and_null_and_redact_answer_nothing() -> None:
    assert text_transform(parse_transform("hash"), KEY)("x") == KEY.text("x")
    assert text_transform(parse_transform("fixed:y"), KEY)("x") == "y"
    assert text_transform(parse_transform("date-year"), KEY)("1985-07-21") == "1985-01-01"
    assert text_transform(parse_transform("redact"), KEY)("x") is None
    assert text_transform(parse_transform("null"), KEY)("x") is None


def test_a_span_is_always_replaced() -> None:
    assert span_transform(parse_transform("null"), KEY)("x") == REDACTED
    assert span_transform(parse_transform("partial-email"), KEY)("no address") == REDACTED
    assert span_transform(parse_transform("last:2"), KEY)("12345") == "***45"
