"""Back-pressure between the two sides of a session: who is read, who is not, and what is done about a side that stalls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.net.options import SessionOptions
    from interpose.net.wire import Wire
    from interpose.protocols.contract import Relay


class Pressure:
    """Reads each side only while the other takes what comes of it and the relay does not keep too much.

    `held` and `showing` are set by the driver: a command waits for an approver, a result waits to be shown. `over` says
    that the relay kept too much at the last look, so that the driver looks again after its next callback.
    """

    __slots__ = (
        "_client",
        "_limit",
        "_loop",
        "_on_stall",
        "_options",
        "_relay",
        "_stall",
        "_stalled_at",
        "_upstream",
        "held",
        "over",
        "showing",
        "stopped",
    )

    def __init__(
        self,
        relay: Relay,
        client: Wire,
        upstream: Wire,
        options: SessionOptions,
        *,
        on_stall: Callable[[], None],
    ) -> None:
        """`on_stall`: the client takes nothing any more."""
        self._loop = asyncio.get_running_loop()
        self._relay = relay
        self._client = client
        self._upstream = upstream
        self._options = options
        self._limit = options.buffer_high
        self._on_stall = on_stall
        self._stall: asyncio.TimerHandle | None = None
        self._stalled_at = 0
        self.held = False
        self.showing = False
        self.over = False
        self.stopped = False

    def balance(self) -> None:
        """Decide anew who is read.

        `relay.buffered` counts only what the relay keeps while it *waits*, so what it waits for will come
        and reading goes on then; only the side that it does not wait for is stopped.

        INVARIANT: during a hold the client is read, whatever else is full: a client that left must be seen, and its end comes
        behind all that it sent before. What it sends meanwhile stays with the relay, which refuses it past its own limit.
        """
        if self.stopped:
            return
        client, upstream = self._client, self._upstream
        over = self.over = self._relay.buffered > self._limit
        if self.held or (upstream.writable and not over):
            client.resume_reading()
        else:
            client.pause_reading()
        if client.writable and not (over and self.showing):
            upstream.resume_reading()
        else:
            upstream.pause_reading()

    def client_writable(self, *, writable: bool) -> None:
        """The client's wire is full, or has drained."""
        if not writable and self._stall is None and not self.stopped:
            self._stalled_at = self._client.waiting
            self._stall = self._loop.call_later(self._options.write_stall, self._look_at_stall)
        self.balance()

    def upstream_writable(self, *, writable: bool) -> None:
        """The upstream's wire is full, or has drained."""
        self.balance()

    def stop(self) -> None:
        """The session is over: no timer fires any more."""
        self.stopped = True
        if self._stall is not None:
            self._stall.cancel()

    def _look_at_stall(self) -> None:
        """A client is stalled when not one byte went to it in the whole interval: slow readers are none."""
        self._stall = None
        if self._client.writable:
            return
        waiting = self._client.waiting
        if waiting >= self._stalled_at:
            self._on_stall()
            return
        self._stalled_at = waiting
        self._stall = self._loop.call_later(self._options.write_stall, self._look_at_stall)
