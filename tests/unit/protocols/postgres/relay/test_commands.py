"""Judged messages."""

from __future__ import annotations

import pytest

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, SessionChange
from interpose.model.resources import FunctionResource, TableResource
from interpose.protocols.postgres.relay.commands import only_reads
from tests.support.playbook import BLOCK, IDLE, NOTHING, PARSED, B, E, P, Play, Q, S, analysis, own_answers, tag

TABLE = TableResource("public", "t")


@pytest.mark.parametrize(
    ("effects", "changes", "reads"),
    [
        ((), (), True),
        ((Effect(Action.SELECT, TABLE),), (), True),
        ((Effect(Action.SELECT, TABLE), Effect(Action.UPDATE, TABLE)), (), False),
        ((Effect(Action.CALL, FunctionResource("pg_catalog", "lower", True)),), (), True),
        ((Effect(Action.CALL, FunctionResource("public", "f")),), (), False),
        ((Effect(Action.SELECT, TABLE),), (SessionChange.OPAQUE,), False),
    ],
)
def test_only_what_changes_nothing_reads(
    effects: tuple[Effect, ...], changes: tuple[SessionChange, ...], reads: bool
) -> None:
    assert only_reads(Analysis(effects, (), frozenset(changes))) is reads


def test_a_command_waits_for_those_that_change_what_it_means() -> None:
    play = Play()
    play.client(Q("create table t ()"), Q("select * from t"))
    assert play.allow(analysis("CREATE TABLE", SessionChange.CATALOG)) == ["forward Q"]
    assert play.relay.buffered == len(Q("select * from t"))
    # It may have been a temporary one: that is asked first.
    assert play.upstream(tag("CREATE TABLE"), IDLE)[-1].startswith("control own:session")
    assert play.upstream(own_answers("public", temporary="pg_temp_3"))[-1] == "ask query: select * from t"
    assert play.asked is not None
    assert play.asked.context.path == ("pg_temp_3", "pg_catalog", "public")


def test_what_is_temporary_is_asked_outside_of_transactions_only() -> None:
    play = Play()
    play.query("begin", tag("BEGIN"), BLOCK, analysis=analysis("BEGIN", SessionChange.TRANSACTION))
    play.query("create temp table t ()", tag("CREATE TABLE"), BLOCK, analysis=analysis("CREATE", SessionChange.CATALOG))
    play.query("select * from t", tag("SELECT 0"), BLOCK)
    assert play.asked is not None
    assert play.asked.context.path == ("pg_temp", "pg_catalog", "app", "public")
    play.query("commit", tag("COMMIT"), IDLE, analysis=analysis("COMMIT", SessionChange.TRANSACTION))
    assert play.client(Q("select * from t"))[0].startswith(
        "control own:session: P B E C C P B E C C P B E C C P B E C C S"
    )


def test_a_command_does_not_wait_for_those_that_change_nothing() -> None:
    play = Play()
    play.client(Q("update t"), Q("select * from t"))
    assert play.allow(analysis("UPDATE")) == ["forward Q", "ask query: select * from t"]


def test_opaque_code_makes_the_path_unknown_until_it_is_asked() -> None:
    play = Play()
    play.query("select f()", tag("SELECT 1"), IDLE, analysis=analysis("SELECT", SessionChange.OPAQUE))
    assert play.client(Q("select * from t"))[0].startswith("control own:session")
    assert play.upstream(own_answers("evil", temporary="-"))[-1] == "ask query: select * from t"
    assert play.asked is not None
    assert play.asked.context.path == ("pg_temp", "pg_catalog", "evil")


def test_the_context_names_what_is_prepared() -> None:
    play = Play()
    play.client(P("select 1", "s"), S)
    play.allow()
    play.upstream(PARSED, IDLE)
    play.client(Q("execute s"))
    assert play.asked is not None
    assert play.asked.context.prepared == {"s": NOTHING}


def test_parameters_are_judged_as_they_were_bound() -> None:
    play = Play()
    play.client(P("select $1"), B("", "", b"\0\1", None), E(), S)
    play.allow()
    assert play.asked is not None
    assert play.asked.parameters == (b"\0\1", None)
    assert play.asked.parameter_formats == ()


def test_a_refused_execute_leaves_nothing_unsent() -> None:
    play = Play()
    play.client(P("select 1"), B(), E())
    play.allow()
    play.refuse()
    assert play.relay._unsent == []
    assert play.client(S) == ["control Sync: S"]
