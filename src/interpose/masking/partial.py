"""What a transform makes of a text: pure functions from text to text.

Each says what it keeps. None means that the text does not have the form that the transform is for: the caller then puts
the redaction constant in its place, so that a value in the wrong column is hidden whole and never shown by mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.transforms import Transform

REDACTED: Final = "[redacted]"
"""The redaction constant of texts."""

TextTransform = Callable[[str], str | None]
"""A masked text, or None where the text does not have the form that is asked for."""

_MAX_EMAIL: Final = 320  # RFC 3696 erratum 1690: 64 + 1 + 255
_PHONE_MARKS: Final = frozenset(" -./()")
_DIGITS: Final = frozenset("0123456789")
_STARS: Final = str.maketrans(dict.fromkeys("0123456789", "*"))


def partial_email(text: str) -> str | None:
    """`ada@example.com` to `a***@e***.com`.

    Keeps the first letter of each half (when that is not all of it) and a top-level domain of up to six letters.
    """
    local, at, domain = text.partition("@")
    host, _dot, top = domain.rpartition(".")
    if (
        not (at and local and host and top)
        or "@" in domain
        or len(text) > _MAX_EMAIL
        or not text.isprintable()
        or " " in text
    ):
        return None
    first = local[0] if len(local) > 1 and local[0] != '"' else ""
    name = host[0] if len(host) > 1 else ""
    end = top if len(top) <= 6 and top.isalpha() else "***"
    return f"{first}***@{name}***.{end}"


def partial_phone(text: str) -> str | None:
    """`+49 170 1234567` to `+** *** ***4567`.

    Keeps the separators and the last four digits of ten or more, the last two of seven to nine.
    """
    if len(text) > 40:
        return None
    start = 1 if text.startswith("+") else 0
    digits = sum(character in _DIGITS for character in text)
    if not 7 <= digits <= 17:
        return None
    if any(character not in _DIGITS and character not in _PHONE_MARKS for character in text[start:]):
        return None
    return _keep_last_digits(text, 4 if digits >= 10 else 2)


def partial_card(text: str) -> str | None:
    """`4111 1111 1111 1111` to `4111 11** **** 1111`.

    Keeps the separators, the last four digits and, of 15 or more, the first six (what PCI DSS 4.0.1 §3.4.1 lets be shown).
    """
    if len(text) > 40:
        return None
    digits = sum(character in _DIGITS for character in text)
    if not 12 <= digits <= 19 or any(c not in _DIGITS and c not in " -" for c in text):
        return None
    tail = _keep_last_digits(text, 4)
    if digits < 15:
        return tail
    seen = 0
    for position, character in enumerate(text):
        seen += character in _DIGITS
        if seen == 6:
            return text[: position + 1] + tail[position + 1 :]
    return tail


def _keep_last_digits(text: str, keep: int) -> str:
    position = len(text)
    while keep:
        position -= 1
        keep -= text[position] in _DIGITS
    return text[:position].translate(_STARS) + text[position:]


def partial_name(text: str) -> str | None:
    """`Ada King Lovelace` to `A*** K*** L***`.

    Keeps the first letter of each of at most four words of two letters or more; longer texts are no names.
    """
    words = text.split() if len(text) <= 100 else ()
    if not 1 <= len(words) <= 4:
        return None
    return " ".join(f"{word[0]}***" if len(word) > 1 and word[0].isalpha() else "***" for word in words)


def keep_last(text: str, count: int) -> str | None:
    """`***` and the last `count` characters, of a text at least twice as long; how long it was is not told."""
    return "***" + text[-count:] if len(text) >= 2 * count else None


def keep_first(text: str, count: int) -> str | None:
    """The first `count` characters and `***`, of a text at least twice as long; how long it was is not told."""
    return text[:count] + "***" if len(text) >= 2 * count else None


def coarse_date(text: str, *, month: bool) -> str | None:
    """`1985-07-21 10:20:30+02` to `1985-01-01 00:00:00+02`, or `1985-07-01 …` with `month`.

    Keeps the year (and the month), the era and the offset from UTC. Reads PostgreSQL's ISO style only (PostgreSQL 17 §8.5.2).
    """
    if len(text) > 48 or not text.isascii():
        return None
    body, era = (text[:-3], " BC") if text.endswith(" BC") else (text, "")
    day, space, time = body.partition("T") if "T" in body else body.partition(" ")
    parts = day.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    year, months, days = parts
    if (
        not 4 <= len(year) <= 7
        or len(months) != 2
        or len(days) != 2
        or not ("01" <= months <= "12" and "01" <= days <= "31")
    ):
        return None
    if era and year >= "4713":
        return None  # the first of January of 4713 BC is before PostgreSQL's first day
    coarse = f"{year}-{months if month else '01'}-01"
    if not space:
        return coarse + era
    offset = _utc_offset(time)
    return None if offset is None else f"{coarse}{space}00:00:00{offset}{era}"


def _utc_offset(time: str) -> str | None:
    """The `+02`, `-03:30` or `Z` behind a time of day; empty when there is none; None when this is no time of day."""
    for sign in "+-":
        clock, found, rest = time.partition(sign)
        if found:
            shape = rest.replace(":", "")
            return sign + rest if _is_clock(clock) and shape.isdigit() and 2 <= len(rest) <= 8 else None
    if time.endswith("Z"):
        return "Z" if _is_clock(time[:-1]) else None
    return "" if _is_clock(time) else None


def _is_clock(text: str) -> bool:
    return 5 <= len(text) <= 15 and text[:2].isdigit() and text.replace(":", "").replace(".", "").isdigit()


def text_transform(transform: Transform, pseudonyms: Pseudonyms) -> TextTransform:
    """What this transform makes of a text. `null` and `redact` answer None for every text: the caller knows better."""
    keep = transform.keep
    match transform.name:
        case "partial-email":
            return partial_email
        case "partial-phone":
            return partial_phone
        case "partial-card":
            return partial_card
        case "partial-name":
            return partial_name
        case "last":
            return lambda text: keep_last(text, keep)
        case "first":
            return lambda text: keep_first(text, keep)
        case "hash":
            return pseudonyms.text
        case "fixed":
            return lambda _text: transform.text
        case "date-year":
            return lambda text: coarse_date(text, month=False)
        case "date-month":
            return lambda text: coarse_date(text, month=True)
        case _:
            return lambda _text: None


def span_transform(transform: Transform, pseudonyms: Pseudonyms) -> Callable[[str], str]:
    """What this transform makes of a span within a longer text: there is no NULL there, so `null` redacts."""
    whole = text_transform(transform, pseudonyms)

    def span(text: str) -> str:
        masked = whole(text)
        return REDACTED if masked is None else masked

    return span
