"""Character sets."""

from __future__ import annotations

import pytest

from interpose.recording.terminal.charset import REPLACEMENT, Charsets, visible, width


def test_line_drawing_is_unicode_and_follows_designations_and_shifts() -> None:
    charsets = Charsets()
    assert charsets.translate("lqk") == "lqk"
    assert charsets.designate("(", "0")
    assert charsets.translate("lqk") == "┌─┐"
    charsets.shift("\x0e")
    assert charsets.translate("lqk") == "lqk"
    assert charsets.designate(")", "0")
    assert charsets.translate("x") == "│"
    charsets.shift("\x0f")
    assert charsets.designate("(", "B")
    assert not charsets.active
    assert not charsets.designate("#", "8")


def test_nothing_invisible_stays() -> None:
    assert visible("a\u202eb\u200bc\U000e0041") == f"a{REPLACEMENT}b{REPLACEMENT}c{REPLACEMENT}"


@pytest.mark.parametrize(("character", "columns"), [("a", 1), ("世", 2), ("\u0301", 0), ("ä", 1), ("😀", 2)])
def test_widths(character: str, columns: int) -> None:
    assert width(character) == columns
