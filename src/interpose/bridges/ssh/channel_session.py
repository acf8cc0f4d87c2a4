"""One session channel of a client, from its opening to its exit status: what it asks for is collected, judged in order, then begun.

INVARIANT: nothing is opened at the upstream before every part of the start was judged, and nothing the client sends is delivered before.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import asyncssh

from interpose.bridges.ssh.channels import ClientChannel, Terminal
from interpose.bridges.ssh.choosing import Choice
from interpose.bridges.ssh.lending import Lending
from interpose.bridges.ssh.managed.offering import managed_command, offers_managed
from interpose.bridges.ssh.managed.shell import ManagedShell
from interpose.bridges.ssh.opening import open_upstream, record_opened, relay_maker
from interpose.bridges.ssh.relaying import stderr
from interpose.bridges.ssh.sftp.flow import FilesChannel
from interpose.bridges.ssh.start import KINDS, SFTP, UNMASKABLE, Permitted, Start, cannot_start, variable_text
from interpose.bridges.ssh.words import (
    CANCELLED,
    EMPTY,
    FAILED_STATUS,
    FAULT,
    NOT_MASKABLE,
    NOT_TEXT,
    UPSTREAM_GONE,
    hold_line,
    line_bytes,
    refusal_line,
    status_of,
)
from interpose.model.command import Command, CommandKind
from interpose.model.errors import RecordingError
from interpose.protocols.intents import Allowed, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from interpose.bridges.ssh.ports import Faults
    from interpose.bridges.ssh.relaying import ChannelRelay
    from interpose.bridges.ssh.session import Judging, SshSession
    from interpose.model.refusal import Refusal

_INTERRUPT: Final = b"\x03"
_VOIDING: Final = frozenset({"INT", "TERM", "HUP", "KILL", "QUIT"})


class ClientSession(asyncssh.SSHServerSession[bytes]):
    """The library's session of a client's channel."""

    def __init__(self, enter: Callable[[ClientSession], Awaitable[SshSession | Refused]], faults: Faults) -> None:
        """`enter` answers the session that the channel belongs to, or why there is none; it may ask by `choose`."""
        self._enter = enter
        self._faults = faults
        self._channel: ClientChannel | None = None
        self._variables: list[tuple[bytes, bytes]] = []
        self._terminal: Terminal | None = None
        self._start: Start | None = None
        self._refused_early: Refusal | None = None
        self._session: SshSession | None = None
        self._number = 0
        self._judging: Judging | None = None
        self._relay: ChannelRelay | FilesChannel | ManagedShell | None = None
        self._permitted: Permitted | None = None
        self._choice: Choice | None = None
        self._lending = Lending(self, faults)
        self._gone = False
        self._cancelled = False
        self._done = False
        self._task: asyncio.Task[None] | None = None

    # --- what the library tells

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """The channel is open."""
        assert isinstance(chan, ClientChannel)
        self._channel = chan

    def variable(self, name: bytes, value: bytes) -> bool:
        """A variable of the environment is asked for; judged with the start."""
        if self._start is None:
            self._variables.append((name, value))
        return self._start is None

    def pty_requested(
        self, term_type: str | None, term_size: tuple[int, int, int, int], term_modes: Mapping[int, int]
    ) -> bool:
        """A terminal is asked for; judged with the start."""
        if self._start is not None:
            return False
        self._terminal = Terminal(term_type or "", term_size, tuple(sorted(term_modes.items())))
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """The terminal has another size."""
        size = (width, height, pixwidth, pixheight)
        if self._relay is not None:
            self._relay.size_changed(size)
        elif self._terminal is not None:
            self._terminal = Terminal(self._terminal.term, size, self._terminal.modes)

    def exec_requested(self, command: str) -> bool:
        """A command is to be run."""
        return self._begin(Start("exec", command))

    def shell_requested(self) -> bool:
        """A shell is to be run."""
        return self._begin(Start("shell"))

    def subsystem_requested(self, subsystem: str) -> bool:
        """A subsystem is to be run."""
        return self._begin(Start("subsystem", subsystem))

    def untranslatable(self) -> bool:
        """A command that is no text: refused in words, as any other."""
        self._refused_early = NOT_TEXT
        return self._begin(Start("exec"))

    def lending_asked(self, name: str, arguments: bytes) -> None:
        """The agent or display is to be forwarded; judged before anything that comes behind it is looked at."""
        assert self._channel is not None
        enter = None if self._start is not None else lambda: self._enter(self)
        self._lending.ask(name, arguments, enter, self._channel.answer)

    def signal_received(self, signal: str) -> None:
        """A signal for the program; while it is held, one that would end it voids the hold."""
        if self._relay is not None:
            self._relay.signalled(signal)
        elif signal in _VOIDING:
            self._void()

    def waiting_input(self, data: bytes) -> None:
        """Input that is not delivered yet. On a terminal, Ctrl-C voids a hold: nobody else would see it."""
        if self._terminal is not None and _INTERRUPT in data:
            self._void()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Input."""
        if self._relay is not None:
            self._relay.input(data)
        elif self._choice is not None:
            self._choice.typed(data)

    def eof_received(self) -> bool:
        """The client sends no more; output goes on."""
        if self._relay is not None:
            self._relay.input_ended()
        return True

    def pause_writing(self) -> None:
        """The client takes no more output."""
        if self._relay is not None:
            self._relay.client_writable(writable=False)

    def resume_writing(self) -> None:
        """It takes output again."""
        if self._relay is not None:
            self._relay.client_writable(writable=True)

    def client_closed(self) -> None:
        """The client closed the channel: what is held is void, what runs loses its input and output."""
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone, or the whole connection."""
        self._leave()

    # --- choosing a connection, where none was named

    @property
    def can_choose(self) -> bool:
        """Whether somebody is at a terminal and has asked for no command."""
        return self._terminal is not None and self._start is not None and self._start.kind == "shell"

    async def choose(self, names: Sequence[str]) -> str | None:
        """Ask at the terminal; None when whoever is there does not want any of these, or has left."""
        if self._channel is None or self._gone:
            return None
        self._choice = Choice(self._channel, names)
        return await self._choice.chosen

    # --- judging and beginning

    def _begin(self, start: Start) -> bool:
        # One start request a channel: the library refuses a second one, and so does this.
        if self._start is not None:
            return False
        self._start = start
        self._task = asyncio.get_running_loop().create_task(self._run(start), name="ssh channel")
        return True

    async def _run(self, start: Start) -> None:
        try:
            entered = await self._enter(self)
            if isinstance(entered, Refused):
                self._refuse(entered.refusal)
            elif not self._gone:
                self._session = entered
                self._number = entered.add(self)
                await self._judge_and_open(entered, start)
        except Exception as error:  # noqa: BLE001 -- INVARIANT: a fault closes what it arose on, and is told
            if self._session is None:
                self._faults(None, error)
            else:
                self._session.failed(error)
            self._say(FAULT, FAILED_STATUS)

    async def _judge_and_open(self, session: SshSession, start: Start) -> None:
        refusal = self._refused_early or (EMPTY if start.kind == "exec" and not start.text.strip() else None)
        if refusal is not None or session.over.is_set():
            self._refuse(refusal or CANCELLED)
            return
        if start == SFTP and self._channel is not None:
            # It carries commands of its own, and each is judged.
            self._relay = files = FilesChannel(self, self._channel, session)
            await files.open(session)
            return
        context = session.context
        permitted = self._permitted = Permitted(session)
        variables = []
        for name, value in self._variables:
            text = variable_text(name, value)
            command = Command(CommandKind.ENVIRONMENT, text, context)
            # A variable that policy does not let through is left out, as every SSH server does with those that it does not take.
            if text and isinstance(await self._judge(session, permitted, command), Allowed):
                variables.append((name, value))
        terminal = self._terminal
        wanted = [Command(KINDS[start.kind], start.text, context)]
        for command in wanted if terminal is None else [Command(CommandKind.PTY, terminal.term, context), *wanted]:
            answer = await self._judge(session, permitted, command)
            if command.kind is CommandKind.SHELL and offers_managed(session, answer):
                start = Start("managed_shell")
                answer = await self._judge(session, permitted, managed_command(context))
            if self._gone or not isinstance(answer, Allowed):
                permitted.end("not_sent")  # `_finish` knows of it no more where the session ended meanwhile
                self._refuse(answer.refusal if isinstance(answer, Refused) else CANCELLED)
                return
            permitted.start = answer
        if permitted.start is not None:
            await self._open(session, permitted, start, variables, permitted.start)

    async def _judge(self, session: SshSession, permitted: Permitted, command: Command) -> Allowed | Refused | None:
        # INVARIANT: who cancels a part of the start cancels all of it, and who has left is asked for no more.
        if self._cancelled or self._gone:
            return None
        judging = self._judging = session.judge(command, lambda notice: self.tell(hold_line(notice)))
        try:
            answer = await judging.answer()
        finally:
            self._judging = None
        if isinstance(answer, Allowed):
            permitted.add(answer)
            if judging.voided or self._gone:
                # Permitted at the very moment in which the client cancelled: it is not sent, and the record says so.
                return None
            if answer.obligations.reveal.content and command.kind in UNMASKABLE:
                return Refused(NOT_MASKABLE)
        return answer

    async def _open(
        self,
        session: SshSession,
        permitted: Permitted,
        start: Start,
        variables: list[tuple[bytes, bytes]],
        answer: Allowed,
    ) -> None:
        client, terminal = self._channel, self._terminal
        make = relay_maker(session, start, answer)
        if client is None or isinstance(make, Refused):
            self._finish("not_sent", "", None)
            self._refuse(make.refusal if isinstance(make, Refused) else CANCELLED)
            return
        record_opened(session, self._number, permitted, answer, start, terminal)
        if start.kind == "managed_shell":
            permitted.spend()
            self._relay = ManagedShell(self, session, client, self._number, permitted, terminal, variables)
            return
        relay = make(self, client, number=self._number, terminal=terminal is not None)
        try:
            upstream = await open_upstream(
                session, relay, start, variables, terminal, permitted.spend, lambda: self._gone, self._lending
            )
        except (asyncssh.Error, OSError) as error:
            relay.stop()
            self._finish("error", "", FAILED_STATUS)
            self._say(cannot_start(error), FAILED_STATUS)
            return
        self._relay = relay
        if self._gone:
            relay.stop()
            self._finish("cut", "client left", None)
            return
        if relay.over:
            # It ended before this task went on, and wrote nothing.
            self.relay_over()
            return
        if self._terminal is not None and terminal is not None and self._terminal.size != terminal.size:
            relay.size_changed(self._terminal.size)
        upstream.release()
        client.release()

    # --- how a relay ends

    def relay_over(self) -> None:
        """The program is over, or the upstream has closed the channel without saying so."""
        relay, channel = self._relay, self._channel
        if relay is None or channel is None:
            # The upstream closed it before it was begun; whoever begins it notices.
            return
        if relay.status is not None:
            self._finish("ok", f"exit {relay.status}", relay.status)
            channel.exit(relay.status)
        elif relay.signal is not None:
            name, dumped = relay.signal
            self._finish("ok", f"signal {name}", None)
            channel.exit_with_signal(name, dumped, "", "")
        else:
            self._finish("cut", "", None)
            self._say(UPSTREAM_GONE, FAILED_STATUS)
        self._over()

    def relay_broken(self, error: BaseException) -> None:
        """Something of ours failed; the session ends."""
        if self._session is not None:
            self._session.failed(error)

    def relay_refused(self, refusal: Refusal) -> None:
        """What comes may not pass; whatever runs has lost its terminal or its pipes."""
        if self._session is not None:
            self._session.note_refusal(refusal)
        self._finish("cut", refusal.code, None)
        self._refuse(refusal)

    def end(self, refusal: Refusal) -> None:
        """The session ends: a last word, and close."""
        self._void()
        if self._relay is not None:
            self._relay.stop()
        self._finish("cut", "", None)
        self._say(refusal, FAILED_STATUS)
        self._over()

    def _leave(self) -> None:
        if self._gone:
            return
        self._gone = True
        self._void()
        if self._choice is not None:
            self._choice.leave()
        if self._relay is not None:
            self._relay.stop()
            self._finish("cut", "client left", None)
        self._over()

    def _finish(self, outcome: str, tag: str, status: int | None) -> None:
        """End the permits and the channel in the records; once."""
        permitted, self._permitted = self._permitted, None
        if permitted is None or self._session is None:
            return
        permitted.end(outcome, tag)
        try:
            if permitted.recorded:
                self._session.session.recorder.channel_closed(self._number, status)
        except RecordingError as error:
            self._session.failed(error)

    def _over(self) -> None:
        if not self._done:
            self._done = True
            self._lending.close()
            if self._session is not None:
                self._session.remove(self)

    def _void(self) -> None:
        if self._judging is not None:
            self._judging.void()
        self._cancelled |= self._lending.void() or self._judging is not None
        if isinstance(self._relay, ManagedShell):
            self._relay.void()

    def _refuse(self, refusal: Refusal) -> None:
        self._say(refusal, status_of(refusal))
        self._over()

    def _say(self, refusal: Refusal, status: int) -> None:
        """A last word and an exit status; nothing for a channel that is closed."""
        if self._channel is not None and not self._channel.is_closing():
            self.tell(refusal_line(refusal))
            self._channel.exit(status)

    def tell(self, text: str) -> None:
        """A line of the gateway's own on standard error."""
        if isinstance(self._relay, ManagedShell) and not self._relay.over:
            self._relay.tell(text)
        elif self._channel is not None:
            stderr(self._channel, line_bytes(text, terminal=self._terminal is not None))
