"""Clients that are slow keep nobody out and are not waited for: over real sockets, with TLS and without."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from interpose.app.http_server import HttpServer
from interpose.app.slow_clients import Bounds
from interpose.model.connection import Address
from tests.support.gateway import free_port

ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
PATIENCE = 60.0
"""Seconds after which a test that waits for the server fails."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate with its key and the authority's, in one file."""
    authority, file = trustme.CA(), tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(file)
    authority.cert_pem.write_to_path(file, append=True)
    return file


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@asynccontextmanager
async def serving(bounds: Bounds, certificate: Path | None = None) -> AsyncIterator[int]:
    port = free_port()
    application = Starlette(routes=[Route("/", length, methods=["GET", "POST"])])
    address = Address("127.0.0.1", port)
    server = await asyncio.to_thread(HttpServer, "test", application, address, certificate, certificate, bounds)
    server.start()
    try:
        async with asyncio.timeout(PATIENCE):
            while not server.serves:  # noqa: ASYNC110 -- uvicorn tells nobody
                await asyncio.sleep(0.01)
        yield port
    finally:
        await server.stop()


async def answer(port: int, tls: ssl.SSLContext | None = None) -> bytes:
    """What somebody is told who asks as everybody does."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        writer.write(ASK + b"Connection: close\r\n\r\n")
        told = await reader.read()
        writer.close()
        return told


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes; fails when it does not."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize("said", [b"", ASK, b"GET"], ids=["nothing", "half a head", "a word"])
async def test_whoever_does_not_ask_in_time_is_closed(said: bytes) -> None:
    async with serving(Bounds(head=0.3)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert await closed(reader) == b""
        writer.close()


async def test_drops_of_a_head_do_not_buy_time() -> None:
    async with serving(Bounds(head=0.5)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ended = asyncio.ensure_future(closed(reader))
        writer.write(ASK)
        while not ended.done():
            writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.05)
        assert ended.result() == b""
        writer.close()


async def test_the_second_request_of_a_connection_has_the_same_deadline() -> None:
    async with serving(Bounds(head=0.5)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK + b"\r\n")
        first = await reader.readuntil(b"\r\n\r\n0")
        assert first.startswith(b"HTTP/1.1 200")
        writer.write(b"GET / HT")
        assert await closed(reader) == b""
        writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with serving(Bounds(whole=0.3)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK.replace(b"GET", b"POST") + b"Content-Length: 100\r\n\r\nabc")
        assert await closed(reader) == b""
        writer.close()


async def test_who_takes_a_while_and_is_in_time_is_served() -> None:
    async with serving(Bounds(head=PATIENCE, whole=PATIENCE)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in (b"POST / HTTP/1.1\r\n", b"Host: localhost\r\nContent-Length: 6\r\n\r\n", b"abc", b"def"):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.05)
        assert (await reader.readuntil(b"\r\n\r\n6")).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_two_hundred_silent_connections_keep_nobody_out(secure: bool, certificate: Path) -> None:
    tls = ssl.create_default_context(cafile=str(certificate)) if secure else None
    # They are silent for as long as the test: what lets others in is not that they are closed after a while.
    async with serving(Bounds(head=10 * PATIENCE), certificate if secure else None) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port, ssl=tls) for _ in range(200)]
        for _ in range(3):
            assert b"200 OK" in await answer(port, tls)
        # The oldest made room.
        assert await closed(silent[0][0]) == b""
        for _, writer in silent:
            writer.close()


async def test_a_handshake_that_does_not_come_is_not_waited_for(certificate: Path) -> None:
    async with serving(Bounds(head=0.5), certificate) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await closed(reader) == b""
        writer.close()
