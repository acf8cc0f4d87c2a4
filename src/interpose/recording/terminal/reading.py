"""Reads all channels of a recording at once: lines that were shown, command lines that were detected, rows as they change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from interpose.recording.channel_frames import StreamName
from interpose.recording.terminal.command_lines import CommandLines
from interpose.recording.terminal.screen import Screen
from interpose.recording.terminal.transcript import Transcript
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelOpened,
    Resized,
    Streamed,
    StreamOmitted,
    TimelineEvent,
)

MOST_CHANNELS = 64
"""Channels that are read at a time; the oldest is given up for a new one."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text. `detected` says that it is a command line, as far as could be seen."""

    at: float
    sequence: int
    channel: int
    text: str
    detected: bool = False


class _Channel:
    def __init__(self, opened: ChannelOpened) -> None:
        self.sequence = opened.sequence
        self.screen = Screen(newline_returns=not opened.term)
        self.transcript = Transcript(self.screen)
        self.commands = CommandLines(self.screen) if opened.term else None


class TerminalReader:
    """Tells lines as they are completed. With `rows`, also each row of a screen whenever it is seen changed: for search."""

    def __init__(self, *, rows: bool = False) -> None:
        """For one recording, from its begin."""
        self._rows = rows
        self._channels: dict[int, _Channel] = {}
        self._at = 0.0

    def event(self, event: TimelineEvent) -> Iterator[Line]:
        """What this event completes."""
        self._at = event.at
        if isinstance(event, ChannelOpened):
            yield from self._finish(event.channel)
            if len(self._channels) >= MOST_CHANNELS:
                yield from self._finish(next(iter(self._channels)))
            self._channels[event.channel] = _Channel(event)
        elif isinstance(event, ChannelClosed):
            yield from self._finish(event.channel)
        elif isinstance(event, Streamed | Resized | StreamOmitted):
            known = self._channels.get(event.channel)
            if known is not None:
                self._apply(known, event)
                yield from self._lines(event.channel, known)

    def finish(self) -> Iterator[Line]:
        """The rest, at the recording's end."""
        for number in list(self._channels):
            yield from self._finish(number)

    @staticmethod
    def _apply(known: _Channel, event: Streamed | Resized | StreamOmitted) -> None:
        if isinstance(event, Resized):
            known.screen.resize(event.columns, event.rows)
        elif isinstance(event, StreamOmitted):
            known.screen.gap()
        elif event.stream is not StreamName.STDIN:
            known.screen.feed(event.data)
        elif known.commands is not None:
            known.commands.typed(event.data)

    def _lines(self, number: int, known: _Channel) -> Iterator[Line]:
        for text in known.commands.take() if known.commands is not None else ():
            yield Line(self._at, known.sequence, number, text, detected=True)
        for text in known.transcript.take():
            yield Line(self._at, known.sequence, number, text)
        for text in known.screen.take_changed() if self._rows else ():
            yield Line(self._at, known.sequence, number, text)

    def _finish(self, number: int) -> Iterator[Line]:
        known = self._channels.pop(number, None)
        if known is not None:
            for text in known.transcript.finish():
                yield Line(self._at, known.sequence, number, text)
