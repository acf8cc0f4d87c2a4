"""Laws of the gate: deny-all mints nothing, a cached answer is the answer, and nothing is permitted without a record."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from interpose.model.actions import Action
from interpose.model.analysis import Effect, FactValue
from interpose.model.audit import AuditKind
from interpose.model.command import CommandKind
from interpose.model.principal import Principal
from interpose.protocols.intents import Allowed, Answer, Refused
from tests.support.gateway_core import Core
from tests.support.memory import Rules, analysis, query
from tests.support.virtual import run

_TEXTS = ["select", "select 1", "select 2", "update", "drop", "nonsense", "", "a\0b"]
_COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(_TEXTS),
        st.sampled_from(list(CommandKind)),
        st.sampled_from(["alice", "bob", "carol"]),
        st.integers(0, 3),
    ),
    max_size=12,
)
_TABLE = {
    "select": analysis(Action.SELECT),
    "select ?": analysis(Action.SELECT),
    "update": analysis(Action.UPDATE, depends_on_session=True),
    "drop": analysis(Action.DROP, depends_on_literals=True),
}


@given(_COMMANDS)
def test_deny_all_mints_nothing(commands: list[tuple[str, CommandKind, str, int]]) -> None:
    async def work() -> None:
        core = Core(rules=Rules({Action.CONNECT}), table=_TABLE)
        sessions = {name: await core.session(name) for name in ("alice", "bob", "carol")}
        for text, kind, name, _ in commands:
            answer = core.gate.judge_now(sessions[name], query(text, kind))
            if answer is None:
                answer = await core.gate.judge(sessions[name], query(text, kind), core.notices.append)
            assert isinstance(answer, Refused)
        decided = core.audit.of(AuditKind.COMMAND_DECIDED)
        assert len(decided) == len(commands)
        assert all(event.fields["decision"] == "forbid" for event in decided)

    run(work())


def _words(answer: Answer) -> tuple[object, ...]:
    if isinstance(answer, Allowed):
        return ("permit", answer.analysis.effects, answer.obligations, answer.scrub, answer.describe)
    return ("refuse", answer.refusal.code, answer.refusal.message)


@given(
    _COMMANDS,
    st.sampled_from(
        [frozenset(), frozenset({Action.SELECT}), frozenset({Action.SELECT, Action.UPDATE, Action.REVEAL})]
    ),
    st.sampled_from([None, frozenset({"source_ip"}), frozenset({"now", "source_ip", "application_name"})]),
)
def test_a_cached_answer_is_the_answer(
    commands: list[tuple[str, CommandKind, str, int]], timed: frozenset[Action], used: frozenset[str] | None
) -> None:
    def refuse(who: Principal, effects: tuple[Effect, ...], facts: Mapping[str, FactValue], now: float) -> bool:
        # A policy that looks at all it may look at.
        looks = any(effect.action in timed for effect in effects)
        seen = (who.name, len(effects), facts.get("source_ip"), int(now) if looks else 0)
        return hash(str(seen)) % 3 == 0

    def rules() -> Rules:
        return Rules({Action.CONNECT, Action.SELECT, Action.UPDATE}, refuse=refuse, timed=timed, facts_used=used)

    async def work() -> None:
        made = rules()
        made.refuse = lambda *_: False
        cached = Core(rules=made, table=_TABLE)
        sessions = [await cached.session(name) for name in ("alice", "bob", "carol") for _ in range(2)]
        for index, session in enumerate(sessions):
            session.facts = {**session.facts, "source_ip": f"192.0.2.{index % 2}"}
        made.refuse = refuse
        for text, kind, name, pause in commands:
            for session in sessions:
                if session.identity.principal.name != name:
                    continue
                warm = await _judge(cached, session, text, kind)
                fresh = Core(rules=rules(), table=_TABLE, clock=cached.clock)
                fresh.rules.refuse = lambda *_: False
                cold_session = await fresh.session(name)
                cold_session.facts = session.facts
                fresh.rules.refuse = refuse
                assert _words(warm) == _words(await _judge(fresh, cold_session, text, kind))
            if pause:
                import asyncio

                await asyncio.sleep(pause / 2)

    run(work())


async def _judge(core: Core, session, text: str, kind: CommandKind) -> Answer:  # type: ignore[no-untyped-def]
    answer = core.gate.judge_now(session, query(text, kind))
    return answer if answer is not None else await core.gate.judge(session, query(text, kind), core.notices.append)


@given(_COMMANDS, st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_no_permit_without_both_records(
    commands: list[tuple[str, CommandKind, str, int]], broken_audit: set[int], broken_recorder: set[int]
) -> None:
    async def work() -> None:
        core = Core(rules=Rules({Action.CONNECT, Action.SELECT}), table=_TABLE)
        session = await core.session()
        (recorder,) = core.recordings.made
        for number, (text, kind, _, _) in enumerate(commands):
            core.audit.fails = lambda _, number=number: number in broken_audit
            recorder.fails = number in broken_recorder
            events, recorded = len(core.audit.events), len(recorder.commands)
            answer = await _judge(core, session, text, kind)
            if isinstance(answer, Allowed):
                assert number not in broken_audit | broken_recorder
                assert len(core.audit.events) == events + 1
                assert len(recorder.commands) == recorded + 1
                assert recorder.commands[-1][0] == answer.permit.sequence == len(core.audit.events)

    run(work())
