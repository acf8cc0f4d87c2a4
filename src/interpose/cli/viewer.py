"""The viewer's own terminal: keys without Enter, its size, and that it is given back as it was, however the viewer leaves."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from interpose.recording.terminal.render import ENTER, LEAVE, Painter
from interpose.recording.terminal.screen import Screen

_KEYS: Final = re.compile(rb"\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|.", re.DOTALL)
_NAMES: Final = {
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\x1bOC": "right",
    b"\x1bOD": "left",
    b"\x03": "q",
    b"\x1b": "",
}


def usable() -> bool:
    """Whether keys can be read and a screen be drawn."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Viewer:
    """Draws screens and hears keys."""

    def __init__(self) -> None:
        """Made by `viewing`."""
        self._size = (0, 0)
        self._painter = Painter(1, 1)

    def draw(self, screen: Screen, status: str) -> None:
        """Show a screen with a line of status below it."""
        size = os.get_terminal_size(sys.stdout.fileno())
        if size != self._size:
            self._size = (size.columns, size.lines)
            self._painter = Painter(*self._size)
            sys.stdout.write("\x1b[0m\x1b[2J")
        sys.stdout.write(self._painter.paint(screen, status))
        sys.stdout.flush()

    def keys(self, seconds: float) -> list[str]:
        """Keys that were pressed, waiting at most so long for the first."""
        if not select.select([sys.stdin], [], [], max(0.0, seconds))[0]:
            return []
        data = os.read(sys.stdin.fileno(), 1024)
        if not data:
            return ["q"]
        return [_NAMES.get(key, key.decode("ascii", "replace")) for key in _KEYS.findall(data)]


@contextmanager
def viewing() -> Iterator[Viewer]:
    """Take the terminal, and give it back: after an error, Ctrl-C and SIGTERM as well."""
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    previous = signal.signal(signal.SIGTERM, _leave)
    sys.stdout.write(ENTER)
    sys.stdout.flush()
    try:
        tty.setcbreak(handle)
        yield Viewer()
    finally:
        sys.stdout.write(LEAVE)
        sys.stdout.flush()
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTERM, previous)


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
