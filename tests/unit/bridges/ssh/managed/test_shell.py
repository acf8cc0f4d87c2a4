"""A managed shell whose client sends much and reads nothing. What its lines do on a host is shown by the tests with a real one."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from interpose.bridges.ssh.channels import Terminal
from interpose.bridges.ssh.ends import Congestion
from interpose.bridges.ssh.managed import shell as module
from interpose.bridges.ssh.managed.shell import ManagedShell
from interpose.model.command import HostContext


class _Client:
    """A client's channel that keeps what is shown, and what it is told."""

    def __init__(self) -> None:
        self.shown = bytearray()
        self.reads = False

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes, datatype: int | None = None) -> None:
        self.shown += data

    def release(self) -> None:
        self.reads = True

    def hold(self) -> None:
        self.reads = False

    resume_reading = release
    pause_reading = hold


class _Place:
    """A shell with nothing behind it."""

    def __init__(self, terminal: str = "") -> None:
        self.client, self.congestion = _Client(), Congestion()
        self.ended = asyncio.Event()
        self.judged: list[str] = []
        session = SimpleNamespace(
            client=SimpleNamespace(congestion=self.congestion),
            context=HostContext("me", "/home/me", "/home/me"),
            counts=SimpleNamespace(came=lambda size: None, went=lambda size: None),
            parts=SimpleNamespace(foresight=SimpleNamespace(programs=lambda session: [])),
            session=SimpleNamespace(
                connection=SimpleNamespace(name="web-1"), recorder=SimpleNamespace(stream=lambda *frame: None)
            ),
        )
        owner = SimpleNamespace(relay_over=self.ended.set, relay_broken=pytest.fail)
        wanted = Terminal(terminal, (80, 24, 0, 0)) if terminal else None
        self.shell = ManagedShell(owner, session, self.client, 1, None, wanted, [])  # type: ignore[arg-type]
        self.shell.run = self._run  # type: ignore[method-assign]

    async def _run(self, line: str) -> int:
        self.judged.append(line)
        return 0


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_others_have_their_turn_between_two_lines() -> None:
    async def scene() -> int:
        place = _Place()
        place.shell.input(b"\n" * 1000)
        place.shell.input_ended()
        turns = 0
        while not place.ended.is_set():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert asyncio.run(scene()) > 1000


@pytest.mark.parametrize("way", ["channel", "socket"])
def test_no_line_is_read_while_the_client_takes_nothing(way: str) -> None:
    async def scene() -> None:
        place = _Place()

        def takes(some: bool) -> None:
            if way == "channel":
                place.shell.client_writable(writable=some)
            else:
                place.congestion.changed(full=not some)

        await _turns(5)
        takes(False)
        before = len(place.client.shown)
        place.shell.input(b"help\n" * 500)
        await _turns(50)
        assert place.client.shown.count(b"By the gateway itself", before) <= 1
        assert not place.client.reads
        takes(True)
        place.shell.input_ended()
        await asyncio.wait_for(place.ended.wait(), 60)
        assert place.client.shown.count(b"By the gateway itself") == 500

    asyncio.run(scene())


def test_no_key_is_read_while_the_client_takes_nothing() -> None:
    async def scene() -> None:
        place = _Place("xterm")
        await _turns(50)
        assert place.client.reads
        place.shell.client_writable(writable=False)
        assert not place.client.reads
        place.shell.client_writable(writable=True)
        assert place.client.reads
        place.shell.stop()

    asyncio.run(scene())


@pytest.mark.parametrize("when", ["at the prompt", "in a line", "while a program runs", "before a program runs"])
def test_a_terminal_whose_input_is_over_ends_the_shell(when: str) -> None:
    async def scene() -> list[str]:
        place = _Place("xterm")
        given: list[bytes] = []
        ran = asyncio.Event()
        relay = SimpleNamespace(input=given.append, input_ended=lambda: given.append(b"(end)"))

        async def run(line: str) -> int:
            place.judged.append(line)
            if when == "before a program runs":
                place.shell.input_ended()
            place.shell._begun(relay)  # type: ignore[arg-type]
            if when == "while a program runs":
                place.shell.input_ended()
            place.shell._relay = None
            ran.set()
            return 3

        place.shell.run = run  # type: ignore[method-assign]
        place.shell.input(b"ls\r")
        await asyncio.wait_for(ran.wait(), 60)
        if when == "in a line":
            place.shell.input(b"pw")
        if when in ("at the prompt", "in a line"):
            place.shell.input_ended()
        await asyncio.wait_for(place.ended.wait(), 60)
        assert place.shell.status == 3
        assert given == ([b"(end)"] if "program" in when else [])
        return place.judged

    assert asyncio.run(scene()) == ["ls"]


def test_so_many_lines_do_not_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 10)

    async def scene() -> list[str]:
        place = _Place()
        place.shell.input(b"cat <<E\n" + b"x\n" * 8 + b"E\nls '\n" + b"y\n" * 9 + b"'\n")
        place.shell.input_ended()
        await asyncio.wait_for(place.ended.wait(), 60)
        return place.judged

    whole, refused, *_ = asyncio.run(scene())
    assert whole == "cat <<E\n" + "x\n" * 8 + "E"
    # Refused like everything with a NUL byte.
    assert refused == "\0"


def test_the_history_of_a_pipe_is_bounded() -> None:
    async def scene() -> int:
        place = _Place()
        place.shell.input(b"".join(b"%d%s\n" % (number, b"x" * 30_000) for number in range(50)))
        place.shell.input_ended()
        await asyncio.wait_for(place.ended.wait(), 60)
        assert len(place.judged) == 50
        return sum(map(len, place.shell.history))

    assert 0 < asyncio.run(scene()) <= 256 * 1024
