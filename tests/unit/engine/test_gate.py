"""The gate: record, then mint; refuse what is not understood."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from interpose.engine.gate import CATALOG_ROUNDS, OFFLOADED_TEXT
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, NeedsCatalog, SessionChange, StatementInfo
from interpose.model.audit import AuditKind
from interpose.model.catalog import CatalogNames, CatalogView, Lookup, Relation
from interpose.model.command import Command, CommandKind
from interpose.model.connection import Durability
from interpose.model.masks import MaskRule, RevealTable
from interpose.model.principal import Identity
from interpose.model.resources import ColumnResource
from interpose.protocols.intents import Allowed, Answer, Ended, Evidence, Refused
from tests.support.gateway_core import UPDATE_RULE, Core
from tests.support.memory import CONTEXT, MemoryUpstream, Rules, analysis, connection, person, query
from tests.support.virtual import run

SSN = ColumnResource("public", "people", "ssn")
HIDES = RevealTable({SSN: MaskRule("redact")})
PEOPLE = Relation(1, "public", "people", "table", ())


def _allowed(answer: Answer | None) -> Allowed:
    assert isinstance(answer, Allowed), answer
    return answer


def _refused(answer: Answer | None) -> str:
    assert isinstance(answer, Refused), answer
    return answer.refusal.code


async def _judge(core: Core, command: Command) -> Answer:
    session = await core.session()
    now = core.gate.judge_now(session, command)
    return now if now is not None else await core.gate.judge(session, command, core.notices.append)


def test_a_permit_carries_the_number_of_the_event_that_recorded_it() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        answer = _allowed(core.gate.judge_now(session, query("select 7", parameters=(b"1", None))))
        event = core.audit.events[answer.permit.sequence - 1]
        assert event.kind is AuditKind.COMMAND_DECIDED
        assert event.session == session.id
        assert event.actor == "User:alice"
        assert event.fields["decision"] == "permit"
        assert event.fields["policies"] == ("allow",)
        assert event.fields["tags"] == ("TEST",)
        assert len(str(event.fields["digest"])) == 64
        assert event.fields["actions"] == ("select",)
        assert event.fields["kind"] == "query"
        assert "select 7" not in str(event.fields.values())
        assert core.recordings.made[0].commands == [
            (answer.permit.sequence, "query", "select 7", (b"1", None), "permit")
        ]

    run(work())


def test_the_second_time_comes_from_the_cache_and_is_the_same() -> None:
    async def work() -> None:
        core = Core()
        session, other = await core.session(), await core.session()
        judged = core.rules.judged
        answers = [_allowed(core.gate.judge_now(s, query(f"select {n}"))) for s in (session, other) for n in (1, 2, 3)]
        assert core.rules.judged == judged + 1
        assert core.analyst.made == 1
        assert len({id(answer.permit) for answer in answers}) == 6
        assert len(core.audit.of(AuditKind.COMMAND_DECIDED)) == 6

    run(work())


def test_a_refusal_says_why_and_where_to_find_it() -> None:
    async def work() -> None:
        core = Core()
        answer = await _judge(core, query("drop"))
        assert _refused(answer) == "not_permitted"
        assert isinstance(answer, Refused)
        assert answer.refusal.reference == str(len(core.audit.events))
        assert core.audit.events[-1].fields["decision"] == "forbid"
        assert core.recordings.made[0].commands[0][4] == "forbid"

    run(work())


@pytest.mark.parametrize("broken", ["audit", "recorder"])
@pytest.mark.parametrize("text", ["select", "drop", "nonsense", "update"])
def test_what_cannot_be_recorded_is_refused(broken: str, text: str) -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        if broken == "audit":
            core.audit.fails = lambda _: True
        else:
            core.recordings.made[0].fails = True
        answer = core.gate.judge_now(session, query(text))
        if answer is None:
            answer = await core.gate.judge(session, query(text), core.notices.append)
        assert _refused(answer) == "audit_unavailable"
        assert not core.notices

    run(work())


def test_strict_durability_waits_for_the_disk() -> None:
    async def work() -> None:
        core = Core(connections=(connection(durability=Durability.STRICT),))
        session = await core.session()
        assert core.gate.judge_now(session, query("select")) is None
        answer = _allowed(await core.gate.judge(session, query("select"), core.notices.append))
        assert core.audit.synced >= answer.permit.sequence
        core.audit.sync_fails = True
        assert _refused(await core.gate.judge(session, query("select"), core.notices.append)) == "audit_unavailable"

    run(work())


# --- what is not understood


def test_a_syntax_error_goes_up_only_where_policy_names_unknown_and_no_column_is_hidden() -> None:
    async def work() -> None:
        assert _refused(await _judge(Core(), query("nonsense"))) == "syntax_error"
        everything = Rules({Action.CONNECT, Action.UNKNOWN})
        answer = _allowed(await _judge(Core(rules=everything), query("nonsense")))
        assert answer.analysis.changes == frozenset(SessionChange)
        hides = Rules({Action.CONNECT, Action.UNKNOWN}, reveal=HIDES)
        refused = await _judge(Core(rules=hides), query("nonsense"))
        assert isinstance(refused, Refused)
        assert (refused.refusal.code, refused.refusal.position) == ("syntax_error", 1)

    run(work())


def test_other_failures_of_analysis_never_go_up() -> None:
    from interpose.model.analysis import Unanalysable

    async def work() -> None:
        core = Core(rules=Rules(set(Action)))
        core.analyst.analyse = lambda *_: Unanalysable("too_deep", "too deep")  # type: ignore[method-assign]
        assert _refused(await _judge(core, query("x"))) == "too_deep"
        assert core.audit.events[-1].fields["reason"] == "too_deep"

    run(work())


# --- the catalog


def _needs(*names: str):  # type: ignore[no-untyped-def]
    def made(catalog: CatalogView) -> Analysis | NeedsCatalog:
        for name in names:
            if catalog.relation(None, name, ()) is Lookup.NOT_CACHED:
                return NeedsCatalog(CatalogNames(frozenset({(None, name)})))
        return analysis(Action.SELECT)

    return made


def test_a_miss_of_the_catalog_is_asked_and_then_known() -> None:
    async def work() -> None:
        core = Core(table={"q": _needs("people", "orders")})
        session = await core.session()
        assert core.gate.judge_now(session, query("q")) is None
        _allowed(await core.gate.judge(session, query("q"), core.notices.append))
        assert len(core.upstream.asked) == 2
        _allowed(core.gate.judge_now(session, query("q")))

    run(work())


def test_a_command_that_needs_more_and_more_of_the_catalog_is_refused() -> None:
    async def work() -> None:
        core = Core(table={"q": _needs(*(f"v{n}" for n in range(CATALOG_ROUNDS + 1)))})
        assert _refused(await _judge(core, query("q"))) == "unanalysable"

    run(work())


def test_an_upstream_that_does_not_answer_refuses() -> None:
    async def work() -> None:
        upstream = MemoryUpstream()
        upstream.down = True
        core = Core(table={"q": _needs("people")}, upstream=upstream)
        assert _refused(await _judge(core, query("q"))) == "catalog_unavailable"

    run(work())


def test_a_long_text_is_analysed_off_the_loop() -> None:
    async def work() -> None:
        text = "x" * (OFFLOADED_TEXT + 1)
        core = Core(table={text: analysis(Action.SELECT)})
        session = await core.session()
        assert core.gate.judge_now(session, query(text)) is None
        _allowed(await core.gate.judge(session, query(text), core.notices.append))

    run(work())


def test_a_stale_analysis_of_a_prepared_text_is_made_again() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        prepared = _allowed(core.gate.judge_now(session, query("select", CommandKind.PREPARE))).analysis
        execute = query("select", CommandKind.EXECUTE, analysis=prepared)
        assert _allowed(core.gate.judge_now(session, execute)).analysis is prepared
        core.catalogs.forget(session.connection.name)
        made = core.analyst.made
        again = _allowed(core.gate.judge_now(session, execute)).analysis
        assert again.catalog_version > prepared.catalog_version
        assert core.analyst.made == made + 1

    run(work())


def test_a_change_of_the_catalog_in_a_transaction_is_looked_at_again_when_it_is_over() -> None:
    async def work() -> None:
        ddl = analysis(Action.SELECT, changes=frozenset({SessionChange.CATALOG}))
        core = Core(table={"ddl": ddl, "select": analysis(Action.SELECT)})
        session = await core.session()
        answer = _allowed(core.gate.judge_now(session, query("ddl")))
        catalog = core.catalogs.of(session.connection)
        before = catalog.version
        session.command_ended(Ended(answer, "ok"))
        assert catalog.version == before + 1
        assert session.catalog_dirty
        inside = dataclasses.replace(CONTEXT, in_transaction="T")
        core.gate.judge_now(session, query("select", context=inside))
        assert session.catalog_dirty
        core.gate.judge_now(session, query("select"))
        assert not session.catalog_dirty
        assert catalog.version == before + 2

    run(work())


# --- kinds


def test_what_would_be_held_may_be_prepared_and_what_is_forbidden_may_not() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        prepared = _allowed(core.gate.judge_now(session, query("update", CommandKind.PREPARE)))
        assert core.recordings.made[0].commands[-1][4] == "hold"
        assert _refused(core.gate.judge_now(session, query("drop", CommandKind.PREPARE))) == "not_permitted"
        execute = query("update", CommandKind.EXECUTE, analysis=prepared.analysis)
        assert core.gate.judge_now(session, execute) is None
        task = await core.held(session, execute)
        assert core.notices
        task.cancel()
        await asyncio.wait({task})

    run(work())


# --- masking


def _statement(**changes: object) -> Analysis:
    statement = dataclasses.replace(StatementInfo("TEST"), **changes)  # type: ignore[arg-type]
    return analysis(Action.SELECT, statements=(statement,))


def test_hidden_values_that_would_escape_refuse_even_what_policy_permits_or_holds() -> None:
    async def work() -> None:
        table = {
            "copy": _statement(sinks=frozenset({SSN})),
            "unsure": _statement(sinks_known=False),
            "held": dataclasses.replace(_statement(sinks=frozenset({SSN})), effects=analysis(Action.UPDATE).effects),
        }
        rules = Rules({Action.CONNECT, Action.SELECT}, {Action.UPDATE: UPDATE_RULE}, reveal=HIDES)
        for text in table:
            core = Core(rules=rules, table=table)
            assert _refused(await _judge(core, query(text))) == "masked_value_would_escape"
            assert not core.notices

    run(work())


def test_obligations_say_what_is_hidden_and_whether_texts_must_be_scrubbed() -> None:
    async def work() -> None:
        table = {"near": _statement(used=frozenset({SSN})), "far": _statement()}
        core = Core(rules=Rules({Action.CONNECT, Action.SELECT}, reveal=HIDES), table=table)
        session = await core.session()
        near, far = (_allowed(core.gate.judge_now(session, query(text))) for text in ("near", "far"))
        assert (near.scrub, near.describe) == (True, True)
        assert (far.scrub, far.describe) == (False, True)
        assert near.obligations.reveal == HIDES
        assert core.rules.tables == 1
        open_core = Core(table=table)
        plain = _allowed(await _judge(open_core, query("near")))
        assert (plain.scrub, plain.describe, bool(plain.obligations.reveal)) == (False, False, False)

    run(work())


def test_nothing_is_stored_while_the_catalog_is_being_changed_and_columns_are_hidden() -> None:
    async def work() -> None:
        table = {
            "store": _statement(sinks=frozenset({ColumnResource("public", "people", "name")})),
            "read": _statement(),
        }
        inside = dataclasses.replace(CONTEXT, in_transaction="T")
        for reveal, code in ((HIDES, "masked_value_would_escape"), (RevealTable(), None)):
            core = Core(rules=Rules({Action.CONNECT, Action.SELECT}, reveal=reveal), table=table)
            session = await core.session()
            _allowed(core.gate.judge_now(session, query("store", context=inside)))
            session.catalog_dirty = True
            answer = core.gate.judge_now(session, query("store", context=inside))
            if code is None:
                _allowed(answer)
            else:
                assert _refused(answer) == code
                assert _allowed(core.gate.judge_now(session, query("read", context=inside))).scrub
                _allowed(core.gate.judge_now(session, query("store")))

    run(work())


def test_a_statement_prepared_by_sql_under_another_catalog_is_refused_where_columns_are_hidden() -> None:
    async def work() -> None:
        table = {"execute": _statement(runs_prepared="p")}
        table["execute"] = dataclasses.replace(table["execute"], depends_on_session=True)
        for reveal, code in ((HIDES, "unanalysable"), (RevealTable(), None)):
            core = Core(rules=Rules({Action.CONNECT, Action.SELECT}, reveal=reveal), table=table)
            session = await core.session()
            version = core.catalogs.of(session.connection).version
            prepared = {"p": dataclasses.replace(analysis(Action.SELECT), catalog_version=version)}
            execute = query("execute", context=dataclasses.replace(CONTEXT, prepared=prepared))
            _allowed(core.gate.judge_now(session, execute))
            core.catalogs.forget(session.connection.name)
            answer = core.gate.judge_now(session, execute)
            if code is None:
                _allowed(answer)
            else:
                assert _refused(answer) == code

    run(work())


# --- the snapshot


def test_the_next_command_meets_the_new_policy() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        _allowed(core.gate.judge_now(session, query("select")))
        core.swap(Rules({Action.CONNECT}))
        assert _refused(core.gate.judge_now(session, query("select"))) == "not_permitted"

    run(work())


def test_a_session_whose_principal_or_connection_is_gone_is_refused_and_ended() -> None:
    async def work() -> None:
        for gone in ("principal", "connection"):
            core = Core()
            session = await core.session()
            if gone == "principal":
                del core.people.by_name["alice"]
            else:
                core.connections.clear()
            core.swap()
            assert _refused(core.gate.judge_now(session, query("select"))) == f"{gone}_gone"
            assert session.ended_with is not None

    run(work())


def test_an_expired_token_judges_nothing() -> None:
    async def work() -> None:
        core = Core()
        identity = Identity(person("alice"), "token", None, core.clock.wall() + 10)
        admitted = await core.admission.admit(identity, Evidence("alice", "shop", "t"), "192.0.2.1")
        session = admitted.session  # type: ignore[union-attr]
        _allowed(core.gate.judge_now(session, query("select")))
        await asyncio.sleep(11)
        assert _refused(core.gate.judge_now(session, query("select"))) == "token_expired"
        assert session.ended_with is not None

    run(work())
