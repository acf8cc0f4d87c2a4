"""The live sessions of one worker, as drivers, and draining them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from interpose.model.refusal import Refusal


class Driver(Protocol):
    """What carries a session's bytes, a relay's driver or a bridge."""

    def drain(self, refusal: Refusal) -> None:
        """End the session as soon as nothing is under way; now, if nothing is."""
        ...

    def cut(self, refusal: Refusal) -> None:
        """End the session now, whatever is under way; the client still gets a last word."""
        ...


class LiveSessions:
    """Every driver from its start to the closing of its books."""

    __slots__ = ("_drivers", "_empty")

    def __init__(self) -> None:
        """Empty."""
        self._drivers: set[Driver] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._drivers)

    def add(self, driver: Driver) -> None:
        """A session begins."""
        self._drivers.add(driver)
        self._empty.clear()

    def remove(self, driver: Driver) -> None:
        """A session is over."""
        self._drivers.discard(driver)
        if not self._drivers:
            self._empty.set()

    async def drain(self, refusal: Refusal, deadline: float, *, last_words: float = 5.0) -> int:
        """End sessions as they become idle; cut those that are left after `deadline` seconds. Answers how many were cut.

        Idle ones end at once. Everybody is told `refusal` in words of its own protocol. Listeners must be closed and admission
        drained before. `last_words` seconds are given to close the books of those that were cut.
        """
        for driver in list(self._drivers):
            driver.drain(refusal)
        if await self._emptied(deadline):
            return 0
        left = list(self._drivers)
        for driver in left:
            driver.cut(refusal)
        await self._emptied(last_words)
        return len(left)

    async def _emptied(self, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
