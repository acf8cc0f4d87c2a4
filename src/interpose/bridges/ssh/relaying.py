"""The bytes of one channel, both ways, under one permit: recorded, then written, and never more kept than a window.

Everything here runs in callbacks of the library. It knows nothing of policy: what may start was judged before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from asyncssh.constants import EXTENDED_DATA_STDERR

from interpose.bridges.ssh.bridged import SIGNAL, BridgedChannel, ClientSide, Owner
from interpose.bridges.ssh.masked import MaskedOutput
from interpose.model.errors import Unmaskable
from interpose.model.refusal import Refusal
from interpose.recording.channel_frames import StreamName

if TYPE_CHECKING:
    from interpose.bridges.ssh.channels import ClientChannel
    from interpose.bridges.ssh.ends import Congestion
    from interpose.bridges.ssh.ports import Traffic
    from interpose.engine.ports import SessionRecorder
    from interpose.engine.release import StreamShowing
    from interpose.model.proofs import Permit


class Counts:
    """Plaintext bytes of one session, and of its worker."""

    __slots__ = ("_traffic", "from_client", "to_client")

    def __init__(self, traffic: Traffic) -> None:
        """None yet."""
        self._traffic = traffic
        self.from_client = 0
        self.to_client = 0

    def came(self, size: int) -> None:
        """Bytes came from the client."""
        self.from_client += size
        self._traffic.from_client += size

    def went(self, size: int) -> None:
        """Bytes went to the client."""
        self.to_client += size
        self._traffic.to_client += size


class RelayOwner(Owner, Protocol):
    """What hears how a relay ends."""

    def relay_refused(self, refusal: Refusal) -> None:
        """What one of the sides sends may not pass, by policy or because it cannot be masked; the relay has stopped."""
        ...


class ChannelRelay(BridgedChannel):
    """One started channel: bytes as they come, and where the client's session hands its own to."""

    def __init__(
        self,
        owner: RelayOwner,
        client: ClientSide,
        *,
        number: int,
        permit: Permit,
        showing: StreamShowing,
        terminal: bool,
        recorder: SessionRecorder,
        counts: Counts,
        towards_client: Congestion,
        towards_upstream: Congestion,
    ) -> None:
        """`number` is the channel's in the recording. The permit is spent before anything comes; `showing` clears what is shown."""
        super().__init__(owner, client, towards_client, towards_upstream)
        self._relay_owner = owner
        self._number = number
        self._permit = permit
        self._recorder = recorder
        self._counts = counts
        self._masked: MaskedOutput | None = None
        if showing.scanner is not None:
            self._masked = MaskedOutput(showing.scanner, self._shown, self._broken, terminal=terminal)

    # --- from the upstream

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Output."""
        if self.over:
            return
        try:
            if self._masked is not None:
                self._masked.feed(data, datatype)
            else:
                self._shown(data, datatype)
        except Exception as error:  # noqa: BLE001 -- INVARIANT: any exception in a session closes both of its sides
            self._broken(error)

    def _shown(self, data: bytes, datatype: int | None) -> None:
        """Output as the client gets it.

        INVARIANT: recorded before it is written, and as it is written; a record that fails shows nothing.
        """
        stream = StreamName.STDOUT if datatype is None else StreamName.STDERR
        self._recorder.stream(self._number, stream, data)
        if not self._client.is_closing():
            self._counts.went(len(data))
            self._client.write(data, datatype)

    def _rest_shown(self) -> None:
        if self._masked is not None and not self.over:
            try:
                self._masked.end()
            except Exception as error:  # noqa: BLE001 -- as above
                self._broken(error)

    def eof_received(self) -> bool:
        """No more output; the program may still read."""
        self._rest_shown()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The upstream's channel is closed."""
        self._rest_shown()
        super().connection_lost(exc)

    # --- from the client

    def input(self, data: bytes) -> None:
        """Input; recorded, then sent under the open permit."""
        upstream = self._upstream
        if self.over or upstream is None:
            return
        try:
            self._permit.check_part()
            self._counts.came(len(data))
            self._recorder.stream(self._number, StreamName.STDIN, data)
            if not upstream.is_closing():
                upstream.write(data)
        except Exception as error:  # noqa: BLE001 -- as above
            self._broken(error)

    def input_ended(self) -> None:
        """The client will send no more; output goes on."""
        self.end_up()

    def size_changed(self, size: tuple[int, int, int, int]) -> None:
        """The client's terminal has another size."""
        if self.over or self._upstream is None:
            return
        try:
            self._recorder.window(self._number, size[0], size[1])
            self._permit.check_part()
            self._upstream.size_changed(size)
        except Exception as error:  # noqa: BLE001 -- as above
            self._broken(error)

    def signalled(self, name: str) -> None:
        """The client sends a signal to the program; what is no name of one goes nowhere."""
        upstream = self._upstream
        if self.over or upstream is None or upstream.is_closing() or not SIGNAL.fullmatch(name):
            return
        try:
            self._permit.check_part()
            self._recorder.note("signal", f"channel {self._number}: {name}")
            upstream.send_signal(name)
        except Exception as error:  # noqa: BLE001 -- as above
            self._broken(error)

    # --- the end

    def _stopped(self) -> None:
        if self._masked is not None:
            self._masked.stop()

    def _broken(self, error: BaseException) -> None:
        self.stop()
        if isinstance(error, Unmaskable):
            self._relay_owner.relay_refused(Refusal(error.code, error.public_message, error.hint))
        else:
            self._owner.relay_broken(error)


def stderr(channel: ClientChannel, data: bytes) -> None:
    """Write the gateway's own words where they do not mix with the program's output."""
    if not channel.is_closing():
        channel.write(data, EXTENDED_DATA_STDERR)
