"""Logins that must not succeed, and upstreams that cannot be reached: a clear, safe answer to each, and a record of it."""

from __future__ import annotations

import json
import socket
import threading
import time

import psycopg
import pytest

from tests.support.raw_postgres import SSL_REQUEST, RawClient, errors, fields, frame, startup
from tests.support.scene import UPSTREAM_PASSWORD, Scene, until


def refused(scene: Scene, principal: str, connection: str, token: str = "") -> psycopg.OperationalError:
    """The error with which a login ends."""
    with pytest.raises(psycopg.OperationalError) as caught:
        scene.connect(principal, connection, token=token)
    return caught.value


@pytest.mark.parametrize("name", ["alice", "nobody-of-that-name", "ALICE", "alice'; drop table x; --"])
def test_a_wrong_token_and_a_wrong_name_are_told_alike(scene: Scene, name: str) -> None:
    with RawClient(scene.plain_port, "127.0.0.11") as client:
        (error,) = errors(client.log_in(name, "shop", "ipt_not_a_token"))
        assert (error["S"], error["C"]) == ("FATAL", "28P01")
        assert error["M"] == "authentication failed"
        assert json.loads(error["D"])["code"] == "authentication_failed"
        assert client.message() is None, "the connection is closed"
    told = scene.events("login.failed", claimed_name=name, source="127.0.0.11")
    assert told, "a failed login is in the audit chain"
    assert "ipt_not_a_token" not in json.dumps(told)


def test_another_person_s_token_is_refused(scene: Scene) -> None:
    with RawClient(scene.plain_port, "127.0.0.12") as client:
        (error,) = errors(client.log_in("bob", "shop", scene.token("alice")))
    assert error["C"] == "28P01"


def test_an_expired_token_is_refused_like_a_wrong_one_and_recorded(scene: Scene) -> None:
    _, token = scene.new_token("alice", "1s")
    time.sleep(1.1)  # the token's own life is the point
    with RawClient(scene.plain_port, "127.0.0.13") as client:
        (error,) = errors(client.log_in("alice", "shop", token))
    assert (error["C"], error["M"]) == ("28P01", "authentication failed")
    assert scene.events("login.failed", source="127.0.0.13", claimed_name="alice", reason="token_expired")


def test_a_token_that_expires_ends_its_live_session_readably(scene: Scene) -> None:
    _, token = scene.new_token("alice", "3s")
    with scene.connect("alice", "shop", token=token) as session:
        assert session.execute("select 1").fetchone() == (1,)
        until(lambda: _ended(session), what="the end of the session")
    (closed,) = until(lambda: [s for s in scene.sessions() if s["close_reason"] == "token_expired"])
    assert closed["principal"] == "User:alice"


def test_a_revoked_token_ends_its_live_session_within_seconds_with_a_reason(scene: Scene) -> None:
    name, token = scene.new_token("dave")
    with RawClient(scene.plain_port) as client:
        client.log_in("dave", "shop", token)
        assert errors(client.ask(b"select 1")) == []
        scene.gateway.interpose("token", "revoke", name)
        client.socket.settimeout(10)
        (error,) = errors(list(client.messages()))
    assert (error["S"], error["C"]) == ("FATAL", "57P01")
    assert error["M"] == "your access token or certificate was revoked"
    assert error["H"]
    with RawClient(scene.plain_port, "127.0.0.14") as client:
        assert errors(client.log_in("dave", "shop", token))[0]["C"] == "28P01"
    assert scene.events("token.revoked", token=name)
    until(lambda: [s for s in scene.sessions() if s["close_reason"] == "token_revoked"], what="the end in the index")


def test_an_unknown_connection_says_so_and_the_chain_says_why(scene: Scene) -> None:
    error = refused(scene, "alice", "nowhere")
    assert "there is no connection `nowhere` that you may use" in str(error)
    (event,) = scene.events("login.failed", connection="nowhere")
    assert event["fields"]["reason"] == "unknown_connection"


@pytest.mark.parametrize(
    ("connection", "told", "logged"),
    [
        ("down", "the upstream `down` cannot be reached", "Connection refused"),
        ("wrong-password", "the upstream refused the gateway's credential", "28P01"),
        ("untrusted", "the upstream `untrusted` did not answer as it should", "unable to get local issuer certificate"),
        ("misnamed", "the upstream `misnamed` did not answer as it should", "Hostname mismatch"),
    ],
)
def test_an_upstream_that_cannot_be_used_is_told_safely(scene: Scene, connection: str, told: str, logged: str) -> None:
    with RawClient(scene.plain_port) as client:
        (error,) = errors(client.log_in("alice", connection, scene.token("alice")))
        everything = client.received.decode()
    assert (error["S"], error["C"], error["M"]) == ("FATAL", "57P03", told)
    assert error["H"]
    for inside in (str(scene.server.port), scene.role, UPSTREAM_PASSWORD, "certificate", "not-the-password"):
        assert inside not in everything, "the client learns nothing of the inside"
    assert logged in scene.gateway.log.read_text(), "the operator learns what is wrong"
    closed = until(lambda: scene.events("session.closed", reason="upstream_unavailable"))
    assert closed, "the attempt is a session in the chain, opened and closed"
    assert f'interpose_upstream_failures_total{{code="upstream_error",connection="{connection}"}}' in scene.metrics()


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\x00" * 80, b"A" * 300]
)
def test_garbage_instead_of_a_client_hello_is_closed_and_the_gateway_goes_on(scene: Scene, garbage: bytes) -> None:
    with RawClient(scene.gateway.port) as client:
        client.send(SSL_REQUEST)
        assert client.exactly(1) == b"S"
        client.send(garbage)
        client.socket.shutdown(socket.SHUT_WR)
        while client.exactly(1):
            pass
    assert scene.psql("alice", "shop", "select 1").stdout == "1\n"


def test_a_token_is_not_taken_in_clear_where_tls_is_asked_for(scene: Scene) -> None:
    with RawClient(scene.gateway.port) as client:
        client.send(startup({"user": "alice", "database": "shop"}))
        answer = client.message()
        assert answer is not None and answer[0] == b"E", "not even asked for a password"
        told = fields(answer[1])
        assert "TLS" in told["M"] and "sslmode" in told["H"] + told["M"]


@pytest.mark.parametrize(
    ("data", "sqlstate"),
    [
        (startup({}), "28000"),  # no user
        (startup({"user": "alice"}, version=131072), "0A000"),  # protocol 2.0
        (b"\x00\x00\x00\x03" + b"\x00" * 20, "08P01"),  # a length below its own
        (b"\x7f\xff\xff\xff" + b"\x00" * 20, "08P01"),
        (b"\xff\xff\xff\xff" + b"\x00" * 20, "08P01"),
        (startup({"user": "alice", "database": "shop", "replication": "true"}), "42501"),
        (startup({"user": "alice", "database": "shop", "options": "-c standard_conforming_strings=off"}), "42501"),
        (b"\x00\x00\x00\x0c\x00\x03\x00\x00userx", "08P01"),  # no end of the text
        (SSL_REQUEST + b"select", "08P01"),
    ],
)
def test_a_malformed_startup_is_refused_readably(scene: Scene, data: bytes, sqlstate: str) -> None:
    with RawClient(scene.plain_port) as client:
        client.send(data)
        asked = client.message() if not data.startswith(SSL_REQUEST) else None
        if asked is not None and asked[0] == b"R":  # judged with the password
            client.send(frame(b"p", scene.token("alice").encode() + b"\0"))
            asked = client.message()
        if data.startswith(SSL_REQUEST):
            first = client.exactly(1)
            assert first in (b"N", b"E", b"")
            while client.exactly(1):
                pass
        else:
            assert asked is not None and asked[0] == b"E"
            told = fields(asked[1])
            assert (told["S"], told["C"]) == ("FATAL", sqlstate), told
            assert list(client.messages()) == []


def test_a_silent_client_is_closed_at_the_deadline_and_delays_nobody(scene: Scene) -> None:
    with RawClient(scene.gateway.port) as silent, RawClient(scene.gateway.port) as half:
        half.send(SSL_REQUEST)
        assert half.exactly(1) == b"S"
        silent.socket.settimeout(20)
        half.socket.settimeout(20)
        over: list[bytes] = []
        waiting = threading.Thread(target=lambda: over.extend((silent.exactly(1), half.exactly(1))))
        waiting.start()
        for _ in range(3):
            assert scene.psql("alice", "shop", "select 1").stdout == "1\n"
        waiting.join(20)
        assert not waiting.is_alive(), "both are closed at the deadline of 5 s"
        assert silent.received[:1] in (b"", b"E")
    assert 'reason="deadline"' in scene.metrics()


def test_guessing_is_slowed_down(scene: Scene) -> None:
    told = []
    for number in range(11):
        with RawClient(scene.plain_port, "127.0.0.15") as client:
            told.append(errors(client.log_in("erin", "shop", f"wrong-{number}"))[0]["M"])
    assert told[:10] == ["authentication failed"] * 10
    assert "too many" in told[10]
    assert scene.psql("erin", "shop", "select 1").stdout == "1\n", "others are not locked out by it"


def _ended(session: psycopg.Connection[object]) -> bool:
    try:
        session.execute("select 1")
    except psycopg.OperationalError as error:
        assert "expired" in str(error) or "terminat" in str(error) or "closed" in str(error), error
        return True
    return False
