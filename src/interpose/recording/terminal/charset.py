"""Character sets and widths: line drawing as Unicode, and how many columns a character takes.

Nothing that comes out of here hides text or turns the direction of reading: such characters become U+FFFD.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from unicodedata import category, east_asian_width

from interpose.recording.sanitize import HIDDEN

REPLACEMENT: Final = "\ufffd"
_LINE_DRAWING: Final = dict(zip(range(0x60, 0x7F), "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))
_VISIBLE: Final = dict.fromkeys(HIDDEN, REPLACEMENT)


def visible(text: str) -> str:
    """The text with nothing invisible in it."""
    return text if text.isascii() else text.translate(_VISIBLE)


@lru_cache(maxsize=8192)
def width(character: str) -> int:
    """Columns: 2 for wide ones, 0 for those that combine with the one before."""
    if category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


class Charsets:
    """Which of G0 and G1 is in use, and whether it is line drawing (DEC special graphics)."""

    __slots__ = ("_drawing", "_shifted", "active")

    def __init__(self) -> None:
        """Both are plain text, G0 is in use."""
        self._drawing = [False, False]
        self._shifted = 0
        self.active = False
        """Whether text is line drawing now."""

    def designate(self, intermediates: str, final: str) -> bool:
        """ESC ( 0 and the like; False when it is no designation."""
        if intermediates not in ("(", ")"):
            return False
        self._drawing[intermediates == ")"] = final == "0"
        self.active = self._drawing[self._shifted]
        return True

    def shift(self, control: str) -> None:
        """SO and SI."""
        self._shifted = int(control == "\x0e")
        self.active = self._drawing[self._shifted]

    def translate(self, text: str) -> str:
        """Text as it is seen."""
        return visible(text.translate(_LINE_DRAWING) if self.active else text)
