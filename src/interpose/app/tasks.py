"""The background tasks of one worker: started by name, and watched, since the end of any of them is the end of the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class BackgroundTasks:
    """Background tasks; one that fails ends the worker, since something that must run no longer does.

    `over` is done when the worker is to end: with the name of the task that failed, or empty when it was asked to stop.
    """

    over: asyncio.Future[str]
    running: set[asyncio.Task[None]]

    def start(self, work: Callable[[], object], name: str) -> None:
        """Run a coroutine function until the worker stops."""
        coroutine = work()
        assert asyncio.iscoroutine(coroutine), name
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(coroutine, name=name)
        self.running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not task.cancelled() and task.exception() is not None and not self.over.done():
            self.over.set_result(f"{task.get_name()}: {type(task.exception()).__name__}")

    async def stop(self) -> None:
        """Cancel and wait."""
        tasks = list(self.running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
