"""What ends well."""

from __future__ import annotations

import pytest

from interpose.model.analysis import Analysis, SessionChange, StatementInfo
from tests.support.playbook import (
    BLOCK,
    BOUND,
    CLOSED,
    IDLE,
    PARSED,
    B,
    C,
    E,
    P,
    Play,
    Q,
    S,
    analysis,
    columns,
    dialled,
    row,
    status,
    tag,
)


@pytest.mark.parametrize("answer", [BOUND, CLOSED, tag("SELECT 1"), IDLE])
def test_a_completion_that_does_not_fit_is_the_upstreams_fault(answer: bytes) -> None:
    play = Play()
    play.client(P("select 1"), S)
    play.allow()
    assert play.upstream(answer)[-1] == "close upstream_protocol_error"


def test_names_are_committed_by_their_completion_only() -> None:
    play = Play()
    play.client(P("select 1", "s"), C("S", "s"), S)
    play.allow()
    play.upstream(PARSED)
    version = play.relay._statements.find("s")
    assert version is not None
    assert version.gone
    assert not version.resolved
    play.upstream(CLOSED)
    assert play.relay._statements.find("s") is None


def test_settings_make_the_path_stale_when_they_are_done_and_when_they_are_undone() -> None:
    play = Play()
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    assert not play.relay._path_stale
    play.query("set x=1", tag("SET"), BLOCK, analysis=analysis("SET", SessionChange.SETTINGS))
    assert play.relay._path_stale
    play.relay._set_path("public", "none", "app")
    play.query("commit", tag("COMMIT"), IDLE, analysis=analysis("COMMIT", SessionChange.TRANSACTION))
    assert play.relay._path_stale


def test_only_the_statements_that_ended_well_count() -> None:
    play = Play()
    infos = (
        StatementInfo("SELECT"),
        StatementInfo("SET", changes=frozenset({SessionChange.SETTINGS})),
    )
    both = Analysis((), infos, frozenset({SessionChange.SETTINGS}))
    play.client(Q("select 1; set x = 1"))
    play.allow(both)
    play.upstream(columns("a"), row(b"1"), tag("SELECT 1"))
    assert not play.relay._path_stale
    play.upstream(tag("SET"))
    assert play.relay._path_stale


def test_a_reported_path_with_the_user_in_it_must_be_asked_for() -> None:
    play = Play(dialled({"search_path": '"$user", public'}, version=18))
    play.client(Q("set role x"))
    play.allow(analysis("SET", SessionChange.SETTINGS))
    play.upstream(tag("SET"), status("search_path", '"$user", public'), IDLE)
    assert play.relay._path_stale


def test_a_batch_ends_with_the_rows_of_each_execute_counted_by_itself() -> None:
    play = Play()
    play.client(P("select 1", "s"), B("s"), E(), B("s"), E(), S)
    for _ in range(3):
        play.allow()
    said = play.upstream(PARSED, BOUND, row(b"1"), tag("SELECT 1"), BOUND, row(b"1"), row(b"1"), tag("SELECT 2"), IDLE)
    assert [line for line in said if line.startswith("ended ok: ")] == [
        "ended ok: SELECT 1 rows=1",
        "ended ok: SELECT 2 rows=2",
    ]
