"""Validators: is a candidate really what it looks like?

Each takes the whole text and a candidate's span, in bytes, and answers the spans that are to be hidden (none: it is not what
it looks like). Precision is bought with checksums and number plans, never with a look at what would be convenient.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from interpose.masking.credentials import api_key, password
from interpose.masking.national_ids import national_id
from interpose.masking.numberplans import COUNTRY_CODES, IBAN_LENGTHS, card_lengths
from interpose.masking.patterns import (
    API_KEY,
    AWS_KEY,
    CARD,
    EMAIL,
    IBAN,
    JWT,
    NATIONAL_ID,
    PASSWORD,
    PHONE,
    PRIVATE_KEY,
    SSN,
)
from interpose.model.ids import DataClassName

Spans = list[tuple[int, int]]
Validator = Callable[[bytes, int, int], Spans]

_NO: Final[Spans] = []


# A digit's character to the sum of the digits of its double.
_DOUBLED: Final = bytes((2 * (c - 48) - (9 if c > 52 else 0)) % 256 if 48 <= c <= 57 else 0 for c in range(256))


def luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1 annex B."""
    raw = digits.encode()
    total = sum(raw[::-2]) - 48 * len(raw[::-2]) + sum(raw[-2::-2].translate(_DOUBLED))
    return total % 10 == 0


def _is_card(digits: str) -> bool:
    return len(digits) in card_lengths(digits) and luhn(digits)


def is_card_number(digits: str) -> bool:
    """Whether a number, written without anything else, is a card's: issuer, length and check digit."""
    return 13 <= len(digits) <= 19 and digits.isascii() and digits.isdigit() and _is_card(digits)


def cards(data: bytes, start: int, end: int) -> Spans:
    """Card numbers in a run of digits: one unbroken group, or groups as they are printed (4-4-4-4, 4-6-5, digit by digit)."""
    groups = [(start + m.start(), start + m.end()) for m in re.finditer(rb"[0-9]+", data[start:end])]
    if len(groups) == 1 and _in_hexadecimal(data, start, end):
        return _NO
    found: Spans = []
    i = 0
    while i < len(groups):
        last = _card_from(data, groups, i)
        if last is None:
            i += 1
        else:
            found.append((groups[i][0], groups[last][1]))
            i = last + 1
    return found


def _card_from(data: bytes, groups: Spans, first: int) -> int | None:
    """The last group of the card number that begins with this group, None when none does."""
    size = groups[first][1] - groups[first][0]
    if size == 1:
        spelled = first == 0 and 13 <= len(groups) <= 19 and all(b - a == 1 for a, b in groups)
        return len(groups) - 1 if spelled and _is_card(_digits(data, groups[0][0], groups[-1][1])) else None
    if 13 <= size <= 19:
        return first if _is_card(data[groups[first][0] : groups[first][1]].decode()) else None
    if size not in (4, 6):
        return None
    total = size
    best = None
    # No issuer's beginning is longer than the first group.
    lengths = card_lengths(data[groups[first][0] : groups[first][1]].decode())
    for last in range(first + 1, min(first + 5, len(groups)) if lengths else 0):
        total += groups[last][1] - groups[last][0]
        if total > 19:
            break
        if total in lengths and luhn(_digits(data, groups[first][0], groups[last][1])):
            best = last
    return best


def _digits(data: bytes, start: int, end: int) -> str:
    return data[start:end].translate(None, b" -./_").decode()


def _in_hexadecimal(data: bytes, start: int, end: int) -> bool:
    """Whether the digits are part of a longer hexadecimal word or of a decimal fraction."""
    left, right = start, end
    while left and data[left - 1 : left].isalnum() and start - left < 64:
        left -= 1
    while right < len(data) and data[right : right + 1].isalnum() and right - end < 64:
        right += 1
    if (left, right) != (start, end):
        return all(character in b"0123456789abcdefABCDEF" for character in data[left:right])
    return start >= 2 and data[start - 1 : start] == b"." and data[start - 2 : start - 1].isdigit()


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    """Whether no digit, and no mark with a digit behind it, touches the span."""
    before, after = data[max(start - 2, 0) : start], data[end : end + 2]
    if before[-1:].isdigit() or (before[-1:] in (b"-", b".") and before[:1].isdigit() and len(before) == 2):
        return False
    return not (after[:1].isdigit() or (after[:1] in (b"-", b".") and after[1:].isdigit()))


def ssn(data: bytes, start: int, end: int) -> Spans:
    """US social security numbers within the ranges that are given out (SSA, randomised since 2011)."""
    if data[start : start + 1].isalpha():
        start = end - 9  # behind `ssn` or `social security number`, without marks
    area, group, serial = (
        (data[start : start + 3], data[start + 3 : start + 5], data[start + 5 : end])
        if end - start == 9
        else (data[start : start + 3], data[start + 4 : start + 6], data[start + 7 : end])
    )
    if area in (b"000", b"666") or area >= b"900" or group == b"00" or serial == b"0000":
        return _NO
    return [(start, end)] if _stands_alone(data, start, end) else _NO


def iban(data: bytes, start: int, end: int) -> Spans:
    """IBANs by country length and ISO 7064 MOD 97-10 (ISO 13616)."""
    length = IBAN_LENGTHS.get(data[start : start + 2].decode("latin-1").upper())
    if length is None or data[max(start - 1, 0) : start].isalnum():
        return _NO
    stop, seen = start, 0
    while stop < end and seen < length:
        seen += data[stop] not in b" -"
        stop += 1
    if seen < length or data[stop : stop + 1].isalnum():
        return _NO
    plain = data[start:stop].translate(None, b" -").decode("latin-1").upper()
    number = "".join(str(int(character, 36)) for character in plain[4:] + plain[:4])
    return [(start, stop)] if int(number) % 97 == 1 else _NO


def phone(data: bytes, start: int, end: int) -> Spans:
    """E.164 numbers (`+` or `00` and a country code that exists), and the common forms of the North American plan."""
    text = data[start:end].decode()
    if text[0] == "+" or text.startswith("00"):
        if data[max(start - 1, 0) : start].isalnum() or data[end : end + 1].isdigit():
            return _NO
        while text and not _is_international(text):
            # What follows a number after a space may be something else: give up the last group.
            text = text[: max(text.rfind(mark) for mark in " ./()-")] if " " in text else ""
        return [(start, start + len(text))] if text else _NO
    digits = "".join(character for character in text if character.isdigit())
    if digits[1:3] == "11" or digits[4:6] == "11":
        return _NO  # N11 is neither an area nor an exchange
    before = data[max(start - 2, 0) : start]
    if before[-1:].isalnum() or data[end : end + 1].isalnum():
        return _NO
    if before[:1].isdigit() and before[-1:] in (b"-", b".") and before[:1] != b"1":
        return _NO
    return [(start, end)] if data[end : end + 1] not in (b"-", b".") or not data[end + 1 : end + 2].isdigit() else _NO


def _is_international(text: str) -> bool:
    digits = "".join(character for character in text if character.isdigit())
    number = digits if text[0] == "+" else digits[2:]
    if (
        not 8 <= len(number) <= 15
        or not text[-1].isdigit()
        or text.count("(") > 1
        or text.count("(") != text.count(")")
    ):
        return False
    if number[0] == "1":
        return len(number) == 11
    return any(number.startswith(code) for code in COUNTRY_CODES)


_MARKS: Final = re.compile(rb"\xe2\x80[\x80-\x8a\x90-\xbf]|\xe2\x81[\x80-\x9f]|\xc2[\x80-\xbf]|\xe3\x80[\x80-\x9f]")
_IN_AUTHORITY: Final = re.compile(rb"://[^\s/@:]{0,64}:[^\s/@]{0,128}$")


def email(data: bytes, start: int, end: int) -> Spans:
    """Addresses whose domain ends in a plausible top-level domain (RFC 5321 §4.1.2, RFC 1035 §2.3.1)."""
    while data[start : start + 1] in (b"'", b".", b"%", b"!", b"~") and data[start + 1 : start + 2] != b"@":
        start += 1
    if data.rfind(b"://", max(start - 256, 0), start) >= 0 and _IN_AUTHORITY.search(data[max(start - 256, 0) : start]):
        return _NO  # a URL's `user:password@host`
    at = data.rindex(b"@", start, end)
    # Letters beyond ASCII are part of an address, typographic quotes and spaces around it are not.
    marks = list(_MARKS.finditer(data, start, at))
    start = marks[-1].end() if marks else start
    behind = _MARKS.search(data, at, end)
    end = behind.start() if behind else end
    if start == at:
        return _NO
    while end > at:
        domain = data[at + 1 : end].rstrip(b"-.")
        end = at + 1 + len(domain)
        top = domain.rpartition(b".")[2]
        if b"." not in domain:
            return _NO
        if (len(top) >= 2 and all(c >= 0x80 or bytes((c,)).isalpha() for c in top)) or top[:4].lower() == b"xn--":
            # `icon@2x.png` is a file for a dense display.
            return _NO if re.fullmatch(rb"[1-4]x\.(?:png|jpe?g|gif|webp|svg)", domain) else [(start, end)]
        end -= len(top)
    return _NO


def jwt(data: bytes, start: int, end: int) -> Spans:
    """Compact JWS and JWE whose header is an object that names an algorithm (RFC 7515 §4.1.1, RFC 7516 §4.1.1)."""
    header = data[start : data.index(b".", start)]
    if len(header) > 4096:
        return [(start, end)]  # too long to look at: hidden
    try:
        decoded = base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4))
    except (binascii.Error, ValueError):
        return _NO
    return [(start, end)] if re.search(rb'"alg"\s*:\s*"', decoded) else _NO


def aws_key(data: bytes, start: int, end: int) -> Spans:
    """Access key ids (`AKIA…`), and secret access keys that stand near a word for them, near an id, or alone."""
    found: Spans = []
    for word in re.finditer(rb"[A-Za-z0-9]+", data[start:end]):
        if re.fullmatch(rb"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}", word.group()):
            found.append((start + word.start(), start + word.end()))
    if found or end - start != 40:
        return found
    text = data[start:end]
    mixed = re.search(rb"[A-Z]", text) and re.search(rb"[a-z]", text) and re.search(rb"[0-9]", text)
    if not mixed or re.fullmatch(rb"[0-9a-fA-F]{40}", text):
        return found
    alone = not data[:start].strip() and not data[end:].strip()
    near = re.search(rb"(?i)aws|secret|A(?:KIA|SIA)[A-Z0-9]{16}", data[max(start - 96, 0) : end + 96])
    return [(start, end)] if alone or near else found


def private_key(data: bytes, start: int, end: int) -> Spans:
    """PEM blocks (RFC 7468) from `BEGIN` to `END`, and PuTTY key files; to the end of the text when no `END` follows."""
    if data[start : start + 5] == b"-----":
        label = data[start + 11 : end - 5]
        closing = b"-----END " + label + b"-----"
        stop = data.find(closing, end)
        if stop >= 0:
            return [(start, stop + len(closing))]
    return [(start, len(data))]


VALIDATORS: Mapping[DataClassName, Validator] = MappingProxyType(
    {
        PRIVATE_KEY: private_key,
        JWT: jwt,
        AWS_KEY: aws_key,
        API_KEY: api_key,
        PASSWORD: password,
        NATIONAL_ID: national_id,
        IBAN: iban,
        CARD: cards,
        SSN: ssn,
        EMAIL: email,
        PHONE: phone,
    }
)
"""The validator of each data class."""

OVERLAPPING: Final = frozenset({IBAN, SSN, PHONE})
"""Classes whose candidates are short and bounded: one that is refused may overlap one that is right, so the search goes on one byte
further. The other classes' candidates are as long as they can be, and the search goes on behind them."""
