"""One channel of a recording as an asciicast, version 2 or 3 (docs.asciinema.org/manual/asciicast).

Output is made harmless first: players write it into a terminal as it is. The bytes as they were are in the export as JSON lines.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from interpose.recording.channel_frames import StreamName
from interpose.recording.sanitize import sanitize
from interpose.recording.terminal.harmless import HarmlessStream
from interpose.recording.terminal.screen import DEFAULT_SIZE, MOST_COLUMNS, MOST_ROWS
from interpose.recording.terminal.tape import Cut, Missing, Moment, Said, Shown, Sized
from interpose.recording.timeline import SessionOpened, Streamed, TimelineEvent

MEDIA_TYPE: Final = "application/x-asciicast"


def asciicast(
    events: Iterable[TimelineEvent], channel: int, *, version: int, typed: bool = False, idle_limit: float | None = None
) -> Iterator[bytes]:
    """The lines of an asciicast, header first, each with its line end; nothing when the channel is not in the recording.

    `typed` adds what was typed, passwords among it. Exit statuses are told in version 3, which alone has a place for them.
    """
    writer = _Writer(channel, version, typed, idle_limit)
    for event in events:
        yield from writer.event(event)
    yield from writer.finish()


class _Writer:
    def __init__(self, channel: int, version: int, typed: bool, idle_limit: float | None) -> None:
        self._version = version
        self._typed = typed
        self._cut = Cut(channel, idle_limit)
        self._stream = HarmlessStream()
        self._keys = codecs.getincrementaldecoder("utf-8")("replace")
        self._opened: SessionOpened | None = None
        self._size: tuple[int, int] | None = None
        self._begun = False
        self._before = 0

    def event(self, event: TimelineEvent) -> Iterator[bytes]:
        if isinstance(event, SessionOpened):
            self._opened = event
        moment = self._cut.moment(event)
        if moment is not None:
            yield from self._moment(moment)
        if (
            self._typed
            and isinstance(event, Streamed)
            and event.channel == self._cut.channel
            and event.stream is StreamName.STDIN
        ):
            yield from self._line(self._cut.now, "i", self._keys.decode(event.data))

    def finish(self) -> Iterator[bytes]:
        if self._cut.began is None:
            return
        if not self._begun:
            yield self._header()
        yield from self._line(self._cut.now, "o", self._text(self._stream.finish()))
        if self._version >= 3 and self._cut.status is not None:
            yield from self._line(self._cut.now, "x", str(self._cut.status))

    def _moment(self, moment: Moment) -> Iterator[bytes]:
        match moment:
            case Sized():
                size = (min(moment.columns, MOST_COLUMNS) or 80, min(moment.rows, MOST_ROWS) or 24)
                if self._begun and size != self._size:
                    yield from self._line(moment.at, "r", f"{size[0]}x{size[1]}")
                self._size = size
            case Shown():
                yield from self._line(moment.at, "o", self._text(self._stream.feed(moment.data)))
            case Missing():
                yield from self._line(moment.at, "o", self._text(self._stream.finish()))
                yield from self._line(moment.at, "m", f"{moment.count} bytes were not recorded here")
            case Said():
                yield from self._line(moment.at, "m", sanitize(moment.text))

    def _text(self, text: str) -> str:
        """Without a terminal nothing returned the carriage."""
        return text if self._cut.term or self._size is not None else text.replace("\n", "\r\n")

    def _header(self) -> bytes:
        self._begun = True
        columns, rows = self._size or DEFAULT_SIZE
        term = {"TERM": sanitize(self._cut.term)} if self._cut.term else {}
        header: dict[str, object] = {"version": self._version}
        if self._version >= 3:
            header["term"] = {"cols": columns, "rows": rows, **({"type": term["TERM"]} if term else {})}
        else:
            header |= {"width": columns, "height": rows}
            if term:
                header["env"] = term
        if self._opened is not None:
            who = self._opened.header
            header["timestamp"] = int(who.opened_at / 1e6 + (self._cut.began or 0.0))
            header["title"] = sanitize(f"{who.session}: {who.principal} on {who.connection}, {self._cut.kind}")
        return msgspec.json.encode(header) + b"\n"

    def _line(self, at: float, code: str, text: str) -> Iterator[bytes]:
        """Times are rounded on the tape and not between events, so that they do not drift."""
        if not text:
            return
        if not self._begun:
            yield self._header()
        micros = max(round(at * 1_000_000), self._before)
        time = micros - self._before if self._version >= 3 else micros
        self._before = micros
        yield msgspec.json.encode([time / 1_000_000, code, text]) + b"\n"
