"""The bytes of a files channel, both ways: read only as fast as the other side takes them. And how such a channel is opened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

import asyncssh

from interpose.bridges.ssh.bridged import BridgedChannel
from interpose.bridges.ssh.channels import UpstreamChannel
from interpose.bridges.ssh.sftp.relay import FilesRelay
from interpose.bridges.ssh.sftp.wire.packets import MalformedError
from interpose.bridges.ssh.sftp.wire.replies import HostileError
from interpose.bridges.ssh.sftp.words import hostile
from interpose.bridges.ssh.start import cannot_start
from interpose.bridges.ssh.words import UPSTREAM_GONE

if TYPE_CHECKING:
    from interpose.bridges.ssh.bridged import Owner
    from interpose.bridges.ssh.channels import ClientChannel
    from interpose.bridges.ssh.session import SshSession
    from interpose.model.refusal import Refusal

GREETING: Final = 30.0
"""Seconds that the upstream has to begin the conversation."""


class FilesOwner(Protocol):
    """What the relay of packets needs of the flow."""

    def write_up(self, data: bytes) -> None:
        """Send to the upstream."""
        ...

    def write_down(self, data: bytes) -> None:
        """Send to the client."""
        ...

    def end_up(self) -> None:
        """Nothing more goes to the upstream."""
        ...

    def balance(self) -> None:
        """Look again which side is read."""
        ...

    def end(self, refusal: Refusal) -> None:
        """End the channel with a last word."""
        ...

    def broken(self, error: BaseException) -> None:
        """Something of ours failed."""
        ...

    def tell(self, text: str) -> None:
        """A line to whoever is at the client."""
        ...


class FilesChannel(BridgedChannel):
    """A channel on which SFTP is spoken with both sides, and where the client's session hands its bytes to."""

    def __init__(self, owner: Owner, client: ClientChannel, session: SshSession) -> None:
        """Nothing is opened yet."""
        super().__init__(owner, client, session.client.congestion, session.upstream.congestion)
        self._client_channel = client
        self._counts = session.counts
        self._relay = FilesRelay(self, session)

    async def open(self, session: SshSession) -> None:
        """Start the subsystem and begin to deliver; end the channel when the host does not, or closes it again."""
        refusal = await self._start(session)
        if refusal is not None:
            self._owner.end(refusal)
        elif not self.over:
            self._client_channel.release()

    async def _start(self, session: SshSession) -> Refusal | None:
        session.session.channel_opened("sftp")
        try:
            upstream = UpstreamChannel(session.upstream, asyncio.get_running_loop())
            await upstream.open(self)
            if not await upstream.start("subsystem", "sftp"):
                return cannot_start(asyncssh.ChannelOpenError(0, "the host has no SFTP"))
            upstream.release()
            async with asyncio.timeout(GREETING):
                await self._relay.begin()
        except (asyncssh.Error, OSError) as error:
            return (
                hostile("the host does not begin to speak SFTP")
                if isinstance(error, TimeoutError)
                else cannot_start(error)
            )
        except HostileError as error:
            return hostile(str(error))
        except asyncio.CancelledError:
            if not self.over:
                raise
            # The channel was closed, and with it what was asked of the host.
            return UPSTREAM_GONE
        return None

    # --- from the upstream

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Packets. What the host's program says on standard error is not passed on."""
        if self.over or datatype is not None:
            return
        try:
            self._relay.up.feed(data)
        except (HostileError, MalformedError) as error:
            self.end(hostile(str(error)))
        except Exception as error:  # noqa: BLE001 -- INVARIANT: any exception in a session closes both of its sides
            self.broken(error)
        else:
            self.balance()

    # --- from the client

    def input(self, data: bytes) -> None:
        """Packets of the client."""
        if self.over:
            return
        self._counts.came(len(data))
        try:
            self._relay.from_client(data)
        except Exception as error:  # noqa: BLE001 -- as above
            self.broken(error)
        else:
            self.balance()

    def input_ended(self) -> None:
        """The client will send no more."""
        if not self.over:
            self._relay.input_ended()

    def size_changed(self, size: tuple[int, int, int, int]) -> None:
        """There is no terminal."""

    def signalled(self, name: str) -> None:
        """There is no program that a client could signal; leaving ends it."""

    # --- for the relay

    def write_up(self, data: bytes) -> None:
        """Send to the upstream."""
        if not self.over and self._upstream is not None and not self._upstream.is_closing():
            self._upstream.write(data)

    def write_down(self, data: bytes) -> None:
        """Send to the client."""
        if not self._client.is_closing():
            self._counts.went(len(data))
            self._client.write(data)

    def end(self, refusal: Refusal) -> None:
        """End the channel with a last word."""
        if not self.over:
            self.stop()
            self._owner.end(refusal)

    def broken(self, error: BaseException) -> None:
        """Something of ours failed; the session ends."""
        if not self.over:
            self.stop()
            self._owner.relay_broken(error)

    def tell(self, text: str) -> None:
        """A line to whoever is at the client."""
        self._owner.tell(text)

    def _stopped(self) -> None:
        self._relay.stop("cut")

    @property
    def _client_must_wait(self) -> bool:
        return super()._client_must_wait or self._relay.busy
