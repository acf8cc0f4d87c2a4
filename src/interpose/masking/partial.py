"""What a transform makes of a text: pure functions from text to text.

Each says what it keeps. None means that the text does not have the form that the transform is for: the caller then puts
the redaction constant in its place, so that a value in the wrong column is hidden whole and never shown by mistake.
`partial_email`, `partial_phone`, `partial_card`, `partial_name`, `keep_last` and `keep_first` are the reference for any faster twin.
"""

from __future__ import annotations

from typing import Final

REDACTED: Final = "[redacted]"
"""The redaction constant of texts."""

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
