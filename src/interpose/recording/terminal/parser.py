"""Bytes for a terminal, taken apart: text, control characters, escape sequences. ECMA-48, with the ways of xterm.

Control strings (titles, clipboard, hyperlinks, device control, images) are consumed here and nobody sees their content. Every
sequence and string has a longest length, so no stream makes the parser keep more than that.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final

LONGEST_SEQUENCE: Final = 256
"""Characters between CSI and the final byte; a longer sequence is dropped whole."""
LONGEST_STRING: Final = 65_536
"""Characters of a control string; what follows is shown as text, so that an unterminated one hides no more than this."""
MOST_PARAMETERS: Final = 32
_LARGEST: Final = 65_535

_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")
_BODY = re.compile(r"[\x20-\x3f]+")
_STRING = re.compile(r"[^\x07\x0a\x0d\x18\x1a\x1b\x9c]+")
_CSI_BODY = re.compile(r"([<=>?]?)([0-9;:]*)([ -/]*)\Z")
_C1_AS_ESCAPE: Final = {"\x84": "D", "\x85": "E", "\x88": "H", "\x8d": "M"}
_STRINGS: Final = "PX]^_"
_C1_STRINGS: Final = "\x90\x98\x9d\x9e\x9f"
_CANCELS: Final = "\x18\x1a"


@dataclass(frozen=True, slots=True)
class Text:
    """Characters to be shown, without any control."""

    text: str


@dataclass(frozen=True, slots=True)
class Control:
    """A C0 control character other than ESC."""

    character: str


@dataclass(frozen=True, slots=True)
class Escape:
    """ESC, intermediates, final."""

    intermediates: str
    final: str


@dataclass(frozen=True, slots=True)
class ControlSequence:
    """CSI: each parameter has its sub-parameters, None where it was left out; numbers are at most 65535."""

    private: str
    parameters: tuple[tuple[int | None, ...], ...]
    intermediates: str
    final: str

    def number(self, index: int, default: int) -> int:
        """A parameter; `default` when it is left out or 0."""
        return (self.parameters[index][0] if index < len(self.parameters) else None) or default


Item = Text | Control | Escape | ControlSequence


class _State(Enum):
    GROUND = auto()
    ESCAPE = auto()
    SEQUENCE = auto()
    STRING = auto()


class TerminalParser:
    """Feed it bytes, get items. UTF-8; what is none becomes U+FFFD."""

    __slots__ = ("_body", "_decoder", "_length", "_newline_ends", "_state", "_too_long")

    def __init__(self) -> None:
        """In the ground state."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = _State.GROUND
        self._body = ""
        self._length = 0
        self._too_long = False
        self._newline_ends = False

    def feed(self, data: bytes) -> list[Item]:
        """What these bytes complete."""
        return self._take(self._decoder.decode(data))

    def finish(self) -> list[Item]:
        """At the end, or where bytes are missing: an unfinished character is shown, an unfinished sequence dropped."""
        items = self._take(self._decoder.decode(b"", True))
        self._decoder.reset()
        self._state, self._body, self._too_long = _State.GROUND, "", False
        return items

    def _take(self, text: str) -> list[Item]:
        items: list[Item] = []
        at, end = 0, len(text)
        while at < end:
            if self._state is _State.GROUND:
                at = self._ground(text, at, items)
            elif self._state is _State.ESCAPE:
                at = self._escape(text[at], at, items)
            elif self._state is _State.SEQUENCE:
                at = self._sequence(text, at, items)
            else:
                at = self._string(text, at)
        return items

    def _ground(self, text: str, at: int, items: list[Item]) -> int:
        run = _TEXT.match(text, at)
        if run is not None:
            items.append(Text(run.group()))
            return run.end()
        character = text[at]
        if character == "\x1b":
            self._begin(_State.ESCAPE)
        elif character == "\x9b":
            self._begin(_State.SEQUENCE)
        elif character in _C1_STRINGS:
            self._begin_string(character == "\x9d")
        elif character in _C1_AS_ESCAPE:
            items.append(Escape("", _C1_AS_ESCAPE[character]))
        elif character < " ":
            items.append(Control(character))
        return at + 1

    def _escape(self, character: str, at: int, items: list[Item]) -> int:
        if character < " ":
            self._control(character, items)
        elif character < "0":
            self._body = (self._body + character)[:3]
        elif character >= "\x7f":
            self._state = _State.GROUND
            return at if character > "\x7f" else at + 1
        elif not self._body and character == "[":
            self._begin(_State.SEQUENCE)
        elif not self._body and character in _STRINGS:
            self._begin_string(character == "]")
        else:
            self._state = _State.GROUND
            items.append(Escape(self._body, character))
        return at + 1

    def _sequence(self, text: str, at: int, items: list[Item]) -> int:
        run = _BODY.match(text, at)
        if run is not None:
            if len(self._body) + len(run.group()) > LONGEST_SEQUENCE:
                self._too_long = True
            if not self._too_long:
                self._body += run.group()
            return run.end()
        character = text[at]
        if character < " ":
            self._control(character, items)
        elif character > "\x7e":
            self._state = _State.GROUND
            return at if character > "\x7f" else at + 1
        else:
            self._state = _State.GROUND
            sequence = None if self._too_long else _control_sequence(self._body, character)
            if sequence is not None:
                items.append(sequence)
        return at + 1

    def _string(self, text: str, at: int) -> int:
        run = _STRING.match(text, at)
        if run is not None:
            taken = min(run.end() - at, LONGEST_STRING - self._length)
            self._length += taken
            if self._length >= LONGEST_STRING:
                self._state = _State.GROUND
            return at + taken
        character = text[at]
        if character == "\x1b":
            self._begin(_State.ESCAPE)
        elif character not in "\n\r":
            self._state = _State.GROUND
        elif self._newline_ends:
            self._state = _State.GROUND
            return at
        else:
            self._length += 1
            if self._length >= LONGEST_STRING:
                self._state = _State.GROUND
        return at + 1

    def _control(self, character: str, items: list[Item]) -> None:
        """A control character within a sequence."""
        if character == "\x1b":
            self._begin(_State.ESCAPE)
        elif character in _CANCELS:
            self._state = _State.GROUND
        else:
            items.append(Control(character))

    def _begin(self, state: _State) -> None:
        self._state, self._body, self._too_long = state, "", False

    def _begin_string(self, is_command: bool) -> None:
        self._state, self._length, self._newline_ends = _State.STRING, 0, is_command


@lru_cache(maxsize=4096)
def _control_sequence(body: str, final: str) -> ControlSequence | None:
    parts = _CSI_BODY.match(body)
    if parts is None:
        return None
    private, numbers, intermediates = parts.groups()
    parameters = tuple(
        tuple(min(int(part[:6]), _LARGEST) if part else None for part in group.split(":"))
        for group in numbers.split(";")[:MOST_PARAMETERS]
    )
    return ControlSequence(private, parameters if numbers else (), intermediates, final)
