"""The tunnels of a session: nothing is asked of the host that was not permitted, and nothing is taken from it that was not asked for."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest
from asyncssh.packet import String, UInt32

from interpose.bridges.ssh.forwards import MOST_LISTENERS
from interpose.model.actions import Action
from interpose.model.audit import AuditKind
from tests.support.ssh_pair import Echo, pair


async def test_a_permitted_connection_is_the_one_that_was_judged() -> None:
    async with pair([Action.FORWARD]) as made:
        reader, writer = await made.connect("DB.Internal.", 5432)
        writer.write(b"hello")
        writer.write_eof()
        assert await reader.read() == b"hello<end>"
        writer.close()
        await made.until(lambda: made.ends)
        assert made.host.asked == ["connect db.internal:5432"]
        assert made.ends == [("ok", "5 bytes up, 10 bytes down")]
        assert made.recorder.streams == {}


async def test_what_is_not_permitted_is_not_asked_of_the_host() -> None:
    async with pair() as made:
        with pytest.raises(asyncssh.ChannelOpenError) as caught:
            await made.connect()
        assert caught.value.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
        assert "nothing permits `forward`" in caught.value.reason
        with pytest.raises(asyncssh.ChannelListenError):
            await made.client.start_server(lambda *_: None, "localhost", 80)
        assert any("nothing permits `forward_listen`" in line for line in made.said)
        assert made.host.asked == []


async def test_what_the_host_cannot_reach_is_an_error_of_a_permitted_command() -> None:
    async with pair([Action.FORWARD]) as made:
        made.host.reachable = False
        with pytest.raises(asyncssh.ChannelOpenError) as caught:
            await made.connect()
        assert caught.value.code == asyncssh.OPEN_CONNECT_FAILED
        assert "the host could not connect: nobody there" in caught.value.reason
        assert [outcome for outcome, _ in made.ends] == ["error"]


async def test_connections_to_a_port_are_taken_until_it_is_cancelled() -> None:
    async with pair([Action.FORWARD_LISTEN]) as made:
        listener = await made.client.create_server(lambda *_: Echo(), "localhost", 80, encoding=None)
        assert made.host.asked == ["listen localhost:80"]
        for data in (b"one", b"three"):
            reader, writer = await made.host.come("localhost", 80)
            writer.write(data)
            writer.write_eof()
            assert await reader.read() == data + b"<end>"
            writer.close()
        # Of another port, another spelling, and after its end: nobody asked for it.
        with pytest.raises(asyncssh.ChannelOpenError):
            await made.host.come("localhost", 81)
        listener.close()
        await made.until(lambda: "cancel localhost:80" in made.host.asked)
        with pytest.raises(asyncssh.ChannelOpenError):
            await made.host.come("localhost", 80)
        await made.until(lambda: made.ends)
        # One permit, of which the end is told once.
        assert made.ends == [("ok", "2 connections, 18 bytes up, 8 bytes down")]


async def test_a_connection_outlives_the_port_it_came_to() -> None:
    async with pair([Action.FORWARD_LISTEN]) as made:
        listener = await made.client.create_server(lambda *_: Echo(), "localhost", 80, encoding=None)
        reader, writer = await made.host.come("localhost", 80)
        listener.close()
        await made.until(lambda: "cancel localhost:80" in made.host.asked)
        assert made.ends == []
        writer.write(b"late")
        writer.write_eof()
        assert await reader.read() == b"late<end>"
        writer.close()
        await made.until(lambda: made.ends == [("ok", "9 bytes up, 4 bytes down")])


async def test_a_port_that_the_host_does_not_give_and_one_too_many() -> None:
    async with pair([Action.FORWARD_LISTEN]) as made:
        made.host.reachable = False
        with pytest.raises(asyncssh.ChannelListenError):
            await made.client.start_server(lambda *_: None, "localhost", 80)
        assert [outcome for outcome, _ in made.ends] == ["error"]
        made.host.reachable = True
        for port in range(1, MOST_LISTENERS + 1):
            await made.client.start_server(lambda *_: None, "localhost", port)
        asked = len(made.host.asked)
        with pytest.raises(asyncssh.ChannelListenError):
            await made.client.start_server(lambda *_: None, "localhost", 1000)
        assert any("too many at once" in line for line in made.said)
        assert len(made.host.asked) == asked


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (b"forwarded-tcpip", String("localhost") + UInt32(80) + String("::1") + UInt32(1)),
        (b"forwarded-streamlocal@openssh.com", String("/run/x") + String("")),
        (b"auth-agent@openssh.com", b""),
        (b"x11", String("::1") + UInt32(1)),
    ],
)
async def test_a_host_opens_nothing_by_itself(kind: bytes, payload: bytes) -> None:
    async with pair([Action.FORWARD_LISTEN, Action.FORWARD_AGENT, Action.FORWARD_X11]) as made:
        with pytest.raises(asyncssh.ChannelOpenError) as caught:
            await made.host.open(kind, payload)
        assert caught.value.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED


async def test_the_end_of_the_session_cuts_what_runs_and_ends_every_permit() -> None:
    async with pair([Action.FORWARD, Action.FORWARD_LISTEN]) as made:
        await made.client.create_server(lambda *_: Echo(), "localhost", 80, encoding=None)
        reader, writer = await made.connect()
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        made.session.client_left()
        await asyncio.wait_for(made.session.over.wait(), 30)
        assert sorted(made.ends) == [
            ("ok", "0 connections, 0 bytes up, 0 bytes down"),
            ("ok", "1 bytes up, 1 bytes down"),
        ]
        with pytest.raises(asyncssh.ChannelOpenError):
            await made.session.forwards.connect("db", 5432, "")


@pytest.mark.parametrize("port", [80, 0, 65536, 2**32 - 1])
async def test_a_host_cannot_put_a_port_in_the_place_of_another(port: int) -> None:
    async with pair([Action.FORWARD_LISTEN]) as made:
        await made.client.create_server(lambda *_: Echo(), "localhost", 80, encoding=None)
        made.host.gives = port
        with pytest.raises(asyncssh.ChannelListenError):
            await made.client.create_server(lambda *_: Echo(), "localhost", 0, encoding=None)
        assert [outcome for outcome, _ in made.ends] == ["error"]
        # The first one is as it was.
        reader, writer = await made.host.come("localhost", 80)
        writer.write_eof()
        assert await reader.read() == b"<end>"
        writer.close()
        made.session.client_left()
        await asyncio.wait_for(made.session.over.wait(), 30)
        assert [outcome for outcome, _ in made.ends] == ["error", "ok"]
        assert made.around.faults == []


async def test_a_port_that_the_host_never_answers_for_ends_with_the_session() -> None:
    async with pair([Action.FORWARD_LISTEN]) as made:
        made.host.gives = None
        wanted = asyncio.ensure_future(made.client.create_server(lambda *_: Echo(), "localhost", 0, encoding=None))
        await made.until(lambda: made.host.asked)
        made.session.client_left()
        events = made.core.audit.events
        kinds = [each.kind for each in events]
        assert kinds[-2:] == [AuditKind.COMMAND_ENDED, AuditKind.SESSION_CLOSED]
        made.client.abort()
        with pytest.raises(asyncssh.ChannelListenError):
            await wanted
        assert len(made.ends) == 1
        assert made.around.faults == []
