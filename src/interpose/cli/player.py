"""Playing a terminal's recording in the viewer's terminal, with keys; and following one that still lives.

Everything is drawn from a screen model: no byte of the recording reaches the viewer's terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Final

from interpose.cli.viewer import Viewer
from interpose.model.errors import ClientError
from interpose.recording.sanitize import sanitize
from interpose.recording.terminal.tape import Cut, Moment, Tape
from interpose.recording.timeline import TimelineEvent

STEP: Final = 5.0
"""Seconds that an arrow key winds."""
_FRAME: Final = 1 / 30
_AT_ONCE: Final = 256 * 1024
_SPEEDS: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """`speed` 2 is twice as fast; times in seconds on the tape."""

    speed: float = 1.0
    begin: float = 0.0
    end: float | None = None


def moments(events: Iterable[TimelineEvent], cut: Cut) -> Iterator[Moment]:
    """What a channel's terminal was shown."""
    for event in events:
        moment = cut.moment(event)
        if moment is not None:
            yield moment


class Player:
    """Plays one tape. Knows no terminal: it is asked what to draw, and told of keys and of time."""

    def __init__(self, tape: Tape, options: PlayOptions, title: str) -> None:
        """Begins at `begin`."""
        self._tape = tape
        self._title = title
        self.end = tape.length if options.end is None else min(options.end, tape.length)
        self.at = min(max(0.0, options.begin), self.end)
        self.speed = options.speed
        self.paused = False
        self.quit = False

    def key(self, key: str) -> None:
        """A key was pressed."""
        match key:
            case "q":
                self.quit = True
            case " ":
                self.paused = not self.paused
                if not self.paused and self.at >= self.end:
                    self.at = 0.0
            case "right":
                self.at = min(self.end, self.at + STEP)
            case "left":
                self.at = max(0.0, self.at - STEP)
            case "+" | "=":
                self.speed = next((speed for speed in _SPEEDS if speed > self.speed), self.speed)
            case "-":
                self.speed = next((speed for speed in reversed(_SPEEDS) if speed < self.speed), self.speed)

    def tick(self, seconds: float) -> None:
        """So much time has passed."""
        if not self.paused:
            self.at = min(self.end, self.at + seconds * self.speed)
            if self.at >= self.end:
                self.paused = True

    def wind(self) -> bool:
        """Bring the screen on its way; answers whether it shows the present moment."""
        return self._tape.wind(self.at, _AT_ONCE)

    @property
    def pause(self) -> float:
        """Seconds until something can change without a key, at most one."""
        upcoming = self._tape.next_at
        if self.paused or upcoming is None:
            return 1.0
        return min(1.0, max(_FRAME, (upcoming - self.at) / self.speed))

    @property
    def status(self) -> str:
        """The line below the screen."""
        state = "paused" if self.paused else f"{self.speed:g}x"
        said = f"  {self._tape.said}" if self._tape.said else ""
        return sanitize(f" {_clock(self.at)}/{_clock(self.end)} {state}  {self._title}{said}  [space ←→ +- q]")


def play(
    viewer: Viewer, tape: Tape, events: Iterable[TimelineEvent], cut: Cut, options: PlayOptions, title: str
) -> None:
    """Play onto an empty tape, to the end or until `q`; at the end it stands until a key."""
    for moment in moments(events, cut):
        tape.add(moment)
    if cut.began is None:
        raise ClientError(f"there is no channel {cut.channel} in this recording")
    player = Player(tape, options, title)
    before = time.monotonic()
    while not player.quit:
        there = player.wind()
        viewer.draw(tape.screen, player.status)
        for key in viewer.keys(player.pause if there else 0.0):
            player.key(key)
        now = time.monotonic()
        if there:
            player.tick(now - before)
        before = now


def watch(
    viewer: Viewer, tape: Tape, events: Callable[[], Iterable[TimelineEvent]], cut: Cut, title: str
) -> BaseException | None:
    """Follow a living session until it is over or `q`; answers what went wrong, if anything did."""
    over = _Reading()

    def read() -> None:
        try:
            for moment in moments(events(), cut):
                tape.add(moment)
        except Exception as error:  # noqa: BLE001 -- told to the viewer's thread, which raises it
            over.failed = error
        over.done = True

    Thread(target=read, daemon=True, name="watch").start()
    while True:
        there = tape.wind(tape.length, _AT_ONCE)
        state = "over, q leaves" if over.done else "live, q leaves"
        viewer.draw(tape.screen, sanitize(f" {state}  {title}  {tape.said}"))
        if "q" in viewer.keys(0.05 if there else 0.0) or over.failed is not None:
            return over.failed


@dataclass(slots=True)
class _Reading:
    done: bool = False
    failed: BaseException | None = None


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
