"""Pseudonyms that keep a value's form: digits stay digits and letters letters, a card number keeps its check digit.

Keyed and deterministic like every pseudonym, and as little to be reversed. This is no format-preserving *encryption* (FF1 of NIST
SP 800-38G): there is no way back, and two values may meet, the shorter they are the sooner.
None means that the text does not have the form; the caller then hides it whole.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Final

from interpose.masking.partial import partial_card, partial_email
from interpose.masking.pseudonyms import Pseudonyms

MAX_FORM: Final = 256
"""The longest text, in characters, whose form is kept."""
_LEAST: Final = 4  # letters and digits: with fewer, too many values meet
_ATTEMPTS: Final = 64
_DIGITS: Final = "0123456789"


def same_form(text: str, pseudonyms: Pseudonyms) -> str | None:
    """`Ab-12 x9` to `Qz-58 k3`: letters, digits and nothing else are replaced; the result always differs from the text.

    Letters beyond ASCII become ASCII letters, any other character beyond ASCII `*`.
    """
    if len(text) > MAX_FORM or sum(character.isalnum() for character in text) < _LEAST:
        return None
    for attempt in range(_ATTEMPTS):
        numbers = _numbers(pseudonyms, b"form", text, attempt, len(text))
        masked = "".join(_like(character, number) for character, number in zip(text, numbers, strict=True))
        if masked != text:
            return masked
    return None


def _like(character: str, number: int) -> str:
    if character.isdecimal():
        return _DIGITS[number % 10]
    if character.isalnum():
        letters = string.ascii_uppercase if character.isupper() else string.ascii_lowercase
        return letters[number % 26]
    return character if character.isascii() else "*"


def same_number(text: str, canonical: str, bound: int | None, pseudonyms: Pseudonyms) -> str | None:
    """A number with as many digits in front of and behind the point, the same sign, and less than `bound` (None for any).

    `canonical` is the spelling that equal numbers share.
    """
    digits = text.lstrip("-").replace(".", "")
    if not (digits.isascii() and digits.isdigit() and _LEAST <= len(digits) <= MAX_FORM):
        return None
    for attempt in range(_ATTEMPTS):
        numbers = _numbers(pseudonyms, b"number", canonical, attempt, len(text))
        masked = "".join(
            _DIGITS[number % 10] if character.isdigit() else character
            for character, number in zip(text, numbers, strict=True)
        )
        masked = _first_digit(text, masked, pseudonyms, canonical, attempt)
        whole = masked.lstrip("-").partition(".")[0]
        if masked != text and (bound is None or int(whole) < bound):
            return masked
    return None


def _first_digit(text: str, masked: str, pseudonyms: Pseudonyms, canonical: str, attempt: int) -> str:
    """A number of several digits does not begin with 0, and one that begins with 0 (`0.1234`) still does."""
    at = 1 if text.startswith("-") else 0
    if text[at] == "0":
        return masked[:at] + "0" + masked[at + 1 :]
    (number,) = _numbers(pseudonyms, b"first", canonical, attempt, 1)
    return masked[:at] + _DIGITS[1 + number % 9] + masked[at + 1 :]


def card_form(text: str, pseudonyms: Pseudonyms) -> str | None:
    """`4111 1111 1111 1111` to `9071 4402 8816 3359`: a card number's length and separators, and Luhn's check digit.

    It begins with 9, which no payment network uses (ISO/IEC 7812: for national standards bodies), so that it is nobody's card.
    """
    if partial_card(text) is None:
        return None
    clear = [character for character in text if character in _DIGITS]
    for attempt in range(_ATTEMPTS):
        numbers = _numbers(pseudonyms, b"card", "".join(clear), attempt, len(clear) - 2)
        digits = ["9", *(_DIGITS[number % 10] for number in numbers)]
        digits.append(_check_digit(digits))
        if digits != clear:
            left = iter(digits)
            return "".join(next(left) if character in _DIGITS else character for character in text)
    return None


def _check_digit(digits: list[str]) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return _DIGITS[-total % 10]


def email_form(text: str, pseudonyms: Pseudonyms) -> str | None:
    """`ada@example.com` to `h_aoomw5canzrct6sy464nuc6c@masked.invalid`: an address that nobody has (RFC 2606 §2)."""
    return None if partial_email(text) is None else f"{pseudonyms.text(text)}@masked.invalid"


def _numbers(pseudonyms: Pseudonyms, purpose: bytes, text: str, attempt: int, count: int) -> Iterator[int]:
    """Numbers below 2**24 (so that digits and letters are all but equally likely)."""
    stream = pseudonyms.stream(purpose, text, attempt, 3 * count)
    return (int.from_bytes(stream[at : at + 3], "big") for at in range(0, 3 * count, 3))
