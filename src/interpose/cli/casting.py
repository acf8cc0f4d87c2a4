"""The forms in which `interpose sessions export` prints a recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from interpose.model.errors import ClientError
from interpose.recording.asciicast import asciicast
from interpose.recording.export import recording_jsonl
from interpose.recording.sanitize import sanitize
from interpose.recording.terminal.reading import TerminalReader
from interpose.recording.timeline import ChannelOpened, TimelineEvent


class Form(Enum):
    """What `--format` takes."""

    JSONL = "jsonl"
    ASCIICAST_V2 = "asciicast-v2"
    ASCIICAST_V3 = "asciicast-v3"
    TEXT = "text"


def exported(
    events: Iterable[TimelineEvent], form: Form, channel: int | None, *, typed: bool, idle_limit: float | None
) -> Iterator[bytes]:
    """The recording in this form; raises `ClientError` when there is no such channel."""
    if form is Form.JSONL:
        yield from recording_jsonl(events)
        return
    if form is Form.TEXT:
        yield from as_text(events, channel)
        return
    # A cast is of one channel, and which one is known only when the first has come.
    rest = iter(events)
    before: list[TimelineEvent] = []
    for event in rest:
        before.append(event)
        if isinstance(event, ChannelOpened) and channel in (None, event.channel):
            version = 2 if form is Form.ASCIICAST_V2 else 3
            yield from asciicast(
                _both(before, rest), event.channel, version=version, typed=typed, idle_limit=idle_limit
            )
            return
    which = "channel with streams" if channel is None else f"channel {channel}"
    raise ClientError(f"there is no {which} in this recording", hint="`--format jsonl` exports what is there")


def as_text(events: Iterable[TimelineEvent], channel: int | None) -> Iterator[bytes]:
    """What channels showed, line by line as it left the screen; command lines that were detected stand before, marked as such."""
    reader = TerminalReader()
    for event in events:
        for line in reader.event(event):
            if channel in (None, line.channel):
                mark = "# detected command: " if line.detected else ""
                yield f"{mark}{sanitize(line.text, lines=True)}\n".encode()
    for line in reader.finish():
        if channel in (None, line.channel):
            yield f"{sanitize(line.text, lines=True)}\n".encode()


def _both(before: list[TimelineEvent], rest: Iterator[TimelineEvent]) -> Iterator[TimelineEvent]:
    yield from before
    before.clear()
    yield from rest
