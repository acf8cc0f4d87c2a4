"""A screen drawn into another terminal: only what changed, only what this module writes. Cells are the only thing that comes from a recording."""

from __future__ import annotations

from interpose.recording.terminal.charset import width
from interpose.recording.terminal.rows import Row
from interpose.recording.terminal.screen import Screen
from interpose.recording.terminal.style import PLAIN

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J"
"""Begins drawing, on the alternate screen."""
LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
"""Gives the terminal back as it was."""


class Painter:
    """Draws screens into a terminal of some size, its last row kept for a line of status."""

    def __init__(self, columns: int, rows: int) -> None:
        """Nothing is drawn yet; make another one when the viewer's terminal changes its size."""
        self._columns = columns
        self._rows = rows
        self._drawn: list[str | None] = [None] * rows

    def paint(self, screen: Screen, status: str) -> str:
        """What to write so that the viewer sees this screen, as much as fits: always the rows around the cursor."""
        room = max(0, self._rows - 1)
        first = max(0, min(screen.y - room + 1, screen.height - room))
        shown = [drawn_row(row, self._columns) for row in screen.grid[first : first + room]]
        shown += [""] * (room - len(shown))
        shown.append(f"\x1b[0;7m{status[: self._columns].ljust(self._columns)}")
        parts: list[str] = []
        for number, text in enumerate(shown[: self._rows]):
            if text != self._drawn[number]:
                self._drawn[number] = text
                parts.append(f"\x1b[{number + 1};1H\x1b[0m\x1b[K{text}\x1b[0m")
        if screen.cursor_visible and screen.x < self._columns and 0 <= screen.y - first < room:
            parts.append(f"\x1b[{screen.y - first + 1};{screen.x + 1}H\x1b[?25h")
        else:
            parts.append("\x1b[?25l")
        return "".join(parts)


def drawn_row(row: Row, columns: int) -> str:
    """A row with its styles, cut to so many columns; blanks without a style at its end are left out."""
    end = min(len(row.chars), columns)
    while end and row.chars[end - 1] == " " and row.styles[end - 1] == PLAIN:
        end -= 1
    parts: list[str] = []
    style = PLAIN
    for at in range(end):
        char = row.chars[at]
        if row.styles[at] is not style and row.styles[at] != style:
            style = row.styles[at]
            parts.append(style.sgr)
        # A wide character whose second half does not fit is left out.
        parts.append(" " if char and at + 1 == columns and width(char[0]) == 2 else char)
    return "".join(parts)
