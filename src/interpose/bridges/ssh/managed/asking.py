"""A judged command whose output the gateway reads for itself: where `cd` has led to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import asyncssh

if TYPE_CHECKING:
    from interpose.bridges.ssh.channels import UpstreamChannel

_MOST: Final = 8192


class Asked(asyncssh.SSHClientSession[bytes]):
    """The upstream channel's session. `done` is over when the program is; what is more than 8 KiB is not kept."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self.out = b""
        self.error = b""
        self.status: int | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.channel: UpstreamChannel | None = None

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """It is open."""
        self.channel = chan  # type: ignore[assignment]

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Output."""
        if datatype is None:
            self.out = (self.out + data)[:_MOST]
        else:
            self.error = (self.error + data)[:_MOST]

    def exit_status_received(self, status: int) -> None:
        """It ended."""
        self.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        """Its channel is closed."""
        if not self.done.done():
            self.done.set_result(None)

    def stop(self) -> None:
        """Nobody wants to know any more."""
        if self.channel is not None:
            self.channel.abort()
