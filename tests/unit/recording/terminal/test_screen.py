"""The screen, against what xterm does; programs under a real terminal are in `tests/e2e`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.terminal.charset import width
from interpose.recording.terminal.screen import MOST_COLUMNS, MOST_ROWS, Screen
from tests.support.terminals import HOSTILE, cut


def shown(data: bytes, columns: int = 10, rows: int = 4) -> list[str]:
    screen = Screen(columns, rows)
    screen.feed(data)
    return screen.text()


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"one\r\ntwo", ["one", "two", "", ""]),
        (b"0123456789ab", ["0123456789", "ab", "", ""]),
        (b"0123456789\r\nab", ["0123456789", "ab", "", ""]),
        (b"\x1b[?7l0123456789ab", ["012345678b", "", "", ""]),
        (b"1\r\n2\r\n3\r\n4\r\n5", ["2", "3", "4", "5"]),
        (b"\x1b[2;3Hx\x1b[Hy", ["y", "  x", "", ""]),
        (b"abcdef\x1b[3D\x1b[K", ["abc", "", "", ""]),
        (b"abcdef\x1b[3D\x1b[1K", ["    ef", "", "", ""]),
        (b"a\r\nb\r\nc\x1b[2;1H\x1b[J", ["a", "", "", ""]),
        (b"a\r\nb\r\nc\x1b[2;1H\x1b[1J", ["", "", "c", ""]),
        (b"abcdef\x1b[1;3H\x1b[2P", ["abef", "", "", ""]),
        (b"abcdef\x1b[1;3H\x1b[2@", ["ab  cdef", "", "", ""]),
        (b"abcdef\x1b[1;3H\x1b[2X", ["ab  ef", "", "", ""]),
        (b"a\r\nb\r\nc\x1b[1;1H\x1b[L", ["", "a", "b", "c"]),
        (b"a\r\nb\r\nc\x1b[1;1H\x1b[M", ["b", "c", "", ""]),
        (b"\x1b[2;3r\x1b[3;1Ha\r\nb\r\nc", ["", "b", "c", ""]),
        (b"a\r\nb\x1b[H\x1bM", ["", "a", "b", ""]),
        (b"a\x1b[S", ["", "", "", ""]),
        (b"a\x1b[T", ["", "a", "", ""]),
        (b"a\x1b[3b", ["aaaa", "", "", ""]),
        (b"a\tb", ["a       b", "", "", ""]),
        (b"\x1b(0lqk\x1b(B", ["┌─┐", "", "", ""]),
        ("世界x".encode(), ["世界x", "", "", ""]),
        ("012345678世".encode(), ["012345678", "世", "", ""]),
        ("e\u0301x".encode(), ["e\u0301x", "", "", ""]),
        (b"main\x1b[?1049hother", ["    other", "", "", ""]),
        (b"main\x1b[?1049h\x1b[Hother\x1b[?1049l!", ["main!", "", "", ""]),
        (b"abc\x1b[1;1H\x1b[4hX\x1b[4lY", ["XYbc", "", "", ""]),
        (b"\x1b7ab\x1b8c", ["cb", "", "", ""]),
        (b"abc\x1bcd", ["d", "", "", ""]),
        (b"\x1b#8", ["EEEEEEEEEE"] * 4),
        (b"\x1b]0;t\x07a\x1b[?2004hb\x1b[6nc", ["abc", "", "", ""]),
        (b"x\x1b[99999;99999Hy\x1b[99999Az\x1b[99999L", ["", "", "", ""]),
    ],
)  # fmt: skip
def test_what_is_on_the_screen(data: bytes, rows: list[str]) -> None:
    assert shown(data) == rows


def test_a_stream_without_a_terminal_returns_at_line_ends() -> None:
    screen = Screen(10, 3, newline_returns=True)
    screen.feed(b"one\ntwo\n")
    assert screen.text() == ["one", "two", ""]


def test_rows_that_leave_are_told() -> None:
    gone: list[str] = []
    screen = Screen(10, 3)
    screen.on_scrolled = lambda row: gone.append(row.text)
    screen.feed(b"1\r\n2\r\n3\r\n4\x1b[?1049h\n\n\n\n\x1b[?1049l\x1b[H\x1b[2J")
    assert gone == ["1", "2", "3", "4"]


def test_sizes_are_bounded_and_rows_go_off_the_top() -> None:
    gone: list[str] = []
    screen = Screen(2**32, 2**32)
    assert (screen.columns, screen.height) == (MOST_COLUMNS, MOST_ROWS)
    screen.on_scrolled = lambda row: gone.append(row.text)
    screen.resize(5, 3)
    screen.feed(b"1\r\n2\r\n3")
    screen.resize(3, 2)
    assert (gone, screen.text(), screen.y) == (["1"], ["2", "3"], 1)
    screen.resize(0, 0)
    assert (screen.columns, screen.height, len(screen.grid)) == (80, 24, 24)


def test_a_gap_does_not_hide_what_comes_behind_it() -> None:
    screen = Screen(20, 2)
    screen.feed(b"a\x1b]0;never ended")
    screen.gap()
    screen.feed(b"seen")
    assert screen.text()[0] == "aseen"


@given(st.data(), st.lists(HOSTILE, max_size=25), st.tuples(st.integers(1, 12), st.integers(1, 6)))
def test_any_bytes_in_any_pieces_give_one_whole_screen(
    data: st.DataObject, parts: list[bytes], size: tuple[int, int]
) -> None:
    whole = b"".join(parts)
    one, other = Screen(*size), Screen(*size)
    one.feed(whole)
    for piece in cut(data, whole):
        other.feed(piece)
    assert (one.text(), one.x, one.y) == (other.text(), other.x, other.y)
    resized = data.draw(st.tuples(st.integers(0, 15), st.integers(0, 8)))
    one.resize(*resized)
    one.feed(whole)
    for screen in (one, other):
        assert 0 <= screen.x < screen.columns
        assert 0 <= screen.y < screen.height
        assert len(screen.grid) == screen.height
        for row in screen.grid:
            assert len(row.chars) == len(row.styles) == screen.columns
            for cell in row.chars:
                assert all(c >= " " and not "\x7f" <= c <= "\x9f" for c in cell)
                assert not cell or sum(map(width, cell)) <= 2
