"""One channel and the one behind it: how they end, and that neither is read faster than the other takes."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest
from asyncssh.packet import String

from interpose.bridges.ssh.channels import WINDOW
from interpose.bridges.ssh.ends import Congestion
from interpose.model.actions import Action
from interpose.recording.channel_frames import StreamName
from tests.support.ssh_pair import pair

LARGE = 6 * WINDOW


async def test_a_program_ends_with_its_status_or_signal_and_its_streams_are_recorded() -> None:
    async def shout(process: asyncssh.SSHServerProcess[bytes]) -> None:
        data = await process.stdin.read()
        process.stdout.write(data.upper())
        process.stderr.write(b"done")
        if data == b"die":
            process.exit_with_signal("TERM", False, "", "")
        else:
            process.exit(7)

    async with pair([Action.EXEC]) as made:
        made.host.program = shout
        done = await made.client.run("uptime", input=b"hello", encoding=None)
        assert (done.exit_status, done.stdout, done.stderr) == (7, b"HELLO", b"done")
        done = await made.client.run("uptime", input=b"die", encoding=None)
        assert done.exit_signal is not None
        assert done.exit_signal[0] == "TERM"
        assert made.ends == [("ok", "exit 7"), ("ok", "signal TERM")]
        assert made.recorder.streams == {
            (1, StreamName.STDIN): b"hello",
            (1, StreamName.STDOUT): b"HELLO",
            (1, StreamName.STDERR): b"done",
            (2, StreamName.STDIN): b"die",
            (2, StreamName.STDOUT): b"DIE",
            (2, StreamName.STDERR): b"done",
        }


@pytest.mark.parametrize(
    ("name", "told"),
    [("TERM", "TERM"), ("mine@example.org", "mine@example.org"), ("SIG@openssh.com", "SIG@openssh.com"), ("", None),
     ("X\x1b[2J", None), ("secret value", None), ("A" * 17, None), ("TERM\n", None)],
)  # fmt: skip
async def test_of_a_signal_its_name_is_told_and_no_word_of_the_hosts(name: str, told: str | None) -> None:
    async def die(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.exit_with_signal(name, True, "unmasked", "x-unmasked")

    async with pair([Action.EXEC]) as made:
        made.host.program = die
        done = await made.client.run("uptime", encoding=None)
        if told is None:
            assert (done.exit_status, done.exit_signal) == (255, None)
            assert [outcome for outcome, _ in made.ends] == ["cut"]
        else:
            assert done.exit_signal == (told, True, "", "")
            assert made.ends == [("ok", f"signal {told}")]
        assert b"unmasked" not in (done.stderr or b"")  # type: ignore[operator]


async def test_a_client_that_takes_nothing_stops_the_program_and_loses_nothing() -> None:
    async def flood(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.stdout.write(b"x" * LARGE)
        await process.stdout.drain()
        process.exit(0)

    async with pair([Action.EXEC]) as made:
        made.host.program = flood
        process = await made.client.create_process("uptime", encoding=None)
        before = -1
        # Until nothing moves: what was passed on then is what windows and the reader's own buffer hold.
        while before != made.around.to_client or before <= 0:
            before = made.around.to_client
            await asyncio.sleep(0.05)
        assert made.around.to_client < LARGE - WINDOW
        assert len(await process.stdout.read()) == LARGE
        assert (await process.wait()).exit_status == 0


async def test_a_host_that_closes_without_a_word_is_told_and_the_permit_cut() -> None:
    async def vanish(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.channel.abort()

    async with pair([Action.EXEC]) as made:
        made.host.program = vanish
        done = await made.client.run("uptime", encoding=None)
        assert done.exit_status == 255
        assert b"interpose: " in (done.stderr or b"")  # type: ignore[operator]
        assert [outcome for outcome, _ in made.ends] == ["cut"]


async def test_a_record_that_fails_shows_nothing_and_ends_the_session() -> None:
    async def speak(process: asyncssh.SSHServerProcess[bytes]) -> None:
        await process.stdin.readline()
        process.stdout.write(b"never shown")

    async with pair([Action.EXEC]) as made:
        made.host.program = speak
        process = await made.client.create_process("uptime", encoding=None)
        await made.until(lambda: made.recorder.channels)
        made.recorder.fails = True
        process.stdin.write(b"go\n")
        assert await process.stdout.read() == b""
        await asyncio.wait_for(made.session.over.wait(), 30)
        assert made.around.closed == ["record_failed"]


def test_whoever_listens_to_pressure_hears_of_each_change_until_it_forgets() -> None:
    heard: list[bool] = []
    pressure = Congestion()

    def hear() -> None:
        heard.append(pressure.full)

    pressure.listen(hear)
    pressure.changed(full=True)
    pressure.changed(full=False)
    pressure.forget(hear)
    pressure.changed(full=True)
    assert heard == [True, False]


async def test_a_signal_of_the_clients_is_recorded_and_nothing_else_is_passed_on_as_one() -> None:
    async def listen(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.channel._session.signal_received = heard.append  # type: ignore[attr-defined]
        process.stdout.write(b"ready")
        await process.stdin.read()
        process.exit(0)

    heard: list[str] = []
    async with pair([Action.EXEC]) as made:
        made.host.program = listen
        process = await made.client.create_process("uptime", encoding=None)
        assert await process.stdout.readexactly(5) == b"ready"
        for name in ("no name", "\x1b[2J", "x" * 1000, "USR1"):
            process.channel._send_request(b"signal", String(name))
        process.stdin.write_eof()
        assert (await process.wait()).exit_status == 0
        assert heard == ["USR1"]
        assert [text for kind, text in made.recorder.notes if kind == "signal"] == ["channel 1: USR1"]


async def test_why_a_host_opens_no_channel_is_not_told_in_its_words() -> None:
    def refuse() -> None:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "unmasked")

    async with pair([Action.EXEC]) as made:
        made.host.session_requested = refuse  # type: ignore[method-assign,assignment]
        done = await made.client.run("uptime", encoding=None)
        assert done.exit_status == 255
        assert b"the host did not start it: it opens no channel" in (done.stderr or b"")  # type: ignore[operator]
        assert b"unmasked" not in (done.stderr or b"")  # type: ignore[operator]
