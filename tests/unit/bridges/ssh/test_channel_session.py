"""A start that is held is one: whoever cancels any part of it cancels it all, and whoever has left is asked for no more."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest
from asyncssh.packet import String, UInt32

from interpose.model.actions import Action
from tests.support.ssh_pair import Pair, pair


class Quiet(asyncssh.SSHClientSession[bytes]):
    """Collects how a channel ended."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.over = asyncio.Event()

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()


async def _open(made: Pair) -> tuple[asyncssh.SSHClientChannel[bytes], Quiet]:
    channel = asyncssh.SSHClientChannel[bytes](
        made.client, asyncio.get_running_loop(), None, None, "strict", 65536, 32768
    )
    (await channel._open(b"session")).check_end()
    channel._session = quiet = Quiet()
    channel.resume_reading()
    return channel, quiet


async def _wanted(made: Pair) -> tuple[asyncssh.SSHClientChannel[bytes], Quiet]:
    """Variables, a terminal and a command, of which the first variable is held."""
    channel, quiet = await _open(made)
    for name in ("LANG", "LC_ALL"):
        channel._send_request(b"env", String(name), String("C"))
    size = [UInt32(number) for number in (80, 24, 0, 0)]
    assert await channel._make_request(b"pty-req", String("xterm"), *size, String(b"\0"))
    assert await channel._make_request(b"exec", String("uptime"))
    await made.until(lambda: made.core.store.stored)
    return channel, quiet


@pytest.mark.parametrize("by", ["key", "signal"])
async def test_whoever_cancels_while_a_variable_is_held_runs_nothing(by: str) -> None:
    async with pair([Action.EXEC, Action.PTY], holds=[Action.SET_ENV]) as made:
        channel, quiet = await _wanted(made)
        if by == "key":
            channel.send_packet(94, String(b"\x03"))
        else:
            channel._send_request(b"signal", String("INT"))
        await asyncio.wait_for(quiet.over.wait(), 30)
        assert quiet.status == 126
        assert made.host.asked == []
        assert made.recorder.channels == []
        assert made.around.faults == []


async def test_whoever_has_left_is_asked_for_no_more() -> None:
    async with pair([Action.PTY], holds=[Action.SET_ENV, Action.EXEC]) as made:
        channel, quiet = await _wanted(made)
        channel.close()
        await asyncio.wait_for(quiet.over.wait(), 30)
        await made.until(lambda: all(each.state != "pending" for each in made.core.store.stored.values()))
        assert [each.state for each in made.core.store.stored.values()] == ["cancelled"]
        await made.until(lambda: not [each for each in asyncio.all_tasks() if each.get_name() == "ssh channel"])
        assert len(made.core.store.stored) == 1


async def test_whoever_cancels_while_the_agent_is_held_runs_nothing() -> None:
    async with pair([Action.EXEC, Action.PTY], holds=[Action.FORWARD_AGENT]) as made:
        channel, quiet = await _open(made)
        size = [UInt32(number) for number in (80, 24, 0, 0)]
        assert await channel._make_request(b"pty-req", String("xterm"), *size, String(b"\0"))
        channel._send_request(b"auth-agent-req@openssh.com")
        channel._send_request(b"exec", String("uptime"))
        await made.until(lambda: made.core.store.stored)
        channel.send_packet(94, String(b"\x03"))
        await asyncio.wait_for(quiet.over.wait(), 30)
        assert quiet.status == 126
        assert made.recorder.channels == []
        assert made.around.faults == []
