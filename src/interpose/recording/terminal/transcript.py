"""What a terminal showed, as lines of text: for reading, exporting and searching.

A line is told when it leaves the screen, is cleared with the whole screen, or at the end. Of a program with a screen of its own
(editors, pagers) the last screen is told when it is left.
"""

from __future__ import annotations

from interpose.recording.terminal.rows import Row
from interpose.recording.terminal.screen import Screen


class Transcript:
    """Collects the lines of one screen."""

    def __init__(self, screen: Screen) -> None:
        """Takes the screen's hooks."""
        self.screen = screen
        self._lines: list[str] = []
        self._begun = ""
        screen.on_scrolled = self._row
        screen.on_left = self._left

    def take(self) -> list[str]:
        """Lines that were completed since this was asked last."""
        lines, self._lines = self._lines, []
        return lines

    def finish(self) -> list[str]:
        """The rest: what is still on the screen."""
        if self.screen.alternate:
            self._left()
        else:
            self._rows(self.screen.grid)
        if self._begun:
            self._end("")
        return self.take()

    def _left(self) -> None:
        begun, self._begun = self._begun, ""
        self._rows(self.screen.grid)
        self._begun = begun

    def _rows(self, rows: list[Row]) -> None:
        last = max((number for number, row in enumerate(rows) if row.text), default=-1)
        for row in rows[: last + 1]:
            self._row(row)

    def _row(self, row: Row) -> None:
        if row.wrapped:
            self._begun += "".join(row.chars)
            # A program may draw without ever ending a line.
            if len(self._begun) > 100_000:
                self._end("")
        else:
            self._end(row.text)

    def _end(self, text: str) -> None:
        self._lines.append((self._begun + text).rstrip())
        self._begun = ""
