"""Playbooks of results: shown as they are, masked, capped, withheld; COPY both ways."""

from __future__ import annotations

from interpose.masking.copy_lines import CopyOptions
from interpose.masking.copying import CopyStream
from interpose.masking.plan import MaskingPlan, build_plan
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, SessionChange, StatementInfo
from interpose.model.masks import MaskRule
from interpose.model.proofs import Clearance
from interpose.model.refusal import Refusal
from interpose.model.resources import TableResource
from interpose.protocols.intents import Refused, Showing
from interpose.protocols.postgres.backend import read_row_description
from tests.support.playbook import (
    BLOCK,
    BOUND,
    COPY_BOTH,
    COPY_DONE,
    COPY_IN,
    COPY_OUT,
    IDLE,
    PARSED,
    SEAL,
    SESSION,
    B,
    D,
    E,
    P,
    Play,
    Q,
    S,
    X,
    analysis,
    columns,
    copy_data,
    copy_fail,
    down,
    redacting,
    report,
    row,
    status,
    tag,
)

MASKED = Clearance(SEAL, SESSION, True)
SELECT = Analysis((Effect(Action.SELECT, TableResource("public", "t")),), (StatementInfo("SELECT"),))
UPDATE = Analysis((Effect(Action.UPDATE, TableResource("public", "t")),), (StatementInfo("UPDATE"),))
COPIES_IN = Analysis((), (StatementInfo("COPY", copy="in"),))
SECRET = b"canary-078-05-1120"


def text_plan(width: int) -> MaskingPlan:
    """A plan for text columns that hides the last."""
    shape = read_row_description(columns(*(f"c{i}" for i in range(width)))[5:])
    plan = build_plan(shape, [None] * (width - 1) + [MaskRule("redact")], {}, b"k" * 16)
    assert plan is not None
    return plan


def test_a_simple_result_is_shown_through_its_plan() -> None:
    play = Play()
    play.client(Q("select id, ssn from t"))
    play.allow(SELECT, describe=True)
    answer = columns("id", "ssn") + row(b"1", SECRET) + row(b"2", None) + tag("SELECT 2") + IDLE
    assert play.upstream(answer) == ["show 0: id, ssn"]
    assert play.show(redacting(play)) == [
        "deliver masked T",
        "deliver masked D D rows=2",
        "deliver masked C",
        "deliver Z:I",
        "ended ok: SELECT 2 rows=2",
    ]
    assert SECRET not in down(play.intents)


def test_rows_that_are_cut_anywhere_are_masked_all_the_same() -> None:
    whole = columns("id", "ssn") + row(b"1", SECRET) + row(b"2", SECRET) + tag("SELECT 2") + IDLE
    seen = set()
    for size in (1, 3, 7, len(whole)):
        play = Play()
        play.client(Q("select id, ssn from t"))
        play.allow(SELECT, describe=True)
        shown = b""
        for start in range(0, len(whole), size):
            said = play.upstream(whole[start : start + size])
            if any(line.startswith("show") for line in said):
                shown += down(play.intents)
                play.show(redacting(play))
            shown += down(play.intents)
        seen.add(shown)
    assert len(seen) == 1
    assert SECRET not in seen.pop()


def test_upstream_bytes_behind_a_show_are_kept_and_counted() -> None:
    play = Play()
    play.client(Q("select ssn from t"))
    play.allow(SELECT, describe=True)
    play.upstream(columns("ssn"))
    showing = redacting(play)
    assert play.upstream(row(SECRET)) == []
    assert play.relay.buffered == len(columns("ssn")) + len(row(SECRET))
    play.show(showing)
    assert play.relay.buffered == 0


def test_each_result_of_a_query_is_shown_by_itself() -> None:
    play = Play()
    play.client(Q("select 1; select ssn from t"))
    play.allow(Analysis((), (StatementInfo("SELECT"), StatementInfo("SELECT"))), describe=True)
    assert play.upstream(columns("a"), row(b"1"), tag("SELECT 1"), columns("ssn"), row(SECRET)) == ["show 0: a"]
    assert play.show(Showing(MASKED, None))[-1] == "show 1: ssn"
    play.show(redacting(play))
    assert SECRET not in down(play.intents)


def test_an_execute_without_describe_gets_one_of_the_gateways_own() -> None:
    play = Play()
    play.client(P("select ssn from t", "s"), S)
    play.allow(SELECT, describe=True)
    play.upstream(PARSED, IDLE)
    play.client(B("s"), E(), S)
    assert play.allow(SELECT, describe=True) == ["forward B D E S"]
    assert play.upstream(BOUND, columns("ssn"), row(SECRET), tag("SELECT 1"), IDLE) == ["deliver 2", "show 0: ssn"]
    said = play.show(redacting(play))
    assert said[-1] == "ended ok: SELECT 1 rows=1"
    assert not any("deliver" in line and " T" in line for line in said)
    assert SECRET not in down(play.intents)


def test_an_execute_whose_portal_the_client_described_gets_none() -> None:
    play = Play()
    play.client(P("select ssn from t"), B(), D(), E(), S)
    play.allow(SELECT, describe=True)
    assert play.allow(SELECT, describe=True) == ["forward B D E S"]
    said = play.upstream(PARSED, BOUND, columns("ssn"), row(SECRET), tag("SELECT 1"), IDLE)
    assert said == ["ended ok", "deliver 1 2 T", "show 0: ssn"]


def test_rows_without_a_description_are_withheld() -> None:
    play = Play()
    play.client(P("select ssn from t"), B(), D(), E(), S)
    play.allow(SELECT, describe=True)
    play.allow(SELECT, describe=True)
    no_data = b"n\0\0\0\4"
    said = play.upstream(PARSED, BOUND, no_data, row(SECRET), tag("SELECT 1"), IDLE)
    assert "reply E:42501" in said
    assert SECRET not in down(play.intents)


def test_a_result_that_is_refused_is_replaced_by_an_error_and_the_session_goes_on() -> None:
    play = Play()
    play.client(Q("select f(ssn) from t"))
    play.allow(SELECT, describe=True)
    play.upstream(columns("f"), row(SECRET), row(SECRET), tag("SELECT 2"), IDLE)
    said = play.show(Refused(Refusal("unmaskable", "cannot be masked")))
    assert said == ["reply E:42501", "deliver Z:I", "ended cut: SELECT 2 42501"]
    assert SECRET not in down(play.intents)
    assert play.client(Q("select 1")) == ["ask query: select 1"]


def test_what_follows_a_refused_result_in_the_same_query_is_muted() -> None:
    play = Play()
    play.client(Q("select f(ssn) from t; select ssn from t"))
    play.allow(Analysis((), (StatementInfo("SELECT"),) * 2), describe=True)
    play.upstream(columns("f"), row(SECRET), tag("SELECT 1"), columns("ssn"), row(SECRET), tag("SELECT 1"), IDLE)
    said = play.show(Refused(Refusal("unmaskable", "cannot be masked")))
    assert said == ["reply E:42501", "deliver Z:I", "ended cut: SELECT 1; SELECT 1 42501"]
    assert SECRET not in down(play.intents)


def test_a_refused_result_of_a_write_makes_its_batch_fail() -> None:
    play = Play()
    play.client(P("update t returning ssn"), B(), D(), E(), S)
    play.allow(UPDATE, describe=True)
    # The Sync that would commit waits for the result.
    assert play.allow(UPDATE, describe=True) == ["forward B D E", "control own:flush: H"]
    play.upstream(PARSED, BOUND, columns("ssn"), row(SECRET), tag("UPDATE 1"))
    assert play.show(Refused(Refusal("unmaskable", "cannot be masked"))) == [
        "reply E:42501",
        "control own:abort: B",
        "ended cut: UPDATE 1 42501",
        "control Sync: S",
    ]
    assert play.upstream(report(code="26000"), IDLE) == ["deliver Z:I"]


def test_a_value_that_cannot_be_masked_withholds_the_rest() -> None:
    play = Play()
    play.client(Q("select id, ssn from t"))
    play.allow(SELECT, describe=True)
    play.upstream(columns("id", "ssn"))
    play.show(redacting(play))
    # A row of another width than was described.
    said = play.upstream(row(SECRET), tag("SELECT 1"), IDLE)
    assert said[0] == "reply E:08P01"
    assert SECRET not in down(play.intents)
    assert said[-1] == "ended cut: SELECT 1 08P01"


def test_a_cap_cuts_the_rows_and_says_so() -> None:
    play = Play()
    play.client(Q("select 1"))
    play.allow(SELECT, max_rows=2)
    said = play.upstream(columns("a"), row(b"1"), row(b"2"), row(b"3"), tag("SELECT 3"), IDLE)
    assert said == ["deliver T D D rows=2", "reply E:54000", "deliver Z:I", "ended cut: SELECT 3 54000 rows=2"]


def test_a_cap_that_is_not_passed_changes_nothing() -> None:
    play = Play()
    play.client(Q("select 1"))
    play.allow(SELECT, max_rows=2)
    assert play.upstream(columns("a"), row(b"1"), row(b"2"))[0].startswith("deliver T D D")
    assert play.upstream(tag("SELECT 2"), IDLE) == ["deliver C Z:I", "ended ok: SELECT 2 rows=2"]


def test_a_cap_counts_over_all_fetches_of_a_portal() -> None:
    play = Play()
    play.client(P("select 1", "s"), S)
    play.allow(SELECT)
    play.upstream(PARSED, IDLE)
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.client(B("s", "c"), E("c", 2), S)
    play.allow(SELECT, max_rows=3)
    play.upstream(BOUND, row(b"1"), row(b"2"), b"s\0\0\0\4", BLOCK)
    play.client(E("c", 2), S)
    play.allow(SELECT, max_rows=3)
    said = play.upstream(row(b"3"), row(b"4"), b"s\0\0\0\4", BLOCK)
    assert said[:2] == ["deliver D rows=1", "reply E:54000"]


def test_a_capped_masked_result_counts_too() -> None:
    play = Play()
    play.client(Q("select ssn from t"))
    play.allow(SELECT, describe=True, max_rows=1)
    play.upstream(columns("ssn"), row(SECRET), row(SECRET), tag("SELECT 2"), IDLE)
    said = play.show(redacting(play))
    assert said[:3] == ["deliver masked T", "deliver masked D rows=1", "reply E:54000"]


def test_a_long_row_goes_down_in_pieces_when_nothing_is_hidden() -> None:
    play = Play()
    play.client(Q("select repeat('x', 1000000)"))
    play.allow()
    answer = columns("a") + row(b"x" * 1_000_000) + tag("SELECT 1") + IDLE
    shown = b""
    most = 0
    for start in range(0, len(answer), 100_000):
        play.upstream(answer[start : start + 100_000])
        shown += down(play.intents)
        most = max(most, start + 100_000 - len(shown))
    assert shown == answer
    assert most < 200_000


def test_errors_and_notices_are_scrubbed_within_reach_of_hidden_values() -> None:
    play = Play()
    play.client(Q("select ssn::int from t"))
    play.allow(SELECT, scrub=True)
    play.upstream(report(b"N", "00000", SECRET.decode(), "NOTICE"), report(code="22P02", text=SECRET.decode()), IDLE)
    assert SECRET not in down(play.intents)
    assert b"22P02" in down(play.intents)


def test_a_parameter_report_is_withheld_within_reach_of_hidden_values() -> None:
    play = Play()
    play.client(Q("select set_config('application_name', ssn, false) from t"))
    play.allow(SELECT, scrub=True)
    play.upstream(columns("set_config"), tag("SELECT 0"), status("application_name", SECRET.decode()), IDLE)
    assert SECRET not in down(play.intents)


def test_an_error_at_commit_is_scrubbed_too() -> None:
    play = Play()
    play.client(P("update t"), B(), E(), S)
    play.allow(UPDATE, scrub=True)
    play.allow(UPDATE, scrub=True)
    play.upstream(PARSED, BOUND, tag("UPDATE 1"), report(code="23505", text=SECRET.decode()), IDLE)
    assert SECRET not in down(play.intents)
    assert b"23505" in down(play.intents)


# --- COPY


def test_copy_in_sends_its_data_as_parts_of_the_judged_command() -> None:
    play = Play()
    play.client(Q("copy t from stdin"), copy_data(b"1\n"))
    assert play.allow(COPIES_IN) == ["forward Q"]
    assert play.upstream(COPY_IN) == ["deliver G", "part d"]
    assert play.client(copy_data(b"2\n"), copy_data(b"3\n"), COPY_DONE) == ["part d d", "part c"]
    assert play.upstream(tag("COPY 3"), IDLE) == ["deliver C Z:I", "ended ok: COPY 3"]


def test_copy_data_of_a_copy_that_failed_is_dropped() -> None:
    play = Play()
    play.client(Q("copy t from stdin"), copy_data(b"1\n"), COPY_DONE, Q("select 1"))
    play.allow(COPIES_IN)
    said = play.upstream(report(code="42P01"), IDLE)
    assert (
        said == ["deliver E:42P01 Z:I", "ended error 42P01", "ask query: select 1"] or said[-1] == "ask query: select 1"
    )
    assert not any(line.startswith("part") for line in said)


def test_copy_data_without_a_copy_never_goes_up() -> None:
    play = Play()
    assert play.client(copy_data(b"1\n"), COPY_DONE, copy_fail("no")) == []


def test_copy_in_that_was_not_judged_as_one_is_refused() -> None:
    play = Play()
    play.client(Q("select tricky()"))
    play.allow(SELECT)
    assert play.upstream(COPY_IN) == ["control own:copy-fail: f"]
    assert play.upstream(report(code="57014"), IDLE)[0].startswith("deliver E:57014")


def test_copy_in_by_the_extended_protocol_ignores_the_sync_within_it() -> None:
    play = Play()
    play.client(P("copy t from stdin"), B(), D(), E(), S)
    play.allow(COPIES_IN)
    assert play.allow(COPIES_IN) == ["forward B D E", "control own:flush: H"]
    said = play.upstream(PARSED, BOUND, b"n\0\0\0\4", COPY_IN)
    assert said == ["ended ok", "deliver 1 2 n G"]
    assert play.client(copy_data(b"1\n"), COPY_DONE, S) == ["part d", "part c", "control Sync: S"]
    assert play.upstream(tag("COPY 1"), IDLE) == ["deliver C Z:I", "ended ok: COPY 1"]


def test_a_query_inside_of_copy_in_ends_the_session_readably() -> None:
    play = Play()
    play.client(Q("copy t from stdin"))
    play.allow(COPIES_IN)
    play.upstream(COPY_IN)
    assert play.client(Q("select 1")) == []
    assert play.upstream(report(code="57014"), IDLE)[-2:] == ["reply E:08P01", "close bad_copy_message"]


def test_copy_out_passes_when_nothing_is_hidden() -> None:
    play = Play()
    play.client(Q("copy t to stdout"))
    play.allow(Analysis((), (StatementInfo("COPY", copy="out"),)))
    assert play.upstream(COPY_OUT, copy_data(b"1\n"), copy_data(b"2\n"), COPY_DONE, tag("COPY 2"), IDLE) == [
        "deliver H d d c C Z:I rows=2",
        "ended ok: COPY 2 rows=2",
    ]


def test_copy_out_is_masked_through_its_stream() -> None:
    play = Play()
    play.client(Q("copy t to stdout"))
    play.allow(Analysis((), (StatementInfo("COPY", copy="out"),)), describe=True)
    rows = copy_data(b"1\t" + SECRET + b"\n") + copy_data(b"2\t\\N\n")
    assert play.upstream(COPY_OUT, rows, COPY_DONE, tag("COPY 2"), IDLE)[0].startswith("show 0")
    plan = text_plan(2)
    said = play.show(Showing(MASKED, plan, CopyStream(plan, CopyOptions(), 1 << 20)))
    assert said[0] == "deliver masked H"
    assert said[-1] == "ended ok: COPY 2 rows=2"
    assert SECRET not in down(play.intents)
    assert b"1\t" in down(play.intents)


def test_copy_out_with_a_plan_and_no_stream_is_refused() -> None:
    play = Play()
    play.client(Q("copy t to stdout"))
    play.allow(Analysis((), (StatementInfo("COPY", copy="out"),)), describe=True)
    play.upstream(COPY_OUT, copy_data(SECRET), COPY_DONE, tag("COPY 1"), IDLE)
    said = play.show(Showing(MASKED, text_plan(1)))
    assert said[0] == "reply E:42501"
    assert SECRET not in down(play.intents)


def test_copy_both_closes_the_session() -> None:
    play = Play()
    play.client(Q("select 1"))
    play.allow()
    assert play.upstream(COPY_BOTH)[-1] == "close upstream_protocol_error"


def test_terminate_during_copy() -> None:
    play = Play()
    play.client(Q("copy t from stdin"))
    play.allow(COPIES_IN)
    play.upstream(COPY_IN)
    assert play.client(X) == ["control Terminate: X"]
