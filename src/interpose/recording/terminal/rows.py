"""A row of a screen: characters and their styles, cell by cell. A wide character stands in its first cell, its second is empty."""

from __future__ import annotations

from typing import Final

from interpose.recording.terminal.charset import width
from interpose.recording.terminal.style import PLAIN, Style

_MOST_COMBINING: Final = 8


class Row:
    """One row. `wrapped` says that the text goes on in the next row; `changed` is for whoever watches."""

    __slots__ = ("changed", "chars", "styles", "wrapped")

    def __init__(self, columns: int, style: Style = PLAIN) -> None:
        """Blank."""
        self.chars = [" "] * columns
        self.styles = [style] * columns
        self.wrapped = False
        self.changed = True

    @property
    def text(self) -> str:
        """What is seen, blanks at the end left out."""
        return "".join(self.chars).rstrip()

    def put(self, at: int, chars: str | list[str], style: Style) -> None:
        """Overwrite cells from `at` on; there must be room."""
        end = at + len(chars)
        self._part(at)
        self._part(end)
        self.chars[at:end] = chars
        self.styles[at:end] = [style] * len(chars)
        self.changed = True

    def combine(self, at: int, character: str) -> None:
        """Add a combining character to a cell, up to a few."""
        if not self.chars[at] and at:
            at -= 1
        if len(self.chars[at]) < _MOST_COMBINING:
            self.chars[at] += character
        self.changed = True

    def erase(self, start: int, end: int, style: Style) -> None:
        """Make cells blank."""
        if start < end:
            self.put(start, " " * (min(end, len(self.chars)) - start), style)

    def insert(self, at: int, count: int, style: Style) -> None:
        """Blank cells at `at`; what is pushed over the edge is gone."""
        self._part(at)
        size = len(self.chars)
        self.chars[at:at] = [" "] * count
        self.styles[at:at] = [style] * count
        self._cut(size)

    def delete(self, at: int, count: int, style: Style) -> None:
        """Take cells away; blanks come in at the end."""
        size = len(self.chars)
        count = min(count, size - at)
        self._part(at)
        self._part(at + count)
        del self.chars[at : at + count], self.styles[at : at + count]
        self.chars += [" "] * count
        self.styles += [style] * count
        self._cut(size)

    def resize(self, columns: int) -> None:
        """Cut, or fill with blanks."""
        missing = columns - len(self.chars)
        self.chars += [" "] * missing
        self.styles += [PLAIN] * missing
        self._cut(columns)

    def _cut(self, size: int) -> None:
        del self.chars[size:], self.styles[size:]
        if self.chars and width_two(self.chars[-1]):
            self.chars[-1] = " "
        self.changed = True

    def _part(self, at: int) -> None:
        """Before the boundary at `at` is cut: a wide character over it becomes blanks."""
        if 0 < at < len(self.chars) and not self.chars[at]:
            self.chars[at - 1] = self.chars[at] = " "


def width_two(cell: str) -> bool:
    """Whether a cell holds a wide character."""
    return bool(cell) and not cell.isascii() and width(cell[0]) == 2
