"""A start that is held is one: whoever cancels any part of it cancels it all, and whoever has left is asked for no more."""

from __future__ import annotations

import asyncio
import contextlib

import asyncssh
import pytest
from asyncssh.packet import String, UInt32

from interpose.model.actions import Action
from interpose.model.audit import AuditKind
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


async def test_a_permit_that_comes_as_the_session_ends_has_an_end() -> None:
    async with pair([Action.EXEC]) as made:
        channel, _ = await _open(made)
        channel._send_request(b"exec", String("uptime"))
        # The decision is in the records; whoever waits for it is told in one of the next turns of the loop.
        async with asyncio.timeout(30):
            while not made.core.audit.of(AuditKind.COMMAND_DECIDED):  # noqa: ASYNC110 -- which turn it is counts
                await asyncio.sleep(0)
        made.session.client_left()
        await made.until(lambda: made.ends)
        assert made.ends == [("not_sent", "")]


async def test_nothing_is_judged_in_a_session_that_is_over() -> None:
    async with pair([Action.EXEC, Action.FORWARD_AGENT], holds=[Action.FORWARD_LISTEN]) as made:
        made.session.client_left()
        channel, quiet = await _open(made)
        assert not await channel._make_request(b"auth-agent-req@openssh.com")
        assert await channel._make_request(b"exec", String("uptime"))
        await asyncio.wait_for(quiet.over.wait(), 30)
        assert quiet.status == 126
        sftp, quiet = await _open(made)
        assert await sftp._make_request(b"subsystem", String("sftp"))
        await asyncio.wait_for(quiet.over.wait(), 30)
        with pytest.raises(asyncssh.ChannelListenError):
            await made.client.start_server(lambda *_: None, "localhost", 80)
        assert made.core.audit.events[-1].kind is AuditKind.SESSION_CLOSED
        assert made.core.store.stored == {}
        assert made.around.faults == []


async def test_a_channel_that_the_host_refuses_is_closed_in_the_recording() -> None:
    async with pair([Action.EXEC]) as made:
        made.host.session_requested = lambda: False  # type: ignore[method-assign]
        done = await made.client.run("uptime", encoding=None)
        assert done.exit_status == 255
        assert [outcome for outcome, _ in made.ends] == ["error"]
        assert made.recorder.statuses == {made.recorder.channels[0][0]: 255}


async def test_a_host_that_tells_an_end_before_a_beginning_is_cut() -> None:
    class Hasty(asyncssh.SSHServerSession[bytes]):
        def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
            asyncio.get_running_loop().call_soon(chan._send_request, b"exit-status", UInt32(0))

    async with pair([Action.EXEC]) as made:
        made.host.session_requested = Hasty  # type: ignore[method-assign]
        with contextlib.suppress(asyncssh.Error):
            await made.client.run("uptime", encoding=None)
        await asyncio.wait_for(made.session.over.wait(), 30)
        assert made.around.closed == ["upstream_closed"]
        assert made.around.faults == []
        assert [outcome for outcome, _ in made.ends] in (["error"], ["cut"])


@pytest.mark.parametrize("begins", ["client", "gateway, towards the client", "gateway, towards the host", "host"])
async def test_keys_are_exchanged_anew_while_a_command_is_held(begins: str) -> None:
    async with pair(holds=[Action.EXEC]) as made:
        channel, quiet = await _open(made)
        channel._send_request(b"exec", String("uptime"))
        await made.until(lambda: made.core.store.stored)
        ends: dict[str, asyncssh.SSHConnection] = {
            "client": made.client,
            "gateway, towards the client": made.session.client,
            "gateway, towards the host": made.session.upstream,
            "host": made.host.connection,
        }
        end = ends[begins]
        end._send_kexinit()
        end._kexinit_sent = True
        assert not end._kex_complete
        (held,) = made.core.store.stored
        await made.core.approvals.vote(held, made.core.people.by_name["bob"], True)
        await asyncio.wait_for(quiet.over.wait(), 30)
        assert quiet.status == 0
        await made.until(lambda: end._kex_complete)
        assert made.ends == [("ok", "exit 0")]
        assert made.around.faults == []
