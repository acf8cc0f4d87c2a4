"""Codes that people read in one place and type in another."""

from __future__ import annotations

import re
from typing import Final

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words; no letter that reads like a digit (RFC 8628 §6.1)."""
_TYPED: Final = re.compile(r"[\s\-._]")
USER_CODE_LETTERS: Final = 8


def user_code(random: bytes) -> str:
    """Eight letters of twenty, 34 bits, as `BCDF-GHJK`; made of 16 random bytes, so that no letter is more likely than another."""
    if len(random) != 16:
        raise ValueError("a code is made of 16 random bytes")
    number = int.from_bytes(random, "big")
    letters = []
    for _ in range(USER_CODE_LETTERS):
        number, digit = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def read_user_code(typed: str) -> str | None:
    """The code as somebody typed it, in its canonical form; None when it cannot be one."""
    if len(typed) > 32:
        return None
    text = _TYPED.sub("", typed).upper()
    if len(text) != USER_CODE_LETTERS or any(letter not in _LETTERS for letter in text):
        return None
    return f"{text[:4]}-{text[4:]}"
