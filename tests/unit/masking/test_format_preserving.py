"""Pseudonyms that keep a form."""

import pytest

from interpose.masking.format_preserving import MAX_FORM, card_form, email_form, same_form, same_number
from interpose.masking.numeric import canonical_number
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.validators import luhn

KEY = Pseudonyms(b"k" * 32)
OTHER = Pseudonyms(b"o" * 32)


def test_letters_stay_letters_and_digits_digits() -> None:
    masked = same_form("AB-12 cd/9.", KEY)
    assert masked is not None and masked != "AB-12 cd/9."
    assert (
        "".join("A" if c.isupper() else "a" if c.islower() else "9" if c.isdigit() else c for c in masked)
        == "AA-99 aa/9."
    )
    assert masked == same_form("AB-12 cd/9.", KEY) != same_form("AB-12 cd/9.", OTHER)


def test_nothing_beyond_ascii_comes_through() -> None:
    masked = same_form("Ünal 李小龙 ٣٤ ⚕é", KEY)
    assert masked is not None and masked.isascii() and len(masked) == 14
    assert masked[0].isupper() and masked[9:11].isdigit() and masked[12] == "*" and masked[5:8].islower()


@pytest.mark.parametrize("text", ["", "abc", "1-2-3", "....", "a" * (MAX_FORM + 1)])
def test_too_little_or_too_much_has_no_form(text: str) -> None:
    assert same_form(text, KEY) is None


@pytest.mark.parametrize("text", ["123456", "-98.7654", "0.1234", "9007199254740993", "1000"])
def test_numbers_keep_their_places(text: str) -> None:
    masked = same_number(text, canonical_number(text), None, KEY)
    assert masked is not None and masked != text
    assert [c if c in "-." else "9" for c in masked] == [c if c in "-." else "9" for c in text]
    assert (masked.lstrip("-")[0] == "0") is (text.lstrip("-")[0] == "0")


def test_a_number_stays_in_its_range_and_a_short_one_has_no_form() -> None:
    for i in range(200):
        masked = same_number(str(2_147_480_000 + i), str(2_147_480_000 + i), 1 << 31, KEY)
        assert masked is not None and int(masked) < 1 << 31 and len(masked) == 10
    assert same_number("99999", "99999", 10000, KEY) is None
    assert same_number("123", "123", None, KEY) is None
    assert same_number("NaN", "NaN", None, KEY) is None


@pytest.mark.parametrize("text", ["4111 1111 1111 1111", "378282246310005", "6011-1111-1111-1117"])
def test_cards_keep_length_separators_and_check_digit(text: str) -> None:
    masked = card_form(text, KEY)
    assert masked is not None and masked[0] == "9" and len(masked) == len(text)
    assert luhn("".join(c for c in masked if c.isdigit()))
    assert [c for c in masked if not c.isdigit()] == [c for c in text if not c.isdigit()]
    plain = card_form(text.replace(" ", "").replace("-", ""), KEY)
    assert plain == masked.replace(" ", "").replace("-", "")
    assert card_form("4111", KEY) is None


def test_addresses_are_nobodys() -> None:
    assert email_form("ada@example.com", KEY) == KEY.text("ada@example.com") + "@masked.invalid"
    assert email_form("no address", KEY) is None
