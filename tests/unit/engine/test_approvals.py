"""Holds on virtual time: opening, voting, waiting, the one use of an approval, and every way in which it ends otherwise."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping

import pytest

from interpose.engine.callers import CallerProof, Vote
from interpose.engine.limits import Limits
from interpose.engine.ports import Approval
from interpose.model.actions import Action
from interpose.model.analysis import FactValue
from interpose.model.audit import AuditKind
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import ApprovalId, PolicyId
from interpose.model.principal import AuthenticationContext, Principal, PrincipalKind
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Allowed, Refused
from tests.support.gateway_core import UPDATE_RULE, Core
from tests.support.memory import Rules, person, query
from tests.support.virtual import run

UPDATE = query("update")


async def _vote(core: Core, name: str, approve: bool = True, comment: str = "") -> Approval | Refusal:
    (pending,) = [a for a in core.store.stored.values() if a.state == "pending"] or list(core.store.stored.values())
    return await core.approvals.vote(pending.id, core.people.by_name[name], approve, comment)


def _closed(core: Core) -> list[tuple[object, object]]:
    return [(e.fields["state"], e.fields["reason"]) for e in core.audit.of(AuditKind.APPROVAL_CLOSED)]


def test_an_approved_command_runs_once_and_the_record_says_why() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        task = await core.held(session, UPDATE)
        (notice,) = core.notices
        assert (notice.approvers, notice.count, notice.expires_in) == (("dba",), 1, 60.0)
        assert core.approvals.waiting == 1
        voted = await _vote(core, "bob")
        assert isinstance(voted, Approval)
        assert voted.state == "approved"
        answer = await task
        assert isinstance(answer, Allowed)
        stored = core.store.stored[notice.approval]
        assert (stored.state, stored.text) == ("used", "")
        decided = core.audit.of(AuditKind.COMMAND_DECIDED)
        assert [event.fields["decision"] for event in decided] == ["hold", "permit"]
        assert decided[1].fields["lifted"] == ("hold-update",)
        assert decided[1].fields["approval"] == notice.approval
        assert core.audit.of(AuditKind.APPROVAL_CLOSED)[0].fields["approved_by"] == ("bob",)
        assert core.recordings.made[0].commands[-1][4] == "permit"
        assert core.approvals.waiting == 0

    run(work())


def test_the_next_command_is_held_again() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        task = await core.held(session, UPDATE)
        await _vote(core, "bob")
        assert isinstance(await task, Allowed)
        task = await core.held(session, UPDATE)
        assert not task.done()
        task.cancel()
        await asyncio.wait({task})

    run(work())


def test_a_denial_is_told_with_its_comment() -> None:
    async def work() -> None:
        core = Core()
        task = await core.held(await core.session(), UPDATE)
        await _vote(core, "bob", False, "not on a Friday")
        answer = await task
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "approval_denied"
        assert "not on a Friday" in answer.refusal.message
        assert answer.refusal.approval in core.store.stored
        assert _closed(core) == [("denied", "denied")]

    run(work())


def test_an_approval_expires_on_time() -> None:
    async def work() -> None:
        core = Core()
        task = await core.held(await core.session(), UPDATE)
        start = asyncio.get_running_loop().time()
        answer = await task
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "approval_expired"
        assert 59.0 < asyncio.get_running_loop().time() - start < 61.5
        late = await _vote(core, "bob")
        assert isinstance(late, Refusal)
        assert late.code == "not_pending"
        assert _closed(core) == [("expired", "expired")]

    run(work())


def test_a_client_that_leaves_voids_its_approval() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        task = await core.held(session, UPDATE)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert _closed(core) == [("cancelled", "client_left")]
        assert core.approvals.waiting == 0
        assert isinstance(await _vote(core, "bob"), Refusal)
        assert core.audit.of(AuditKind.COMMAND_DECIDED)[-1].fields["reason"] == "cancelled"
        assert core.recordings.made[0].commands[-1][2] == "update"

    run(work())


def test_draining_refuses_what_waits_and_what_comes() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        task = await core.held(session, UPDATE)
        core.approvals.drain()
        answer = await task
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "draining"
        assert _closed(core) == [("cancelled", "draining")]
        again = await core.gate.judge(session, UPDATE, core.notices.append)
        assert isinstance(again, Refused)
        assert len(core.store.stored) == 1

    run(work())


@pytest.mark.parametrize(
    ("voter", "code"),
    [
        (person("alice", "dev", "dba"), "own_command"),
        (person("dave", "dev", "sec"), "not_an_approver"),
        (Principal(PrincipalKind.AGENT, "fixer", frozenset({"dba"}), acting_for="bob"), "not_an_approver"),
        (Principal(PrincipalKind.USER, "eve", frozenset({"dba"}), acting_for="alice"), "own_command"),
    ],
)
def test_votes_that_do_not_count_are_recorded_and_change_nothing(voter: Principal, code: str) -> None:
    async def work() -> None:
        core = Core()
        task = await core.held(await core.session(), UPDATE)
        (approval,) = core.store.stored.values()
        refusal = await core.approvals.vote(approval.id, voter, True)
        assert isinstance(refusal, Refusal)
        assert refusal.code == code
        assert core.store.stored[approval.id].votes == ()
        (event,) = core.audit.of(AuditKind.APPROVAL_VOTED)
        assert event.fields["outcome"] == code
        task.cancel()
        await asyncio.wait({task})

    run(work())


def test_nobody_votes_twice_and_two_are_needed_when_two_are_asked_for() -> None:
    async def work() -> None:
        rule = ApprovalRule(PolicyId("two"), "dba", 2, 60.0)
        core = Core(rules=Rules({Action.CONNECT}, {Action.UPDATE: rule}))
        task = await core.held(await core.session(), UPDATE)
        assert isinstance(await _vote(core, "bob"), Approval)
        assert isinstance(await _vote(core, "bob"), Refusal)
        await asyncio.sleep(5)
        assert not task.done()
        assert [a.id for a in await core.approvals.pending_for(core.people.by_name["bob"])] == []
        assert len(await core.approvals.pending_for(core.people.by_name["carol"])) == 1
        await _vote(core, "carol")
        assert isinstance(await task, Allowed)

    run(work())


def test_an_approver_who_has_lost_the_group_while_waiting_does_not_count() -> None:
    async def work() -> None:
        rule = ApprovalRule(PolicyId("two"), "dba", 2, 60.0)
        core = Core(rules=Rules({Action.CONNECT}, {Action.UPDATE: rule}))
        task = await core.held(await core.session(), UPDATE)
        await _vote(core, "bob")
        core.people.by_name["bob"] = person("bob", "dev")
        await _vote(core, "carol")
        answer = await task
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "approval_expired"

    run(work())


def test_a_lost_wake_up_is_found_by_looking_at_the_store() -> None:
    async def work() -> None:
        core = Core()
        core.bus.deaf = True
        task = await core.held(await core.session(), UPDATE)
        (approval,) = core.store.stored.values()
        # Another process approves: nothing wakes this one up.
        core.store.stored[approval.id] = dataclasses.replace(
            approval, state="approved", votes=(Vote("bob", True, 1.0),)
        )
        start = asyncio.get_running_loop().time()
        assert isinstance(await task, Allowed)
        assert asyncio.get_running_loop().time() - start <= 1.5

    run(work())


def test_a_vote_in_another_process_wakes_by_the_bus() -> None:
    async def work() -> None:
        core = Core()
        listening = asyncio.ensure_future(core.approvals.run())
        session = await core.session()
        task = await core.held(session, UPDATE)
        other = Core(store=core.store)
        other.bus = core.bus
        await other.approvals.vote(core.notices[0].approval, core.people.by_name["bob"], True)
        core.bus.publish("approvals", core.notices[0].approval)
        start = asyncio.get_running_loop().time()
        assert isinstance(await task, Allowed)
        assert asyncio.get_running_loop().time() - start < 0.5
        listening.cancel()

    run(work())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda rules: rules.permits.discard(Action.SELECT), None),
        (lambda rules: rules.holds.clear(), "policy_changed"),  # forbidden now, without a remedy
        (
            lambda rules: rules.holds.update({Action.UPDATE: ApprovalRule(PolicyId("stricter"), "dba")}),
            "policy_changed",
        ),
        (
            lambda rules: rules.holds.update({Action.UPDATE: ApprovalRule(PolicyId("hold-update"), "dba", 2)}),
            "approval_denied",
        ),
        (
            lambda rules: rules.holds.update({Action.UPDATE: ApprovalRule(PolicyId("hold-update"), "sec")}),
            "approval_denied",
        ),
        (lambda rules: rules.permits.add(Action.UPDATE) or rules.holds.clear(), None),
    ],
)
def test_what_policy_says_at_the_end_counts(change: Callable[[Rules], object], code: str | None) -> None:
    async def work() -> None:
        core = Core()
        task = await core.held(await core.session(), UPDATE)
        rules = Rules({Action.CONNECT, Action.SELECT}, {Action.UPDATE: UPDATE_RULE})
        change(rules)
        await _vote(core, "bob")
        core.swap(rules)
        answer = await task
        if code is None:
            assert isinstance(answer, Allowed)
        else:
            assert isinstance(answer, Refused)
            assert answer.refusal.code == code
            assert core.store.stored[core.notices[0].approval].state == "cancelled"

    run(work())


def test_a_store_that_is_down_refuses_the_hold() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        core.store.down = True
        answer = await core.gate.judge(session, UPDATE, core.notices.append)
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "store_unavailable"
        assert not core.notices

    run(work())


def test_a_store_that_goes_down_while_waiting_refuses_at_the_expiry_and_one_that_returns_loses_nothing() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        task = await core.held(session, UPDATE)
        core.store.down = True
        answer = await task
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "approval_expired"
        core.store.down = False
        task = await core.held(session, UPDATE)
        core.store.down = True
        await asyncio.sleep(10)
        core.store.down = False
        for approval in list(core.store.stored.values()):
            await core.approvals.vote(approval.id, core.people.by_name["bob"], True)
        assert isinstance(await task, Allowed)

    run(work())


def test_what_cannot_be_recorded_does_not_happen() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        core.audit.fails = lambda event: event.kind is AuditKind.APPROVAL_OPENED
        answer = await core.gate.judge(session, UPDATE, core.notices.append)
        assert isinstance(answer, Refused)
        assert not core.store.stored
        core.audit.fails = lambda event: event.kind is AuditKind.APPROVAL_VOTED
        task = await core.held(session, UPDATE)
        assert isinstance(await _vote(core, "bob"), Refusal)
        assert next(iter(core.store.stored.values())).votes == ()
        core.audit.fails = lambda event: event.kind is AuditKind.APPROVAL_CLOSED
        await _vote(core, "carol")
        answer = await task
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "audit_unavailable"

    run(work())


def test_holds_are_bounded() -> None:
    async def work() -> None:
        core = Core(limits=Limits(pending_holds=3, pending_holds_per_principal=2))
        first, second = await core.session(), await core.session()
        tasks = [await core.held(first, UPDATE), await core.held(second, UPDATE)]
        third = await core.gate.judge(await core.session(), UPDATE, core.notices.append)
        assert isinstance(third, Refused)
        assert third.refusal.code == "too_many_holds"
        tasks.append(await core.held(await core.session("dave"), UPDATE))
        full = await core.gate.judge(await core.session("carol"), UPDATE, core.notices.append)
        assert isinstance(full, Refused)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert core.approvals.waiting == 0
        tasks = [await core.held(first, UPDATE)]
        assert not tasks[0].done()
        tasks[0].cancel()
        await asyncio.wait(tasks)

    run(work())


def test_there_is_no_vote_on_what_is_not_there() -> None:
    async def work() -> None:
        core = Core()
        refusal = await core.approvals.vote(ApprovalId("ap-none"), person("bob", "dba"), True)
        assert isinstance(refusal, Refusal)
        assert refusal.code == "no_such_approval"

    run(work())


def test_the_digest_is_bound_to_exactly_this_command() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        task = await core.held(session, UPDATE)
        (approval,) = core.store.stored.values()
        # Somebody with the store in hand exchanges what was approved.
        core.store.stored[approval.id] = dataclasses.replace(approval, digest="another")
        await _vote(core, "bob")
        answer = await task
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "approval_denied"

    run(work())


def test_an_approval_that_was_not_used_in_time_is_worth_nothing() -> None:
    async def work() -> None:
        core = Core()
        task = await core.held(await core.session(), UPDATE)
        (approval,) = core.store.stored.values()
        task.cancel()
        await asyncio.wait({task})
        core.store.stored[approval.id] = dataclasses.replace(
            approval, state="approved", votes=(Vote("bob", True, 1.0),)
        )
        await asyncio.sleep(61)
        refusal = await core.approvals.use(approval, approval.rules)
        assert refusal is not None
        assert refusal.code == "approval_expired"
        assert core.store.stored[approval.id].state == "cancelled"

    run(work())


def test_a_reload_in_the_very_moment_of_use_refuses() -> None:
    async def work() -> None:
        core = Core()
        task = await core.held(await core.session(), UPDATE)
        closing = core.store.close

        async def close(approval: ApprovalId, expected: str, state: str) -> bool:
            moved = await closing(approval, expected, state)
            if state == "used":
                core.swap()
            return moved

        core.store.close = close  # type: ignore[method-assign]
        await _vote(core, "bob")
        answer = await task
        assert isinstance(answer, Refused)
        assert answer.refusal.code == "policy_changed"

    run(work())


def test_a_login_that_was_fresh_at_the_vote_is_so_when_the_approval_is_used() -> None:
    """Two are needed; the first votes a moment after her login, and the second when that is long ago."""

    def stale(facts: Mapping[str, FactValue], now: float) -> bool:
        since = facts.get("auth_time")
        return not (facts["mfa"] and isinstance(since, int) and int(now) - since < 10)

    async def work() -> None:
        rule = ApprovalRule(PolicyId("two"), "dba", 2, 60.0)
        core = Core(rules=Rules({Action.CONNECT}, {Action.UPDATE: rule}, refuse_approval=stale))
        task = await core.held(await core.session(), UPDATE)
        (approval,) = core.store.stored.values()
        bob, carol = core.people.by_name["bob"], core.people.by_name["carol"]

        def proof(mfa: bool = True) -> CallerProof:
            return CallerProof("token", "192.0.2.7", AuthenticationContext(core.clock.wall(), mfa=mfa))

        old = proof()
        assert isinstance(await core.approvals.vote(approval.id, bob, True, "", proof()), Approval)
        await asyncio.sleep(30)
        assert await core.approvals.pending_for(carol, old) == []
        assert len(await core.approvals.pending_for(carol, proof())) == 1
        for weak in (old, proof(mfa=False)):
            refusal = await core.approvals.vote(approval.id, carol, True, "", weak)
            assert isinstance(refusal, Refusal)
            assert "not fresh enough" in refusal.message
        assert isinstance(await core.approvals.vote(approval.id, carol, True, "", proof()), Approval)
        assert isinstance(await task, Allowed)
        voted = core.audit.of(AuditKind.APPROVAL_VOTED)
        outcomes = [event.fields["outcome"] for event in voted]
        assert outcomes == ["counted", "not_an_approver", "not_an_approver", "counted"]
        assert [event.fields["mfa"] for event in voted] == [True, True, False, True]

    run(work())
