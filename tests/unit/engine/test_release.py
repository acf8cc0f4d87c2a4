"""The release: shown, masked or refused."""

from __future__ import annotations

import asyncio
import dataclasses

from interpose.engine.release import StreamShowing
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, CopyLayout, OutputColumn, Outputs, StatementInfo
from interpose.model.catalog import CatalogColumn, Relation
from interpose.model.decisions import Obligations
from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule, RevealTable
from interpose.model.resources import ColumnResource
from interpose.model.shape import ResultColumn, ResultShape
from interpose.protocols.intents import Allowed, Refused, Show, ShowAnswer, Showing
from tests.support.gateway_core import Core
from tests.support.memory import MemoryUpstream, Rules, analysis, connection, query
from tests.support.virtual import run

EMAIL = ColumnResource("public", "people", "email")
HIDES = RevealTable({EMAIL: MaskRule("redact")})
PEOPLE = Relation(1, "public", "people", "table", (CatalogColumn("name", 1, 25), CatalogColumn("email", 2, 25)))


def _analysis(*outputs: OutputColumn, **changes: object) -> Analysis:
    statement = StatementInfo("SELECT", Outputs(outputs), used=frozenset({EMAIL}))
    return analysis(
        Action.SELECT,
        statements=(dataclasses.replace(statement, **changes),),  # type: ignore[arg-type]
    )


DIRECT = OutputColumn("email", frozenset({EMAIL}), direct=True)
SHAPE = ResultShape((ResultColumn("email", 1, 2, 25, -1, -1, 0),))


async def _show(core: Core, shape: ResultShape = SHAPE, *, dirty: bool = False) -> tuple[ShowAnswer, bool]:
    """The answer, and whether it was there at once."""
    session = await core.session()
    answer = core.gate.judge_now(session, query("q"))
    assert isinstance(answer, Allowed)
    session.catalog_dirty = dirty
    show = Show(answer, shape, 0)
    now = core.release.show_now(session, show)
    return (now, True) if now is not None else (await core.release.show(session, show), False)


def _core(made: Analysis, reveal: RevealTable = HIDES, *, detect: bool = False) -> Core:
    rules = Rules({Action.CONNECT, Action.SELECT}, reveal=reveal)
    upstream = MemoryUpstream(PEOPLE)
    return Core(rules=rules, table={"q": made}, upstream=upstream, connections=(connection(detect_content=detect),))


def test_nothing_hidden_is_shown_as_it_is_at_once() -> None:
    answer, at_once = run(_show(_core(_analysis(DIRECT), RevealTable())))
    assert at_once
    assert isinstance(answer, Showing)
    assert answer.plan is None
    assert not answer.clearance.masked


def test_a_hidden_column_is_masked_after_its_origin_was_asked_for() -> None:
    async def work() -> None:
        core = _core(_analysis(DIRECT))
        answer, at_once = await _show(core)
        assert not at_once
        assert isinstance(answer, Showing)
        assert answer.clearance.masked
        assert answer.plan is not None
        assert answer.plan.mask_row([b"a@example.org"]) != [b"a@example.org"]
        assert core.recordings.made[0].notes == [("masked", "email")]
        assert core.upstream.asked[-1].oids == {1}
        _, at_once = await _show(core)
        assert at_once

    run(work())


def test_an_upstream_that_cannot_be_asked_refuses_the_result() -> None:
    async def work() -> None:
        core = _core(_analysis(DIRECT))
        core.upstream.down = True
        answer, _ = await _show(core)
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "catalog_unavailable"

    run(work())


def test_a_result_that_does_not_fit_its_lineage_is_masked_whole() -> None:
    async def work() -> None:
        core = _core(_analysis(DIRECT, DIRECT))
        shape = ResultShape((ResultColumn("name", 1, 1, 25, -1, -1, 0),))
        answer, _ = await _show(core, shape)
        assert isinstance(answer, Showing)
        assert answer.plan is not None
        assert answer.plan.masked == (0,)

    run(work())


def test_pseudonyms_are_of_the_connection_or_of_the_scope_that_it_shares() -> None:
    def pseudonym(**facts: object) -> bytes | None:
        rules = Rules({Action.CONNECT, Action.SELECT}, reveal=RevealTable({EMAIL: MaskRule("hash")}))
        here = dataclasses.replace(connection(), **facts)  # type: ignore[arg-type]
        table = {"q": _analysis(DIRECT)}
        core = Core(rules=rules, table=table, upstream=MemoryUpstream(PEOPLE), connections=(here,))
        answer, _ = run(_show(core))
        assert isinstance(answer, Showing)
        assert answer.plan is not None
        return answer.plan.mask_row([b"a@example.org"])[0]

    own, crm = pseudonym(), pseudonym(pseudonym_scope="crm")
    assert own == pseudonym()
    assert len({own, crm, pseudonym(pseudonym_scope="crm-2"), pseudonym(pseudonym_scope=connection().name)}) == 4
    assert crm == pseudonym(pseudonym_scope="crm", detect_content=True)


def test_content_is_looked_for_where_the_connection_asks_for_it() -> None:
    async def work() -> None:
        content = RevealTable({}, {DataClassName("pii.email"): MaskRule("redact")})
        shape = ResultShape((ResultColumn("note", 0, 0, 25, -1, -1, 0),))
        answer, _ = await _show(_core(_analysis(DIRECT), content, detect=True), shape)
        assert isinstance(answer, Showing)
        assert answer.plan is not None
        (shown,) = answer.plan.mask_row([b"write to jane.doe@example.org now"])
        assert shown is not None
        assert b"jane.doe@example.org" not in shown
        answer, _ = await _show(_core(_analysis(DIRECT), content), shape)
        assert isinstance(answer, Showing)
        assert answer.plan is None

    run(work())


COPY = ResultShape((ResultColumn("", 0, 0, 0, -1, -1, 0),), copy=True)


def test_a_copy_is_masked_by_its_lineage_or_refused() -> None:
    async def work() -> None:
        layout = CopyLayout()
        answer, _ = await _show(_core(_analysis(DIRECT, copy="out", layout=layout)), COPY)
        assert isinstance(answer, Showing)
        assert answer.copy is not None
        shown, _ = answer.copy.feed(b"a@example.org\n")
        assert b"a@example.org" not in shown
        for refused in (
            _show(_core(_analysis(DIRECT, copy="out", layout=None)), COPY),
            _show(_core(_analysis(DIRECT, DIRECT, copy="out", layout=layout)), COPY),
            _show(_core(_analysis(DIRECT, copy="out", layout=layout)), COPY, dirty=True),
        ):
            answer, _ = await refused
            assert isinstance(answer, Refused), answer
            assert answer.refusal.hint

    run(work())


def test_a_copy_of_what_may_be_seen_needs_no_layout() -> None:
    async def work() -> None:
        name = OutputColumn("name", frozenset({ColumnResource("public", "people", "name")}), direct=True)
        answer, _ = await _show(_core(_analysis(name, copy="out")), COPY)
        assert isinstance(answer, Showing)
        assert (answer.plan, answer.copy) == (None, None)

    run(work())


def test_a_mask_that_cannot_be_recorded_shows_nothing() -> None:
    async def work() -> None:
        core = _core(_analysis(DIRECT))
        session = await core.session()
        answer = core.gate.judge_now(session, query("q"))
        assert isinstance(answer, Allowed)
        core.recordings.made[0].fails = True
        shown = await core.release.show(session, Show(answer, SHAPE, 0))
        assert isinstance(shown, Refused)
        assert shown.refusal.code == "audit_unavailable"
        await asyncio.sleep(0)

    run(work())


def test_a_stream_is_shown_as_it_is_or_with_what_is_found_in_it_hidden() -> None:
    async def work() -> None:
        reveal = RevealTable(content={DataClassName("pci.card"): MaskRule("redact")})
        core = _core(_analysis(DIRECT), reveal, detect=True)
        session = await core.session()
        answer = core.gate.judge_now(session, query("q"))
        assert isinstance(answer, Allowed)
        shown = core.release.show_stream(session, answer)
        assert isinstance(shown, StreamShowing)
        assert shown.clearance.masked
        assert shown.scanner is not None
        assert shown.scanner.mask_text("4111 1111 1111 1111") == "[redacted]"
        plain = dataclasses.replace(answer, obligations=Obligations())
        as_it_is = core.release.show_stream(session, plain)
        assert isinstance(as_it_is, StreamShowing)
        assert (as_it_is.clearance.masked, as_it_is.scanner) == (False, None)
        core.recordings.made[0].fails = True
        assert isinstance(core.release.show_stream(session, answer), Refused)

    run(work())
