"""A client's agent and display: lent to a program after a judgement, and taken back when that program is over."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest
from asyncssh.packet import Boolean, String, UInt32

from interpose.model.actions import Action
from interpose.model.audit import AuditKind
from tests.support.ssh_pair import Pair, pair

DISPLAY = Boolean(False) + String("MIT-MAGIC-COOKIE-1") + String("0123456789abcdef" * 2) + UInt32(0)
REQUESTS = [("auth-agent-req@openssh.com", b"", b"auth-agent@openssh.com", b""),
            ("x11-req", DISPLAY, b"x11", String("::1") + UInt32(1))]  # fmt: skip


class Waiting:
    """A program of the host that runs until it is told to end."""

    def __init__(self, made: Pair) -> None:
        self.runs, self.may_end = asyncio.Event(), asyncio.Event()
        made.host.program = self

    async def __call__(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self.runs.set()
        await self.may_end.wait()
        process.exit(0)


class Asking(asyncssh.SSHClientSession[bytes]):
    """Collects what comes on standard error."""

    def __init__(self) -> None:
        self.stderr = b""
        self.status: int | None = None
        self.over = asyncio.Event()

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self.channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self.stderr += data

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()


async def _start(made: Pair, request: str, arguments: bytes) -> tuple[Asking, bool]:
    """Ask for something to be lent, and start a program; whether it was lent."""
    loop = asyncio.get_running_loop()
    channel = asyncssh.SSHClientChannel[bytes](made.client, loop, None, None, "strict", 65536, 32768)
    asking = Asking()
    packet = await channel._open(b"session")
    packet.check_end()
    channel._session = asking
    asking.connection_made(channel)
    lent = await channel._make_request(request.encode(), arguments)
    assert await channel._make_request(b"exec", String("sleep 1"))
    channel.resume_reading()
    return asking, bool(lent)


@pytest.mark.parametrize(("request_", "arguments", "kind", "payload"), REQUESTS)
async def test_what_is_lent_ends_with_the_program(request_: str, arguments: bytes, kind: bytes, payload: bytes) -> None:
    async with pair([Action.EXEC, Action.FORWARD_AGENT, Action.FORWARD_X11]) as made:
        program = Waiting(made)
        came: list[bytes] = []
        # Whatever the client's library does with it: that it hears of it is what is lent.
        made.client._process_auth_agent_at_openssh_dot_com_open = lambda packet: _refused(came, b"agent")  # type: ignore[attr-defined]
        made.client._process_x11_open = lambda packet: _refused(came, b"x11")  # type: ignore[method-assign]
        asking, lent = await _start(made, request_, arguments)
        assert lent
        await program.runs.wait()
        with pytest.raises(asyncssh.ChannelOpenError, match="the client does not take it"):
            await made.host.open(kind, payload)
        assert len(came) == 1
        program.may_end.set()
        await asyncio.wait_for(asking.over.wait(), 30)
        assert asking.status == 0
        with pytest.raises(asyncssh.ChannelOpenError, match="nobody asked for this"):
            await made.host.open(kind, payload)
        assert len(came) == 1
        # The secret of a display is in no record.
        assert "0123456789abcdef" not in repr((made.recorder.__dict__, made.core.audit.events))


def _refused(came: list[bytes], what: bytes) -> None:
    came.append(what)
    raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "heard of it")


@pytest.mark.parametrize(("request_", "arguments", "kind", "payload"), REQUESTS)
async def test_what_is_not_lent_is_told_and_the_program_runs(
    request_: str, arguments: bytes, kind: bytes, payload: bytes
) -> None:
    async with pair([Action.EXEC]) as made:
        program = Waiting(made)
        asking, lent = await _start(made, request_, arguments)
        assert not lent
        await program.runs.wait()
        with pytest.raises(asyncssh.ChannelOpenError, match="nobody asked for this"):
            await made.host.open(kind, payload)
        program.may_end.set()
        await asyncio.wait_for(asking.over.wait(), 30)
        assert asking.status == 0
        assert b"interpose: nothing permits `forward_" in asking.stderr


async def test_it_is_too_late_to_ask_when_the_program_runs() -> None:
    async with pair([Action.EXEC, Action.FORWARD_AGENT]) as made:
        program = Waiting(made)
        asking, _ = await _start(made, "auth-agent-req@openssh.com", b"")
        await program.runs.wait()
        assert not await asking.channel._make_request(b"auth-agent-req@openssh.com")
        program.may_end.set()
        await asyncio.wait_for(asking.over.wait(), 30)


@pytest.mark.parametrize(("request_", "arguments", "kind", "payload"), REQUESTS)
async def test_each_is_lent_once_a_channel(request_: str, arguments: bytes, kind: bytes, payload: bytes) -> None:
    async with pair([Action.EXEC, Action.FORWARD_AGENT, Action.FORWARD_X11]) as made:
        channel = asyncssh.SSHClientChannel[bytes](made.client, asyncio.get_running_loop(), None, None, "strict", 9, 9)
        (await channel._open(b"session")).check_end()
        channel._session = asking = Asking()
        assert [await channel._make_request(request_.encode(), arguments) for _ in range(3)] == [True, False, False]
        channel.close()
        await asyncio.wait_for(asking.over.wait(), 30)
        await made.until(lambda: made.ends)
        assert len(made.core.audit.of(AuditKind.COMMAND_DECIDED)) == len(made.ends) == 1
