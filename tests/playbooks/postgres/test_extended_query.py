"""Playbooks of the extended query protocol: batches, names, pipelines, errors up to Sync."""

from __future__ import annotations

import pytest

from interpose.model.analysis import Analysis, NamedText, SessionChange, StatementInfo
from tests.support.playbook import (
    BLOCK,
    BOUND,
    CLOSED,
    EMPTY_QUERY,
    IDLE,
    NO_DATA,
    NOTHING,
    PARSED,
    SUSPENDED,
    B,
    C,
    D,
    E,
    H,
    P,
    Play,
    Q,
    S,
    analysis,
    columns,
    dialled,
    own_answers,
    report,
    row,
    tag,
    up,
)

ROWS = columns("a") + row(b"1") + tag("SELECT 1")


def prepared(play: Play, text: str = "select $1", name: str = "s", of: Analysis = NOTHING) -> None:
    """A statement that both sides know."""
    play.client(P(text, name), S)
    play.allow(of)
    play.upstream(PARSED, IDLE)


def test_a_prepared_statement_leaves_in_one_piece_and_is_judged_with_its_parameters() -> None:
    play = Play()
    prepared(play)
    segment = B("s", "", b"7", None) + D() + E() + S
    assert play.client(segment) == ["ask execute: select $1"]
    assert play.asked is not None
    assert play.asked.parameters == (b"7", None)
    assert play.asked.analysis is NOTHING
    assert play.allow() == ["forward B D E S"]
    assert up(play.intents) == segment
    assert play.upstream(BOUND, ROWS, IDLE) == ["deliver 2 T D C Z:I rows=1", "ended ok: SELECT 1 rows=1"]
    assert play.relay.idle


def test_an_unnamed_statement_is_judged_when_it_is_planned_and_when_it_runs() -> None:
    play = Play()
    assert play.client(P("select 1"), B(), D(), E(), S) == ["ask prepare: select 1"]
    assert play.allow() == ["forward P", "ask execute: select 1"]
    assert play.allow() == ["forward B D E S"]
    assert play.upstream(PARSED, BOUND, ROWS, IDLE) == [
        "ended ok",
        "deliver 1 2 T D C Z:I rows=1",
        "ended ok: SELECT 1 rows=1",
    ]


def test_a_refused_parse_skips_to_sync() -> None:
    play = Play()
    play.client(P("drop table t"), B(), D(), E(), S, Q("select 1"))
    assert play.refuse() == ["reply E:42501", "control Sync: S", "ask query: select 1"]
    play.allow()
    assert play.upstream(IDLE, ROWS, IDLE) == ["deliver Z:I T D C Z:I rows=1", "ended ok: SELECT 1 rows=1"]


def test_a_refused_execute_comes_behind_the_answers_before_it() -> None:
    play = Play()
    play.client(P("select 1"), B(), D(), E(), S)
    play.allow()
    assert play.refuse() == ["control Bind+Describe: B D", "control own:flush: H", "control Sync: S"]
    assert play.upstream(PARSED, BOUND, columns("a")) == ["ended ok", "deliver 1 2 T", "reply E:42501"]
    assert play.upstream(IDLE) == ["deliver Z:I"]


def test_a_refusal_makes_what_the_batch_did_before_it_fail_too() -> None:
    play = Play()
    prepared(play, "insert into t values ($1)")
    play.client(B("s", "", b"1"), E(), P("drop table t"), S)
    play.allow()
    said = play.refuse()
    assert said == ["control own:abort: B", "control Sync: S"]
    assert play.upstream(BOUND, tag("INSERT 0 1"), report(code="26000"), IDLE) == [
        "deliver 2 C",
        "ended ok: INSERT 0 1",
        "reply E:42501",
        "deliver Z:I",
    ]


def test_in_a_transaction_block_a_refusal_aborts_nothing() -> None:
    play = Play()
    prepared(play, "insert into t values ($1)")
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.client(B("s", "", b"1"), E(), P("drop table t"), S)
    play.allow()
    assert play.refuse() == ["control own:flush: H", "control Sync: S"]
    assert play.upstream(BOUND, tag("INSERT 0 1")) == ["deliver 2 C", "ended ok: INSERT 0 1", "reply E:42501"]
    assert play.upstream(BLOCK) == ["deliver Z:T"]


def test_after_an_upstream_error_everything_up_to_sync_is_skipped() -> None:
    play = Play()
    play.client(P("selec", "a"))
    play.allow()
    play.client(H)
    assert play.upstream(report(code="42601")) == ["deliver E:42601", "ended error 42601"]
    assert play.client(B("a"), E(), P("drop table t"), H) == []
    assert play.client(S) == ["control Sync: S"]
    assert play.upstream(IDLE) == ["deliver Z:I"]


def test_an_allowed_command_of_a_batch_that_failed_meanwhile_is_not_sent() -> None:
    play = Play()
    play.client(P("select 1/0", "a"), B("a"), E(), H)
    play.allow()
    play.allow()
    play.client(P("update t", "b"), S)
    assert play.upstream(PARSED, BOUND, report()) == [
        "ended ok",
        "deliver 1 2",
        "deliver E:22012",
        "ended error 22012",
    ]
    assert play.allow() == ["ended cut", "control Sync: S"]


def test_a_statement_that_was_not_made_means_what_it_meant_before() -> None:
    play = Play()
    prepared(play, "select 1", "s")
    play.client(P("selec 2", "s"), S)
    play.allow()
    play.client(B("s"), E(), S)
    # The second Parse is on its way: what `s` stands for is not known yet.
    assert play.asked is not None
    assert play.asked.text == "selec 2"
    said = play.upstream(report(code="42P05"), IDLE)
    assert said[-1] == "ask execute: select 1"


def test_a_pipelined_parse_counts_within_its_own_batch() -> None:
    play = Play()
    prepared(play, "select 1", "")
    play.client(P("select 2", ""), B(""), E(), S)
    play.allow()
    assert play.asked is not None
    assert play.asked.text == "select 2"


def test_whole_batches_are_pipelined_without_waiting() -> None:
    play = Play()
    batch = P("select 1") + B() + E() + S
    play.client(batch * 3)
    for _ in range(6):
        play.allow()
    done = PARSED + BOUND + row(b"1") + tag("SELECT 1") + IDLE
    said = play.upstream(done * 3)
    assert [line for line in said if line.startswith("ended ok: ")] == ["ended ok: SELECT 1 rows=1"] * 3
    assert play.relay.idle


def test_names_made_by_sql_can_be_bound() -> None:
    play = Play()
    made = analysis("SELECT")
    play.query(
        "prepare s as select 1",
        tag("PREPARE"),
        IDLE,
        analysis=analysis("PREPARE", SessionChange.PREPARED, prepares=NamedText("s", made)),
    )
    assert play.client(B("s"), E(), S) == ['ask execute: EXECUTE "s"']
    assert play.asked is not None
    assert play.asked.analysis is made


def test_a_name_that_sql_drops_is_gone() -> None:
    play = Play()
    prepared(play)
    play.query(
        "deallocate all",
        tag("DEALLOCATE ALL"),
        IDLE,
        analysis=analysis("DEALLOCATE", SessionChange.PREPARED, deallocates="*"),
    )
    assert play.client(B("s"), E(), S) == ["control own:abort: B", "control Sync: S"]
    assert play.upstream(report(code="26000"), IDLE) == ["reply E:26000", "deliver Z:I"]


def test_a_bind_behind_a_prepare_on_its_way_waits() -> None:
    play = Play()
    play.client(P("prepare s as select 1"), B(), E(), B("s"), E(), S)
    play.allow()
    prepare = analysis("PREPARE", SessionChange.PREPARED, prepares=NamedText("s", NOTHING))
    assert play.allow(prepare) == ["forward B E", "control own:flush: H"]
    assert play.upstream(PARSED, BOUND, tag("PREPARE"))[-1] == 'ask execute: EXECUTE "s"'


def test_the_server_plans_again_under_another_path_and_so_is_the_text_judged_again() -> None:
    play = Play()
    prepared(play, "select * from t")
    play.query("set search_path=b", tag("SET"), IDLE, analysis=analysis("SET", SessionChange.SETTINGS))
    play.client(B("s"), E(), S)
    play.upstream(own_answers("b"))
    assert play.asked is not None
    assert (play.asked.text, play.asked.analysis) == ("select * from t", None)


def test_a_portal_is_judged_under_the_path_of_its_bind() -> None:
    play = Play(dialled(search_path="a"))
    prepared(play, "delete from t", "s")
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.client(B("s", "c"), S)
    play.upstream(BOUND, BLOCK)
    play.query("set search_path=b", tag("SET"), BLOCK, analysis=analysis("SET", SessionChange.SETTINGS))
    play.client(E("c"), S)
    play.upstream(own_answers("b", end=BLOCK))
    assert play.asked is not None
    # It was planned when the path was `a`, and that plan is what runs.
    assert play.asked.context.path == ("pg_temp", "pg_catalog", "a")
    assert play.asked.analysis is NOTHING


def test_what_sql_prepared_under_another_path_is_unknown() -> None:
    play = Play()
    play.query(
        "prepare s as select * from t",
        tag("PREPARE"),
        IDLE,
        analysis=analysis("PREPARE", SessionChange.PREPARED, prepares=NamedText("s", NOTHING)),
    )
    play.query("set search_path=b", tag("SET"), IDLE, analysis=analysis("SET", SessionChange.SETTINGS))
    play.client(Q("execute s"))
    play.upstream(own_answers("b"))
    assert play.asked is not None
    assert [effect.action.value for effect in play.asked.context.prepared["s"].effects] == ["unknown"]


def test_a_pipelined_set_is_known_before_the_next_command_is_judged() -> None:
    play = Play()
    prepared(play, "set search_path = b", "set", analysis("SET", SessionChange.SETTINGS))
    prepared(play, "select * from t", "get")
    play.client(B("set"), E(), B("get"), E(), S)
    assert play.allow(analysis("SET", SessionChange.SETTINGS)) == ["forward B E", "control own:flush: H"]
    # The gateway asks within the batch, without a Sync.
    assert play.upstream(BOUND, tag("SET")) == [
        "deliver 2 C",
        "ended ok: SET",
        "control own:session: P B E C C P B E C C P B E C C H",
    ]
    assert play.upstream(own_answers("b", end=b""))[-1] == "ask execute: select * from t"
    assert play.asked is not None
    assert play.asked.context.path == ("pg_temp", "pg_catalog", "b")


def test_begin_delays_nothing() -> None:
    play = Play()
    prepared(play, "begin", "b")
    prepared(play, "select 1", "q")
    play.client(B("b"), E(), B("q"), E(), S)
    play.allow(analysis("BEGIN", SessionChange.TRANSACTION))
    assert play.asked is not None
    assert play.asked.text == "select 1"


def test_a_portal_that_is_fetched_in_pieces_is_asked_each_time() -> None:
    play = Play()
    prepared(play)
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.client(B("s", "c"), E("c", 1), S)
    play.allow()
    assert play.upstream(BOUND, row(b"1"), SUSPENDED, BLOCK) == ["deliver 2 D s Z:T rows=1", "ended ok rows=1"]
    assert play.client(E("c", 1), S) == ["ask execute: select $1"]


def test_a_portal_ends_with_its_transaction() -> None:
    play = Play()
    prepared(play)
    play.client(B("s", "c"), E("c", 1), S)
    play.allow()
    play.upstream(BOUND, row(b"1"), SUSPENDED, IDLE)
    assert play.client(E("c", 1), S)[0] == "control own:abort: B"
    assert play.upstream(report(), IDLE) == ["reply E:34000", "deliver Z:I"]


def test_a_cursor_with_hold_outlives_its_transaction() -> None:
    play = Play()
    held, other = NamedText("h", NOTHING, outlives_transaction=True), NamedText("c", NOTHING)
    infos = tuple(StatementInfo("DECLARE CURSOR", declares=each) for each in (held, other))
    both = Analysis((), infos, frozenset({SessionChange.CURSORS}))
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.query("declare …", tag("DECLARE CURSOR"), tag("DECLARE CURSOR"), BLOCK, analysis=both)
    play.client(Q("fetch h"))
    assert play.asked is not None
    assert set(play.asked.context.cursors) == {"h", "c"}
    play.allow()
    play.upstream(tag("FETCH 0"), BLOCK)
    play.query("commit", tag("COMMIT"), IDLE, analysis=analysis("COMMIT", SessionChange.TRANSACTION))
    assert set(play.asked.context.cursors) == {"h"}


def test_close_and_describe_are_control() -> None:
    play = Play()
    prepared(play)
    assert play.client(D("S", "s"), C("S", "s"), S) == ["control Describe+Close+Sync: D C S"]
    assert play.upstream(NO_DATA, CLOSED, IDLE) == ["deliver n 3 Z:I"]
    play.client(B("s"), S)
    assert play.upstream(report(), IDLE)[0] == "reply E:26000"


def test_an_empty_statement_ends_too() -> None:
    play = Play()
    prepared(play, "")
    play.client(B("s"), E(), S)
    play.allow()
    assert play.upstream(BOUND, EMPTY_QUERY, IDLE) == ["deliver 2 I Z:I", "ended ok"]


def test_an_error_at_commit_comes_between_completion_and_ready() -> None:
    play = Play()
    prepared(play)
    play.client(B("s"), E(), S)
    play.allow()
    assert play.upstream(BOUND, tag("INSERT 0 1"), report(code="23503"), IDLE) == [
        "deliver 2 C",
        "ended ok: INSERT 0 1",
        "deliver E:23503 Z:I",
    ]


@pytest.mark.parametrize("name", ["_interpose_session", "x" * 64])
def test_names_that_are_the_gateways_or_too_long_are_refused(name: str) -> None:
    play = Play()
    play.client(P("select 1", name), S)
    assert play.upstream(report(), IDLE)[0] in ("reply E:42939", "reply E:42622")
    assert play.asked is None


def test_a_simple_query_in_an_open_batch_is_refused_with_a_sync() -> None:
    play = Play()
    prepared(play)
    # Whether the server would skip the query depends on the batch: that must be known first.
    assert play.client(B("s"), Q("drop table t")) == ["control Bind: B", "control own:flush: H"]
    assert play.upstream(BOUND)[-1] == "ask query: drop table t"
    assert play.refuse() == ["reply E:42501", "control Sync: S"]
    assert play.upstream(IDLE) == ["deliver Z:I"]


def test_a_simple_query_behind_a_failed_batch_is_skipped_as_the_server_skips_it() -> None:
    play = Play()
    assert play.client(D("S", "absent"), Q("drop table t"), S)[0] == "control Describe: D"
    assert play.upstream(report(code="26000")) == ["deliver E:26000", "control Sync: S"]
    assert play.asked is None
