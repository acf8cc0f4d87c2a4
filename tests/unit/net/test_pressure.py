"""Back-pressure: bounded memory for slow readers, both ways, and the end of clients that read nothing."""

from __future__ import annotations

import asyncio
import socket

from interpose.net.options import SessionOptions
from tests.unit.net.toy import Client, Gateway, eventually, gateway

ROWS, SIZE = 1500, 10_000  # 15 MB


async def narrow(made: Gateway) -> Client:
    """A client with a small receive buffer, logged in."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", made.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=16_384)
    client = Client(reader, writer)
    made.clients.append(client)
    client.send("login alice toy good")
    assert [await client.line(), await client.line()] == ["welcome", "key key0"]
    return client


async def quiet(made: Gateway) -> int:
    """Wait until nothing flows from or to clients any more; answers the bytes that went to them."""
    before = (-1, -1)
    while before != (now := (made.traffic.from_client, made.traffic.to_client)):
        before = now
        await asyncio.sleep(0.1)
    return before[1]


async def test_a_client_that_does_not_read_stops_the_upstream_and_memory_stays_bounded() -> None:
    async with gateway() as (made, _upstream):
        client = await narrow(made)
        client.send(f"rows {ROWS} {SIZE}")
        await client.line()
        went = await quiet(made)
        (driver,) = made.live._drivers
        kept = driver._client.waiting + driver._relay.buffered
        assert 0 < kept < 1_500_000
        assert went < ROWS * SIZE / 2, "the upstream was stopped long before its end"

        other = await made.login()
        other.send("echo unharmed")
        assert [await other.line(), await other.line()] == ["row unharmed", "done"]

        rows = 1
        while (line := await client.line()) != "done":
            assert len(line) == SIZE - 1
            rows += 1
        assert rows == ROWS


async def test_an_upstream_that_does_not_read_stops_the_client() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("sleep")
        await eventually(lambda: upstream.lines)
        upstream.reading.clear()
        part = b"copy " + b"x" * 99_994 + b"\n"
        client.writer.write(part * 200)
        await quiet(made)
        assert made.traffic.from_client < 15_000_000
        (driver,) = made.live._drivers
        assert driver._upstream.waiting + driver._relay.buffered < 1_500_000
        made.cancels.start(driver._dialled, driver._spec.cancel)
        upstream.reading.set()
        assert await client.line() == "cancelled"
        await eventually(lambda: len(upstream.lines) == 201)


async def test_a_client_that_takes_nothing_for_long_is_closed() -> None:
    async with gateway(session=SessionOptions(write_stall=0.2)) as (made, upstream):
        client = await narrow(made)
        client.send(f"rows {ROWS} {SIZE}")
        session = made.engine.sessions[0]
        await eventually(lambda: session.closed_with)
        assert session.closed_with == ["write_stall"]
        await eventually(lambda: upstream.gone)


async def test_a_slow_reader_is_not_stalled() -> None:
    async with gateway(session=SessionOptions(write_stall=0.3)) as (made, _):
        client = await narrow(made)
        client.send(f"rows 300 {SIZE}")
        for _ in range(15):
            await client.reader.readexactly(100_000)
            await asyncio.sleep(0.05)
        assert made.engine.sessions[0].closed_with == []
