"""Drawing a screen into another terminal: what is drawn is read back by a screen."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from interpose.recording.terminal.charset import width
from interpose.recording.terminal.render import ENTER, LEAVE, Painter
from interpose.recording.terminal.screen import Screen
from tests.support.terminals import HOSTILE
from tests.unit.recording.terminal.test_harmless import only_allowed


@example([["\u1c89".encode()]], (1, 1), (1, 2))
@given(
    st.lists(st.lists(HOSTILE, max_size=6), max_size=4),
    st.tuples(st.integers(1, 12), st.integers(1, 6)),
    st.tuples(st.integers(1, 14), st.integers(1, 8)),
)
def test_the_viewer_sees_the_rows_around_the_cursor_and_nothing_harmful(
    steps: list[list[bytes]], size: tuple[int, int], viewer_size: tuple[int, int]
) -> None:
    screen, viewer = Screen(*size), Screen(*viewer_size)
    viewer.feed(ENTER.encode())
    painter = Painter(*viewer_size)
    columns, rows = viewer_size
    for parts in steps:
        screen.feed(b"".join(parts))
        drawn = painter.paint(screen, "status")
        only_allowed(drawn)
        viewer.feed(drawn.encode())
        room = rows - 1
        first = max(0, min(screen.y - room + 1, screen.height - room))
        if room:
            assert first <= screen.y < first + room
        for number in range(room):
            row = screen.grid[first + number] if first + number < screen.height else None
            expected = [] if row is None else row.chars[:columns]
            seen = viewer.grid[number].chars
            for at, cell in enumerate(expected):
                half = at == columns - 1 and cell != "" and width(cell[0]) == 2
                assert seen[at] == (" " if half else cell)
        assert viewer.text()[rows - 1] == "status"[:columns]
    viewer.feed(LEAVE.encode())
    assert (viewer.alternate, viewer.cursor_visible) == (False, True)


def test_what_did_not_change_is_not_drawn_again() -> None:
    screen, painter = Screen(10, 3), Painter(20, 4)
    screen.feed(b"\x1b[31mone\r\n\x1b[mtwo")
    assert "one" in painter.paint(screen, "s")
    assert painter.paint(screen, "s") == "\x1b[2;4H\x1b[?25h"
    screen.feed(b"!")
    again = painter.paint(screen, "s")
    assert "two!" in again
    assert "one" not in again
