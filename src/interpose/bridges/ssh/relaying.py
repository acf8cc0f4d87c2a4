"""The bytes of one channel, both ways, under one permit: recorded, then written, and never more kept than a window.

Everything here runs in callbacks of the library. It knows nothing of policy: what may start was judged before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR

from interpose.bridges.ssh.masked import MaskedOutput
from interpose.model.errors import Unmaskable
from interpose.model.refusal import Refusal
from interpose.recording.channel_frames import StreamName

if TYPE_CHECKING:
    from interpose.bridges.ssh.channels import ClientChannel, UpstreamChannel
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


class Owner(Protocol):
    """What hears how a relay ends."""

    def relay_over(self) -> None:
        """The upstream's channel is closed, and everything that came of it was handed on."""
        ...

    def relay_broken(self, error: BaseException) -> None:
        """Something of ours failed, the recording perhaps."""
        ...

    def end(self, refusal: Refusal) -> None:
        """End the channel with a last word."""
        ...

    def tell(self, text: str) -> None:
        """A line to whoever is at the client."""
        ...

    def relay_unmaskable(self, refusal: Refusal) -> None:
        """What the upstream sends cannot be masked; the upstream's channel is closed."""
        ...


class ClientSide(Protocol):
    """Where output goes: the client's channel, or what stands for it."""

    def is_closing(self) -> bool:
        """Whether nothing is taken any more."""
        ...

    def write(self, data: bytes, datatype: int | None = None) -> None:
        """Output, or standard error."""
        ...

    def write_eof(self) -> None:
        """No more output."""
        ...

    def pause_reading(self) -> None:
        """Deliver no input for now."""
        ...

    def resume_reading(self) -> None:
        """Deliver input again."""
        ...


class ChannelRelay(asyncssh.SSHClientSession[bytes]):
    """One started channel: the session of the upstream's channel, and where the client's session hands its bytes to."""

    def __init__(
        self,
        owner: Owner,
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
        self._owner = owner
        self._client = client
        self._upstream: UpstreamChannel | None = None
        self._number = number
        self._permit = permit
        self._recorder = recorder
        self._counts = counts
        self._towards_client = towards_client
        self._towards_upstream = towards_upstream
        self._client_full = False
        self._upstream_full = False
        self._client_stopped = False
        self._upstream_stopped = False
        self._masked: MaskedOutput | None = None
        if showing.scanner is not None:
            self._masked = MaskedOutput(showing.scanner, self._shown, self._broken, terminal=terminal)
        self.over = False
        self.status: int | None = None
        self.signal: tuple[str, bool, str, str] | None = None
        towards_client.listen(self._balance)
        towards_upstream.listen(self._balance)

    # --- from the upstream

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The upstream's channel is open."""
        self._upstream = chan  # type: ignore[assignment]

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
        if not self.over and not self._client.is_closing():
            self._client.write_eof()
        return True

    def exit_status_received(self, status: int) -> None:
        """The program ended."""
        self.status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """The program was ended by a signal."""
        self.signal = (signal, core_dumped, msg, lang)

    def connection_lost(self, exc: Exception | None) -> None:
        """The upstream's channel is closed."""
        self._rest_shown()
        if not self.over:
            self.stop()
            self._owner.relay_over()

    def pause_writing(self) -> None:
        """The upstream takes no more input."""
        self._upstream_full = True
        self._balance()

    def resume_writing(self) -> None:
        """It takes input again."""
        self._upstream_full = False
        self._balance()

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
        if not self.over and self._upstream is not None and not self._upstream.is_closing():
            self._upstream.write_eof()

    def client_writable(self, *, writable: bool) -> None:
        """Whether the client takes more output."""
        self._client_full = not writable
        self._balance()

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
        """The client sends a signal to the program."""
        if not self.over and self._upstream is not None and not self._upstream.is_closing():
            self._permit.check_part()
            self._upstream.send_signal(name)

    # --- the end

    def stop(self) -> None:
        """Nothing more goes either way; the upstream's channel is closed, and the program there sees it."""
        if self.over:
            return
        self.over = True
        if self._masked is not None:
            self._masked.stop()
        self._towards_client.forget(self._balance)
        self._towards_upstream.forget(self._balance)
        if self._upstream is not None:
            self._upstream.abort()

    def _broken(self, error: BaseException) -> None:
        self.stop()
        if isinstance(error, Unmaskable):
            self._owner.relay_unmaskable(Refusal(error.code, error.public_message, error.hint))
        else:
            self._owner.relay_broken(error)

    def _balance(self) -> None:
        """Read each side only while the other one takes what comes of it."""
        if self.over or self._upstream is None:
            return
        stop_upstream = self._client_full or self._towards_client.full
        if stop_upstream is not self._upstream_stopped:
            self._upstream_stopped = stop_upstream
            self._upstream.pause_reading() if stop_upstream else self._upstream.resume_reading()
        stop_client = self._upstream_full or self._towards_upstream.full
        if stop_client is not self._client_stopped:
            self._client_stopped = stop_client
            self._client.pause_reading() if stop_client else self._client.resume_reading()


def stderr(channel: ClientChannel, data: bytes) -> None:
    """Write the gateway's own words where they do not mix with the program's output."""
    if not channel.is_closing():
        channel.write(data, EXTENDED_DATA_STDERR)
