"""National identity numbers that have check digits, by their countries' published rules.

Only forms that a check makes improbable by chance, or whose punctuation is their own, are known: a bare nine-digit number may be
anything. US social security numbers have no check digit and are a class of their own (`validators.ssn`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Final

_SPANISH: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_FINNISH: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ITALIAN_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip
_ITALIAN_EVEN: Final = {c: int(c, 36) if c.isdigit() else int(c, 36) - 10 for c in _ITALIAN_ODD}
_VERHOEFF_D: Final = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P: Final = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _french(text: str) -> bool:
    """Numéro de sécurité sociale: 13 characters and 97 minus their remainder (INSEE)."""
    body = text[:13].replace("2A", "19").replace("2B", "18") if text[5:7] in ("2A", "2B") else text[:13]
    if len(text) != 15 or not body.isdigit() or text[0] not in "1278" or not text[13:].isdigit():
        return False
    month = int(body[3:5])
    return (1 <= month <= 12 or 20 <= month <= 42) and 97 - int(body) % 97 == int(text[13:])


def _chinese(text: str) -> bool:
    """GB 11643-1999: region, day of birth, ISO 7064 MOD 11-2."""
    if len(text) != 18 or not text[:17].isdigit() or not _is_day(int(text[6:10]), int(text[10:12]), int(text[12:14])):
        return False
    total = _weighted(text, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
    return 1900 <= int(text[6:10]) <= 2099 and "10X98765432"[total % 11] == text[17].upper()


def _polish(text: str) -> bool:
    """PESEL: the century is in the month."""
    if len(text) != 11 or not text.isdigit():
        return False
    century, month = divmod(int(text[2:4]), 20)
    years = (1900, 2000, 2100, 2200, 1800)[century]
    total = _weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3))
    return _is_day(years + int(text[:2]), month, int(text[4:6])) and (10 - total % 10) % 10 == int(text[10])


def _norwegian(text: str) -> bool:
    """Fødselsnummer and D-nummer: two check digits."""
    if len(text) != 11 or not text.isdigit():
        return False
    first = _weighted(text, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1))
    second = _weighted(text, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
    return not first % 11 and not second % 11 and _is_day(2000, int(text[2:4]), int(text[:2]) % 40)


def _belgian(text: str) -> bool:
    """Rijksregisternummer: 97 minus the remainder, with a 2 before those born since 2000."""
    if len(text) != 11 or not text.isdigit() or int(text[2:4]) > 12 or int(text[4:6]) > 31:
        return False
    return int(text[9:]) in (97 - int(text[:9]) % 97, 97 - int("2" + text[:9]) % 97)


def _swiss(text: str) -> bool:
    """AHV-Nummer: an EAN-13 that begins with 756."""
    digits = text.replace(".", "")
    return (10 - _weighted(digits, (1, 3) * 6) % 10) % 10 == int(digits[12])


def _brazilian(text: str) -> bool:
    """CPF: two check digits; all digits equal is none."""
    digits = text.replace(".", "").replace("-", "")
    if len(set(digits)) == 1:
        return False
    return all(
        _weighted(digits[:count], tuple(range(count + 1, 1, -1))) * 10 % 11 % 10 == int(digits[count])
        for count in (9, 10)
    )


def _swedish(text: str) -> bool:
    """Personnummer and samordningsnummer: Luhn over the last ten digits."""
    digits = text.replace("-", "").replace("+", "")[-10:]
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(digits))
    return not total % 10 and _is_day(2000, int(digits[2:4]), int(digits[4:6]) % 60)


def _finnish(text: str) -> bool:
    """Henkilötunnus: a day of birth, and a check character modulo 31."""
    if not (text[:6] + text[7:10]).isdigit() or not _is_day(2000, int(text[2:4]), int(text[:2])):
        return False
    return _FINNISH[int(text[:6] + text[7:10]) % 31] == text[10]


def _spanish(text: str) -> bool:
    """DNI and NIE: the letter is the number modulo 23."""
    plain = text.replace("-", "")
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return len(plain) == 9 and _SPANISH[int(number) % 23] == plain[-1]


def _italian(text: str) -> bool:
    """Codice fiscale: odd and even places count differently (D.M. 23/12/1976)."""
    total = sum((_ITALIAN_EVEN if place % 2 else _ITALIAN_ODD)[c] for place, c in enumerate(text[:15]))
    return chr(ord("A") + total % 26) == text[15]


def _indian(text: str) -> bool:
    """Aadhaar: Verhoeff's check digit."""
    check = 0
    for place, digit in enumerate(reversed(text.replace(" ", "").replace("-", ""))):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[place % 8][int(digit)])])
    return not check


def _british(text: str) -> bool:
    """National Insurance number: no check digit, but prefixes that are never given out (HMRC NIM39110)."""
    return text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _spaced(check: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: check(text.replace(" ", "").replace(".", "").replace("-", ""))


_FORMS: Final[tuple[tuple[str, Callable[[str], bool]], ...]] = (
    (r"[0-9]{15}|[0-9]{5}2[AB][0-9]{8}", _french),
    (r"[1278] [0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3} [0-9]{2}", _spaced(_french)),
    (r"[0-9]{17}[0-9Xx]", _chinese),
    (r"[0-9]{11}", lambda text: _norwegian(text) or _belgian(text) or _polish(text)),
    (r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", _spaced(_belgian)),
    (r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", _swiss),
    (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", _brazilian),
    (r"(?:[0-9]{2})?[0-9]{6}[-+][0-9]{4}", _swedish),
    (r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]", _finnish),
    (r"(?:[0-9]{8}|[XYZ][0-9]{7})-?[A-Z]", _spanish),
    (r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPR-T][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", _italian),
    (r"[2-9][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}", _indian),
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]", _british),
)
_COMPILED: Final = tuple((re.compile(form), check) for form, check in _FORMS)

CANDIDATE: Final = "|".join(
    (
        r"[0-9]{11,}[Xx]?",
        r"[0-9]{5}2[AB][0-9]{8}",
        r"[1278] [0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3} [0-9]{2}",
        r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",
        r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}",
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
        r"(?:[0-9]{2})?[0-9]{6}[-+][0-9]{4}",
        r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]",
        r"(?:[0-9]{8}|[XYZ][0-9]{7})-?[A-Z]",
        r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPR-T][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        r"[2-9][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
    )
)
"""Where to look: every form, with a run of digits taken whole."""


def is_national_id(text: str) -> bool:
    """Whether a text is, in all of it, an identity number that is right by the rules of one of the countries."""
    return any(form.fullmatch(text) is not None and check(text) for form, check in _COMPILED)


def national_id(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """The span of an identity number that stands alone: no letter or digit, and no mark with a digit behind it, touches it."""
    before, after = data[max(start - 2, 0) : start], data[end : end + 2]
    if before[-1:].isalnum() or after[:1].isalnum():
        return []
    if before[-1:] in (b"-", b".", b" ") and before[:1].isdigit() and len(before) == 2:
        return []
    if after[:1] in (b"-", b".", b" ") and after[1:].isdigit():
        return []
    return [(start, end)] if is_national_id(data[start:end].decode("latin-1")) else []
