r"""Masking by content in a stream for people: what a terminal shows, or the lines that a program writes.

Works line by line: a value that is found stands on one line. Escape sequences within a line stay where they are and are not looked at
(`4111\e[31m 1111…` is found); the text of titles and clipboards is searched by itself. Sans-IO: `feed` keeps a line that is not
complete, and who owns the clock calls `pause` when nothing came for a moment, so that prompts and echoes are seen. What was shown by
then is shown: of a value that arrives with a pause within, only the rest is hidden. What moves the cursor to write a value in pieces is
not followed.

Sources: ECMA-48 §5 (control functions); xterm's ctlseqs for OSC, DCS and their ends.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

from interpose.masking.detect import TooMuchToInspect
from interpose.masking.partial import REDACTED
from interpose.model.errors import Unmaskable

if TYPE_CHECKING:
    from interpose.masking.content import ContentScanner

LONGEST_LINE: Final = 1 << 16
"""Bytes of an incomplete line that are kept; of a longer one the beginning is searched and shown."""

OVERLAP: Final = 1 << 10
"""Bytes at the end of what is searched that stay, when a line is longer, so that no value is cut in two; longer values are not found there."""

_TOKEN: Final = re.compile(
    rb"""
    (?P<text>(?:[^\x00-\x08\x0b-\x1f\x7f\xc2]|\xc2(?![\x80-\x9f]))+)                 # text, with tab and line feed
    | (?P<string>(?:\x1b[\]P^_X]|\xc2[\x90\x98\x9d-\x9f]) (?P<payload>[^\x07\x1b]*) (?:\x07|\x1b\\)?)  # OSC, DCS, PM, APC, SOS
    | (?:\x1b\[|\xc2\x9b) [0-?]* [ -/]* [@-~]?                                     # CSI
    | \x1b [ -/]* [0-~]?                                                           # other escapes
    | [\x00-\x1f\x7f] | \xc2[\x80-\x9f]                                          # one control character
    """,
    re.VERBOSE,
)
_LINE_END: Final = re.compile(rb"[\r\n\v\f]+")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
_UNFINISHED: Final = re.compile(rb"\x1b(?:[\]P^_X][^\x07\x1b]*\x1b?|\[[0-?]*[ -/]*|[ -/]*)\Z")


@final
class TerminalMask:
    """One direction of one stream. Not shared; holds at most `LONGEST_LINE` bytes and the line's shown beginning."""

    __slots__ = ("_context", "_kept", "_only_text", "_scanner")

    def __init__(self, scanner: ContentScanner, *, only_text: bool) -> None:
        """`only_text` refuses bytes that are no text, since nothing can be told of them; a terminal shows anything."""
        self._scanner = scanner
        self._only_text = only_text
        self._kept = b""
        self._context = b""

    @property
    def waiting(self) -> bool:
        """Whether something is kept that `pause` would show."""
        return bool(self._kept)

    def feed(self, data: bytes) -> bytes:
        """The next bytes of the stream; answers what may be shown of it by now. Raises `Unmaskable` for what is no text."""
        data = self._kept + data
        if self._plain(data):
            at = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
            self._kept = data[at:]
            return data[:at]
        shown: list[bytes] = []
        at = 0
        for line_end in _LINE_END.finditer(data):
            shown.append(self._masked(data[at : line_end.end()]))
            self._context = b""
            at = line_end.end()
        self._kept = data[at:]
        if len(self._kept) > LONGEST_LINE:
            shown.append(self._part_of_a_long_line())
        return b"".join(shown)

    def _plain(self, data: bytes) -> bool:
        """Whether it is seen at one glance that these are whole lines, and a beginning, in which nothing is to be found."""
        return (
            not (self._only_text or self._context or len(data) > LONGEST_LINE)
            and _CONTROL.search(data) is None
            and not self._scanner.may_match(data)
        )

    def pause(self) -> bytes:
        """Nothing came for a moment: what is kept may be shown, but for an escape sequence that is not complete."""
        unfinished = _UNFINISHED.search(self._kept)
        cut = len(self._kept) if unfinished is None else unfinished.start()
        cut -= _incomplete_character(self._kept[:cut])
        return self._show_until(cut)

    def end(self) -> bytes:
        """The stream is over: what is kept."""
        return self._show_until(len(self._kept))

    def _show_until(self, cut: int) -> bytes:
        part, self._kept = self._kept[:cut], self._kept[cut:]
        shown = self._masked(part)
        self._context = (self._context + _text_of(part))[-OVERLAP:]
        return shown

    def _part_of_a_long_line(self) -> bytes:
        unfinished = _UNFINISHED.search(self._kept)
        cut = min(len(self._kept) - OVERLAP, len(self._kept) if unfinished is None else unfinished.start())
        if cut <= 0:
            # An escape sequence without an end: no terminal's program sends one of this length.
            self._kept = b""
            return REDACTED.encode()
        # A value may reach over the cut: then the line is cut before it.
        tokens = list(_TOKEN.finditer(self._kept))
        text, places = self._joined(tokens)
        for start, end, _ in self._found(text):
            first = _place(places, max(start, len(self._context)))
            if first < cut <= _place(places, end - 1):
                cut = first
        return self._show_until(cut or len(self._kept))

    def _joined(self, tokens: list[re.Match[bytes]]) -> tuple[bytes, list[tuple[int, int]]]:
        """The line's text without its escapes, and where in the line each piece of it stands: (offset in text, offset in line)."""
        pieces = [self._context]
        places: list[tuple[int, int]] = []
        length = len(self._context)
        for token in tokens:
            if token.lastgroup == "text":
                places.append((length, token.start()))
                pieces.append(token.group())
                length += len(pieces[-1])
        return b"".join(pieces), places

    def _found(self, text: bytes) -> list[tuple[int, int, str]]:
        try:
            return self._scanner.replacements(text) if self._scanner.may_match(text) else []
        except TooMuchToInspect:
            return [(0, len(text), REDACTED)]

    def _masked(self, line: bytes) -> bytes:
        """A line, or a part of one, as it may be shown."""
        if self._only_text:
            _check_text(line)
        tokens = list(_TOKEN.finditer(line))
        text, _ = self._joined(tokens)
        found = self._found(text)
        if not found and not any(token["string"] for token in tokens):
            return line
        shown: list[bytes] = []
        at = len(self._context)
        for token in tokens:
            if token.lastgroup != "text":
                shown.append(self._control(token))
                continue
            piece = token.group()
            copied = 0
            for start, end, masked in found:
                first, last = max(start - at, copied), min(end - at, len(piece))
                if first >= last:
                    continue
                shown.append(piece[copied:first])
                if start >= at:
                    # Only where the value begins; the pieces behind an escape sequence vanish.
                    shown.append(masked.encode("utf-8", "replace"))
                elif start < len(self._context) and at == len(self._context):
                    # Its beginning was shown before anybody could know.
                    shown.append(REDACTED.encode())
                copied = last
            shown.append(piece[copied:])
            at += len(piece)
        return b"".join(shown)

    def _control(self, token: re.Match[bytes]) -> bytes:
        payload = token["payload"]
        if not payload:
            return token.group()
        try:
            masked = self._scanner.mask_bytes(payload) if self._scanner.may_match(payload) else payload
        except TooMuchToInspect:
            masked = b""
        start, end = (offset - token.start() for offset in token.span("payload"))
        return token.group()[:start] + masked + token.group()[end:]


def _place(places: list[tuple[int, int]], offset: int) -> int:
    """Where in the line the byte of the text at this offset stands."""
    found = 0
    for at, start in places:
        if at > offset:
            break
        found = start + offset - at
    return found


def _text_of(line: bytes) -> bytes:
    return b"".join(token.group() for token in _TOKEN.finditer(line) if token.lastgroup == "text")


def _incomplete_character(data: bytes) -> int:
    """How many bytes at the end begin a UTF-8 character that is not complete."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            return back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else 0
        if byte < 0x80:
            return 0
    return 0


def _check_text(line: bytes) -> None:
    try:
        line.decode()
    except UnicodeDecodeError:
        known = False
    else:
        known = b"\0" not in line
    if not known:
        raise Unmaskable(
            "this output is not text, and some data is hidden from you",
            hint="fetch it as a file, where policy permits that",
        )
