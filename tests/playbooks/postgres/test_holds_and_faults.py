"""Playbooks of holds, broken clients, broken upstreams and ends."""

from __future__ import annotations

import pytest

from interpose.model.analysis import SessionChange
from interpose.model.refusal import Refusal
from interpose.protocols.postgres.wire import frame
from tests.support.playbook import (
    BLOCK,
    IDLE,
    PARSED,
    B,
    E,
    P,
    Play,
    Q,
    S,
    analysis,
    columns,
    down,
    report,
    row,
    tag,
)


def test_a_hold_is_told_at_once_with_who_can_approve() -> None:
    play = Play()
    play.client(Q("update t set a = 1"))
    assert play.hold() == ["reply N:01000"]
    notice = down(play.intents)
    assert b"held for approval ap-1: risky; group dba can approve (1 needed), expires in 15 min" in notice
    assert b"interpose approvals approve ap-1" in notice
    assert play.allow() == ["forward Q"]


def test_a_hold_that_is_denied_refuses_and_the_session_goes_on() -> None:
    play = Play()
    play.client(Q("update t set a = 1"))
    play.hold()
    assert play.refuse("approval_expired") == ["reply E:57014 Z:I"]


def test_a_held_execute_is_told_while_the_batch_is_not_flushed() -> None:
    play = Play()
    play.client(P("update t"), B(), E(), S)
    play.allow()
    assert play.hold() == ["reply N:01000"]
    assert play.allow() == ["forward B E S"]


def test_a_notice_never_stands_inside_of_another_message() -> None:
    play = Play()
    play.client(Q("select big"), Q("update t"))
    play.allow()
    big = columns("a") + row(b"x" * 200_000)
    play.upstream(big[:100_000])
    assert play.hold() == []
    rest = play.upstream(big[100_000:])
    assert rest[-1] == "reply N:01000"


def test_what_a_client_sends_during_a_hold_is_bounded() -> None:
    play = Play(max_buffer=1000)
    play.client(Q("update t"))
    play.hold()
    assert play.client(b"x" * 900) == []
    assert play.relay.buffered <= 1000
    assert play.client(b"x" * 200) == ["reply E:53200", "close buffer_full"]
    assert play.relay.buffered == 0


def test_what_stood_behind_a_command_that_is_held_is_bounded_too() -> None:
    play = Play(max_buffer=1000)
    play.client(Q("update t"), b"x" * 2000)
    assert play.hold()[-1] == "close buffer_full"


def test_a_client_that_leaves_during_a_hold_closes_the_session() -> None:
    play = Play()
    play.client(Q("update t"))
    play.hold()
    assert [type(intent).__name__ for intent in play.relay.client_closed()] == ["Close"]
    assert play.allow() == []


def test_a_client_that_leaves_cuts_what_runs() -> None:
    play = Play()
    play.client(Q("update t"))
    play.allow()
    said = play._said(play.relay.client_closed())
    assert said == ["ended cut", "close client_closed"]


def test_an_upstream_that_dies_is_told_and_nothing_is_repeated() -> None:
    play = Play()
    play.client(Q("update t"))
    play.allow()
    assert play._said(play.relay.upstream_closed()) == ["ended cut", "reply E:57P01", "close upstream_closed"]


def test_an_upstream_that_said_why_it_dies_is_not_talked_over() -> None:
    play = Play()
    assert play.upstream(report(code="57P01", severity="FATAL")) == ["deliver E:57P01"]
    assert play._said(play.relay.upstream_closed()) == ["close upstream_closed"]


def test_the_gateway_ends_a_session_readably() -> None:
    play = Play()
    assert play._said(play.relay.end(Refusal("draining", "the gateway is going down"))) == [
        "reply E:57P01",
        "close draining",
    ]
    assert play.client(Q("select 1")) == []


def test_no_last_word_inside_of_another_message() -> None:
    play = Play()
    play.client(Q("select big"))
    play.allow()
    play.upstream((columns("a") + row(b"x" * 200_000))[:100_000])
    assert play._said(play.relay.end(Refusal("killed", "x")))[-1] == "close killed"
    assert not any(line.startswith("reply") for line in play._said(play.relay.end(Refusal("killed", "x"))))


@pytest.mark.parametrize(
    ("data", "sqlstate"),
    [
        (frame(b"Q", b"select 1\0, ssn\0"), "08P01"),
        (frame(b"Q", b"select 1"), "08P01"),
        (frame(b"Q", b""), "08P01"),
        (frame(b"Q", b"select '\xff'\0"), "22021"),
        (frame(b"F", b"\0\0\0\1"), "0A000"),
        (frame(b"p", b"again\0"), "0A000"),
        (frame(b"!", b""), "0A000"),
    ],
)
def test_a_whole_frame_that_makes_no_sense_is_refused_and_the_session_goes_on(data: bytes, sqlstate: str) -> None:
    play = Play()
    assert play.client(data, Q("select 1")) == [f"reply E:{sqlstate} Z:I", "ask query: select 1"]


@pytest.mark.parametrize(
    "data",
    [
        frame(b"B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"),
        frame(b"B", b"\0s"),
        frame(b"E", b"\0\0\0\0\0\0"),
        frame(b"D", b"X\0"),
        frame(b"C", b"S\0\0"),
        frame(b"P", b"\0select 1\0\0\1"),
        frame(b"P", b"\0select 1\0\0\0x"),
        frame(b"S", b"x"),
    ],
)
def test_a_malformed_extended_message_fails_its_batch(data: bytes) -> None:
    play = Play()
    assert play.client(data, S) == ["control own:abort: B", "control Sync: S"]
    assert play.upstream(report(), IDLE) == ["reply E:08P01", "deliver Z:I"]


@pytest.mark.parametrize("length", [0, 3, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_session_readably(length: int) -> None:
    play = Play()
    assert play.client(b"Q" + length.to_bytes(4, "big")) == ["reply E:08P01", "close bad_message_length"]


def test_a_broken_frame_behind_a_good_command_does_not_undo_its_judgement() -> None:
    play = Play()
    assert play.client(Q("select 1"), b"Q\0\0\0\0") == ["ask query: select 1"]
    assert play.allow() == ["forward Q"]
    assert play.upstream(tag("SELECT 0"), IDLE) == [
        "deliver C Z:I",
        "ended ok: SELECT 0",
        "reply E:08P01",
        "close bad_message_length",
    ]


def test_a_message_longer_than_the_limit_ends_the_session() -> None:
    play = Play(max_message=1000)
    assert play.client(Q("x" * 2000)) == ["reply E:08P01", "close bad_message_length"]


def test_a_short_type_may_not_be_long() -> None:
    assert Play().client(frame(b"S", b"x" * 20_000))[-1] == "close bad_message_length"


@pytest.mark.parametrize(
    "data",
    [
        tag("SELECT 1"),
        row(b"1"),
        PARSED,
        IDLE,
        frame(b"K", b"12345678"),
        frame(b"R", b"\0\0\0\0"),
        frame(b"?", b""),
        b"D\0\0\0\0",
        frame(b"Z", b"X"),
    ],
)
def test_an_upstream_that_breaks_the_protocol_ends_the_session(data: bytes) -> None:
    assert Play().upstream(data)[-1] == "close upstream_protocol_error"


def test_a_transaction_is_not_idle() -> None:
    play = Play()
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    assert not play.relay.idle


def test_notifications_pass_at_any_time() -> None:
    play = Play()
    assert play.upstream(frame(b"A", b"\0\0\0\1channel\0payload\0")) == ["deliver A"]
