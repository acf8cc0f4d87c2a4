"""Approvals under every interleaving: nothing is lost, nothing is used twice, nobody helps themselves.

Hypothesis chooses who votes when, how long each step of the store takes, and when the client leaves, policy changes or the gateway
drains; virtual time makes each history repeatable.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from interpose.engine.ports import Approval
from interpose.model.actions import Action
from interpose.model.audit import AuditKind
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import PolicyId
from interpose.protocols.intents import Allowed, Refused
from tests.support.gateway_core import Core
from tests.support.memory import Rules, person, query
from tests.support.virtual import run

TTL = 10.0
NAMES = ("alice", "bob", "carol", "erin", "dave")


@dataclass(frozen=True)
class Step:
    """One thing that happens at a moment."""

    at: float
    what: str
    who: str = "bob"
    approve: bool = True


_AT = st.floats(0.0, 12.0, allow_nan=False)
_STEPS = st.lists(
    st.one_of(
        st.builds(Step, _AT, st.just("vote"), st.sampled_from(NAMES), st.sampled_from([True, True, True, False])),
        st.builds(Step, _AT, st.just("leave")),
        st.builds(Step, _AT, st.just("drain")),
        st.builds(Step, _AT, st.just("demote"), st.sampled_from(NAMES)),
    ),
    max_size=8,
)
_DELAYS = st.lists(st.floats(0.0, 0.5, allow_nan=False), max_size=30)


@given(_STEPS, _DELAYS, st.integers(1, 3))
def test_a_held_command_runs_only_with_enough_distinct_people_who_may(
    steps: list[Step], delays: list[float], count: int
) -> None:
    async def work() -> None:
        rule = ApprovalRule(PolicyId("hold"), "dba", count, TTL)
        core = Core(rules=Rules({Action.CONNECT}, {Action.UPDATE: rule}))
        for name in ("alice", "bob", "carol", "erin"):
            core.people.by_name[name] = person(name, "dba")
        session = await core.session("alice")
        core.store.delays = list(delays)
        start = asyncio.get_running_loop().time()
        task = await core.held(session, query("update"))
        voted: list[asyncio.Task[object]] = []
        demoted: dict[str, float] = {}

        async def happen(step: Step) -> None:
            await asyncio.sleep(step.at)
            if step.what == "vote":
                (approval,) = core.store.stored
                await core.approvals.vote(approval, core.people.by_name[step.who], step.approve)
            elif step.what == "leave":
                task.cancel()
            elif step.what == "drain":
                core.approvals.drain()
            else:
                core.people.by_name[step.who] = person(step.who, "dev")
                demoted.setdefault(step.who, asyncio.get_running_loop().time())

        voted = [asyncio.ensure_future(happen(step)) for step in steps]
        await asyncio.wait({task})
        ended = asyncio.get_running_loop().time()
        if voted:
            await asyncio.wait(voted)
        for done in voted:
            done.result()
        await asyncio.sleep(20)  # a client that leaves twice does not wait for the closing of its approval
        (approval,) = core.store.stored.values()
        moves = [(before, after) for _, before, after in core.store.moves]
        answer = None if task.cancelled() else task.result()
        if isinstance(answer, Allowed):
            # Enough distinct people who may, none of them the requester, none demoted before, none against, in time.
            assert approval.state == "used"
            in_favour = {vote.principal for vote in approval.votes if vote.approve}
            valid = {name for name in in_favour if demoted.get(name, float("inf")) >= ended}
            assert len(valid - {"alice"}) >= count
            assert "alice" not in in_favour
            assert ended - start <= TTL + 2.0
        else:
            assert approval.state in ("denied", "expired", "cancelled") or (
                task.cancelled() and approval.state == "used"
            )
            assert answer is None or isinstance(answer, Refused)
        # No state is left twice, and nothing is pending for ever.
        assert moves.count(("approved", "used")) <= 1
        assert len([move for move in moves if move[0] == "pending"]) == 1
        assert core.approvals.waiting == 0
        permits = [e for e in core.audit.of(AuditKind.COMMAND_DECIDED) if e.fields["decision"] == "permit"]
        assert len(permits) == isinstance(answer, Allowed)
        closed = core.audit.of(AuditKind.APPROVAL_CLOSED)
        assert len(closed) == 1

    run(work())


@given(_DELAYS, st.integers(2, 5))
def test_two_who_use_one_approval_at_once_are_one(delays: list[float], users: int) -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        task = await core.held(session, query("update"))
        (approval,) = core.store.stored.values()
        voting = asyncio.ensure_future(core.approvals.vote(approval.id, core.people.by_name["bob"], True))
        assert isinstance(await voting, Approval)
        core.store.delays = list(delays)
        rules = approval.rules
        others = [asyncio.ensure_future(core.approvals.use(approval, rules)) for _ in range(users)]
        await asyncio.wait([*others, task])
        used = [other.result() for other in others].count(None) + isinstance(task.result(), Allowed)
        assert used == 1
        assert [move for move in core.store.moves if move[2] == "used"] == [(approval.id, "approved", "used")]

    run(work())
