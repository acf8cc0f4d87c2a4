"""Codes that people type: even, without words, and read as people write them."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from interpose.engine.user_code import read_user_code, user_code


def test_a_code_reads_back() -> None:
    for number in range(200):
        code = user_code(hashlib.shake_128(str(number).encode()).digest(16))
        assert len(code) == 9
        assert read_user_code(code) == code
        assert read_user_code(f"  {code.lower().replace('-', ' ')} ") == code


def test_letters_are_even() -> None:
    counted = Counter("".join(user_code(hashlib.shake_128(str(n).encode()).digest(16)) for n in range(5000)))
    del counted["-"]
    assert len(counted) == 20
    assert max(counted.values()) < 1.2 * min(counted.values())


@pytest.mark.parametrize("typed", ["", "BCDF", "BCDF-GHJKL", "ABCD-EFGH", "BCDF-GHJ1", "B" * 40, "BCDF-GHJ\u0130"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_user_code(typed) is None


def test_a_code_needs_its_chance() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        user_code(b"x")
