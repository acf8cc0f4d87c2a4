"""What a principal stands for under one snapshot."""

from __future__ import annotations

import dataclasses

from interpose.engine.standing import KEY_GONE, Standing, Standings, present_principal
from interpose.model.actions import Action
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.refusal import Refusal
from tests.support.gateway_core import Core
from tests.support.memory import ManualClock, Rules, analysis, person
from tests.support.virtual import run


def _standing(core: Core, standings: Standings, session, now: float = 0.0) -> Standing:  # type: ignore[no-untyped-def]
    found = standings.of(session, core.holder.current, now)
    assert isinstance(found, Standing)
    return found


def test_sessions_that_policy_cannot_tell_apart_share_a_standing() -> None:
    async def work() -> None:
        core, standings = Core(), Standings()
        one, two, other = await core.session(), await core.session(), await core.session("bob")
        two.facts = {**two.facts, "source_ip": "198.51.100.9", "application_name": "other"}
        assert _standing(core, standings, one) is _standing(core, standings, two)
        assert _standing(core, standings, one) is not _standing(core, standings, other)

    run(work())


def test_a_fact_that_a_policy_looks_at_tells_sessions_apart() -> None:
    async def work() -> None:
        for used in (frozenset({"source_ip"}), None):
            core, standings = Core(rules=Rules({Action.CONNECT}, facts_used=used)), Standings()
            one, two = await core.session(), await core.session()
            two.facts = {**two.facts, "source_ip": "198.51.100.9"}
            assert _standing(core, standings, one) is not _standing(core, standings, two)
            assert _standing(core, standings, two).facts["source_ip"] == "198.51.100.9"

    run(work())


def test_a_policy_that_hides_by_the_time_is_asked_again_each_second_with_that_second() -> None:
    async def work() -> None:
        clock = ManualClock()
        core = Core(rules=Rules({Action.CONNECT, Action.SELECT}, timed=frozenset({Action.REVEAL})), clock=clock)
        standings = Standings()
        session = await core.session()
        made = analysis(Action.SELECT)
        first = _standing(core, standings, session, 100.2)
        first.judge(made, 100.2)
        assert _standing(core, standings, session, 100.9) is first
        assert core.rules.seen[-1][1] == 100.0
        second = _standing(core, standings, session, 101.0)
        assert second is not first
        assert second.find(made, 101.0) is None

    run(work())


def test_only_commands_that_policy_judges_by_the_time_are_judged_again_each_second() -> None:
    async def work() -> None:
        core = Core(rules=Rules({Action.CONNECT, Action.SELECT, Action.DROP}, timed=frozenset({Action.DROP})))
        standings = Standings()
        session = await core.session()
        read, drop = analysis(Action.SELECT), analysis(Action.DROP)
        standing = _standing(core, standings, session, 100.2)
        kept = standing.judge(read, 100.2)
        standing.judge(drop, 100.2)
        assert core.rules.seen[-1][1] == 100.0
        assert _standing(core, standings, session, 101.0) is standing
        assert standing.find(read, 101.0) is kept
        assert standing.find(drop, 100.9) is not None
        assert standing.find(drop, 101.0) is None

    run(work())


def test_when_somebody_authenticated_tells_sessions_apart_where_policy_asks_for_its_age() -> None:
    async def work() -> None:
        core, standings = (
            Core(rules=Rules({Action.CONNECT}, facts_used=frozenset({"auth_age", "auth_time"}))),
            Standings(),
        )
        one, two = await core.session(), await core.session()
        two.facts = {**two.facts, "auth_time": 90}
        assert "auth_time" not in _standing(core, standings, one).facts
        assert _standing(core, standings, two).facts["auth_time"] == 90

    run(work())


def test_a_judgement_is_found_for_exactly_its_analysis() -> None:
    async def work() -> None:
        core = Core()
        standing = _standing(core, Standings(), await core.session())
        made, twin = analysis(Action.SELECT), analysis(Action.SELECT)
        judgement = standing.judge(made, 0.0)
        assert standing.find(made, 0.0) is judgement
        assert standing.find(twin, 0.0) is None
        own = dataclasses.replace(made, depends_on_session=True)
        standing.judge(own, 0.0)
        assert standing.find(own, 0.0) is None
        standing.judge(twin, 0.0, frozenset({"x"}))  # type: ignore[arg-type]
        assert standing.find(twin, 0.0) is None

    run(work())


def test_judgements_and_standings_are_bounded() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        standing = _standing(core, Standings(), session)
        kept = [analysis(Action.SELECT) for _ in range(Standing.CAPACITY + 10)]
        for made in kept:
            standing.judge(made, 0.0)
        assert sum(standing.find(made, 0.0) is not None for made in kept) == Standing.CAPACITY
        few = Standings(capacity=1)
        first = _standing(core, few, session)
        other = await core.session("bob")
        _standing(core, few, other)
        session.standing = None
        assert _standing(core, few, session) is not first

    run(work())


def test_who_is_gone_or_changed_stands_for_nothing() -> None:
    core = Core()
    snapshot = core.snapshot()
    assert present_principal(snapshot, person("alice")) == core.people.by_name["alice"]
    assert present_principal(snapshot, person("mallory")) is None
    assert present_principal(snapshot, Principal(PrincipalKind.SERVICE, "alice")) is None


def test_an_agent_keeps_whom_its_token_says_it_acts_for_and_goes_with_that_person() -> None:
    core = Core()
    core.people.by_name["fixer"] = Principal(PrincipalKind.AGENT, "fixer", frozenset({"agents"}))
    proven = Principal(PrincipalKind.AGENT, "fixer", acting_for="bob", task="nightly")
    found = present_principal(core.snapshot(), proven)
    assert found is not None
    assert (found.acting_for, found.task, found.groups) == ("bob", "nightly", {"agents"})
    del core.people.by_name["bob"]
    assert present_principal(core.snapshot(), proven) is None


def test_a_session_whose_connection_is_gone_has_no_standing() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        core.connections.clear()
        core.swap()
        assert isinstance(Standings().of(session, core.holder.current, 0.0), Refusal)

    run(work())


def test_who_came_by_a_registered_key_stands_as_long_as_the_key_does() -> None:
    async def work() -> None:
        core, standings = Core(), Standings()
        session = await core.session("alice")
        session.identity = dataclasses.replace(session.identity, key="a")
        assert standings.of(session, core.holder.current, 0.0) is KEY_GONE
        core.people.by_name["alice"] = dataclasses.replace(core.people.by_name["alice"], ssh_keys=frozenset({"a"}))
        core.swap()
        assert isinstance(standings.of(session, core.holder.current, 0.0), Standing)

    run(work())
