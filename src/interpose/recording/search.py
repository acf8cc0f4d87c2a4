"""Searching recordings: which commands in a timeline match. Streams; knows no folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from interpose.recording.header import RecordingHeader
from interpose.recording.timeline import CommandDecided, SessionOpened, TimelineEvent


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to look for; what is None is not asked. Texts are compared without regard to case.

    `text` must be in the command's text, `principal` in the principal's label; `connection` and `decision` must be
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


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One command that matches; `wall` is when, in wall-clock seconds."""

    header: RecordingHeader
    command: CommandDecided
    wall: float


def search(events: Iterable[TimelineEvent], query: SearchQuery) -> Iterator[SearchHit]:
    """The commands of one timeline that match, in order."""
    header: RecordingHeader | None = None
    text = query.text.casefold() if query.text is not None else None
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
                yield SearchHit(header, event, wall)
