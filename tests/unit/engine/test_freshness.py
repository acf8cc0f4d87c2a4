"""Freshness: what was judged by is compared with what the upstream has, before anything is shown or stored by it."""

from __future__ import annotations

import dataclasses

from interpose.engine.freshness import changed_meanwhile, checked_before, older_cursor, stale_plan
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, OutputColumn, Outputs, StatementInfo
from interpose.model.catalog import CatalogBasis, CatalogColumn, Relation
from interpose.model.command import CommandKind
from interpose.model.connection import CatalogCheck
from interpose.model.masks import MaskRule, RevealTable
from interpose.model.resources import ColumnResource
from interpose.model.shape import ResultColumn, ResultShape
from interpose.protocols.intents import Allowed, Refused, Show, ShowAnswer, Showing
from tests.support.gateway_core import Core
from tests.support.memory import MemoryUpstream, Rules, analysis, connection, query
from tests.support.virtual import run

NAME = ColumnResource("public", "people", "name")
SSN = ColumnResource("public", "people", "ssn")
PEOPLE = Relation(1, "public", "people", "table", (CatalogColumn("name", 1, 25),), mark="1")
BASIS = CatalogBasis({("early", "people"): None, ("public", "people"): PEOPLE})
SHAPE = ResultShape((ResultColumn("name", 0, 0, 25, -1, -1, 0),))
HIDES = RevealTable({SSN: MaskRule("redact")})


def _one(**changes: object) -> Analysis:
    statement = dataclasses.replace(StatementInfo("TEST"), **changes)  # type: ignore[arg-type]
    return analysis(Action.SELECT, statements=(statement,), basis=BASIS)


def _core(made: Analysis, upstream: MemoryUpstream, reveal: RevealTable = HIDES, check: str = "every_result") -> Core:
    rules = Rules({Action.CONNECT, Action.SELECT, Action.INSERT}, reveal=reveal)
    exact = connection(catalog_check=CatalogCheck(check))
    return Core(rules=rules, table={"q": made}, upstream=upstream, connections=(exact,))


async def _shown(core: Core) -> tuple[Allowed, ShowAnswer, bool]:
    """What was allowed, what is shown, and whether that was there at once."""
    session = await core.session()
    answer = core.gate.judge_now(session, query("q"))
    assert isinstance(answer, Allowed)
    show = Show(answer, SHAPE, 0)
    now = core.release.show_now(session, show)
    return answer, now or await core.release.show(session, show), now is not None


READS = Outputs((OutputColumn("name", frozenset({NAME})),))


def test_a_result_is_shown_when_all_is_as_it_was() -> None:
    async def work() -> None:
        core = _core(_one(outputs=READS), MemoryUpstream(PEOPLE))
        allowed, answer, at_once = await _shown(core)
        assert allowed.scrub
        assert not at_once
        assert isinstance(answer, Showing)
        assert core.upstream.asked[-1].relations == {("early", "people"), ("public", "people")}
        assert not core.upstream.asked[-1].definitions

    run(work())


def test_a_change_or_a_change_back_or_something_new_in_the_path_is_refused() -> None:
    async def work() -> None:
        again = dataclasses.replace(PEOPLE, mark="2")
        early = dataclasses.replace(PEOPLE, oid=2, schema="early")
        for upstream in (MemoryUpstream(), MemoryUpstream(again), MemoryUpstream(PEOPLE, early)):
            core = _core(_one(outputs=READS), upstream)
            _, answer, _ = await _shown(core)
            assert isinstance(answer, Refused)
            assert answer.refusal.code == "catalog_changed"

    run(work())


def test_an_upstream_that_cannot_be_asked_shows_nothing() -> None:
    async def work() -> None:
        core = _core(_one(outputs=READS), MemoryUpstream(PEOPLE))
        core.upstream.down = True
        _, answer, _ = await _shown(core)
        assert isinstance(answer, Refused)

    run(work())


def test_others_are_not_checked_and_those_who_may_not_infer_always_are() -> None:
    async def work() -> None:
        everything = RevealTable({})
        strict = RevealTable(HIDES.columns, strict=frozenset({SSN}))
        for reveal, check, asked in (
            (everything, "every_result", False),
            (HIDES, "poll", False),
            (strict, "poll", True),
        ):
            core = _core(_one(outputs=READS), MemoryUpstream(PEOPLE), reveal, check)
            _, answer, at_once = await _shown(core)
            assert isinstance(answer, Showing)
            assert at_once is not asked

    run(work())


def test_what_stores_is_checked_before_it_is_sent() -> None:
    async def work() -> None:
        made = dataclasses.replace(
            analysis(Action.INSERT), statements=(StatementInfo("INSERT", sinks=frozenset({NAME})),), basis=BASIS
        )
        core = _core(made, MemoryUpstream(PEOPLE))
        session = await core.session()
        assert core.gate.judge_now(session, query("q")) is None
        assert isinstance(await core.gate.judge(session, query("q"), lambda notice: None), Allowed)
        core.upstream.relations = [dataclasses.replace(PEOPLE, mark="2")]
        answer = await core.gate.judge(session, query("q"), lambda notice: None)
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "catalog_changed"

    run(work())


def test_only_what_can_be_withheld_is_not_checked_before() -> None:
    assert not checked_before(_one())
    assert checked_before(_one(sinks=frozenset({NAME})))
    assert checked_before(_one(sinks_known=False))
    assert checked_before(analysis(Action.UPDATE, basis=BASIS))
    assert not checked_before(analysis(Action.UPDATE))


def test_a_name_that_has_appeared_refuses_a_prepared_statement_where_columns_are_hidden() -> None:
    async def work() -> None:
        for reveal, refused in ((HIDES, True), (RevealTable({}), False)):
            early = dataclasses.replace(PEOPLE, oid=2, schema="early")
            made = dataclasses.replace(_one(outputs=READS), basis=CatalogBasis({("early", "people"): early}))
            core = _core(made, MemoryUpstream(early), reveal)
            session = await core.session()
            prepared = dataclasses.replace(_one(outputs=READS), catalog_version=-7)
            answer = core.gate.judge_now(session, query("q", CommandKind.EXECUTE, analysis=prepared))
            assert isinstance(answer, Refused) is refused
            if isinstance(answer, Refused):
                assert answer.refusal.code == "names_changed"

    run(work())


def test_a_plan_made_under_another_catalog_is_stale_unless_its_text_is_known() -> None:
    runs = _one(runs_prepared="p")
    made = dataclasses.replace(_one(), catalog_version=3)
    assert stale_plan(runs, {"p": made}, 4) is not None
    assert stale_plan(runs, {"p": dataclasses.replace(made, prepared_text="prepare p as select 1")}, 4) is None
    assert stale_plan(runs, {"p": made}, 3) is None
    assert stale_plan(runs, {}, 4) is None
    assert stale_plan(_one(), {"p": made}, 4) is None


def test_a_cursor_of_another_catalog_is_older() -> None:
    made = dataclasses.replace(_one(), catalog_version=3)
    assert older_cursor(_one(runs_cursor="c"), {"c": made}, 4)
    assert not older_cursor(_one(runs_cursor="c"), {"c": made}, 3)
    assert not older_cursor(_one(runs_cursor="c"), {}, 4)


def test_the_refusal_names_what_changed() -> None:
    assert "`public.people`" in changed_meanwhile("public.people").message
