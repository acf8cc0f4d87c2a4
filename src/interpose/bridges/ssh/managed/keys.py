"""Keys out of the bytes of a client's terminal, for the editor: a closed list, and everything else is dropped.

No pipe and no file descriptor stands between. The list leaves out what would make an editor more than one: numeric arguments, macros,
quoted inserts, registers. INVARIANT: what is kept is bounded, and what follows the end of a line stays bytes for whoever reads next.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import UnsupportedOperation
from typing import TYPE_CHECKING, Final

from prompt_toolkit.input import Input
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST: Final = 64 * 1024
"""Bytes of one paste, and characters of one line."""

_ALLOWED: Final = frozenset(
    {
        *(Keys.ControlA, Keys.ControlB, Keys.ControlC, Keys.ControlD, Keys.ControlE, Keys.ControlF, Keys.ControlG),
        *(Keys.ControlH, Keys.ControlI, Keys.ControlJ, Keys.ControlK, Keys.ControlL, Keys.ControlM, Keys.ControlN),
        *(Keys.ControlP, Keys.ControlR, Keys.ControlS, Keys.ControlT, Keys.ControlU, Keys.ControlW, Keys.ControlY),
        *(Keys.Up, Keys.Down, Keys.Left, Keys.Right, Keys.Home, Keys.End, Keys.Delete, Keys.BackTab),
        *(Keys.ControlLeft, Keys.ControlRight, Keys.ControlDelete),
    }
)
_ENDS: Final = frozenset({Keys.ControlC, Keys.ControlD, Keys.ControlJ, Keys.ControlM})
_WITH_ALT: Final = frozenset("bfd.<>lucy\x7f\x08")
_PASTE: Final = b"\x1b[200~"
_PASTE_END: Final = b"\x1b[201~"
_SEQUENCE: Final = re.compile(rb"\x1b(?:\[[0-?]{0,24}[ -/]{0,4}[@-~]|O[ -~]|[^\[O\x1b])")
_BEGUN: Final = re.compile(rb"\x1b(?:\[[0-?]{0,24}[ -/]{0,4}|O)?\Z")


class ChannelInput(Input):
    """The library's input, fed by `feed`."""

    def __init__(self, took: Callable[[bytes], None]) -> None:
        """`took` hears of the bytes that were read as keys, for the recording. Nothing is read while `line_is_over` says so."""
        self._took = took
        self._data = b""
        self._ready: Callable[[], None] | None = None
        self._skips_paste = False
        self._ended = False
        self.line_is_over: Callable[[], bool] = lambda: False

    def feed(self, data: bytes) -> None:
        """Bytes from the terminal."""
        self._data += data
        self._tell()

    def end(self) -> None:
        """No more will come: what stands there is read, and then the line is given up, whoever begins to read it."""
        self._ended = True
        self._tell()

    @property
    def over(self) -> bool:
        """Whether nothing is left to read, and nothing will come."""
        return self._ended and not self._data

    def take(self) -> bytes:
        """What was not read as keys: it is for the program that is started now."""
        data, self._data = self._data, b""
        return data

    # --- what the library asks

    def read_keys(self) -> list[KeyPress]:
        """The keys so far, up to one that may end the line."""
        return self._read(flush=False)

    def flush_keys(self) -> list[KeyPress]:
        """Nothing came for a moment: an escape that goes nowhere is dropped."""
        return self._read(flush=True)

    def fileno(self) -> int:
        """There is none."""
        raise UnsupportedOperation("a channel has no file descriptor")

    def typeahead_hash(self) -> str:
        """Nobody else's."""
        return f"channel-{id(self)}"

    @property
    def closed(self) -> bool:
        """Never: who closes the channel ends the task that reads."""
        return False

    def raw_mode(self) -> AbstractContextManager[None]:
        """The client's terminal is raw already."""
        return nullcontext()

    def cooked_mode(self) -> AbstractContextManager[None]:
        """It stays raw."""
        return nullcontext()

    @contextmanager
    def attach(self, input_ready_callback: Callable[[], None]) -> Iterator[None]:
        """Call this when there are bytes."""
        before, self._ready = self._ready, input_ready_callback
        self._again()
        try:
            yield
        finally:
            self._ready = before

    @contextmanager
    def detach(self) -> Iterator[None]:
        """Call nobody."""
        before, self._ready = self._ready, None
        try:
            yield
        finally:
            self._ready = before
            self._again()

    # --- reading

    def _again(self) -> None:
        if (self._data or self._ended) and self._ready is not None:
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        # What follows the end of a line stays bytes until somebody reads again.
        if (self._data or self._ended) and self._ready is not None and not self.line_is_over():
            self._ready()

    def _read(self, *, flush: bool) -> list[KeyPress]:
        keys: list[KeyPress] = []
        data, at = self._data, 0
        while at < len(data):
            read = self._one(data, at, keys)
            if read == 0 and not flush and not self._ended:
                break
            # What is not complete after a moment is not going to be: one byte of it is dropped.
            at += read or 1
            if keys and keys[-1].key in _ENDS:
                break
        self._data = data[at:]
        if at:
            self._took(data[:at])
        if keys and keys[-1].key in _ENDS:
            self._again()
        elif self.over:
            keys.append(KeyPress(Keys.ControlC, "\x03"))
        return keys

    def _one(self, data: bytes, at: int, keys: list[KeyPress]) -> int:
        """Read one key at an offset; how many bytes it has, 0 when it is not complete."""
        if self._skips_paste or data.startswith(_PASTE, at):
            return self._paste(data, at, keys)
        byte = data[at]
        if byte == 0x1B:
            return self._escape(data, at, keys)
        if byte < 0x20 or byte == 0x7F:
            key = ANSI_SEQUENCES.get(chr(byte))
            if isinstance(key, Keys) and key in _ALLOWED:
                keys.append(KeyPress(key, chr(byte)))
            return 1
        size = 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        piece = data[at : at + size]
        if len(piece) < size:
            return 0
        try:
            text = piece.decode()
        except UnicodeDecodeError:
            return 1
        if text.isprintable():
            keys.append(KeyPress(text, text))
        return size

    def _escape(self, data: bytes, at: int, keys: list[KeyPress]) -> int:
        found = _SEQUENCE.match(data, at)
        if found is None:
            return 0 if _BEGUN.match(data, at) else 1
        text = found.group().decode("latin-1")
        key = ANSI_SEQUENCES.get(text)
        if isinstance(key, Keys) and key in _ALLOWED:
            keys.append(KeyPress(key, text))
        elif len(text) == 2 and text[1] in _WITH_ALT:
            keys.append(KeyPress(Keys.Escape, "\x1b"))
            after = ANSI_SEQUENCES.get(text[1])
            keys.append(KeyPress(after if isinstance(after, Keys) else text[1], text[1]))
        return len(text)

    def _paste(self, data: bytes, at: int, keys: list[KeyPress]) -> int:
        begin = at if self._skips_paste else at + len(_PASTE)
        end = data.find(_PASTE_END, begin)
        if end < 0:
            if len(data) - begin <= LONGEST:
                return 0
            # Longer than any line may be: all of it is dropped, to its end.
            self._skips_paste = True
            return len(data) - at - len(_PASTE_END)
        if not self._skips_paste and end - begin <= LONGEST:
            text = data[begin:end].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
            keys.append(KeyPress(Keys.BracketedPaste, "".join(c for c in text if c.isprintable() or c in "\n\t")))
        self._skips_paste = False
        return end + len(_PASTE_END) - at
