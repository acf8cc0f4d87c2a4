"""Searching recordings: which commands in a timeline match, and which lines of its terminals. Streams; knows no folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from interpose.recording.header import RecordingHeader
from interpose.recording.terminal.reading import Line, TerminalReader
from interpose.recording.timeline import CommandDecided, SessionOpened, TimelineEvent


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to look for; what is None is not asked. Texts are compared without regard to case.

    `text` must be in the command's text, in a line that a stream showed or in a command line that was detected; `principal` in the principal's label; `connection` and `decision` must be
    equal. `since` and `until` are wall-clock seconds of the command.
    """

    text: str | None = None
    principal: str | None = None
    connection: str | None = None
    decision: str | None = None
    since: float | None = None
    until: float | None = None

    def admits(self, header: RecordingHeader) -> bool:
        """Whether a session can hold a hit: so that others need not be read to their end."""
        if self.principal is not None and self.principal.casefold() not in header.principal.casefold():
            return False
        if self.connection is not None and self.connection.casefold() != header.connection.casefold():
            return False
        return self.until is None or header.opened_at / 1e6 <= self.until


@unique
class HitKind(Enum):
    """What matched: a command that was decided, a command line that was detected on a terminal (an aid, not enforced), a line shown."""

    COMMAND = "command"
    DETECTED = "detected"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One match; `wall` is when, in wall-clock seconds. `decision` is empty but for commands."""

    header: RecordingHeader
    kind: HitKind
    sequence: int
    text: str
    decision: str
    wall: float


MOST_OUTPUT: Final = 100
"""Lines shown that one recording answers: a program may show the same again and again."""


class _Lines:
    """Lines of a recording's streams that hold the text, each once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._reader = TerminalReader(rows=True)
        self._seen: set[str] = set()

    def event(self, event: TimelineEvent) -> Iterator[Line]:
        yield from self._matching(self._reader.event(event))

    def finish(self) -> Iterator[Line]:
        yield from self._matching(self._reader.finish())

    def _matching(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            if line.detected:
                if self._text in line.text.casefold():
                    yield line
            elif len(self._seen) < MOST_OUTPUT and self._text in line.text.casefold() and line.text not in self._seen:
                self._seen.add(line.text)
                yield line


def search(events: Iterable[TimelineEvent], query: SearchQuery) -> Iterator[SearchHit]:
    """What matches in one timeline, in order."""
    header: RecordingHeader | None = None
    text = query.text.casefold() if query.text is not None else None
    lines = _Lines(text) if text and query.decision is None else None
    for event in events:
        if isinstance(event, SessionOpened):
            header = event.header
            if not query.admits(header):
                return
        elif isinstance(event, CommandDecided) and header is not None:
            wall = header.opened_at / 1e6 + event.at
            if query.until is not None and wall > query.until:
                return
            if (
                (query.since is None or wall >= query.since)
                and (query.decision is None or query.decision.casefold() == event.decision.casefold())
                and (text is None or text in event.text.casefold())
            ):
                yield SearchHit(header, HitKind.COMMAND, event.sequence, event.text, event.decision, wall)
        if lines is not None and header is not None:
            yield from _hits(header, lines.event(event), query)
    if lines is not None and header is not None:
        yield from _hits(header, lines.finish(), query)


def _hits(header: RecordingHeader, lines: Iterable[Line], query: SearchQuery) -> Iterator[SearchHit]:
    for line in lines:
        wall = header.opened_at / 1e6 + line.at
        if (query.until is None or wall <= query.until) and (query.since is None or wall >= query.since):
            kind = HitKind.DETECTED if line.detected else HitKind.OUTPUT
            yield SearchHit(header, kind, line.sequence, line.text, "", wall)
