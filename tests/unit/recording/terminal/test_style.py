"""Colours and attributes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.terminal.style import PLAIN, Style, restyle

NUMBERS = st.lists(st.lists(st.none() | st.integers(0, 65_535), min_size=1, max_size=6).map(tuple), max_size=8).map(
    tuple
)


@pytest.mark.parametrize(
    ("parameters", "sgr"),
    [
        ((), "0"),
        (((1,), (31,), (44,)), "0;1;31;44"),
        (((38,), (5,), (9,), (4,)), "0;4;38;5;9"),
        (((48,), (2,), (1,), (2,), (3,)), "0;48;2;1;2;3"),
        (((38, 2, None, 1, 2, 3),), "0;38;2;1;2;3"),
        (((38, 2, 1, 2, 3),), "0;38;2;1;2;3"),
        (((38, 5, 300),), "0"),
        (((4, 3),), "0;4"),
        (((58,), (5,), (1,), (97,)), "0;97"),
        (((8,),), "0"),
        (((4,), (4, 0)), "0"),
        (((1,), (2,), (22,), (3,)), "0;3"),
    ],
)
def test_what_is_set(parameters: tuple[tuple[int | None, ...], ...], sgr: str) -> None:
    assert restyle(PLAIN, parameters).sgr == f"\x1b[{sgr}m"


@given(NUMBERS, NUMBERS)
def test_a_style_is_written_so_that_it_comes_out_the_same(
    first: tuple[tuple[int | None, ...], ...], second: tuple[tuple[int | None, ...], ...]
) -> None:
    style = restyle(restyle(PLAIN, first), second)
    written = re.fullmatch(r"\x1b\[([0-9;]+)m", style.sgr)
    assert written is not None
    numbers = tuple((int(number),) for number in written[1].split(";"))
    assert restyle(Style("31", "41", ("1", "7")), numbers) == style
    assert "8" not in style.attributes
