"""How much of a channel's streams is kept, and what was not and has still to be said.

A command's streams are kept up to a cap each, as results are. A terminal may live for days, and what happens late in it must not
go unrecorded because much was shown early: its cap is per hour and fills up again all the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from interpose.recording.channel_frames import StreamName
from interpose.recording.frames import OVERHEAD

_HOUR: Final = 3600 * 10**9
_RESUME: Final = 64
"""After a gap, recording goes on when this part of the cap is free again: else a flood would be kept in crumbs."""


@dataclass(slots=True)
class _Stream:
    room: float
    at: int
    omitted: int = 0
    gap: bool = False


@dataclass(slots=True)
class _Channel:
    sequence: int
    terminal: bool
    streams: dict[StreamName, _Stream] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes of one stream that were not kept."""

    sequence: int
    channel: int
    stream: StreamName
    count: int


class StreamCaps:
    """The budgets of all open channels of one session. Times are monotonic nanoseconds."""

    __slots__ = ("_cap", "_channels", "_terminal_cap", "gaps")

    def __init__(self, cap: int, terminal_cap: int) -> None:
        """`cap` is bytes per stream of a command, `terminal_cap` bytes per stream of a terminal and hour; frames count in full."""
        self._cap = cap
        self._terminal_cap = terminal_cap
        self._channels: dict[int, _Channel] = {}
        self.gaps = False
        """Whether something was omitted that `take_gaps` has not told."""

    def opened(self, channel: int, sequence: int, *, terminal: bool) -> None:
        """A channel begins, for the command with this sequence."""
        self._channels[channel] = _Channel(sequence, terminal)

    def closed(self, channel: int) -> int:
        """A channel is over; answers its sequence. Tell its gaps before."""
        known = self._channels.pop(channel, None)
        return 0 if known is None else known.sequence

    def sequence(self, channel: int) -> int:
        """Of the command that opened the channel; 0 when it was not opened."""
        known = self._channels.get(channel)
        return 0 if known is None else known.sequence

    def keep(self, channel: int, stream: StreamName, count: int, now: int) -> int:
        """How many of `count` bytes to keep; the rest is a gap."""
        known = self._channels.get(channel)
        if known is None:
            known = self._channels[channel] = _Channel(0, terminal=False)
        cap = self._terminal_cap if known.terminal else self._cap
        budget = known.streams.get(stream)
        if budget is None:
            budget = known.streams[stream] = _Stream(cap, now)
        if known.terminal:
            budget.room = min(cap, budget.room + (now - budget.at) * cap / _HOUR)
            budget.at = now
        kept = max(0, min(count, int(budget.room) - OVERHEAD))
        if budget.gap and (not known.terminal or budget.room < cap / _RESUME):
            kept = 0
        if kept:
            budget.room -= kept + OVERHEAD
        budget.gap = kept < count
        if budget.gap:
            budget.omitted += count - kept
            self.gaps = True
        return kept

    def take_gaps(self) -> list[Gap]:
        """What was omitted since the last call."""
        self.gaps = False
        found: list[Gap] = []
        for number, channel in self._channels.items():
            for name, stream in channel.streams.items():
                if stream.omitted:
                    found.append(Gap(channel.sequence, number, name, stream.omitted))
                    stream.omitted = 0
        return found
