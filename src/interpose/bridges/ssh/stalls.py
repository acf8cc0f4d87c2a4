"""A client that takes nothing any more: for how long that goes on, and what is done then.

A client that takes its packets and shows nothing, because somebody reads a page of `less` or has pressed Ctrl-S, looks much the same: its
channel's window is closed. But it answers when it is asked, and may stand still for as long as it likes: what is kept for it is bounded.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Reader(Protocol):
    """A client's connection, as far as it takes what is written."""

    @property
    def waiting(self) -> int:
        """Bytes that its socket has not taken."""
        ...

    @property
    def output_waits(self) -> bool:
        """Whether there is anything that it does not take, in its socket or in a channel."""
        ...

    async def answers(self) -> None:
        """Ask whether it is there, and wait until it has answered."""
        ...


class Stall:
    """Looks at one client. It is stalled when, for a whole interval, output waited for it, no byte of that went, and a question had no answer.

    Other signs of life do not count: whoever sends and never reads would keep a session, and what waits in it, for ever.
    """

    __slots__ = ("_asked", "_client", "_loop", "_on_stall", "_seconds", "_seen", "_sent", "_timer")

    def __init__(self, client: Reader, sent: Callable[[], int], seconds: float, on_stall: Callable[[], None]) -> None:
        """`sent` answers how many bytes were written to its channels. `on_stall` is called once, within twice so many seconds."""
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._sent = sent
        self._seconds = seconds
        self._on_stall = on_stall
        self._asked: asyncio.Task[None] | None = None
        self._seen = (0, 0)
        self._timer = self._loop.call_later(seconds, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()
        if self._asked is not None:
            self._asked.cancel()

    def _look(self) -> None:
        sent, waiting = self._sent(), self._client.waiting
        unanswered = self._asked is not None and not self._asked.done()
        if unanswered and sent == self._seen[0] and waiting >= self._seen[1]:
            self.stop()
            self._on_stall()
            return
        self._seen = (sent, waiting)
        if not unanswered:
            self._asked = None
            if self._client.output_waits:
                self._asked = self._loop.create_task(self._client.answers(), name="ssh stall")
        self._timer = self._loop.call_later(self._seconds, self._look)
