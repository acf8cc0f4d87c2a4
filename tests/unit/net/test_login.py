"""Logins and listeners over real sockets: TLS, refusals, deadlines, bounds, faults."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from typing import Any

import pytest

from interpose.model.refusal import Refusal
from interpose.net.certificates import ServerCertificate
from interpose.net.options import DialOptions, ListenerOptions
from tests.unit.net.conftest import Certificates
from tests.unit.net.toy import eventually, gateway


async def own(certificates: Certificates) -> ServerCertificate:
    return await asyncio.to_thread(
        lambda: ServerCertificate(certificates.certificate, certificates.key, alpn=("postgresql",))
    )


async def test_tls_after_asking(certificates: Certificates) -> None:
    async with gateway(certificate=await own(certificates), plaintext=False) as (made, _):
        client = await made.connect()
        client.send("tls")
        assert await client.line() == "go"
        await client.writer.start_tls(certificates.client(), server_hostname="localhost")
        assert await client.line() == "secure None"
        client.send("login alice toy good")
        assert [await client.line(), await client.line()] == ["welcome", "key key0"]
        client.send("echo safe")
        assert [await client.line(), await client.line()] == ["row safe", "done"]
        assert made.journal.of("opened") == [("opened", "s_0", "TLSv1.3")]


async def test_direct_tls_with_alpn(certificates: Certificates) -> None:
    async with gateway(certificate=await own(certificates)) as (made, _):
        context = certificates.client()
        context.set_alpn_protocols(["postgresql"])
        client = await made.connect(ssl=context, server_hostname="localhost")
        assert await client.line() == "secure postgresql"
        client.send("login alice toy good")
        assert await client.line() == "welcome"


async def test_tls_fed_byte_by_byte(certificates: Certificates) -> None:
    async with gateway(certificate=await own(certificates)) as (made, _):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        channel = certificates.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
        client = await made.connect()

        async def step(action: Any) -> Any:
            while True:
                try:
                    return action()
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        client.writer.write(bytes([byte]))
                        await asyncio.sleep(0)
                    incoming.write(await client.reader.read(1))

        await step(channel.do_handshake)
        channel.write(b"login alice toy good\necho x\n")
        got = await step(lambda: channel.read(100))
        while b"done\n" not in got:
            got += await step(lambda: channel.read(100))
        assert got == b"secure None\nwelcome\nkey key0\nrow x\ndone\n"


async def test_plaintext_behind_the_request_for_tls_closes(certificates: Certificates) -> None:
    async with gateway(certificate=await own(certificates)) as (made, _):
        client = await made.connect()
        client.send("tls", "login alice toy good")
        assert b"welcome" not in await client.rest()
        assert made.journal.of("login_failed") == [("login_failed", "protocol_error")]
        assert made.engine.sessions == []


async def test_a_second_tls_inside_tls_closes(certificates: Certificates) -> None:
    async with gateway(certificate=await own(certificates)) as (made, _):
        client = await made.connect(ssl=certificates.client(), server_hostname="localhost")
        assert await client.line() == "secure None"
        client.send("tls")
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await client.rest()
        await eventually(lambda: made.journal.of("login_failed"))
        assert made.journal.of("login_failed") == [("login_failed", "protocol_error")]


async def test_broken_tls_is_told_apart(certificates: Certificates) -> None:
    async with gateway(certificate=await own(certificates)) as (made, _):
        client = await made.connect()
        client.writer.write(b"\x16\x03\x01\x00\x05hello")
        await client.rest()
        assert made.journal.of("login_failed") == [("login_failed", "tls_failed")]


async def test_a_token_in_clear_is_refused_where_that_is_not_allowed() -> None:
    async with gateway(plaintext=False) as (made, _):
        client = await made.connect()
        client.send("login alice toy good")
        assert (await client.rest()).startswith(b"refused tls_required")
        assert made.engine.sessions == []


@pytest.mark.parametrize(
    ("line", "code"),
    [("login alice toy bad", b"authentication_failed"), ("login alice none good", b"connection_unavailable")],
)
async def test_a_refused_login_is_readable(line: str, code: bytes) -> None:
    async with gateway() as (made, _):
        client = await made.connect()
        client.send(line)
        assert (await client.rest()).startswith(b"refused " + code)
        assert made.journal.of("login_failed") == [("login_failed", code.decode())]
        await eventually(lambda: len(made.pending) == 0)


async def test_garbage_closes() -> None:
    async with gateway() as (made, _):
        client = await made.connect()
        client.send("nonsense")
        assert await client.rest() == b"what?\n"
        assert made.journal.of("login_failed") == [("login_failed", "protocol_error")]


async def test_a_fault_in_a_login_closes_it_and_says_nothing_of_the_data() -> None:
    async with gateway() as (made, _):
        client = await made.connect()
        client.send("crash")
        assert await client.rest() == b""
        ((_, who, failure),) = made.journal.of("failed")
        assert who == "None"
        assert "ValueError at" in failure
        assert "078-05" not in failure


async def test_a_silent_client_is_closed_and_delays_nobody() -> None:
    async with gateway(listener=ListenerOptions(handshake_deadline=0.1)) as (made, _):
        silent = [await made.connect() for _ in range(20)]
        silent[0].writer.write(b"login al")
        await made.login()
        for client in silent:
            assert await client.rest() == b""
        assert made.journal.of("login_failed") == [("login_failed", "deadline")] * 20
        await eventually(lambda: len(made.pending) == 0)


async def test_the_handshake_deadline_ends_with_the_evidence() -> None:
    async with gateway(listener=ListenerOptions(handshake_deadline=0.05)) as (made, _):
        made.engine.admitting = asyncio.Event()
        client = await made.connect()
        client.send("login alice toy good")
        await asyncio.sleep(0.15)
        made.engine.admitting.set()
        assert await client.line() == "welcome"


async def test_admission_has_its_own_deadline() -> None:
    async with gateway(listener=ListenerOptions(admission_deadline=0.05)) as (made, upstream):
        upstream.silent = True
        client = await made.connect()
        client.send("login alice toy good")
        assert (await client.rest()).startswith(b"refused deadline")
        await eventually(lambda: made.engine.sessions[0].closed_with)
        assert made.engine.sessions[0].closed_with == ["login_abandoned"]


@pytest.mark.parametrize("options", [{"max_pending": 3}, {"max_pending_per_address": 3}])
async def test_past_a_bound_the_oldest_silent_client_makes_room(options: dict[str, int]) -> None:
    async with gateway(listener=ListenerOptions(**options)) as (made, _):
        silent = [await made.connect() for _ in range(10)]
        await eventually(lambda: len(made.journal.of("login_failed")) == 7)
        await made.login()
        assert await silent[0].rest() == b""
        assert len(made.pending) <= 3
        made.pending.close()
        await eventually(lambda: len(made.pending) == 0)


async def test_when_all_wait_for_the_gateway_a_newcomer_is_turned_away() -> None:
    async with gateway(listener=ListenerOptions(max_pending=2)) as (made, _):
        made.engine.admitting = asyncio.Event()
        waiting = [await made.connect() for _ in range(2)]
        for client in waiting:
            client.send("login alice toy good")
        await eventually(lambda: all(not login.waits_for_client for login in made.pending._all))
        late = await made.connect()
        assert await late.rest() == b""
        made.engine.admitting.set()
        assert [await client.line() for client in waiting] == ["welcome", "welcome"]


async def test_a_client_that_leaves_while_its_upstream_is_dialled_leaves_no_session() -> None:
    async with gateway() as (made, _):
        made.engine.admitting = asyncio.Event()
        client = await made.connect()
        client.send("login alice toy good")
        await eventually(lambda: any(not login.waits_for_client for login in made.pending._all))
        client.reset()
        await asyncio.sleep(0.05)
        made.engine.admitting.set()
        await eventually(lambda: made.engine.sessions and made.engine.sessions[0].closed_with)
        await eventually(lambda: len(made.pending) == 0)
        await eventually(lambda: len(made.live) == 0)


async def test_an_upstream_that_is_down_or_refuses_is_told_safely() -> None:
    async with gateway() as (made, _):
        connections = dict(made.engine.connections)
        toy = connections["toy"]
        connections["wrong"] = type(toy)(toy.name, "toy", toy.address, "wrong-s3cret", toy.options)
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            gone = type(toy.address)("127.0.0.1", unused.getsockname()[1])
            connections["down"] = type(toy)(toy.name, "toy", gone, "s3cret", toy.options)
            made.engine.connections = connections
            for name, words in [("wrong", b"the upstream said no"), ("down", b"the upstream `toy` cannot be reached")]:
                client = await made.connect()
                client.send(f"login alice {name} good")
                answer = await client.rest()
                assert words in answer
                assert b"127.0.0.1" not in answer
        assert [session.closed_with for session in made.engine.sessions] == [["upstream_unavailable"]] * 2
        assert [line[0] for line in made.journal.of("upstream")] == ["upstream"] * 2


async def test_a_connection_of_another_protocol_is_refused() -> None:
    async with gateway() as (made, _):
        toy = made.engine.connections["toy"]
        made.engine.connections = {"other": type(toy)(toy.name, "else", toy.address, "s", toy.options)}
        client = await made.connect()
        client.send("login alice other good")
        assert (await client.rest()).startswith(b"refused wrong_protocol")
        assert made.engine.sessions[0].closed_with == ["wrong_protocol"]


async def test_running_out_of_descriptors_pauses_accepting() -> None:
    async with gateway(listener=ListenerOptions(accept_pause=0.05)) as (made, _):

        class Full:
            def __init__(self, below: socket.socket) -> None:
                self.below = below
                self.tries = 0

            def accept(self) -> Any:
                self.tries += 1
                if self.tries < 3:
                    raise OSError(errno.EMFILE, "too many open files")
                return self.below.accept()

            def __getattr__(self, name: str) -> Any:
                return getattr(self.below, name)

        loop = asyncio.get_running_loop()
        (listening,) = made.listener._acceptor._sockets
        loop.remove_reader(listening)
        full: Any = Full(listening)
        made.listener._acceptor._sockets = [full]
        made.listener.start()
        await made.login()
        assert full.tries in (3, 4)
        assert made.journal.of("paused") == [("paused", "EMFILE")] * 2


async def test_closing_the_listener_stops_accepting_and_leaves_sessions() -> None:
    async with gateway() as (made, _):
        client = await made.login()
        made.listener.close()
        with pytest.raises(ConnectionError):
            await made.connect()
        client.send("echo still")
        assert await client.line() == "row still"
        made.listener.close()


async def test_a_silent_upstream_is_given_up() -> None:
    async with gateway(dial=DialOptions(dial_deadline=0.05)) as (made, upstream):
        upstream.silent = True
        client = await made.connect()
        client.send("login alice toy good")
        assert b"did not let the gateway in" in await client.rest()
        await eventually(lambda: upstream.gone)


async def test_a_session_ended_while_dialling_gets_its_reason() -> None:
    async with gateway() as (made, _):
        original: Any = made.engine.fetch

        async def fetch(grant: Any, reference: str) -> Any:
            made.engine.sessions[0].end(Refusal("revoked", "your token was revoked"))
            return await original(grant, reference)

        made.engine.fetch = fetch
        client = await made.connect()
        client.send("login alice toy good")
        assert (await client.rest()).startswith(b"refused revoked")
        assert made.engine.sessions[0].closed_with == ["revoked"]


async def test_a_client_waits_for_its_person_past_the_handshake_and_nothing_is_dialled() -> None:
    options = ListenerOptions(handshake_deadline=0.1, admission_deadline=5.0)
    async with gateway(listener=options) as (made, upstream):
        client = await made.connect()
        client.send("confirm zoe toy")
        assert await client.line() == "type BCDF-GHJK"
        client.send("echo early")
        # The handshake's deadline passes for another one that came later.
        silent = await made.connect()
        assert await silent.rest() == b""
        assert (made.engine.sessions, upstream.count) == ([], 0)
        assert len(made.pending) == 1
        made.engine.confirmed.set()
        assert [await client.line(), await client.line()] == ["welcome", "key key0"]
        assert [await client.line(), await client.line()] == ["row early", "done"]
        await eventually(lambda: len(made.pending) == 0)


async def test_a_client_that_leaves_while_it_waits_voids_its_login() -> None:
    async with gateway() as (made, upstream):
        client = await made.connect()
        client.send("confirm zoe toy")
        await client.line()
        await client.close()
        await eventually(lambda: made.engine.voided == 1)
        assert made.journal.of("login_failed") == [("login_failed", "client_left")]
        await eventually(lambda: len(made.pending) == 0)
        assert upstream.count == 0


async def test_what_was_not_confirmed_is_refused_readably() -> None:
    async with gateway() as (made, upstream):
        made.engine.denied = True
        made.engine.confirmed.set()
        client = await made.connect()
        client.send("confirm zoe toy")
        assert await client.rest() == b"type BCDF-GHJK\nrefused confirmation_denied: no\n"
        assert upstream.count == 0


async def test_nobody_waits_for_a_person_in_clear_where_that_is_not_allowed() -> None:
    async with gateway(plaintext=False) as (made, _):
        client = await made.connect()
        client.send("confirm zoe toy")
        assert (await client.rest()).startswith(b"refused tls_required")


async def test_who_waits_for_a_person_is_not_evicted_and_makes_no_room() -> None:
    options = ListenerOptions(max_pending=2, max_pending_per_address=2)
    async with gateway(listener=options) as (made, _):
        waiting = await made.connect()
        waiting.send("confirm zoe toy")
        await waiting.line()
        silent = await made.connect()
        await eventually(lambda: len(made.pending) == 2)
        await made.login()
        assert await silent.rest() == b""
        made.engine.confirmed.set()
        assert await waiting.line() == "welcome"
