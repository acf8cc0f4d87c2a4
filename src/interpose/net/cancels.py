"""Cancel dialogues that run beside sessions: at most one a session at a time, and a cancel request can wait for its own.

An unmodified client takes the end of its cancel connection as the sign that the cancel was delivered, and may send its next
command then; closing that connection too early would let the cancel hit the next command.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpose.model.errors import UpstreamError
from interpose.net.journal import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.net.journal import Journal
    from interpose.net.upstream import Dialer, Dialled
    from interpose.protocols.dialogue import Dialogue


class Cancels:
    """Runs cancel dialogues; one object a worker."""

    __slots__ = ("_dialer", "_journal", "_running", "_started")

    def __init__(self, dialer: Dialer, journal: Journal) -> None:
        """`dialer` bounds how many run at one time."""
        self._dialer = dialer
        self._journal = journal
        self._running: dict[int, asyncio.Task[None]] = {}
        self._started: asyncio.Task[None] | None = None

    def start(self, dialled: Dialled, dialogue: Callable[[object], Dialogue]) -> None:
        """Cancel what runs on this upstream connection. While one cancel of it runs, more add nothing."""
        key = id(dialled)
        task = self._running.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._run(dialled, dialogue), name="cancel upstream")
            self._running[key] = task
            # The dict's entry lives as long as the task, and so does `dialled`: the id cannot be used again meanwhile.
            task.add_done_callback(lambda _: self._running.pop(key, None))
        self._started = task

    def request(self, ask: Callable[[bytes], bool], key: bytes) -> asyncio.Task[None] | None:
        """Pass a client's cancel key on; answers the dialogue that this started here, None when there is none.

        `ask` calls the session's hook at once if the session lives in this worker.
        """
        self._started = None
        ask(key)
        started, self._started = self._started, None
        return started

    async def settle(self) -> None:
        """Wait for all that run; each has its own deadline."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    async def _run(self, dialled: Dialled, dialogue: Callable[[object], Dialogue]) -> None:
        try:
            await self._dialer.cancel(dialled.connection, dialled.peer, dialogue(dialled.result))
        except UpstreamError as error:
            self._journal.upstream_failed(dialled.connection.name, error)
        except Exception as error:  # noqa: BLE001 -- a cancel that fails must be told and must not end anything else
            self._journal.session_failed(None, place_of(error))
