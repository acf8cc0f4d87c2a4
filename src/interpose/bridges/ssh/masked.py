"""Output of one channel with what is hidden masked: by lines for a program on pipes, by lines and pauses for a terminal.

INVARIANT: nothing of the upstream's reaches `show` that has not gone through the mask.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from asyncssh.constants import EXTENDED_DATA_STDERR

from interpose.masking.terminal import TerminalMask

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.masking.content import ContentScanner

PAUSE: Final = 0.015
"""Seconds without output after which a terminal is shown a line that is not complete: prompts and echoes."""


class MaskedOutput:
    """Both streams of one channel."""

    __slots__ = ("_broken", "_last", "_loop", "_masks", "_show", "_terminal", "_timer")

    def __init__(
        self,
        scanner: ContentScanner,
        show: Callable[[bytes, int | None], None],
        broken: Callable[[BaseException], None],
        *,
        terminal: bool,
    ) -> None:
        """`show` gets what may be shown, and of which stream; `broken` hears of what fails later than in a call."""
        self._masks: dict[int | None, TerminalMask] = {
            None: TerminalMask(scanner, only_text=not terminal),
            EXTENDED_DATA_STDERR: TerminalMask(scanner, only_text=not terminal),
        }
        self._show = show
        self._broken = broken
        self._terminal = terminal
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0

    def feed(self, data: bytes, stream: int | None) -> None:
        """The next bytes. Raises `Unmaskable` for what is no text, where there is no terminal, and what `show` raises."""
        mask = self._masks[stream]
        shown = mask.feed(data)
        if shown:
            self._show(shown, stream)
        if self._terminal and mask.waiting:
            # One timer, moved only when it fires: output comes far more often than it stops.
            self._last = self._loop.time()
            if self._timer is None:
                self._timer = self._loop.call_later(PAUSE, self._look)

    def _look(self) -> None:
        self._timer = None
        left = self._last + PAUSE - self._loop.time()
        if left > 0.001:
            self._timer = self._loop.call_later(left, self._look)
            return
        try:
            for stream, mask in self._masks.items():
                shown = mask.pause()
                if shown:
                    self._show(shown, stream)
        except Exception as error:  # noqa: BLE001 -- handed to whoever ends the channel
            self._broken(error)

    def end(self) -> None:
        """No more output comes: show what is kept. Raises as `feed`."""
        self.stop()
        for stream, mask in self._masks.items():
            shown = mask.end()
            if shown:
                self._show(shown, stream)

    def stop(self) -> None:
        """Show nothing more by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
