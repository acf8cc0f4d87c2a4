"""A terminal's screen as rows of cells, kept by what the terminal was sent. For seeking, text and search, never for enforcement.

Follows xterm where programs depend on it: scroll regions, alternate screen, pending wrap, insert mode, origin mode, line drawing,
tab stops, resets. Answers nothing, since nobody listens, and obeys no title, clipboard, hyperlink or colour palette.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from interpose.recording.terminal.charset import Charsets, width
from interpose.recording.terminal.parser import Control, ControlSequence, Escape, Item, TerminalParser, Text
from interpose.recording.terminal.rows import Row
from interpose.recording.terminal.style import PLAIN, Style, restyle

DEFAULT_SIZE: Final = (80, 24)
MOST_COLUMNS: Final = 1000
MOST_ROWS: Final = 500
_TAB: Final = 8
_ALTERNATE: Final = (47, 1047, 1049)
_Saved = tuple[int, int, Style]


class Screen:
    """One terminal. `newline_returns` is for streams without a terminal: a line feed alone goes to the first column."""

    def __init__(self, columns: int = 80, rows: int = 24, *, newline_returns: bool = False) -> None:
        """Blank; sizes are bounded, whatever is asked for."""
        self.columns, self.height = _bounded(columns, rows)
        self.newline_returns = newline_returns
        self.on_scrolled: Callable[[Row], None] | None = None
        """Told of each row of the main screen that scrolls off its top, or is cleared with all of it."""
        self.on_newline: Callable[[], None] | None = None
        """Told before the cursor leaves a line by a line feed."""
        self.on_left: Callable[[], None] | None = None
        """Told before the alternate screen is left."""
        self._parser = TerminalParser()
        self._reset()

    def _reset(self) -> None:
        self.grid = [Row(self.columns) for _ in range(self.height)]
        self.x = self.y = 0
        self.alternate = False
        self.cursor_visible = True
        self._main: list[Row] = []
        self._style = PLAIN
        self._saved: _Saved = (0, 0, PLAIN)
        self._saved_main: _Saved = (0, 0, PLAIN)
        self._top, self._bottom = 0, self.height - 1
        self._wraps, self._inserts, self._origin = True, False, False
        self._pending_wrap = False
        self._charsets = Charsets()
        self._last = ""
        self._tabs = set(range(_TAB, MOST_COLUMNS, _TAB))

    def feed(self, data: bytes) -> None:
        """Bytes for the terminal."""
        self.apply(self._parser.feed(data))

    def gap(self) -> None:
        """Bytes are missing here: what was begun is not finished by what follows."""
        self.apply(self._parser.finish())

    def apply(self, items: list[Item]) -> None:
        """What a parser made of the bytes."""
        for item in items:
            if isinstance(item, Text):
                self._print(item.text)
            elif isinstance(item, Control):
                self._control(item.character)
            elif isinstance(item, Escape):
                self._escape(item)
            else:
                self._sequence(item)

    def text(self) -> list[str]:
        """The rows as text, blanks at their ends left out."""
        return [row.text for row in self.grid]

    def take_changed(self) -> list[str]:
        """Texts of the rows that changed since this was asked last."""
        changed = [row for row in self.grid if row.changed]
        for row in changed:
            row.changed = False
        return [row.text for row in changed]

    def resize(self, columns: int, rows: int) -> None:
        """Another size: rows go off the top or come in at the bottom; text is not wrapped anew."""
        columns, rows = _bounded(columns, rows)
        for grid in (self.grid, self._main):
            for row in grid:
                row.resize(columns)
        surplus = max(0, self.y + 1 - rows)
        for row in self.grid[:surplus]:
            self._scrolled(row)
        self.columns, self.height = columns, rows
        for grid, cut in ((self.grid, surplus), (self._main, max(0, len(self._main) - rows))):
            if grid:
                del grid[:cut], grid[rows:]
                grid += [Row(columns) for _ in range(rows - len(grid))]
        self.x, self.y = min(self.x, columns - 1), self.y - surplus
        self._top, self._bottom, self._pending_wrap = 0, rows - 1, False

    # --- text

    def _print(self, text: str) -> None:
        text = self._charsets.translate(text)
        self._last = text[-1]
        if not text.isascii() or self._inserts:
            for character in text:
                self._put(character)
            return
        at = 0
        while at < len(text):
            if self._pending_wrap and self._wraps:
                self._wrap()
            part = text[at : at + self.columns - self.x]
            at += len(part)
            self.grid[self.y].put(self.x, part, self._style)
            self._advance(len(part))

    def _put(self, character: str) -> None:
        wide = width(character)
        if not wide:
            self.grid[self.y].combine(self.x if self._pending_wrap else max(0, self.x - 1), character)
            return
        if self._wraps and (self._pending_wrap or self.x + wide > self.columns):
            self._wrap()
        at = max(0, min(self.x, self.columns - wide))
        row = self.grid[self.y]
        if self._inserts:
            row.insert(at, wide, self._style)
        row.put(at, [character, ""][: min(wide, self.columns)], self._style)
        self.x = at
        self._advance(wide)

    def _advance(self, count: int) -> None:
        self.x += count
        if self.x >= self.columns:
            self.x = self.columns - 1
            self._pending_wrap = True

    def _wrap(self) -> None:
        self.grid[self.y].wrapped = True
        self._index()
        self.x, self._pending_wrap = 0, False

    # --- controls

    def _control(self, character: str) -> None:
        if character in "\n\v\f":
            if self.on_newline is not None:
                self.on_newline()
            self._index()
            if self.newline_returns:
                self.x = 0
        elif character == "\r":
            self.x = 0
        elif character == "\b":
            self.x = max(0, self.x - 1)
        elif character == "\t":
            self.x = next((stop for stop in range(self.x + 1, self.columns) if stop in self._tabs), self.columns - 1)
        elif character in "\x0e\x0f":
            self._charsets.shift(character)
            return
        else:
            return
        self._pending_wrap = False

    def _index(self) -> None:
        if self.y == self._bottom:
            self._scroll(1)
        elif self.y < self.height - 1:
            self.y += 1

    def _reverse_index(self) -> None:
        if self.y == self._top:
            self._scroll(-1)
        elif self.y:
            self.y -= 1

    def _scroll(self, count: int, top: int | None = None) -> None:
        """Move the rows of the region (from `top` on) up, or down when negative."""
        first = self._top if top is None else top
        size = self._bottom - first + 1
        number = min(abs(count), size)
        blanks = [Row(self.columns, self._blank) for _ in range(number)]
        region = self.grid[first : self._bottom + 1]
        if count > 0:
            if first == 0 and top is None:
                for row in region[:number]:
                    self._scrolled(row)
            self.grid[first : self._bottom + 1] = region[number:] + blanks
        else:
            self.grid[first : self._bottom + 1] = blanks + region[: size - number]
        for row in self.grid[first : self._bottom + 1]:
            row.changed = True

    def _scrolled(self, row: Row) -> None:
        if not self.alternate and self.on_scrolled is not None:
            self.on_scrolled(row)

    @property
    def _blank(self) -> Style:
        return Style("", self._style.background, ())

    def _escape(self, item: Escape) -> None:
        if self._charsets.designate(item.intermediates, item.final):
            return
        match item.intermediates + item.final:
            case "7":
                self._saved = (self.x, self.y, self._style)
            case "8":
                self._restore()
            case "D":
                self._index()
            case "E":
                self._index()
                self.x = 0
            case "M":
                self._reverse_index()
            case "H":
                self._tabs.add(self.x)
            case "c":
                self._erase_display(2)
                self._reset()
            case "#8":
                for row in self.grid:
                    row.put(0, "E" * self.columns, PLAIN)
            case _:
                return
        self._pending_wrap = False

    def _restore(self) -> None:
        x, y, self._style = self._saved
        self.x, self.y = min(x, self.columns - 1), min(y, self.height - 1)

    # --- control sequences

    def _sequence(self, item: ControlSequence) -> None:
        if item.intermediates:
            if item.intermediates == "!" and item.final == "p":
                self._top, self._bottom, self._style = 0, self.height - 1, PLAIN
                self._inserts, self._origin, self._wraps, self.cursor_visible = False, False, True, True
                self._charsets = Charsets()
            return
        if item.final in "hl":
            for parameter in item.parameters:
                self._mode(item.private, parameter[0] or 0, on=item.final == "h")
            return
        if item.private:
            return
        if item.final == "m":
            self._style = restyle(self._style, item.parameters)
            return
        if item.final == "b":
            if self._last:
                self._print(self._last * min(item.number(0, 1), self.columns * self.height))
            return
        self._pending_wrap = False
        if not self._move(item):
            self._edit(item)

    def _move(self, item: ControlSequence) -> bool:
        count = item.number(0, 1)
        match item.final:
            case "A" | "F":
                self.y = max(self._top if self.y >= self._top else 0, self.y - count)
            case "B" | "E" | "e":
                self.y = min(self._bottom if self.y <= self._bottom else self.height - 1, self.y + count)
            case "C" | "a":
                self.x = min(self.columns - 1, self.x + count)
            case "D":
                self.x = max(0, self.x - count)
            case "G" | "`":
                self.x = min(count, self.columns) - 1
            case "d":
                self._to_row(count)
            case "H" | "f":
                self._to_row(count)
                self.x = min(item.number(1, 1), self.columns) - 1
            case "I":
                for _ in range(min(count, self.columns)):
                    self._control("\t")
            case "Z":
                stops = sorted((stop for stop in self._tabs if stop < self.x), reverse=True)
                self.x = stops[count - 1] if count <= len(stops) else 0
            case "s":
                self._saved = (self.x, self.y, self._style)
            case "u":
                self._restore()
            case _:
                return False
        if item.final in "EF":
            self.x = 0
        return True

    def _to_row(self, number: int) -> None:
        first, last = (self._top, self._bottom) if self._origin else (0, self.height - 1)
        self.y = min(first + number - 1, last)

    def _edit(self, item: ControlSequence) -> None:
        count = item.number(0, 1)
        row = self.grid[self.y]
        match item.final:
            case "J":
                self._erase_display(item.number(0, 0))
            case "K":
                start, end = {0: (self.x, self.columns), 1: (0, self.x + 1)}.get(item.number(0, 0), (0, self.columns))
                row.erase(start, end, self._blank)
            case "@":
                row.insert(self.x, min(count, self.columns - self.x), self._blank)
            case "P":
                row.delete(self.x, count, self._blank)
            case "X":
                row.erase(self.x, min(self.x + count, self.columns), self._blank)
            case "L" | "M":
                if self._top <= self.y <= self._bottom:
                    self._scroll(count if item.final == "M" else -count, self.y)
                    self.x = 0
            case "S":
                self._scroll(count)
            case "T":
                if len(item.parameters) <= 1:
                    self._scroll(-count)
            case "r":
                top, bottom = item.number(0, 1) - 1, min(item.number(1, self.height), self.height) - 1
                if top < bottom:
                    self._top, self._bottom = top, bottom
                    self.x, self.y = 0, top if self._origin else 0
            case "g":
                if item.number(0, 0) == 3:
                    self._tabs.clear()
                else:
                    self._tabs.discard(self.x)

    def _erase_display(self, what: int) -> None:
        if what == 3:
            return
        whole = what == 2 or (what == 0 and not self.x and not self.y)
        if whole and not self.alternate:
            last = max((number for number, row in enumerate(self.grid) if row.text), default=-1)
            for row in self.grid[: last + 1]:
                self._scrolled(row)
        for number, row in enumerate(self.grid):
            if whole or (number > self.y if what == 0 else number < self.y):
                row.erase(0, self.columns, self._blank)
                row.wrapped = False
        if what == 0:
            self.grid[self.y].erase(self.x, self.columns, self._blank)
        elif what == 1:
            self.grid[self.y].erase(0, self.x + 1, self._blank)

    def _mode(self, private: str, number: int, *, on: bool) -> None:
        if private == "" and number == 4:
            self._inserts = on
        elif private != "?":
            return
        elif number == 7:
            self._wraps = on
        elif number == 6:
            self._origin = on
            self.x, self.y = 0, self._top if on else 0
        elif number == 25:
            self.cursor_visible = on
        elif number == 1048:
            if on:
                self._saved = (self.x, self.y, self._style)
            else:
                self._restore()
        elif number in _ALTERNATE and on != self.alternate:
            self._switch(number == 1049, on=on)

    def _switch(self, saves: bool, *, on: bool) -> None:
        if on:
            self._saved_main = (self.x, self.y, self._style)
            self._main, self.grid = self.grid, [Row(self.columns) for _ in range(self.height)]
            self.alternate = True
            return
        if self.on_left is not None:
            self.on_left()
        self.grid, self._main, self.alternate = self._main, [], False
        for row in self.grid:
            row.changed = True
        if saves:
            x, y, self._style = self._saved_main
            self.x, self.y, self._pending_wrap = min(x, self.columns - 1), min(y, self.height - 1), False


def _bounded(columns: int, rows: int) -> tuple[int, int]:
    return max(1, min(columns or DEFAULT_SIZE[0], MOST_COLUMNS)), max(1, min(rows or DEFAULT_SIZE[1], MOST_ROWS))
