"""Sockets that wait for room: in which order they are let in, and what those are told that are not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from interpose.bridges.ssh import crowd as module
from interpose.bridges.ssh.crowd import Crowd


class Place:
    """Room for as many as the test says, from addresses that the test makes up."""

    def __init__(self) -> None:
        self.room = 0
        self.welcomed: list[str] = []
        self.turned_away: list[tuple[str, str]] = []
        self.ends: list[socket.socket] = []
        self.changed = asyncio.Event()

    def has_room(self, peer: str) -> bool:
        return self.room > 0

    async def begin(self, sock: socket.socket, peer: str) -> None:
        self.room -= 1
        self.welcomed.append(peer)
        sock.close()
        self.changed.set()

    def away(self, peer: str, reason: str) -> None:
        self.turned_away.append((peer, reason))

    async def until_welcomed(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.welcomed) < count:
                self.changed.clear()
                await self.changed.wait()


class Named(socket.socket):
    """A socket that says that it comes from elsewhere."""

    peer = ""

    def getpeername(self) -> tuple[str, int]:
        return self.peer, 1


@pytest.fixture
def ends() -> Iterator[list[socket.socket]]:
    found: list[socket.socket] = []
    yield found
    for each in found:
        each.close()


def client(peer: str, ends: list[socket.socket]) -> socket.socket:
    """An accepted socket from this address; its client's end is the newest of `ends`."""
    ours, theirs = socket.socketpair()
    named = Named(ours.family, ours.type, fileno=ours.detach())
    named.peer = peer
    named.setblocking(False)
    theirs.setblocking(False)
    ends.append(theirs)
    return named


async def said(sock: socket.socket) -> bytes:
    """All that a client is told."""
    found = b""
    async with asyncio.timeout(30):
        while piece := await asyncio.get_running_loop().sock_recv(sock, 4096):
            found += piece
    return found


async def test_who_finds_room_is_welcomed_at_once_and_a_crowd_waits_address_by_address(
    ends: list[socket.socket],
) -> None:
    place = Place()
    place.room = 1
    crowd = Crowd("Test", place.has_room, place.begin, place.away)
    for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"):
        await crowd.arrive(client(peer, ends))
    assert place.welcomed == ["192.0.2.1"]
    assert len(crowd) == 3
    place.room = 3
    await place.until_welcomed(4)
    assert place.welcomed == ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1"]
    assert len(crowd) == 0
    assert place.turned_away == []


async def test_past_the_bound_the_largest_crowd_is_told_why_and_others_wait_on(ends: list[socket.socket]) -> None:
    place = Place()
    crowd = Crowd("Test", place.has_room, place.begin, place.away, most=2)
    for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"):
        await crowd.arrive(client(peer, ends))
    assert place.turned_away == [("192.0.2.1", "too_many_pending")] * 2
    ends[2].send(b"SSH-2.0-Client\r\n")
    words = await said(ends[2])
    assert words.startswith(b"SSH-2.0-Test\r\n")
    packet = words.removeprefix(b"SSH-2.0-Test\r\n")
    assert len(packet) % 8 == 0
    assert int.from_bytes(packet[:4], "big") == len(packet) - 4
    assert packet[4] >= 4, "padding (RFC 4253 §6)"
    assert packet[5:10] == b"\x01\x00\x00\x00\x0c", "a disconnect because of too many connections"
    assert b"interpose: too many clients are logging in at this moment - connect again soon" in packet
    place.room = 2
    await place.until_welcomed(2)
    assert place.welcomed == ["192.0.2.1", "192.0.2.2"]


async def test_nobody_waits_for_ever(ends: list[socket.socket]) -> None:
    place = Place()
    crowd = Crowd("Test", place.has_room, place.begin, place.away, longest=0.0)
    await crowd.arrive(client("192.0.2.1", ends))
    assert b"too many clients" in await said(ends[0])
    assert len(crowd) == 0


async def test_who_does_not_take_the_refusal_is_closed_all_the_same(
    ends: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LINGER", 0.05)
    place = Place()
    crowd = Crowd("Test", place.has_room, place.begin, place.away, longest=0.0)
    await crowd.arrive(client("192.0.2.1", ends))
    await said(ends[0])
    async with asyncio.timeout(30):
        while crowd._goodbyes:
            await asyncio.wait(set(crowd._goodbyes))
    with pytest.raises(OSError):
        ends[0].send(b"x")
        ends[0].send(b"x")
