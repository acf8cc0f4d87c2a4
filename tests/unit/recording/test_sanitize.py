"""Printing recorded text safely."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.sanitize import sanitize


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SELECT 'é 😀'", "SELECT 'é 😀'"),
        ("\x1b]52;c;cm0gLXJmIC8=\x07", "\\x1b]52;c;cm0gLXJmIC8=\\x07"),
        ("\x1b[2J\x1bP", "\\x1b[2J\\x1bP"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\tc\r", "a\\x0ab\\x09c\\x0d"),
        ("\u202edrop\u2066", "\\u202edrop\\u2066"),
        ("a\u200b\u2028\ufeff", "a\\u200b\\u2028\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("\x7f", "\\x7f"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text: str, shown: str) -> None:
    assert sanitize(text) == shown


def test_a_block_keeps_its_lines() -> None:
    assert sanitize("SELECT 1,\n\t2\r\n\x1b[0m", lines=True) == "SELECT 1,\n\t2\\x0d\n\\x1b[0m"


@given(st.text())
def test_nothing_that_controls_is_left(text: str) -> None:
    for shown, allowed in ((sanitize(text), ""), (sanitize(text, lines=True), "\n\t")):
        for character in shown:
            assert character in allowed or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
            assert unicodedata.bidirectional(character) not in {
                "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
            }  # fmt: skip
        shown.encode()
