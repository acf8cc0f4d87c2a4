"""A watch over the event loop: how late it is, and where it stands when it stands still."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from pathlib import PurePath
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interpose.telemetry.logs import Logger
    from interpose.telemetry.metrics import LoopMetrics


class LoopWatch:
    """Beats in the loop every `interval` seconds; a thread looks whether the beats come.

    When one is more than `limit` seconds late, the thread tells once where the loop's thread is: file, function and line, no data.
    """

    def __init__(self, logger: Logger, metrics: LoopMetrics, *, interval: float = 0.1, limit: float = 0.25) -> None:
        """Nothing runs before `run`."""
        self._logger = logger
        self._metrics = metrics
        self._interval = interval
        self._limit = limit
        self._last = 0.0
        self._told = 0.0
        self._stop = threading.Event()

    async def run(self) -> None:
        """Beat until cancelled."""
        loop_thread = threading.get_ident()
        self._last = monotonic()
        thread = threading.Thread(target=self._look, args=(loop_thread,), name="loop watch", daemon=True)
        thread.start()
        try:
            while True:
                due = monotonic() + self._interval
                await asyncio.sleep(self._interval)
                self._last = monotonic()
                self._metrics.beat(max(0.0, self._last - due))
        finally:
            self._stop.set()

    def _look(self, loop_thread: int) -> None:
        while not self._stop.wait(self._interval):
            last = self._last
            late = monotonic() - last - self._interval
            if late > self._limit and last != self._told:
                self._told = last
                self._metrics.stalled()
                self._logger.warning("event_loop.stalled", seconds=round(late, 3), at=_standing(loop_thread))


def _standing(thread: int) -> str:
    frame = sys._current_frames().get(thread)
    stack = traceback.extract_stack(frame)[-6:] if frame is not None else []
    return " > ".join(f"{PurePath(entry.filename).stem}.{entry.name}:{entry.lineno}" for entry in stack)
