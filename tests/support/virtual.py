"""An event loop on virtual time: sleeping costs nothing, and what happens is the same in every run."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class _Selector(selectors.SelectSelector):
    """Instead of waiting for a timer, moves the loop's time to it."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            # Only a thread can still wake us up.
            ready = super().select(5.0)
            if not ready:
                raise RuntimeError("nothing will ever happen again in this test")
            return ready
        self.loop.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time` moves only when everybody waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        selector = _Selector()
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        return self.now


class VirtualClock:
    """The engine's `Clock` on the running virtual loop; `skew` shifts the wall clock."""

    BASE = 1_790_000_000.0

    def __init__(self) -> None:
        self.skew = 0.0

    def wall(self) -> float:
        return self.BASE + self.monotonic() + self.skew

    def monotonic(self) -> float:
        loop = asyncio.get_running_loop() if _running() else None
        return loop.time() if isinstance(loop, VirtualLoop) else 1000.0


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine on a fresh virtual loop; tasks that it leaves behind are cancelled."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
