"""One channel of a recording as a tape: what its terminal was shown and when, to be wound to any moment.

Winding forward feeds a screen; winding back begins at the latest kept screen before. Long pauses can be cut short, and then
all moments are those of the shortened tape.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from interpose.recording.channel_frames import StreamName
from interpose.recording.terminal.screen import Screen
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelOpened,
    Noted,
    Resized,
    Streamed,
    StreamOmitted,
    TimelineEvent,
)

KEEP_EVERY = 1 << 20
"""Bytes shown after which a screen is kept to wind back to."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Bytes that the terminal got; `at` is seconds on the tape."""

    at: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Sized:
    """The terminal has this size from here on."""

    at: float
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Missing:
    """Bytes are missing here."""

    at: float
    count: int


@dataclass(frozen=True, slots=True)
class Said:
    """Something that the gateway said or did."""

    at: float
    text: str


Moment = Shown | Sized | Missing | Said


def terminal_channels(events: Iterable[TimelineEvent]) -> Iterator[tuple[int, bool]]:
    """Channels with streams in order of their begin, and whether they have a terminal, as soon as that is known; once each."""
    opened: set[int] = set()
    for event in events:
        if isinstance(event, ChannelOpened) and event.channel not in opened:
            opened.add(event.channel)
            yield event.channel, bool(event.term)


class Cut:
    """Turns a channel's events into moments of a tape that begins with the channel and has no pause longer than `idle_limit`."""

    def __init__(self, channel: int, idle_limit: float | None = None) -> None:
        """`idle_limit` in seconds; None keeps pauses."""
        self.channel = channel
        self.term = ""
        self.kind = ""
        self.status: int | None = None
        self.began: float | None = None
        """Seconds since the session opened at which the channel begins; None while it has not."""
        self._limit = idle_limit
        self._before = 0.0
        self._at = 0.0

    def moment(self, event: TimelineEvent) -> Moment | None:
        """The event as a moment; None when it is of another channel or says nothing to a terminal."""
        if isinstance(event, Noted):
            return None if self.began is None else Said(self._time(event.at), f"{event.kind}: {event.text}")
        if not isinstance(event, ChannelOpened | ChannelClosed | Streamed | Resized | StreamOmitted):
            return None
        if event.channel != self.channel:
            return None
        at = self._time(event.at)
        match event:
            case ChannelOpened():
                self.term, self.kind = event.term, event.kind
            case ChannelClosed():
                self.status = event.status
            case Streamed() if event.stream is not StreamName.STDIN:
                return Shown(at, event.data)
            case Resized():
                return Sized(at, event.columns, event.rows)
            case StreamOmitted() if event.stream is not StreamName.STDIN:
                return Missing(at, event.count)
            case _:
                pass
        return None

    @property
    def now(self) -> float:
        """Seconds on the tape of the channel's last event."""
        return self._at

    def _time(self, at: float) -> float:
        if self.began is None:
            self.began = self._before = at
        pause = max(0.0, at - self._before)
        self._at += pause if self._limit is None else min(pause, self._limit)
        self._before = max(at, self._before)
        return self._at


class Tape:
    """Moments that have come so far, and a screen at one of them."""

    def __init__(self, *, terminal: bool = True) -> None:
        """Empty. Without a terminal a line feed alone begins a new line."""
        self._moments: list[Moment] = []
        self._times: list[float] = []
        self._next = 0
        self._fed = 0
        self.screen = Screen(newline_returns=not terminal)
        self._kept: list[tuple[int, Screen]] = [(0, copy.deepcopy(self.screen))]
        self.said = ""
        """What the gateway said last."""

    def add(self, moment: Moment) -> None:
        """The tape is longer by this; moments come in order of time."""
        self._moments.append(moment)
        self._times.append(moment.at)

    @property
    def length(self) -> float:
        """Seconds, as far as it has come."""
        return self._times[-1] if self._times else 0.0

    @property
    def next_at(self) -> float | None:
        """When the next moment is that the screen has not seen; None at the end."""
        return self._times[self._next] if self._next < len(self._times) else None

    def wind(self, to: float, most: int | None = None) -> bool:
        """Bring the screen to this moment, or some way towards it when more than `most` bytes are on the way.

        Answers whether it is there.
        """
        target = bisect_right(self._times, to)
        if target < self._next:
            number, screen = next(kept for kept in reversed(self._kept) if kept[0] <= target)
            self._next, self.screen, self._fed, self.said = number, copy.deepcopy(screen), 0, ""
        fed = 0
        while self._next < target:
            if most is not None and fed >= most:
                return False
            moment = self._moments[self._next]
            self._next += 1
            match moment:
                case Shown():
                    self.screen.feed(moment.data)
                    fed += len(moment.data)
                    self._fed += len(moment.data)
                case Sized():
                    self.screen.resize(moment.columns, moment.rows)
                case Missing():
                    self.screen.gap()
                    self.said = f"{moment.count} bytes were not recorded here"
                case Said():
                    self.said = moment.text
            if self._fed >= KEEP_EVERY and self._next > self._kept[-1][0]:
                self._kept.append((self._next, copy.deepcopy(self.screen)))
                self._fed = 0
        return True
