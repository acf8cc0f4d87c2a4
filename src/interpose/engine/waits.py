"""One answer of the engine that takes time: a task whose cancellation is insisted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

AnswerT = TypeVar("AnswerT")

_INSIST: Final = 1.0
"""Seconds after which a cancellation that had no effect is repeated."""


class Wait(Generic[AnswerT]):
    """Runs a coroutine of the engine's and tells when it is over.

    INVARIANT: after `cancel` the coroutine ends, and whatever it answers counts as cancelled: some waits of the standard
    library can swallow one cancellation, and a client's cancel or leaving must not depend on that.
    """

    __slots__ = ("_loop", "_on_over", "_task", "_timer", "cancelled")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, AnswerT],
        name: str,
        on_over: Callable[[], None],
    ) -> None:
        """`on_over` is called once, in a callback of its own."""
        self._loop = loop
        self._on_over = on_over
        self._timer: asyncio.TimerHandle | None = None
        self.cancelled = False
        self._task = loop.create_task(work, name=name)
        self._task.add_done_callback(self._over)

    def cancel(self) -> None:
        """Cancel; once is enough."""
        if not self.cancelled:
            self.cancelled = True
            self._insist()

    @property
    def answer(self) -> AnswerT | None:
        """What it answered; None when it was cancelled in time. Raises what it raised. Only after it is over."""
        return None if self._task.cancelled() else self._task.result()

    def _insist(self) -> None:
        if not self._task.done():
            self._task.cancel()
            self._timer = self._loop.call_later(_INSIST, self._insist)

    def _over(self, task: asyncio.Task[AnswerT]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not task.cancelled():
            # Looking at the failure keeps asyncio from reporting it as forgotten when nobody wants the answer any more.
            task.exception()
        self._on_over()
