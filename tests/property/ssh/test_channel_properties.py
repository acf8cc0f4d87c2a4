"""Channels of one SSH session in random histories: client, host, approvers and both key exchanges do what they like, whenever they like.

Whatever happens: the host is asked for nothing that was not permitted, what was permitted ends once, what a client gets was recorded, and
nothing is left when the session is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import random

import asyncssh
import pytest
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.packet import Boolean, String, UInt32

from interpose.bridges.ssh.words import CANCELLED
from interpose.model.actions import Action
from interpose.model.audit import AuditKind
from interpose.recording.channel_frames import StreamName
from tests.support.ssh_pair import Pair, pair

RUNS = 16
ACTIONS = (Action.EXEC, Action.PTY, Action.SUBSYSTEM, Action.SET_ENV, Action.FORWARD_AGENT, Action.FORWARD_X11,
           Action.FORWARD, Action.FORWARD_LISTEN)  # fmt: skip
TASKS = ("ssh", "judge", "scp", "upstream")
"""What the tasks of a session are called."""
WRITTEN = [b"x", b"line\n" * 2, b"y" * 5000, b"z" * 100_000]
TYPED = [b"a", b"\x03", b"b" * 3000]


class Program(asyncssh.SSHServerSession[bytes]):
    """The host's side of a channel."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.takes = history.random.random() < 0.9

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self.channel = chan
        self.history.programs.append(self)

    def pty_requested(self, *_: object) -> bool:
        return self.takes

    def exec_requested(self, command: str) -> bool:
        self.history.started.append(command)
        return self.takes

    def subsystem_requested(self, subsystem: str) -> bool:
        return False

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self.history.taken += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.history.programs.remove(self)

    def act(self) -> None:
        chance, channel = self.history.random, self.channel
        if channel.is_closing():
            return
        with contextlib.suppress(OSError):
            match chance.randrange(12):
                case 0:
                    channel.write_eof()
                case 1:
                    channel.exit(chance.randrange(5))
                case 2:
                    channel.exit_with_signal(chance.choice(["TERM", "no name"]), False, "words", "")
                case 3:
                    channel._send_request(b"exit-status", UInt32(3))
                case 4:
                    channel.close()
                case 5:
                    channel.abort()
                case 6:
                    channel._send_request(chance.choice([b"xon-xoff", b"exec"]), Boolean(True))
                case _:
                    channel.write(chance.choice(WRITTEN), chance.choice([None, None, asyncssh.EXTENDED_DATA_STDERR]))


class Client(asyncssh.SSHClientSession[bytes]):
    """The client's side of a channel."""

    def __init__(self, history: History, channel: asyncssh.SSHClientChannel[bytes]) -> None:
        self.history = history
        self.channel = channel
        self.shown = b""

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is None:
            self.shown += data

    def act(self) -> None:
        chance, channel = self.history.random, self.channel
        if channel._send_chan is None or channel._send_state in {"close_pending", "closed"}:
            return
        ask = channel._send_request
        match chance.randrange(17):
            case 0:
                ask(b"env", String(chance.choice(["LANG", "A B"])), String(chance.choice([b"C", b"x\ny", b"\xff"])))
            case 1:
                ask(b"pty-req", String("xterm"), UInt32(80), UInt32(24), UInt32(0), UInt32(0), String(b"\0"))
            case 2:
                ask(b"subsystem", String(chance.choice(["sftp", "netconf"])))
            case 3:
                ask(b"window-change", UInt32(chance.choice([0, 100, 2**31])), UInt32(0), UInt32(0), UInt32(0))
            case 4:
                ask(b"signal", String(chance.choice(["INT", "HUP", "9", ""])))
            case 5:
                ask(b"auth-agent-req@openssh.com")
            case 6:
                ask(b"x11-req", Boolean(False), String("a"), String("b"), UInt32(0))
            case 7 | 8 | 9:
                data = chance.choice(TYPED)
                if channel._send_state == "open" and channel._send_window >= len(data):
                    channel._send_window -= len(data)
                    channel.send_packet(MSG_CHANNEL_DATA, String(data))
            case 10 if channel._send_state == "open" and chance.random() < 0.4:
                channel.write_eof()
            case 11 if chance.random() < 0.5:
                channel.close()
            case 12:
                channel.send_packet(MSG_CHANNEL_WINDOW_ADJUST, UInt32(chance.choice([0, 1, 1000])))
            case 13:
                channel.pause_reading() if chance.random() < 0.5 else channel.resume_reading()
            case _:
                ask(b"exec", String(chance.choice([b"uptime", b"id", b"reboot", b"\xff", b""])))


class History:
    """One of them."""

    def __init__(self, made: Pair, seed: int) -> None:
        self.made = made
        self.random = random.Random(seed)
        self.programs: list[Program] = []
        self.clients: list[Client] = []
        self.started: list[str] = []
        self.taken = 0
        self.beside: set[asyncio.Task[None]] = set()
        made.host.session_requested = lambda: Program(self)  # type: ignore[method-assign]

    async def open(self) -> None:
        """The client opens a channel."""
        client, loop = self.made.client, asyncio.get_running_loop()
        window = self.random.choice([200, 65536])
        with contextlib.suppress(asyncssh.Error):
            channel = asyncssh.SSHClientChannel[bytes](client, loop, None, None, "strict", window, 32768)
            await channel._open(b"session")
            channel._session = made = Client(self, channel)
            channel.resume_reading()
            self.clients.append(made)

    def vote(self) -> None:
        """An approver decides."""
        core = self.made.core
        pending = [each.id for each in core.store.stored.values() if each.state == "pending"]
        if pending:
            voter, approve = core.people.by_name["bob"], self.random.random() < 0.7
            self.meanwhile(core.approvals.vote(self.random.choice(pending), voter, approve))

    def forward(self) -> None:
        """Somebody opens what is no session."""
        made = self.made
        kind = self.random.choice([b"x11", b"auth-agent@openssh.com", b"forwarded-tcpip"])
        origin = String("::1") + UInt32(1)
        payload = self.random.choice([b"", origin, String("localhost") + UInt32(80) + origin])
        made.host.gives = self.random.choice([80, 4000, 4001])
        port = self.random.choice([0, 80, 81])
        doing = [
            lambda: made.host.open(kind, payload),
            made.connect,
            lambda: made.client.create_server(lambda *_: asyncssh.SSHTCPSession(), "localhost", port, encoding=None),
        ]
        self.meanwhile(self.random.choice(doing)())

    def change_keys(self) -> None:
        """One of the four ends begins to exchange keys."""
        made = self.made
        end = self.random.choice([made.client, made.session.client, made.session.upstream, made.host.connection])
        if not end.is_closed() and end._transport is not None and end._kex is None and not end._kexinit_sent:
            end._send_kexinit()
            end._kexinit_sent = True

    def meanwhile(self, work: object) -> None:
        async def quietly() -> None:
            with contextlib.suppress(asyncssh.Error, OSError):
                await work  # type: ignore[misc]

        self.beside.add(asyncio.ensure_future(quietly()))

    async def happen(self) -> None:
        """Some steps, and an end."""
        chance, made = self.random, self.made
        for _ in range(chance.randrange(10, 120)):
            kind = chance.random()
            if made.client.is_closed():
                break
            if kind < 0.12 or not self.clients:
                await self.open()
            elif kind < 0.62:
                chance.choice(self.clients[-4:]).act()
            elif kind < 0.82:
                chance.choice(self.programs).act() if self.programs else None
            elif kind < 0.9:
                self.vote()
            elif kind < 0.96:
                self.forward()
            else:
                self.change_keys()
            for _ in range(chance.choice([0, 1, 2, 3, 30])):
                await asyncio.sleep(0)
        match chance.randrange(4):
            case 0:
                made.client.abort()
            case 1:
                made.host.connection.abort()
            case 2:
                made.session.cut(CANCELLED)
            case _:
                made.client.close()
        await asyncio.wait_for(made.session.over.wait(), 30)
        made.client.abort()
        for task in self.beside:
            task.cancel()
        await asyncio.gather(*self.beside, return_exceptions=True)

    def is_quiet(self) -> bool:
        """Whether no task of the session is left, nor what one of them holds until its next turn."""
        return not self.made.session._channels and not [
            each for each in asyncio.all_tasks() if each.get_name().startswith(TASKS)
        ]

    def check(self) -> None:
        """Whether everything holds that must hold."""
        made, events = self.made, self.made.core.audit.events
        session = made.session
        assert made.around.faults == []
        assert not session.forwards._listening
        assert not session.forwards._asking
        assert not any(session.forwards._lent.values())
        permitted = [at for at, each in enumerate(events, 1) if each.fields.get("decision") == "permit"]
        ended = [each.fields["command"] for each in events if each.kind is AuditKind.COMMAND_ENDED]
        assert sorted(ended) == permitted
        closed = [each.kind for each in events].index(AuditKind.SESSION_CLOSED)
        assert not [each for each in events[closed:] if each.kind is AuditKind.APPROVAL_OPENED]
        assert not [at for at in permitted if at > closed + 1]
        assert not [each for each in made.core.store.stored.values() if each.state == "pending"]
        recorder = made.recorder
        assert {number for number, *_ in recorder.channels} == set(recorder.statuses)
        commands = [text for _, kind, text, *_ in recorder.commands if kind == "exec"]
        for command in set(self.started):
            assert self.started.count(command) <= commands.count(command)
        assert "reboot" not in self.started
        typed = sum(len(data) for (_, stream), data in recorder.streams.items() if stream is StreamName.STDIN)
        assert self.taken <= typed
        shown = [data for (_, stream), data in recorder.streams.items() if stream is StreamName.STDOUT]
        for client in self.clients:
            assert not client.shown or any(data.startswith(client.shown) for data in shown)


@pytest.mark.parametrize("seed", range(RUNS))
async def test_whatever_happens_on_channels_nothing_passes_unjudged_and_nothing_is_left(seed: int) -> None:
    chance = random.Random(-seed - 1)
    held = {action for action in ACTIONS if chance.random() < 0.3}
    permitted = {action for action in ACTIONS if chance.random() < 0.9} - held
    async with pair(permitted, held) as made:
        made.core.rules.refuse = lambda _, effects, *__: any(each.facts.get("program") == "reboot" for each in effects)
        history = History(made, seed)
        await history.happen()
        await made.until(history.is_quiet)
        history.check()
