"""Command lines that were typed at a prompt, as far as a screen shows: an aid for whoever reads a recording, and nothing else.

INVARIANT: nothing is decided by what is found here. A terminal is not enforceable per command: a line that is not echoed, is
expanded by the shell (aliases, history, variables), typed inside of an editor or painted by the program itself is not seen or seen
as something else.

A line is what stands on the screen between where the cursor was at the first key and the end of the line, at the moment at
which the cursor leaves it after Enter. So editing, completion and recalled lines come out as the shell showed them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from interpose.recording.sanitize import sanitize
from interpose.recording.terminal.rows import Row
from interpose.recording.terminal.screen import Screen

LONGEST: Final = 4096
"""Characters of a line that are kept."""
_MOST_WAITING: Final = 64
_ENTER: Final = re.compile(r"[\r\n\x0f]")
_PASTE_BEGIN: Final = "\x1b[200~"
_PASTE_END: Final = "\x1b[201~"


@dataclass(slots=True)
class _Entry:
    """One line that is typed: where it begins on the screen (None: ahead of its prompt), and its keys when they are plain."""

    row: Row | None
    column: int
    prompt: str
    keys: str | None = ""


class CommandLines:
    """Watches keys and screen of one terminal."""

    def __init__(self, screen: Screen) -> None:
        """Takes the screen's `on_newline`."""
        self.screen = screen
        self._typing: _Entry | None = None
        self._entered: list[_Entry] = []
        self._found: list[str] = []
        self._pasting = False
        screen.on_newline = self._newline

    def typed(self, data: bytes) -> None:
        """Keys, before what they bring about is fed to the screen."""
        if self.screen.alternate:
            self._typing, self._entered = None, []
            return
        text = data.decode("utf-8", "replace")
        at = 0
        while at < len(text):
            if self._pasting:
                end = text.find(_PASTE_END, at)
                self._key(text[at : end if end >= 0 else len(text)], plain=True)
                self._pasting = end < 0
                at = len(text) if end < 0 else end + len(_PASTE_END)
            elif text.startswith(_PASTE_BEGIN, at):
                self._pasting, at = True, at + len(_PASTE_BEGIN)
            elif _ENTER.match(text[at]):
                self._enter()
                at += 1
            elif text[at] in "\x03\x04\x1c":
                self._typing = None
                at += 1
            else:
                self._key(text[at], plain=text[at].isprintable())
                at += 1

    def take(self) -> list[str]:
        """Lines that were found since this was asked last, safe to print."""
        found, self._found = self._found, []
        return found

    def _key(self, text: str, *, plain: bool) -> None:
        if self._typing is None:
            row = self.screen.grid[self.screen.y]
            prompt = "".join(row.chars[: self.screen.x])
            self._typing = _Entry(None if self._entered else row, self.screen.x, prompt)
        keys = self._typing.keys
        self._typing.keys = None if keys is None or not plain or len(keys) > LONGEST else keys + text

    def _enter(self) -> None:
        if self._typing is not None:
            self._entered = [*self._entered, self._typing][-_MOST_WAITING:]
        self._typing = None

    def _newline(self) -> None:
        if not self._entered or self.screen.alternate:
            return
        line, start = self._line()
        entry = self._entered[0]
        if entry.row is None:
            # Typed ahead: its place is not known, so only the keys themselves are recognised, where they are echoed.
            if not entry.keys:
                self._entered.pop(0)
            elif line.endswith(entry.keys):
                self._entered.pop(0)
                self._add(entry.keys)
            return
        self._entered.pop(0)
        if start is not None:
            self._add(line[start + entry.column :])
        elif entry.prompt.strip() and line.startswith(entry.prompt):
            self._add(line[len(entry.prompt) :])
        else:
            self._add(line)

    def _line(self) -> tuple[str, int | None]:
        """The line on which the cursor is, over all its rows; and where in it the first typed row begins, if it is among them."""
        grid = self.screen.grid
        first = last = self.screen.y
        while first and grid[first - 1].wrapped:
            first -= 1
        while last < len(grid) - 1 and grid[last].wrapped:
            last += 1
        start = None
        for number, row in enumerate(grid[first : last + 1]):
            if self._entered and row is self._entered[0].row:
                start = number * self.screen.columns
        return "".join("".join(row.chars).ljust(self.screen.columns) for row in grid[first : last + 1]).rstrip(), start

    def _add(self, text: str) -> None:
        if text.strip():
            self._found.append(sanitize(text.strip()[:LONGEST]))
