"""One managed shell on a client's channel: reads lines, judges each as a command, runs it, and says what became of it.

INVARIANT: nothing reaches the host but lines that were judged as they are sent, each under its own permit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from interpose.analysis.shell.lines import goes_on, plain_words
from interpose.bridges.ssh.channels import Terminal
from interpose.bridges.ssh.managed.built_in import Builtins
from interpose.bridges.ssh.managed.editor import Editor, InterruptedLine
from interpose.bridges.ssh.managed.keys import LONGEST
from interpose.bridges.ssh.managed.plain import TOO_LONG, PlainLines
from interpose.bridges.ssh.managed.programs import Program
from interpose.bridges.ssh.managed.surroundings import Surroundings
from interpose.bridges.ssh.relaying import stderr
from interpose.bridges.ssh.words import CANCELLED, REFUSED_STATUS, hold_line, line_bytes, refusal_line
from interpose.model.command import Command, CommandKind
from interpose.protocols.intents import Allowed, Refused
from interpose.recording.channel_frames import StreamName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interpose.bridges.ssh.channels import ClientChannel
    from interpose.bridges.ssh.relaying import ChannelRelay
    from interpose.bridges.ssh.session import Judging, SshSession
    from interpose.bridges.ssh.start import Permitted
    from interpose.model.refusal import HoldNotice, Refusal

MOST_LINES: Final = 2000
"""Lines from a pipe that may belong together: whether they do is looked at again with each."""
GREETING: Final = "interpose: this is a managed shell: each line is judged; `help` says what it can do"
_VOIDING: Final = frozenset({"INT", "TERM", "HUP", "KILL", "QUIT"})
_INTERRUPTED: Final = 130


class Owner(Protocol):
    """What hears how the shell ends."""

    def relay_over(self) -> None:
        """Whoever was there has left it."""
        ...

    def relay_broken(self, error: BaseException) -> None:
        """Something of ours failed."""
        ...


class ManagedShell:
    """In the place of a relay: bytes of the client come in by the same calls."""

    def __init__(
        self,
        owner: Owner,
        session: SshSession,
        client: ClientChannel,
        number: int,
        permitted: Permitted,
        terminal: Terminal | None,
        variables: Sequence[tuple[bytes, bytes]],
    ) -> None:
        """`permitted` are the open permits for the shell itself, its terminal and the client's `variables`."""
        self._owner = owner
        self._session = session
        self._client = client
        self._number = number
        self._permitted = permitted
        self._terminal = terminal
        self._variables = variables
        self._judging: Judging | None = None
        self._relay: ChannelRelay | None = None
        self._full = False
        self._room = asyncio.Event()
        self._room.set()
        self._status = 0
        self._no_more = False
        self.over = False
        self.status: int | None = None
        self.signal: tuple[str, bool] | None = None
        self.surroundings = Surroundings(session.context)
        self._builtins = Builtins(self)
        self._reader: Editor | PlainLines
        if terminal is not None and terminal.term not in ("", "dumb"):
            self._reader = Editor(self._write, self._took, self._size, terminal.term, self._builtins.words)
        else:
            self._reader = PlainLines(self._write, self._took, terminal=terminal is not None)
        session.client.congestion.listen(self._balance)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="managed shell")

    # --- from the client

    def input(self, data: bytes) -> None:
        """Bytes: for the program that runs, or for the line."""
        if self._relay is not None:
            self._relay.input(data)
        elif isinstance(self._reader, Editor):
            self._reader.input.feed(data)
        else:
            self._reader.feed(data)

    def input_ended(self) -> None:
        """The client sends no more."""
        self._no_more = True
        self._reader.input.end() if isinstance(self._reader, Editor) else self._reader.end()
        if self._relay is not None and self._terminal is not None:
            self._relay.input_ended()

    def client_writable(self, *, writable: bool) -> None:
        """Whether the client takes more output."""
        self._full = not writable
        if self._relay is not None:
            self._relay.client_writable(writable=writable)
        self._balance()

    def _balance(self) -> None:
        """INVARIANT: no line and no key is read while what was shown for those before waits for the client."""
        full = self._full or self._session.client.congestion.full
        self._room.clear() if full else self._room.set()
        if self._relay is None and not self.over:
            self._client.pause_reading() if full else self._client.resume_reading()

    def size_changed(self, size: tuple[int, int, int, int]) -> None:
        """The client's terminal has another size."""
        if self._terminal is not None:
            self._terminal = Terminal(self._terminal.term, size, self._terminal.modes)
        if self._relay is not None:
            self._relay.size_changed(size)
            return
        self._session.session.recorder.window(self._number, size[0], size[1])
        if isinstance(self._reader, Editor):
            self._reader.resized()

    def signalled(self, name: str) -> None:
        """The client sends a signal."""
        if self._relay is not None:
            self._relay.signalled(name)
        elif name in _VOIDING:
            self.void()

    def void(self) -> None:
        """What is judged is not to be sent any more."""
        if self._judging is not None:
            self._judging.void()

    def stop(self) -> None:
        """The channel ends, whatever runs."""
        if self.over:
            return
        self.over = True
        self.void()
        if self._relay is not None:
            self._relay.stop()
        self._task.cancel()
        self._end()

    def _end(self) -> None:
        self._session.client.congestion.forget(self._balance)
        self._builtins.end()

    # --- words

    def tell(self, text: str) -> None:
        """A line of the gateway's own."""
        line = line_bytes(text, terminal=self._terminal is not None)
        if isinstance(self._reader, Editor) and self._relay is None:
            self._reader.say(line)
            return
        self._record(StreamName.STDERR, line)
        stderr(self._client, line)

    def refused(self, refusal: Refusal) -> None:
        """Something was refused; the shell goes on."""
        self.tell(refusal_line(refusal))

    def show(self, text: str) -> None:
        """Output of a built-in command."""
        self._write("".join(f"{line}\n" for line in text.splitlines()).replace("\n", self._newline).encode())

    @property
    def _newline(self) -> str:
        return "\r\n" if self._terminal is not None else "\n"

    def _write(self, data: bytes) -> None:
        if not self.over and not self._client.is_closing() and self._record(StreamName.STDOUT, data):
            self._session.counts.went(len(data))
            self._client.write(data)

    def _took(self, data: bytes) -> None:
        self._session.counts.came(len(data))
        self._record(StreamName.STDIN, data)

    def _record(self, stream: StreamName, data: bytes) -> bool:
        try:
            self._session.session.recorder.stream(self._number, stream, data)
        except Exception as error:  # noqa: BLE001 -- INVARIANT: what cannot be recorded ends the session
            self.relay_broken(error)
            return False
        return True

    def relay_broken(self, error: BaseException) -> None:
        """Something of ours failed: the session ends."""
        self._owner.relay_broken(error)

    def _size(self) -> tuple[int, int]:
        return (80, 24) if self._terminal is None else self._terminal.size[:2]

    # --- the shell

    async def _run(self) -> None:
        try:
            self.tell(GREETING)
            while not self.over:
                line = await self._line()
                if line is None or not await self._one(line):
                    break
        except Exception as error:  # noqa: BLE001 -- INVARIANT: a fault ends the session that it arose in
            self._owner.relay_broken(error)
            return
        if not self.over:
            self._end()
            self.over = True
            self.status = self._status
            self._owner.relay_over()

    async def _line(self) -> str | None:
        """The next line with those that belong to it; empty when it was given up, None at the end."""
        await self._turn()
        self._client.release()
        lines = 1
        try:
            line = await self._reader.read(self._prompt())
            while line is not None and isinstance(self._reader, PlainLines) and goes_on(line) and len(line) < LONGEST:
                if lines == MOST_LINES:
                    return TOO_LONG
                await self._turn()
                more = await self._reader.read("> ")
                if more is None:
                    break
                line = f"{line}\n{more}"
                lines += 1
        except InterruptedLine:
            if isinstance(self._reader, Editor) and self._reader.input.over:
                return None
            self._status = _INTERRUPTED
            return ""
        finally:
            self._client.hold()
        return line

    async def _turn(self) -> None:
        """Before each line, however many have come at once: others have their turn, and the client takes what it was shown."""
        await asyncio.sleep(0)
        await self._room.wait()

    def _prompt(self) -> str:
        connection = self._session.session.connection.name
        where = self.surroundings.folder or "~"
        home = self.surroundings.home
        if home and (where == home or where.startswith(home + "/")):
            where = "~" + where[len(home) :]
        return f"{connection}:{where if where.isprintable() else '?'}> "

    async def _one(self, line: str) -> bool:
        """Do what a line says; False when it ends the shell."""
        line = line.strip(" \t\n")
        if not line or (line.startswith("#") and "\n" not in line):
            return True
        if isinstance(self._reader, PlainLines):
            self._reader.history.store_string(line)
        words = plain_words(line)
        if words and words[0].literal and words[0].text in ("exit", "logout"):
            number = words[1].text if len(words) > 1 else ""
            self._status = int(number) & 255 if number.isdecimal() and len(number) < 10 else self._status
            return False
        done = await self._builtins.run(words) if words else None
        self._status = await self.run(line) if done is None else done
        return True

    async def judge(self, command: Command) -> Allowed | None:
        """The permission, or None after the refusal was told. What is typed meanwhile waits; Ctrl-C voids a hold."""
        judging = self._judging = self._session.judge(command, self._held)
        try:
            answer = await judging.answer()
        finally:
            self._judging = None
        if isinstance(answer, Allowed) and not judging.voided and not self.over:
            return answer
        if isinstance(answer, Allowed):
            self._session.ended(answer, "not_sent")
        self.refused(answer.refusal if isinstance(answer, Refused) else CANCELLED)
        return None

    def _held(self, notice: HoldNotice) -> None:
        self.tell(hold_line(notice))

    async def run(self, line: str) -> int:
        """Judge one line as a command, and run it; its status."""
        answer = await self.judge(Command(CommandKind.EXEC, line, self.surroundings.context))
        if answer is None:
            return REFUSED_STATUS
        program = self._program(answer)
        try:
            status = await program.run(self.surroundings.around(line), self._begun)
        finally:
            self._relay = None
            self._client.hold()
        if self._terminal is not None and program.output.last != b"\n":
            self._write(b"\r\n")
        return status

    async def ask(self, text: str) -> tuple[int, str, str] | None:
        """Judge a command of a built-in's, and run it without showing anything; None when it was refused."""
        answer = await self.judge(Command(CommandKind.EXEC, text, self.surroundings.context))
        return None if answer is None else await self._program(answer).ask(self.surroundings.around(text))

    def would(self, kind: CommandKind, text: str) -> str:
        """What would be decided of a command."""
        return self._session.parts.foresight.would(
            self._session.session, Command(kind, text, self.surroundings.context)
        )

    def programs(self) -> list[str]:
        """The programs that policy names."""
        return self._session.parts.foresight.programs(self._session.session)

    @property
    def history(self) -> Sequence[str]:
        """The lines so far, oldest first."""
        return list(self._reader.history.lines)

    def ended(self, answer: Allowed) -> None:
        """A permission that was kept open is over."""
        self._session.ended(answer, "ok")

    def _program(self, answer: Allowed) -> Program:
        return Program(
            self, self._session, self._client, self._number, answer, self._terminal, self._variables, self._check
        )

    def _check(self) -> None:
        self._permitted.check_part()
        self._builtins.check()

    def _begun(self, relay: ChannelRelay) -> None:
        self._relay = relay
        if self._full:
            relay.client_writable(writable=False)
        if self._terminal is None:
            # What stands on standard input are lines for the shell: no program is given any of it.
            relay.input_ended()
            return
        waiting = self._reader.input.take() if isinstance(self._reader, Editor) else self._reader.take()
        if waiting:
            relay.input(waiting)
        if self._no_more:
            relay.input_ended()
        self._client.release()
