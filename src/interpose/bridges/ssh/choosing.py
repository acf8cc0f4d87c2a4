"""The menu on a client's channel: the question is written, what is typed is read, and the channel is held again afterwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpose.bridges.ssh.menu import Menu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interpose.bridges.ssh.channels import ClientChannel


class Choice:
    """One question on one channel. `chosen` is the answer: None when whoever is there wants none of these, or has left."""

    def __init__(self, channel: ClientChannel, names: Sequence[str]) -> None:
        """Asks at once."""
        self.chosen: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._channel = channel
        self._menu = Menu(names)
        channel.write(self._menu.question())
        channel.release()

    def typed(self, data: bytes) -> None:
        """Bytes from the terminal."""
        if self.chosen.done():
            return
        typed = self._menu.typed(data)
        if not self._channel.is_closing():
            self._channel.write(typed.echo)
        if typed.over:
            self._channel.hold()
            self.chosen.set_result(typed.chosen)

    def leave(self) -> None:
        """Nobody is there any more."""
        if not self.chosen.done():
            self.chosen.set_result(None)
