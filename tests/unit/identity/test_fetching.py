"""Fetching from a provider is bounded whatever the provider does. The servers are real ones on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from interpose.identity.fetching import MAX_DOCUMENT, Fetcher
from interpose.model.errors import ProviderError

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(body: bytes, status: str = "200 OK", *headers: str) -> Answer:
    """Answers so."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    return answer


async def hangs(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drips(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(300):
        writer.write(b" ")
        await asyncio.sleep(0.1)


async def pours(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1000):
        writer.write(b" " * 65536)
        await writer.drain()


async def leaves(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}")


@asynccontextmanager
async def server(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A server with one answer: its port, and the requests' first lines."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
            await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1], asked
    finally:
        listening.close()


async def test_a_document_is_fetched() -> None:
    async with server(says(b'{"keys": []}')) as (port, asked):
        assert await Fetcher().json(f"http://127.0.0.1:{port}/a/b?c=d") == {"keys": []}
        assert asked == ["GET /a/b?c=d HTTP/1.1"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says(b"broken", "500 Internal Server Error"), "status 500"),
        (says(b"", "302 Found", "Location: http://127.0.0.1:1/x"), "status 302"),
        (says(b"<html>"), "no JSON"),
        (says(b"[]"), "no JSON object"),
        (says(b"[" * 100_000), "no JSON"),
        (says(b"{}", "200 OK", "Content-Encoding: gzip"), ""),
        (says(b" " * (MAX_DOCUMENT + 1)), "too long"),
        (pours, "too long"),
        (hangs, "no answer in time"),
        (drips, "no answer in time"),
        (leaves, "ClientPayloadError"),
        (says(b"{}", "200 OK", "X: " + "y" * 100_000), "ClientResponseError"),
    ],
    ids=range(12),
)
async def test_whatever_it_answers(answer: Answer, why: str) -> None:
    async with server(answer) as (port, asked):
        fetcher = Fetcher(deadline=1.0)
        if not why:
            assert await fetcher.json(f"http://127.0.0.1:{port}/") == {}, "nothing is unpacked"
            return
        with pytest.raises(ProviderError) as caught:
            await fetcher.json(f"http://127.0.0.1:{port}/")
        assert why in caught.value.detail
        assert "127.0.0.1" not in caught.value.public_message
        assert len(asked) == 1


async def test_nobody_listens() -> None:
    async with server(hangs) as (port, _):
        pass
    with pytest.raises(ProviderError, match="ClientConnectorError"):
        await Fetcher().json(f"http://127.0.0.1:{port}/")


async def test_a_certificate_must_be_trusted_and_of_the_host(tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    for each, name in ((authority, "ca.pem"), (stranger, "stranger.pem")):
        each.cert_pem.write_to_path(tmp_path / name)
    good, misnamed = (
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
    )
    authority.issue_cert("127.0.0.1").configure_cert(good)
    authority.issue_cert("elsewhere.example").configure_cert(misnamed)
    async with server(says(b"{}"), good) as (port, _):
        url = f"https://127.0.0.1:{port}/"
        assert await Fetcher(tmp_path / "ca.pem").json(url) == {}
        for trusted in (None, tmp_path / "stranger.pem"):
            with pytest.raises(ProviderError, match="Certificate"):
                await Fetcher(trusted).json(url)
    async with server(says(b"{}"), misnamed) as (port, asked):
        with pytest.raises(ProviderError, match="Certificate"):
            await Fetcher(tmp_path / "ca.pem").json(f"https://127.0.0.1:{port}/")
        assert not asked


async def test_authorities_that_are_exchanged_in_their_file_count_at_once(tmp_path: Path) -> None:
    before, after = trustme.CA(), trustme.CA()
    file, tls = tmp_path / "ca.pem", ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    after.issue_cert("127.0.0.1").configure_cert(tls)
    before.cert_pem.write_to_path(file)
    fetcher = Fetcher(file)
    async with server(says(b"{}"), tls) as (port, _):
        url = f"https://127.0.0.1:{port}/"
        with pytest.raises(ProviderError, match="Certificate"):
            await fetcher.json(url)
        new = tmp_path / "new.pem"
        after.cert_pem.write_to_path(new)
        new.replace(file)
        assert await fetcher.json(url) == {}
        file.unlink()
        with pytest.raises(ProviderError, match="FileNotFoundError"):
            await fetcher.json(url)
