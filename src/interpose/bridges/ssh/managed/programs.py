"""Running one judged line of a managed shell at the upstream, on a channel of its own, with the client's terminal if it has one."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Protocol

import asyncssh

from interpose.bridges.ssh.managed.asking import Asked
from interpose.bridges.ssh.opening import open_upstream, relay_maker
from interpose.bridges.ssh.start import Permitted, Start, cannot_start
from interpose.bridges.ssh.words import FAILED_STATUS, REFUSED_STATUS
from interpose.protocols.intents import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interpose.bridges.ssh.channels import ClientChannel, Terminal, UpstreamChannel
    from interpose.bridges.ssh.relaying import ChannelRelay
    from interpose.bridges.ssh.session import SshSession
    from interpose.model.refusal import Refusal
    from interpose.protocols.intents import Allowed


class Shell(Protocol):
    """What a line belongs to."""

    over: bool

    def refused(self, refusal: Refusal) -> None:
        """Tell it."""
        ...

    def relay_broken(self, error: BaseException) -> None:
        """Something of ours failed."""
        ...


class Output:
    """The client's channel as one program sees it: when the program sends no more, the shell still does."""

    def __init__(self, channel: ClientChannel) -> None:
        """Stands for this channel."""
        self._channel = channel
        self.last = b"\n"

    def is_closing(self) -> bool:
        """Whether nothing is taken any more."""
        return self._channel.is_closing()

    def write(self, data: bytes, datatype: int | None = None) -> None:
        """Output, or standard error."""
        self.last = data[-1:] or self.last
        self._channel.write(data, datatype)

    def write_eof(self) -> None:
        """Not the end of the shell's output."""

    def pause_reading(self) -> None:
        """Deliver no input for now."""
        self._channel.pause_reading()

    def resume_reading(self) -> None:
        """Deliver input again."""
        self._channel.resume_reading()


class Program:
    """One line that runs."""

    def __init__(
        self,
        shell: Shell,
        session: SshSession,
        client: ClientChannel,
        number: int,
        answer: Allowed,
        terminal: Terminal | None,
        variables: Sequence[tuple[bytes, bytes]],
        check: Callable[[], None],
    ) -> None:
        """`check` raises unless the permits for the terminal and the variables are open; `answer` permits the line."""
        self._shell = shell
        self._session = session
        self._client = client
        self._number = number
        self._answer = answer
        self._terminal = terminal
        self._variables = variables
        self._check = check
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._refusal: Refusal | None = None
        self.output = Output(client)
        self.relay: ChannelRelay | None = None

    async def run(self, text: str, begun: Callable[[ChannelRelay], None]) -> int:
        """Run it to its end; its status. `begun` is called when input may come."""
        make = relay_maker(self._session, Start("exec", text), self._answer)
        permitted = self._permitted()
        if isinstance(make, Refused):
            permitted.end("not_sent")
            self._shell.refused(make.refusal)
            return REFUSED_STATUS
        relay = self.relay = make(self, self.output, number=self._number, terminal=self._terminal is not None)
        try:
            upstream = await self._open(relay, text, permitted)
            if not relay.over:
                begun(relay)
                upstream.release()
                await self._done
            return self._ended(relay, permitted)
        except (asyncssh.Error, OSError) as error:
            permitted.end("error" if permitted.sent else "not_sent")
            self._shell.refused(cannot_start(error))
            return FAILED_STATUS
        finally:
            relay.stop()
            permitted.end("cut" if permitted.sent else "not_sent")

    async def ask(self, text: str) -> tuple[int, str, str]:
        """Run it without showing anything: its status, output, and what it said on standard error."""
        permitted, asked = self._permitted(), Asked()
        showing = self._session.parts.release.show_stream(self._session.session, self._answer)
        try:
            if isinstance(showing, Refused):
                return REFUSED_STATUS, "", showing.refusal.message
            (await self._open(asked, text, permitted)).release()
            await asked.done
            status = FAILED_STATUS if asked.status is None else asked.status
            permitted.end("ok", f"exit {status}")
            error = asked.error.decode("utf-8", "replace")
            said = error if showing.scanner is None else showing.scanner.mask_text(error)
            return status, asked.out.decode("utf-8", "replace"), said
        except (asyncssh.Error, OSError) as error:
            return FAILED_STATUS, "", cannot_start(error).message
        finally:
            asked.stop()
            permitted.end("cut" if permitted.sent else "not_sent")

    def _permitted(self) -> Permitted:
        permitted = Permitted(self._session)
        permitted.add(self._answer)
        permitted.start = self._answer
        return permitted

    async def _open(
        self, session: asyncssh.SSHClientSession[bytes], text: str, permitted: Permitted
    ) -> UpstreamChannel:
        def spend() -> None:
            self._check()
            permitted.spend()

        terminal = None if isinstance(session, Asked) else self._terminal
        return await open_upstream(
            self._session, session, Start("exec", text), self._variables, terminal, spend, lambda: self._shell.over
        )

    def _ended(self, relay: ChannelRelay, permitted: Permitted) -> int:
        if self._refusal is not None:
            permitted.end("cut", self._refusal.code)
            self._shell.refused(self._refusal)
            return REFUSED_STATUS
        if relay.status is not None:
            permitted.end("ok", f"exit {relay.status}")
            return relay.status
        if relay.signal is not None:
            permitted.end("ok", f"signal {relay.signal[0]}")
            return 128 + _number_of(relay.signal[0])
        return FAILED_STATUS

    # --- what the relay tells

    def relay_over(self) -> None:
        """The program is over."""
        self._finish()

    def relay_broken(self, error: BaseException) -> None:
        """Something of ours failed."""
        self._shell.relay_broken(error)
        self._finish()

    def relay_refused(self, refusal: Refusal) -> None:
        """What it writes or is sent may not pass."""
        self._refusal = refusal
        self._session.note_refusal(refusal)
        self._finish()

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


def _number_of(name: str) -> int:
    try:
        return int(signal.Signals[f"SIG{name}"])
    except KeyError:
        return 0
