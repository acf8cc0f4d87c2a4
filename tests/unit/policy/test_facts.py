"""Facts: exactly the declared ones, exactly of their type."""

from __future__ import annotations

import dataclasses

import pytest

from interpose.analysis.sql.analyst import PostgresAnalyst
from interpose.analysis.sql.reviewed import builtin
from interpose.model.actions import Action
from interpose.model.analysis import Analysis
from interpose.model.catalog import Behind, Lookup, Routine
from interpose.model.command import Command, CommandKind, SqlContext
from interpose.policy.facts import (
    DELEGATION_FACTS,
    EFFECT_FACTS,
    GATEWAY_FACTS,
    SESSION_ALWAYS,
    SESSION_FACTS,
    CedarType,
    FactError,
    effect_context,
    encode,
    fact_names,
    session_context,
)
from tests.unit.policy.shop import ALICE, BOT, NOW


def test_no_name_is_used_twice() -> None:
    names = list(fact_names())
    assert (
        len(names) == len(set(names)) == sum(map(len, (EFFECT_FACTS, SESSION_FACTS, GATEWAY_FACTS, DELEGATION_FACTS)))
    )


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (CedarType.STRING, 1),
        (CedarType.LONG, True),
        (CedarType.LONG, "1"),
        (CedarType.LONG, 2**63),
        (CedarType.LONG, -(2**63) - 1),
        (CedarType.BOOL, 1),
        (CedarType.STRINGS, "x"),
        (CedarType.ADDRESS, "10.0.0.1"),
    ],
)
def test_another_type_is_an_error(type_: CedarType, value: object) -> None:
    with pytest.raises(FactError):
        encode(type_, "x", value)  # type: ignore[arg-type]


def test_values_of_their_type() -> None:
    assert encode(CedarType.LONG, "x", 2**63 - 1) == 2**63 - 1
    assert encode(CedarType.STRINGS, "x", ("a", "b")) == ["a", "b"]
    assert encode(CedarType.BOOL, "x", False) is False


def test_only_wanted_facts_are_sent_but_all_are_checked() -> None:
    facts = {"limit": 3, "statement": "SELECT"}
    assert effect_context(Action.SELECT, facts, frozenset({"limit"})) == {"limit": 3}
    assert effect_context(Action.SELECT, facts, None) == facts
    with pytest.raises(FactError, match="`mood`"):
        effect_context(Action.SELECT, {"mood": "x"}, frozenset())
    with pytest.raises(FactError, match="`limit`"):
        effect_context(Action.SELECT, {"limit": "x"}, frozenset())
    with pytest.raises(FactError, match="`has_where`"):
        effect_context(Action.UPDATE, {}, frozenset())


def test_the_session_is_stated_in_full() -> None:
    context = session_context(ALICE, {"source_ip": "::1"}, NOW, None)
    assert set(context) == SESSION_ALWAYS | {"source_ip"}
    assert context["now"] == {"__extn": {"fn": "datetime", "arg": "2026-01-01T12:00:00.000Z"}}
    agent = session_context(dataclasses.replace(BOT, task="tidy"), {"justification": "ticket 1"}, NOW, None)
    assert agent["agent"] is True
    assert (agent["acting_for"], agent["task"], agent["justification"]) == ("alice", "tidy", "ticket 1")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8::1", "2001:db8::1"),
    ],
)
def test_addresses_have_one_form(given: str, sent: str) -> None:
    assert session_context(ALICE, {"source_ip": given}, NOW, None)["source_ip"] == {"__extn": {"fn": "ip", "arg": sent}}


def test_a_local_socket_has_no_address() -> None:
    assert "source_ip" not in session_context(ALICE, {"source_ip": ""}, NOW, None)


@pytest.mark.parametrize("name", ["agent", "now", "acting_for", "task", "limit", "mood"])
def test_a_session_cannot_state_what_is_not_its_own(name: str) -> None:
    with pytest.raises(FactError):
        session_context(ALICE, {name: "x"}, NOW, None)


@pytest.mark.parametrize("now", [1e20, float("nan"), float("inf")])
def test_a_clock_that_tells_no_time_is_an_error(now: float) -> None:
    with pytest.raises(FactError):
        session_context(ALICE, {}, now, None)


class _NoCatalog:
    """A catalog in which the upstream has nothing but functions of its own."""

    version = 1

    def relation(self, schema: str | None, name: str, path: tuple[str, ...]) -> Lookup:
        return Lookup.NOT_FOUND

    def relation_by_oid(self, oid: int) -> Lookup:
        return Lookup.NOT_FOUND

    def routine(self, schema: str | None, name: str, path: tuple[str, ...]) -> Routine | Lookup:
        return builtin(name)

    def behind(
        self, kind: Behind, schema: str | None, name: str, path: tuple[str, ...]
    ) -> tuple[Routine, ...] | Lookup:
        """Only PostgreSQL's own."""
        return ()

    def schema(self, name: str, role: str = "") -> bool | Lookup:
        """Every schema exists."""
        return True


@pytest.mark.parametrize(
    "text",
    [
        "select a, count(*) from t where b = 1 group by a limit 5",
        "select * from t for update",
        "insert into t (a) values (1) on conflict (a) do update set b = 2 returning *",
        "update t set a = 1 where b = 2 returning a",
        "delete from t",
        "merge into t using s on t.a = s.a when matched then delete when not matched then insert values (1)",
        "with d as (delete from t where a = 1 returning *) select * from d",
        "create temp table t as select 1",
        "drop table if exists t cascade",
        "truncate t cascade",
        "alter table t add column a int",
        "explain analyze update t set a = 1",
        "copy t from stdin",
        "copy t to program 'x'",
        "set work_mem = '1MB'",
        "reset all",
        "discard all",
        "grant select on t to r",
        "do $$ begin end $$",
        "prepare p as delete from t where a = $1",
        "notify a, 'b'",
        "select query_to_xml(a, true, true, '') from t",
        "select pg_read_file('/etc/passwd'), set_config('work_mem', '1', false), pg_notify('a', 'b')",
        "vacuum t; begin; create role r; listen x; ;",
    ],
)
def test_every_fact_that_analysis_states_is_declared(text: str) -> None:
    command = Command(CommandKind.QUERY, text, SqlContext(("pg_catalog", "public"), 17))
    found = PostgresAnalyst().analyse(command, _NoCatalog())
    assert isinstance(found, Analysis)
    for effect in found.effects:
        effect_context(effect.action, effect.facts, None)
