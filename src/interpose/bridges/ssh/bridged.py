"""One channel of a client and the one behind it at the upstream: how it ends, and that each is read only while the other takes what comes of it.

Everything here runs in callbacks of the library. What the bytes are, and whether they may pass, is a matter of those that build on it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

import asyncssh

if TYPE_CHECKING:
    from interpose.bridges.ssh.channels import UpstreamChannel
    from interpose.bridges.ssh.ends import Congestion
    from interpose.model.refusal import Refusal


SIGNAL: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,15}(@[A-Za-z0-9][A-Za-z0-9.-]{0,63})?")
"""A signal, or another one that a domain has named (RFC 4254 §6.10)."""


class Owner(Protocol):
    """The client's session of this channel: hears how it ends."""

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


class BridgedChannel(asyncssh.SSHClientSession[bytes]):
    """The library's session of the upstream's channel. `status` and `signal` (its name, and whether a core was dumped) are how the program there ended, as far as it has
    been said."""

    def __init__(
        self, owner: Owner, client: ClientSide, towards_client: Congestion, towards_upstream: Congestion
    ) -> None:
        """Nothing is opened yet at the upstream."""
        self._owner = owner
        self._client = client
        self._upstream: UpstreamChannel | None = None
        self._towards_client = towards_client
        self._towards_upstream = towards_upstream
        self._client_full = False
        self._upstream_full = False
        self._client_stopped = False
        self._upstream_stopped = False
        self.over = False
        self.status: int | None = None
        self.signal: tuple[str, bool] | None = None
        towards_client.listen(self.balance)
        towards_upstream.listen(self.balance)

    # --- what the library tells of the upstream's channel

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """It is open."""
        self._upstream = chan  # type: ignore[assignment]

    def eof_received(self) -> bool:
        """No more output; the program may still read."""
        if not self.over and not self._client.is_closing():
            self._client.write_eof()
        return True

    def exit_status_received(self, status: int) -> None:
        """The program ended."""
        self.status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """The program was ended by a signal.

        INVARIANT: the host's words about it go nowhere: they are in no record, and nothing in them was masked. What is no name is not said.
        """
        if SIGNAL.fullmatch(signal):
            self.signal = (signal, core_dumped)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        if not self.over:
            self.stop()
            self._owner.relay_over()

    def pause_writing(self) -> None:
        """The upstream takes no more input."""
        self._upstream_full = True
        self.balance()

    def resume_writing(self) -> None:
        """It takes input again."""
        self._upstream_full = False
        self.balance()

    # --- what the client's session tells

    def client_writable(self, *, writable: bool) -> None:
        """Whether the client takes more output."""
        self._client_full = not writable
        self.balance()

    def end_up(self) -> None:
        """Nothing more goes to the upstream."""
        if not self.over and self._upstream is not None and not self._upstream.is_closing():
            self._upstream.write_eof()

    # --- the end

    def stop(self) -> None:
        """Nothing more goes either way; the upstream's channel is closed, and the program there sees it. Idempotent."""
        if self.over:
            return
        self.over = True
        self._towards_client.forget(self.balance)
        self._towards_upstream.forget(self.balance)
        if self._upstream is not None:
            self._upstream.abort()
        self._stopped()

    def _stopped(self) -> None:
        """It was just stopped: what else was begun for it ends as well."""

    # --- pressure

    @property
    def _client_must_wait(self) -> bool:
        """Whether nothing of the client is wanted for now."""
        return self._upstream_full or self._towards_upstream.full

    def balance(self) -> None:
        """Read each side only while the other one takes what comes of it."""
        if self.over or self._upstream is None:
            return
        stop_upstream = self._client_full or self._towards_client.full
        if stop_upstream is not self._upstream_stopped:
            self._upstream_stopped = stop_upstream
            self._upstream.pause_reading() if stop_upstream else self._upstream.resume_reading()
        stop_client = self._client_must_wait
        if stop_client is not self._client_stopped:
            self._client_stopped = stop_client
            self._client.pause_reading() if stop_client else self._client.resume_reading()
