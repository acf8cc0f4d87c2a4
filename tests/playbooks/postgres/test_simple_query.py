"""Playbooks of the simple query protocol."""

from __future__ import annotations

from interpose.model.analysis import NamedText, SessionChange
from interpose.protocols.intents import Ask, Reply
from tests.support.playbook import (
    BLOCK,
    FAILED,
    IDLE,
    KEY,
    NOTHING,
    H,
    Play,
    Q,
    S,
    X,
    analysis,
    columns,
    dialled,
    down,
    own_answers,
    report,
    row,
    status,
    tag,
    up,
)


def test_start_tells_the_gateways_own_key_and_the_upstreams_parameters() -> None:
    play = Play(start=False)
    (reply,) = play.relay.start()
    assert isinstance(reply, Reply)
    assert KEY in reply.data
    assert b"upstream" not in reply.data
    assert b"client_encoding\0UTF8\0" in reply.data
    assert reply.data.endswith(IDLE)


def test_a_query_goes_up_only_after_the_answer_and_exactly_as_it_came() -> None:
    play = Play()
    assert play.client(Q("select 1")) == ["ask query: select 1"]
    assert play.allow() == ["forward Q"]
    assert up(play.intents) == Q("select 1")
    answer = columns("a") + row(b"1") + tag("SELECT 1") + IDLE
    assert play.upstream(answer) == ["deliver T D C Z:I rows=1", "ended ok: SELECT 1 rows=1"]
    assert down(play.intents) == answer
    assert play.relay.idle


def test_bytes_cut_anywhere_give_the_same() -> None:
    play = Play()
    text = Q("select 1")
    said = [line for i in range(len(text)) for line in play.client(text[i : i + 1])]
    assert said == ["ask query: select 1"]
    play.allow()
    answer = columns("a") + row(b"1") + tag("SELECT 1") + IDLE
    lines = [play.upstream(answer[i : i + 1]) for i in range(len(answer))]
    assert [line for said in lines for line in said if line.startswith("ended")] == ["ended ok: SELECT 1 rows=1"]


def test_a_refusal_is_readable_and_the_session_goes_on() -> None:
    play = Play()
    play.client(Q("drop table t"))
    assert play.refuse() == ["reply E:42501 Z:I"]
    assert b'"code": "forbidden"' in down(play.intents)
    assert b"ask somebody" in down(play.intents)
    assert play.client(Q("select 1")) == ["ask query: select 1"]


def test_a_refusal_leaves_a_transaction_block_alive_and_says_so() -> None:
    play = Play()
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.client(Q("drop table t"))
    assert play.refuse() == ["reply E:42501 Z:T"]


def test_a_refusal_waits_for_the_answers_that_are_due() -> None:
    play = Play()
    assert play.client(Q("select 1"), Q("drop table t"), Q("select 2")) == ["ask query: select 1"]
    assert play.allow() == ["forward Q", "ask query: drop table t"]
    assert play.refuse() == ["ask query: select 2"]
    assert play.allow() == ["forward Q"]
    assert play.upstream(columns("a"), row(b"1"), tag("SELECT 1"), IDLE) == [
        "deliver T D C Z:I rows=1",
        "ended ok: SELECT 1 rows=1",
        "reply E:42501 Z:I",
    ]
    assert play.upstream(columns("a"), tag("SELECT 0"), IDLE) == ["deliver T C Z:I", "ended ok: SELECT 0"]


def test_an_upstream_error_ends_the_query_and_is_told_as_it_is() -> None:
    play = Play()
    assert play.query("select 1/0", report(), IDLE) == ["deliver E:22012 Z:I", "ended error 22012"]


def test_several_statements_end_once_with_all_their_tags() -> None:
    play = Play()
    said = play.query("select 1; set x = 1", columns("a"), row(b"1"), tag("SELECT 1"), tag("SET"), IDLE)
    assert said[-1] == "ended ok: SELECT 1; SET rows=1"


def test_a_failed_transaction_is_told_truly() -> None:
    play = Play()
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    assert play.query("select 1/0", report(), FAILED) == ["deliver E:22012 Z:E", "ended error 22012"]
    play.client(Q("select 1"))
    assert play.asked is not None
    assert play.asked.context.in_transaction == "E"


def test_what_follows_a_change_of_settings_waits_until_its_effects_are_known() -> None:
    play = Play()
    play.client(Q("set search_path = evil"), Q("select * from t"))
    assert play.allow(analysis("SET", SessionChange.SETTINGS)) == ["forward Q"]
    said = play.upstream(tag("SET"), IDLE)
    assert said[:2] == ["deliver C Z:I", "ended ok: SET"]
    assert said[2].startswith("control own:session: P B E C C P B E C C P B E C C S")
    assert play.upstream(own_answers("evil")) == ["ask query: select * from t"]
    assert play.asked is not None
    assert play.asked.context.path == ("pg_temp", "pg_catalog", "evil")


def test_own_answers_do_not_reach_the_client() -> None:
    play = Play()
    play.query("set role x", tag("SET"), IDLE, analysis=analysis("SET", SessionChange.SETTINGS))
    play.client(Q("select 1"))
    play.upstream(own_answers('"$user"', "x"))
    assert down(play.intents) == b""
    assert play.asked is not None
    assert play.asked.context.path == ("pg_temp", "pg_catalog", "x")


def test_in_a_failed_transaction_the_last_known_path_is_used() -> None:
    play = Play()
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.query("set x to y", report(), FAILED, analysis=analysis("SET", SessionChange.SETTINGS))
    assert play.client(Q("rollback")) == ["ask query: rollback"]


def test_a_rollback_without_settings_asks_nothing() -> None:
    play = Play()
    changes = (SessionChange.TRANSACTION, SessionChange.SETTINGS, SessionChange.CATALOG)
    play.query("rollback", tag("ROLLBACK"), IDLE, analysis=analysis("ROLLBACK", *changes))
    assert play.client(Q("select 1")) == ["ask query: select 1"]


def test_a_rollback_of_settings_asks_again() -> None:
    play = Play()
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.query("set search_path=a", tag("SET"), BLOCK, analysis=analysis("SET", SessionChange.SETTINGS))
    play.client(Q("select 1"))
    play.upstream(own_answers("a", end=BLOCK))
    play.allow()
    play.upstream(tag("SELECT 0"), BLOCK)
    play.query("commit", tag("COMMIT"), IDLE, analysis=analysis("COMMIT", SessionChange.TRANSACTION))
    assert play.client(Q("select 1"))[0].startswith("control own:session")


def test_postgresql_18_reports_its_path_itself() -> None:
    play = Play(dialled({"search_path": "public"}, search_path="public", version=18))
    play.query(
        "set search_path = a, b",
        tag("SET"),
        status("search_path", "a, b"),
        IDLE,
        analysis=analysis("SET", SessionChange.SETTINGS),
    )
    assert play.client(Q("select 1")) == ["ask query: select 1"]
    assert play.asked is not None
    assert play.asked.context.path == ("pg_temp", "pg_catalog", "a", "b")


def test_an_error_of_the_own_question_becomes_the_answer_of_the_command_that_waits() -> None:
    play = Play()
    play.query("set x to y", tag("SET"), IDLE, analysis=analysis("SET", SessionChange.SETTINGS))
    play.client(Q("select 1"))
    assert play.upstream(report(code="57014", text="canceled"), IDLE) == ["reply E:57014 Z:I"]
    assert play.client(Q("select 2"))[0].startswith("control own:session")


def test_a_pinned_setting_that_changes_ends_the_session() -> None:
    play = Play()
    play.client(Q("select sneaky()"))
    play.allow()
    said = play.upstream(columns("a"), status("standard_conforming_strings", "off"), IDLE)
    assert said[-2:] == ["reply E:57P01", "close pinned_setting_changed"]
    assert "ended cut" in said


def test_do_makes_every_name_unknown() -> None:
    play = Play()
    named = NamedText("s", NOTHING)
    play.query(
        "prepare s as select 1",
        tag("PREPARE"),
        IDLE,
        analysis=analysis("PREPARE", SessionChange.PREPARED, prepares=named),
    )
    play.client(Q("execute s"))
    assert play.asked is not None
    assert play.asked.context.prepared["s"] is NOTHING
    play.allow()
    play.upstream(tag("SELECT 0"), IDLE)
    play.query("do 'x'", tag("DO"), IDLE, analysis=analysis("DO", SessionChange.OPAQUE))
    play.client(Q("execute s"))
    play.upstream(own_answers("public"))
    assert "s" not in play.asked.context.prepared


def test_terminate_goes_up_and_closes() -> None:
    assert Play().client(X) == ["control Terminate: X", "close client_terminated"]


def test_terminate_behind_a_running_query_lets_it_end() -> None:
    play = Play()
    play.client(Q("update t"), X)
    assert play.allow() == ["forward Q", "control Terminate: X"]
    assert play.upstream(tag("UPDATE 1"), IDLE) == ["deliver C Z:I", "ended ok: UPDATE 1"]
    assert [str(type(i).__name__) for i in play.relay.upstream_closed()] == ["Close"]


def test_flush_and_sync_outside_of_a_batch_are_passed_on() -> None:
    play = Play()
    assert play.client(H) == ["control Flush: H"]
    assert play.client(S) == ["control Sync: S"]
    assert play.upstream(IDLE) == ["deliver Z:I"]


def test_relay_waits_with_what_is_behind_an_ask() -> None:
    play = Play()
    play.client(Q("select 1"), Q("select 2"))
    assert play.relay.buffered == len(Q("select 2"))
    assert not play.relay.idle
    assert play.client(Q("select 3")) == []
    play.allow()
    assert isinstance(play.intents[-1], Ask)
    assert play.asked is not None
    assert play.asked.text == "select 2"
