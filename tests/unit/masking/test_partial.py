"""What each transform keeps of a text, and what it refuses to take for one of its own."""

import pytest

from interpose.masking.partial import (
    keep_first,
    keep_last,
    partial_card,
    partial_email,
    partial_name,
    partial_phone,
)


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
