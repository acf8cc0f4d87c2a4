"""Lines from a client without an editor: from a pipe, or from a terminal that cannot place its cursor (`TERM=dumb`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpose.bridges.ssh.managed.editor import BoundedHistory, InterruptedLine
from interpose.bridges.ssh.managed.keys import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable

TOO_LONG = "\0"
"""Stands for a line that was longer than any may be: it is refused like everything with a NUL byte."""


class PlainLines:
    """Reads lines; on a terminal it shows what is typed, and knows backspace, Ctrl-C and Ctrl-D."""

    def __init__(self, write: Callable[[bytes], None], took: Callable[[bytes], None], *, terminal: bool) -> None:
        """`took` hears what was read, for the recording."""
        self._write = write
        self._took = took
        self._terminal = terminal
        self._data = bytearray()
        self._line = bytearray()
        self._ended = False
        self._more = asyncio.Event()
        self.history = BoundedHistory()

    def feed(self, data: bytes) -> None:
        """Bytes from the client."""
        self._data += data
        self._more.set()

    def end(self) -> None:
        """The client sends no more."""
        self._ended = True
        self._more.set()

    def take(self) -> bytes:
        """What was not read yet: on a terminal it is for the program that is started now."""
        data, self._data = bytes(self._data), bytearray()
        return data

    async def read(self, prompt: str) -> str | None:
        """One line; None at the end. Raises `InterruptedLine`."""
        if self._terminal:
            self._write(prompt.encode())
        while True:
            line = self._typed() if self._terminal else self._piped()
            if line is not None:
                return _text(line)
            if self._ended:
                line, self._line = bytes(self._line), bytearray()
                return _text(line) if line else None
            self._more.clear()
            await self._more.wait()

    def _piped(self) -> bytes | None:
        end = self._data.find(b"\n")
        taken = bytes(self._data if end < 0 else self._data[: end + 1])
        # What is left is not copied: there may be a window full of short lines.
        del self._data[: len(taken)]
        self._took(taken)
        self._line += taken.removesuffix(b"\n")[: LONGEST + 1 - len(self._line)]
        if end < 0:
            return None
        line, self._line = bytes(self._line), bytearray()
        return line.removesuffix(b"\r")

    def _typed(self) -> bytes | None:
        data, echo = self._data, bytearray()
        for at, byte in enumerate(data):
            if byte in b"\r\n":
                self._read(at + 1, echo + b"\r\n")
                line, self._line = bytes(self._line), bytearray()
                return line
            if byte == 0x03:
                self._read(at + 1, echo + b"^C\r\n")
                self._line.clear()
                raise InterruptedLine
            if byte == 0x04 and not self._line:
                self._read(at + 1, echo + b"\r\n")
                self._ended = True
                return None
            if byte in b"\x08\x7f":
                if self._line:
                    del self._line[_last_character(self._line) :]
                    echo += b"\b \b"
            elif (byte >= 0x20 or byte == 0x09) and len(self._line) <= LONGEST:
                self._line.append(byte)
                echo.append(byte)
        self._read(len(data), echo)
        return None

    def _read(self, count: int, echo: bytearray) -> None:
        self._took(bytes(self._data[:count]))
        del self._data[:count]
        if echo:
            self._write(bytes(echo))


def _last_character(line: bytearray) -> int:
    at = len(line) - 1
    while at > 0 and 0x80 <= line[at] < 0xC0:
        at -= 1
    return at


def _text(line: bytes) -> str:
    """The line; one that is no text becomes one that is refused."""
    if len(line) > LONGEST:
        return TOO_LONG
    try:
        return line.decode()
    except UnicodeDecodeError:
        return TOO_LONG
