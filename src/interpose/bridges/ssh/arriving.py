"""One client from its accepted socket until it is known: its place among those who log in, and how long it may take.

A gateway that is busy throws nobody out for it: the bound on the exchange of keys counts the time in which the client is the one to act.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from interpose.bridges.ssh.words import NO_ROOM, TOO_SLOW
from interpose.engine.limits import address_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.bridges.ssh.names import Wanted
    from interpose.bridges.ssh.parts import Parts
    from interpose.bridges.ssh.turns import Turn
    from interpose.model.principal import Identity
    from interpose.model.refusal import Refusal

SILENT: Final = 1.0
"""Seconds after which a client that does not act may be closed to make room, and another one has its turn to exchange keys."""
_GRACE: Final = 0.05
"""Seconds in which what has come already is read, before a client counts as too slow: the event loop may have been late itself."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Who has opened a channel on which another SSH connection comes (`ssh -J`), for the connection `wanted`, and when that was proved."""

    identity: Identity
    wanted: Wanted
    peer: str
    at: float


class Arrival:
    """A client's place and time. `refuse` is called at most once, with the reason for which the client must go."""

    def __init__(self, parts: Parts, peer: str, busy: Callable[[], bool], refuse: Callable[[Refusal], None]) -> None:
        """`busy` says whether something else is awaited than the client."""
        self.peer = peer
        self._parts = parts
        self._busy = busy
        self._refuse = refuse
        self._loop = asyncio.get_running_loop()
        self._left = parts.bounds.handshake
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._turn: Turn | None = None
        self._turn_ends: asyncio.TimerHandle | None = None
        self._over = self._gone = False
        self._refusal = TOO_SLOW
        self._line: Turn | None = None

    # --- its place

    def take_place(self) -> bool:
        """Whether there is room for it among those who log in."""
        return self._parts.pending.add(self)

    @property
    def waits_for_client(self) -> bool:
        """Whether the client is silent: only such a one may be closed to make room."""
        since = self._since
        return since is not None and not self._busy() and self._loop.time() - since >= SILENT

    def evict(self) -> None:
        """Close it to make room for others."""
        self._end(NO_ROOM)

    # --- its time

    def begin(self) -> None:
        """The gateway has greeted it: now it is the client's turn to exchange keys."""
        self._since = self._loop.time()
        self._set_timer(self._left, self._maybe_too_slow)

    async def turn(self) -> None:
        """Wait until this client's keys may be exchanged: that is what costs the gateway most of a login."""
        if self._since is not None:
            self._left -= self._loop.time() - self._since
        self._since = None
        self._stop_timer()
        self._waiting = asyncio.current_task()
        try:
            turn = await self._parts.exchanges.take(address_group(self.peer))
        finally:
            self._waiting = None
        if self._over:
            turn.end()
            return
        self._turn = turn
        self._turn_ends = self._loop.call_later(SILENT, turn.end)
        self._since = self._loop.time()
        self._set_timer(max(self._left, _GRACE), self._maybe_too_slow)

    def acted(self) -> None:
        """The client did something, and it is its turn again."""
        self._since = self._loop.time()

    def give(self, seconds: float, refusal: Refusal = TOO_SLOW) -> None:
        """From now on it has so long in all to become known, whatever it waits for, and then is told this."""
        if not self._over:
            self._since = self._loop.time()
            self._refusal = refusal
            self._set_timer(seconds, lambda: self._end(refusal))

    def over(self) -> None:
        """It is known. Idempotent."""
        self._over = True
        self._since = None
        self._stop_timer()
        self._parts.pending.remove(self)
        if self._waiting is not None:
            self._waiting.cancel()
        if self._turn_ends is not None:
            self._turn_ends.cancel()
        if self._turn is not None:
            self._turn.end()

    # --- its turn at the host

    async def line_up(self, connection: str, until: float | None = None) -> bool:
        """Wait for a turn at a host, in which the client is let in there too; False when there is none until then.

        Whoever names a connection waits before the proof, since that does not keep; the client's time stands still meanwhile.
        """
        if not connection or self._line is not None:
            return True
        left = self._timer.when() - self._loop.time() if self._timer is not None else 0.0
        self._stop_timer()
        try:
            async with asyncio.timeout_at(until):
                turn = await self._parts.entrance.line_up(connection, self.peer)
        except TimeoutError:
            return False
        finally:
            if not self._over:
                self.give(left, self._refusal)
        if self._gone:
            turn.end()
            return False
        self._line = turn
        return True

    def leave_line(self) -> None:
        """The session is open, or there will be none. Idempotent."""
        if self._line is not None:
            self._line.end()
            self._line = None

    def gone(self) -> None:
        """Its connection is closed."""
        self._gone = True
        self.over()
        self.leave_line()

    def _maybe_too_slow(self) -> None:
        self._set_timer(_GRACE, lambda: self._end(TOO_SLOW))

    def _end(self, refusal: Refusal) -> None:
        if not self._over:
            self.over()
            self._refuse(refusal)

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
