"""Plans that are kept: found only for what they were made from, and never with what another result held."""

from __future__ import annotations

import dataclasses

from interpose.engine.plans import PlanCache
from interpose.masking.plan import MaskingPlan, build_plan
from interpose.masking.rows import mask_data_rows
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, OutputColumn, Outputs, StatementInfo
from interpose.model.masks import MaskRule, RevealTable
from interpose.model.resources import ColumnResource
from interpose.model.shape import ResultColumn, ResultShape
from interpose.protocols.intents import Allowed, Show
from tests.support.gateway_core import Core
from tests.support.memory import Rules, analysis, query
from tests.support.virtual import run

EMAIL = ColumnResource("public", "people", "email")
HIDES = RevealTable({EMAIL: MaskRule("partial-email")})
SHAPE = ResultShape((ResultColumn("email", 1, 2, 25, -1, -1, 0),))


def _plan() -> MaskingPlan:
    plan = build_plan(SHAPE, [MaskRule("partial-email")], {}, b"k" * 32)
    assert plan is not None
    return plan


def _analysis() -> Analysis:
    outputs = Outputs((OutputColumn("email", frozenset({EMAIL}), direct=True),))
    made = analysis(Action.SELECT, statements=(StatementInfo("SELECT", outputs),))
    return dataclasses.replace(made, depends_on_session=False)


async def _shows() -> tuple[object, Show]:
    core = Core(rules=Rules({Action.CONNECT, Action.SELECT}, reveal=HIDES), table={"q": _analysis()})
    session = await core.session()
    answer = core.gate.judge_now(session, query("q"))
    assert isinstance(answer, Allowed)
    return session, Show(answer, SHAPE, 0)


def test_a_plan_is_found_for_exactly_what_it_was_made_from() -> None:
    session, show = run(_shows())
    cache = PlanCache()
    cache.keep(session, show, 7, _plan())  # type: ignore[arg-type]
    assert cache.find(session, show, 7) is not None  # type: ignore[arg-type]
    assert cache.find(session, show, 8) is None  # type: ignore[arg-type]
    wider = ResultShape((*SHAPE.columns, *SHAPE.columns))
    for other in (dataclasses.replace(show, shape=wider), dataclasses.replace(show, statement=1)):
        assert cache.find(session, other, 7) is None  # type: ignore[arg-type]
    same = dataclasses.replace(show.answer, analysis=dataclasses.replace(show.answer.analysis))
    assert cache.find(session, dataclasses.replace(show, answer=same), 7) is None  # type: ignore[arg-type]
    session.catalog_dirty = True  # type: ignore[attr-defined]
    assert cache.find(session, show, 7) is None  # type: ignore[arg-type]


def test_what_one_result_held_is_not_kept_for_the_next() -> None:
    session, show = run(_shows())
    cache, first = PlanCache(), _plan()
    cache.keep(session, show, 7, first)  # type: ignore[arg-type]
    row = b"D\x00\x00\x00\x1b\x00\x01\x00\x00\x00\x11\xc3\xa4da@secret.examp"
    row = row[:1] + (len(row) - 1).to_bytes(4, "big") + row[5:7] + (len(row) - 11).to_bytes(4, "big") + row[11:]
    mask_data_rows(first, row, 0, len(row))
    known = cache.find(session, show, 7)  # type: ignore[arg-type]
    assert known is not None and known.plan is not None
    assert not any(known.plan.memo)
    again = known.plan.anew()
    assert mask_data_rows(again, row, 0, len(row)) == mask_data_rows(_plan(), row, 0, len(row))
    assert not any(known.plan.memo)


def test_the_cache_is_bounded_in_number_and_size() -> None:
    session, show = run(_shows())
    cache = PlanCache(capacity=3)
    for version in range(10):
        cache.keep(session, show, version, None)  # type: ignore[arg-type]
    assert [cache.find(session, show, version) is not None for version in range(10)] == [False] * 7 + [True] * 3  # type: ignore[arg-type]
    large = ResultShape((ResultColumn("b", 0, 0, 1560, -1, 4_000_000, 1),))
    plan = build_plan(large, [MaskRule("redact")], {}, b"k" * 32)
    assert plan is not None and plan.size > 100_000
    wide = dataclasses.replace(show, shape=large)
    cache.keep(session, wide, 1, plan)  # type: ignore[arg-type]
    assert cache.find(session, wide, 1) is None  # type: ignore[arg-type]
