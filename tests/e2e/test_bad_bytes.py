"""Messages and statements that no driver would send: refused readably, the session goes on, and nothing is lost."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import pytest

from tests.support.raw_postgres import SYNC, RawClient, errors, frame, kinds, query
from tests.support.scene import Scene, until


@pytest.fixture
def client(scene: Scene) -> Iterator[RawClient]:
    """A session of alice's that knows no driver's manners."""
    with RawClient(scene.plain_port) as made:
        assert kinds(made.log_in("alice", "shop", scene.token("alice")))[-1:] == b"Z"
        yield made


def test_a_nul_in_sql_is_not_cut_off_there(scene: Scene, client: RawClient) -> None:
    (error,) = errors(client.ask(b"select 1\0, ssn from customers"))
    assert error["C"] in ("22021", "08P01")
    (error,) = errors(client.ask(b"select 1 as \0"))
    assert error["C"] in ("22021", "08P01")


def test_a_nul_in_a_prepared_statement_is_refused(client: RawClient) -> None:
    client.send(frame(b"P", b"\0select 1\0 as x\0" + struct.pack("!H", 0)) + SYNC)
    (error,) = errors(client.until(b"Z"))
    assert error["C"] in ("22021", "08P01")
    assert errors(client.ask(b"select 1")) == []


@pytest.mark.parametrize(
    "text", [b"select '\xff\xfe'", b"select '\xc3'", b"select '\xed\xa0\x80'", b"select '\xc0\x80'"]
)
def test_invalid_utf8_is_refused_and_the_session_goes_on(client: RawClient, text: bytes) -> None:
    (error,) = errors(client.ask(text))
    assert error["C"] in ("42501", "22021")
    assert "UTF8" in error["M"]
    assert kinds(client.ask(b"select 1")) == b"TDCZ"


HOSTILE = {
    "a sum of 100,000 terms": b"select " + b"a+" * 100_000 + b"a",
    "parentheses": b"select " + b"(" * 50_000 + b"1" + b")" * 50_000,
    "open parentheses": b"select " + b"(" * 100_000,
    "sub-selects": b"select " + b"(select " * 5_000 + b"1" + b")" * 5_000,
    "NOT": b"select " + b"not " * 50_000 + b"true",
    "comments": b"/*" * 50_000,
    "casts": b"select 1" + b"::int" * 30_000,
    "arrays": b"select " + b"array[" * 20_000 + b"1" + b"]" * 20_000,
    "joins": b"select 1 from a" + b" join a on true" * 20_000,
    "CASE": b"select " + b"case when true then " * 10_000 + b"1" + b" end" * 10_000,
    "unions": b"select 1" + b" union select 1" * 20_000,
    "a long text": b"select '" + b"x" * (1024 * 1024) + b"'",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_crashes_parsers_is_refused_and_the_session_goes_on(scene: Scene, client: RawClient, text: bytes) -> None:
    answer = client.ask(text)
    (error,) = errors(answer)
    assert kinds(answer)[-1:] == b"Z"
    assert error["C"] in ("54000", "54001", "42601"), error
    assert len(error["M"]) < 500
    assert kinds(client.ask(b"select 1")) == b"TDCZ"
    refused = scene.events("command.decided", decision="forbid") or scene.events("command.decided")
    assert refused, "a refusal is in the chain"


def test_a_sum_that_is_just_long_runs(scene: Scene, client: RawClient) -> None:
    assert kinds(client.ask(b"select " + b"1+" * 200 + b"1")) == b"TDCZ"


def test_an_oversized_message_is_refused_by_its_length_alone(scene: Scene, client: RawClient) -> None:
    client.send(b"Q" + struct.pack("!I", 200 * 1024 * 1024) + b"select 1")
    (error,) = errors(list(client.messages()))
    assert error["S"] == "FATAL"
    assert error["C"] in ("08P01", "54000")
    assert scene.psql("alice", "shop", "select 1").stdout == "1\n"


@pytest.mark.parametrize("length", [0, 3, 0x80000000, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_session_readably(scene: Scene, client: RawClient, length: int) -> None:
    client.send(b"Q" + struct.pack("!I", length) + b"select 1\0")
    (error,) = errors(list(client.messages()))
    assert (error["S"], error["C"]) == ("FATAL", "08P01")


@pytest.mark.parametrize("kind", [b"F", b"z", b"\x00", b"R", b"W"])
def test_unknown_messages_and_function_calls_are_refused(scene: Scene, client: RawClient, kind: bytes) -> None:
    client.send(frame(kind, b"\0" * 12))
    answer = client.until(b"Z")
    (error,) = errors(answer)
    assert error["C"] in ("0A000", "08P01")


def test_after_an_error_everything_up_to_sync_is_skipped(client: RawClient) -> None:
    parse = frame(b"P", b"\0select nonsense\0" + struct.pack("!H", 0))
    more = frame(b"P", b"\0select 1\0" + struct.pack("!H", 0)) + frame(b"B", b"\0\0" + struct.pack("!HHH", 0, 0, 0))
    client.send(parse + more + frame(b"E", b"\0" + struct.pack("!I", 0)) + SYNC + query(b"select 2"))
    assert kinds(client.until(b"Z")) == b"EZ"
    assert kinds(client.until(b"Z")) == b"TDCZ"


def test_a_client_that_leaves_in_the_middle_of_a_message_leaves_nothing_behind(scene: Scene, client: RawClient) -> None:
    before = scene.backends()
    client.send(b"Q" + struct.pack("!I", 1000) + b"select")
    client.socket.close()
    until(lambda: scene.backends() < before, what="the end of the backend")


def test_a_refusal_s_detail_is_one_json_object_with_the_number_of_its_decision(scene: Scene, client: RawClient) -> None:
    (error,) = errors(client.ask(b"drop table notes"))
    assert (error["S"], error["C"], error["H"]) == ("ERROR", "42501", "rename it instead")
    detail = json.loads(error["D"])
    assert detail["code"] == "forbidden"
    assert detail["policies"] == ["no-drop"]
    decided = [event for event in scene.events("command.decided") if str(event["seq"]) == detail["reference"]]
    assert any(event["actor"] == "User:alice" for event in decided)
