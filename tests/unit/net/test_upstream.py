"""Dialling: TLS, names, deadlines, grants, cancels beside it, and every way in which an upstream can fail."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from interpose.model.connection import Address
from interpose.model.errors import SecretError, UpstreamError
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.proofs import Grant, ProofError
from interpose.net.certificates import ClientContexts
from interpose.net.options import DialOptions, SessionOptions
from interpose.net.upstream import Dialer, Dialled
from interpose.protocols.contract import Done, Failed, Send, UpgradeTls
from tests.unit.net.conftest import Certificates
from tests.unit.net.toy import SEAL, ToyCancel, ToyDial, ToyUpstream, connection, eventually


def grant(name: str = "toy") -> Grant:
    return Grant(SEAL, SessionId("s_1"), ConnectionName(name))


def dialer(**options: float) -> Dialer:
    return Dialer(ClientContexts(asyncio.get_running_loop().time), DialOptions(**options), SessionOptions())  # type: ignore[arg-type]


async def test_a_dialogue_ends_with_its_result_and_reading_waits_for_the_owner() -> None:
    async with ToyUpstream() as upstream:
        dialled = await dialer().dial(connection(upstream.port), ToyDial("s3cret"), grant())
        assert isinstance(dialled, Dialled)
        assert dialled.result == ("1", None)
        assert dialled.peer == Address("127.0.0.1", upstream.port)
        got = bytearray()
        dialled.wire.write([b"say a\n"])
        dialled.wire.on_bytes = got.extend
        await asyncio.sleep(0.05)
        assert got == b""
        dialled.wire.resume_reading()
        await eventually(lambda: got == b"a\n")
        dialled.wire.abort()


async def test_bytes_behind_the_dialogue_are_left_over() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"hi 1\nfirst ")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dialled = await dialer().dial(connection(port), ToyDial("s3cret"), grant())
    assert dialled.leftover == b"first "
    dialled.wire.abort()
    server.close()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("verify", ["full", "ca", "none"])
async def test_tls_to_the_upstream_gives_its_certificate_for_channel_binding(
    certificates: Certificates, verify: str
) -> None:
    async with ToyUpstream(certificates.server()) as upstream:
        step = UpgradeTls("localhost", verify, str(certificates.ca_file))
        for _ in range(2):  # the second finds its context ready
            dialled = await dialer().dial(connection(upstream.port), ToyDial("s3cret", step), grant())
            _number, certificate = dialled.result  # type: ignore[misc]
            assert certificate == certificates.der
            got = bytearray()
            dialled.wire.on_bytes = got.extend
            dialled.wire.resume_reading()
            dialled.wire.write([b"say ", b"through tls\n"])
            await eventually(lambda got=got: got == b"through tls\n")
            dialled.wire.abort()


async def test_an_upstream_with_the_wrong_name_is_not_spoken_to(certificates: Certificates) -> None:
    async with ToyUpstream(certificates.server()) as upstream:
        step = UpgradeTls("other.example", "full", str(certificates.ca_file))
        with pytest.raises(UpstreamError) as caught:
            await dialer().dial(connection(upstream.port), ToyDial("s3cret", step), grant())
        assert "certificate not accepted" in caught.value.detail
        assert upstream.lines == []
        await eventually(lambda: upstream.gone)


async def test_an_authority_that_cannot_be_read_stops_before_tls(certificates: Certificates) -> None:
    async with ToyUpstream(certificates.server()) as upstream:
        with pytest.raises(UpstreamError, match="identity cannot be checked"):
            await dialer().dial(
                connection(upstream.port), ToyDial("s3cret", UpgradeTls("x", "ca", "/nowhere/ca.pem")), grant()
            )
        await eventually(lambda: upstream.gone)


async def test_the_grant_is_spent_before_anything_opens() -> None:
    async with ToyUpstream() as upstream:
        spent = grant()
        (await dialer().dial(connection(upstream.port), ToyDial("s3cret"), spent)).wire.abort()
        for wrong in (spent, grant("other")):
            with pytest.raises(ProofError):
                await dialer().dial(connection(upstream.port), ToyDial("s3cret"), wrong)
        assert upstream.count == 1


class Odd:
    """A dialogue that does one thing with the first bytes."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def start(self) -> list[Any]:
        return [Send(b"hello s3cret\n")]

    def tls_started(self, certificate: bytes | None) -> list[Any]:
        return []

    def received(self, data: bytes) -> list[Any]:
        return self.answer(data)  # type: ignore[no-any-return]

    def closed(self) -> list[Any]:
        return []


def _raises(data: bytes) -> list[Any]:
    raise KeyError("078-05-1120")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda data: [Failed(UpstreamError("no"))], UpstreamError),
        (lambda data: [Failed(SecretError("no"))], UpstreamError),
        (_raises, KeyError),
        (lambda data: [Send(b"bye\n"), Failed(UpstreamError("no")), Done(None)], UpstreamError),
    ],
)
async def test_a_dialogue_that_fails_closes_the_connection(answer: Any, kind: type[Exception]) -> None:
    async with ToyUpstream() as upstream:
        with pytest.raises(kind):
            await dialer().dial(connection(upstream.port), Odd(answer), grant())
        await eventually(lambda: upstream.gone == ["1"])


async def test_an_upstream_that_hangs_up_is_an_error_even_if_the_dialogue_says_nothing() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with pytest.raises(UpstreamError, match="did not answer as it should"):
        await dialer().dial(connection(server.sockets[0].getsockname()[1]), Odd(lambda data: []), grant())
    server.close()


async def test_a_name_without_an_address() -> None:
    toy = connection(1)
    nowhere = type(toy)(toy.name, "toy", Address("nowhere.invalid", 1), "s", toy.options)
    with pytest.raises(UpstreamError, match="cannot be reached") as caught:
        await dialer().dial(nowhere, ToyDial("s3cret"), grant())
    assert "nowhere.invalid" in caught.value.detail


async def test_all_addresses_of_a_name_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ToyUpstream() as upstream:
        loop = asyncio.get_running_loop()

        async def resolve(*_: object, **__: object) -> list[Any]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, upstream.port))
                for host in ("127.0.0.9", "127.0.0.1")
            ]

        with contextlib.suppress(AttributeError):  # uvloop's loop takes no new attributes
            monkeypatch.setattr(loop, "getaddrinfo", resolve)
            toy = connection(upstream.port)
            named = type(toy)(toy.name, "toy", Address("db.example", upstream.port), "s3cret", toy.options)
            dialled = await dialer(connect_timeout=1.0).dial(named, ToyDial("s3cret"), grant())
            assert dialled.peer == Address("127.0.0.1", upstream.port), "a cancel must go to the address that answered"
            dialled.wire.abort()


async def test_a_cancel_goes_to_the_same_address_and_is_bounded_in_time() -> None:
    async with ToyUpstream() as upstream:
        made = dialer(cancel_deadline=0.1)
        toy, peer = connection(upstream.port), Address("127.0.0.1", upstream.port)
        await made.cancel(toy, peer, ToyCancel("7"))
        assert upstream.cancelled == ["7"]
        upstream.silent = True
        with pytest.raises(UpstreamError, match="did not take a cancel request"):
            await made.cancel(toy, peer, ToyCancel("8"))


async def test_a_dial_that_is_abandoned_leaves_nothing_open() -> None:
    async with ToyUpstream() as upstream:
        upstream.silent = True
        task = asyncio.create_task(dialer().dial(connection(upstream.port), ToyDial("s3cret"), grant()))
        await eventually(lambda: upstream.received)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: upstream.gone)
