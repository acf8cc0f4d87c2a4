"""Wake-ups between processes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from interpose.model.errors import StoreError
from interpose.store.bus import DatagramBus


@pytest.fixture
def buses(tmp_path: Path) -> Iterator[tuple[DatagramBus, DatagramBus]]:
    """Two processes' ends."""
    both = DatagramBus(tmp_path, "one"), DatagramBus(tmp_path, "other")
    yield both
    for bus in both:
        bus.close()
        bus.close()
        assert not bus._path.exists()


async def _next(payloads: AsyncIterator[str]) -> str:
    return await asyncio.wait_for(anext(payloads), 5.0)


async def _listening(bus: DatagramBus, topic: str) -> tuple[AsyncIterator[str], asyncio.Task[str]]:
    payloads = bus.listen(topic)
    first = asyncio.ensure_future(_next(payloads))
    await asyncio.sleep(0.01)
    return payloads, first


def test_everybody_hears_what_anybody_says_on_a_topic(buses: tuple[DatagramBus, DatagramBus]) -> None:
    async def work() -> None:
        one, other = buses
        for bus in buses:
            bus.start()
        own, own_first = await _listening(one, "approvals")
        theirs, first = await _listening(other, "approvals")
        _, never = await _listening(other, "cancel")
        one.publish("approvals", "ap-1")
        assert await own_first == "ap-1"
        assert await first == "ap-1"
        other.publish("approvals", "ap-2")
        assert await _next(own) == "ap-2"
        assert await _next(theirs) == "ap-2"
        assert not never.done()
        never.cancel()

    asyncio.run(work())


def test_who_only_speaks_need_not_start(buses: tuple[DatagramBus, DatagramBus]) -> None:
    async def work() -> None:
        hears, speaks = buses
        hears.start()
        _, first = await _listening(hears, "reload")
        speaks.publish("reload", "now")
        assert await first == "now"

    asyncio.run(work())


def test_the_socket_of_a_dead_process_is_cleared_away_and_nonsense_is_ignored(
    buses: tuple[DatagramBus, DatagramBus], tmp_path: Path
) -> None:
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(tmp_path / "dead.sock"))
    dead.close()

    async def work() -> None:
        bus, _ = buses
        bus.start()
        payloads, first = await _listening(bus, "t")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            for nonsense in (b"", b"\xff\xfe", b"[1,2]", b"{}", b"[]", b"[[]]", b'["t"]', b"3"):
                stranger.sendto(nonsense, str(tmp_path / "one.sock"))
            stranger.sendto(b'["t", "y"]', str(tmp_path / "one.sock"))
        assert await first == "y"
        bus.publish("t", "x")
        assert await _next(payloads) == "x"

    asyncio.run(work())
    buses[0]._sender.shutdown(wait=True)
    assert not (tmp_path / "dead.sock").exists()


def test_a_listener_that_does_not_listen_costs_bounded_memory(buses: tuple[DatagramBus, DatagramBus]) -> None:
    async def work() -> None:
        bus, _ = buses
        payloads, first = await _listening(bus, "t")
        bus.publish("t", "0")
        await first
        for number in range(5000):
            bus._dispatch("t", str(number))
        assert await _next(payloads) == "4000"

    asyncio.run(work())


def test_what_is_too_long_for_a_datagram_is_heard_here_and_not_sent(buses: tuple[DatagramBus, DatagramBus]) -> None:
    async def work() -> None:
        bus, other = buses
        other.start()
        _, here = await _listening(bus, "t")
        _, there = await _listening(other, "t")
        bus.publish("t", "x" * 20_000)
        assert len(await here) == 20_000
        bus.publish("t", "short")
        assert await there == "short"

    asyncio.run(work())


def test_a_folder_of_any_depth_will_do(tmp_path: Path) -> None:
    """A socket's path has 108 bytes at most; the state folder may be anywhere."""
    deep = tmp_path / ("x" * 120) / "run"
    one, other = DatagramBus(deep, "one"), DatagramBus(deep, "other")

    async def work() -> None:
        other.start()
        there = asyncio.ensure_future(anext(aiter(other.listen("t"))))
        await asyncio.sleep(0)
        one.publish("t", "hello")
        assert await asyncio.wait_for(there, 10) == "hello"

    try:
        asyncio.run(work())
    finally:
        one.close()
        other.close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        DatagramBus(tmp_path / "file", "one")
