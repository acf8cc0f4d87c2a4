"""Choosing a connection at a terminal, for a client whose user name names none. It reads bytes and makes bytes; it knows no IO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from interpose.recording.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAVE: Final = frozenset({0x03, 0x04})
_ERASE: Final = frozenset({0x08, 0x7F})
_ENTER: Final = frozenset({0x0A, 0x0D})
_LONGEST: Final = 128
_LEAVE_WORDS: Final = frozenset({"", "q", "quit", "exit"})


@dataclass(frozen=True, slots=True)
class Typed:
    """What came of some bytes: `echo` is for the terminal; `over` that the menu is; then `chosen` is a name, or None for nobody."""

    echo: bytes
    over: bool = False
    chosen: str | None = None


class Menu:
    """One question at a terminal in raw mode."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are the connections that may be chosen, at least one."""
        self._names = list(names)
        self._line = ""

    def question(self) -> bytes:
        """The list and the prompt."""
        lines = ["Which connection?", ""]
        lines += [f"  {number}  {sanitize(name)}" for number, name in enumerate(self._names, 1)]
        return "\r\n".join([*lines, "", "Number or name, or Enter to leave: "]).encode()

    def typed(self, data: bytes) -> Typed:
        """Bytes from the terminal; whatever follows the end of the line is not kept."""
        echo = b""
        for byte in data:
            if byte in _LEAVE:
                return Typed(echo + b"\r\n", over=True)
            if byte in _ENTER:
                return self._answered(echo)
            if byte in _ERASE:
                echo += b"\b \b" if self._line else b""
                self._line = self._line[:-1]
            elif 0x20 <= byte < 0x7F and len(self._line) < _LONGEST:
                self._line += chr(byte)
                echo += bytes([byte])
        return Typed(echo)

    def _answered(self, echo: bytes) -> Typed:
        line, self._line = self._line.strip(), ""
        if line in self._names:
            return Typed(echo + b"\r\n", over=True, chosen=line)
        if line.isdecimal() and 0 < int(line) <= len(self._names):
            return Typed(echo + b"\r\n", over=True, chosen=self._names[int(line) - 1])
        if line in _LEAVE_WORDS:
            return Typed(echo + b"\r\n", over=True)
        return Typed(echo + b"\r\nThere is no such connection in the list. Number or name, or Enter to leave: ")
