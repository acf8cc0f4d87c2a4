"""A terminal's stream made harmless: what moves the cursor, colours and erases is written anew, all else is left out.

An allow-list. Nothing is passed through: each sequence is made again from what was understood, with bounded numbers. Left out are
titles, clipboard, hyperlinks, device control, reports and whatever makes a terminal answer (an answer is typed into the viewer's
shell), key and mouse modes, bracketed paste, palettes, concealed text, the clearing of the scrollback, bells; line drawing
becomes Unicode, so that no character set is left over; a reset becomes an erased screen.
"""

from __future__ import annotations

from typing import Final

from interpose.recording.terminal.charset import Charsets
from interpose.recording.terminal.parser import Control, ControlSequence, Escape, Item, TerminalParser, Text
from interpose.recording.terminal.style import PLAIN, restyle

LARGEST_NUMBER: Final = 9999
RESTORE: Final = "\x1b[?1049l\x1b[?7h\x1b[?6l\x1b[4l\x1b[r\x1b[0m\x1b[?25h"
"""Undoes every mode that a harmless stream can leave set."""

_CONTROLS: Final = frozenset("\b\t\n\v\f\r")
_ESCAPES: Final = frozenset("78DEMH")
_MOVES: Final = frozenset("ABCDEFGHIZ`adefLMP@XSTJKrsubg")
_PRIVATE_MODES: Final = frozenset({6, 7, 25, 47, 1047, 1048, 1049})
_RESET: Final = "\x1b[?1049l\x1b[r\x1b[?6l\x1b[?7h\x1b[4l\x1b[0m\x1b[H\x1b[2J\x1b[?25h"
_SCROLLBACK: Final = 3


class HarmlessStream:
    """Feed it bytes as a program wrote them, print what comes out. The pieces do not matter, only the bytes."""

    __slots__ = ("_charsets", "_parser", "_style")

    def __init__(self) -> None:
        """For one stream, from its begin."""
        self._parser = TerminalParser()
        self._charsets = Charsets()
        self._style = PLAIN

    def feed(self, data: bytes) -> str:
        """The harmless part of what these bytes complete."""
        return self._write(self._parser.feed(data))

    def finish(self) -> str:
        """At the end, or where bytes are missing."""
        return self._write(self._parser.finish())

    def _write(self, items: list[Item]) -> str:
        return "".join(map(self._one, items))

    def _one(self, item: Item) -> str:
        if isinstance(item, Text):
            return self._charsets.translate(item.text)
        if isinstance(item, Control):
            if item.character in _CONTROLS:
                return item.character
            if item.character in "\x0e\x0f":
                self._charsets.shift(item.character)
            return ""
        if isinstance(item, Escape):
            return self._escape(item)
        return self._sequence(item)

    def _escape(self, item: Escape) -> str:
        if self._charsets.designate(item.intermediates, item.final):
            return ""
        if not item.intermediates and item.final in _ESCAPES:
            return f"\x1b{item.final}"
        if not item.intermediates and item.final == "c":
            self._charsets, self._style = Charsets(), PLAIN
            return _RESET
        return ""

    def _sequence(self, item: ControlSequence) -> str:
        if item.intermediates:
            return ""
        if item.final in "hl":
            return self._modes(item)
        if item.private:
            return ""
        if item.final == "m":
            self._style = restyle(self._style, item.parameters)
            return self._style.sgr
        if item.final not in _MOVES or (item.final == "J" and item.number(0, 0) == _SCROLLBACK):
            return ""
        # CSI with five parameters and T begins mouse tracking, with parameters and s it sets margins.
        if (item.final == "T" and len(item.parameters) > 1) or (item.final in "su" and item.parameters):
            return ""
        numbers = [group[0] for group in item.parameters[:2]]
        written = ";".join("" if number is None else str(min(number, LARGEST_NUMBER)) for number in numbers)
        return f"\x1b[{written}{item.final}"

    @staticmethod
    def _modes(item: ControlSequence) -> str:
        if item.private == "?":
            known = [group[0] for group in item.parameters if group[0] in _PRIVATE_MODES]
            return "".join(f"\x1b[?{number}{item.final}" for number in known)
        if not item.private and any(group[0] == 4 for group in item.parameters):
            return f"\x1b[4{item.final}"
        return ""
