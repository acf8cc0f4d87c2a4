"""Cells of a row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.terminal.charset import width
from interpose.recording.terminal.rows import Row, width_two
from interpose.recording.terminal.style import PLAIN

STEP = st.tuples(
    st.sampled_from(["put", "wide", "erase", "insert", "delete", "combine"]), st.integers(0, 9), st.integers(1, 10)
)


@given(st.lists(STEP, max_size=30), st.integers(1, 20))
def test_a_row_keeps_its_width_and_no_half_of_a_character(steps: list[tuple[str, int, int]], size: int) -> None:
    row = Row(10)
    for what, at, count in steps:
        room = 10 - at
        match what:
            case "put":
                row.put(at, "x" * min(count, room), PLAIN)
            case "wide" if room >= 2:
                row.put(at, ["世", ""], PLAIN)
            case "erase":
                row.erase(at, at + count, PLAIN)
            case "insert":
                row.insert(at, min(count, room), PLAIN)
            case "delete":
                row.delete(at, count, PLAIN)
            case "combine":
                row.combine(at, "\u0301")
            case _:
                pass
        whole(row, 10)
    row.resize(size)
    whole(row, size)


def whole(row: Row, size: int) -> None:
    assert len(row.chars) == len(row.styles) == size
    for number, cell in enumerate(row.chars):
        assert len(cell) <= 8
        if not cell:
            assert number
            assert width_two(row.chars[number - 1])
        elif width(cell[0]) == 2:
            assert row.chars[number + 1] == ""


def test_text_without_blanks_at_the_end() -> None:
    row = Row(6)
    row.put(1, "ab", PLAIN)
    assert row.text == " ab"
    assert row.changed
