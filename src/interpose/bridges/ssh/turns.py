"""Turns: only so many do something at once, and the rest wait in order, one of each kind after the other.

Knows nothing of what is done, or by whom.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque


class Turn:
    """A turn that was taken; end it."""

    __slots__ = ("_over", "_turns")

    def __init__(self, turns: Turns) -> None:
        """Made by `Turns.take`."""
        self._turns = turns
        self._over = False

    def end(self) -> None:
        """Let the next one begin. Idempotent."""
        if not self._over:
            self._over = True
            self._turns._ended()


class Turns:
    """At most `most` turns at once. Each kind has a line of its own, and the lines are served by rotation: a crowd delays nobody but itself."""

    __slots__ = ("_lines", "_most", "_running")

    def __init__(self, most: int) -> None:
        """Nobody waits."""
        self._most = most
        self._running = 0
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(line) for line in self._lines.values())

    @property
    def idle(self) -> bool:
        """Whether nobody has a turn or waits for one."""
        return not self._running and not self._lines

    async def take(self, kind: str) -> Turn:
        """Wait for a turn. Who is cancelled has none."""
        if self._running < self._most and not self._lines:
            self._running += 1
            return Turn(self)
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(kind, deque()).append(given)
        try:
            await given
        except asyncio.CancelledError:
            if given.cancelled():
                self._forget(kind, given)
            else:
                # It was given at this very moment.
                self._ended()
            raise
        return Turn(self)

    def _forget(self, kind: str, given: asyncio.Future[None]) -> None:
        line = self._lines.get(kind)
        if line is not None and given in line:
            line.remove(given)
            if not line:
                del self._lines[kind]

    def _ended(self) -> None:
        self._running -= 1
        while self._lines and self._running < self._most:
            kind, line = self._lines.popitem(last=False)
            given = line.popleft()
            if line:
                self._lines[kind] = line
            if not given.done():
                self._running += 1
                given.set_result(None)
