"""Who may approve, and when it is enough."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.engine.callers import NO_PROOF, CallerProof, Vote
from interpose.engine.ports import Approval
from interpose.engine.votes import may_vote, satisfied, valid_voters, voted
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import ApprovalId, ConnectionName, PolicyId, SessionId
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.refusal import Refusal
from tests.support.memory import DIGEST, MemoryPrincipals, person

ALICE, BOB, CAROL = person("alice", "dba"), person("bob", "dba"), person("carol", "dba", "sec")
AGENT = Principal(PrincipalKind.AGENT, "fixer", acting_for="bob")


def _rule(group: str, count: int = 1, policy: str = "") -> ApprovalRule:
    return ApprovalRule(PolicyId(policy or f"hold-{group}"), group, count)


def _approval(requester: Principal = ALICE, *rules: ApprovalRule, votes: tuple[Vote, ...] = ()) -> Approval:
    return Approval(
        ApprovalId("ap-1"),
        SessionId("s"),
        requester,
        ConnectionName("shop"),
        "update",
        "digest",
        rules or (_rule("dba"),),
        "",
        DIGEST,
        0.0,
        60.0,
        votes=votes,
    )


def _yes(*_: object) -> Refusal | None:
    return None


@pytest.mark.parametrize(
    ("requester", "voter", "code"),
    [
        (ALICE, BOB, None),
        (ALICE, ALICE, "own_command"),
        (AGENT, BOB, "own_command"),  # the person whom the agent acts for
        (AGENT, CAROL, None),
        (BOB, dataclasses.replace(AGENT, groups=frozenset({"dba"})), "own_command"),
        (ALICE, dataclasses.replace(AGENT, groups=frozenset({"dba"})), "not_an_approver"),
        (ALICE, Principal(PrincipalKind.SERVICE, "robot", frozenset({"dba"})), "not_an_approver"),
        (ALICE, person("dave", "dev"), "not_an_approver"),
    ],
)
def test_who_may_vote(requester: Principal, voter: Principal, code: str | None) -> None:
    refusal = may_vote(_approval(requester), voter, _yes)
    assert (None if refusal is None else refusal.code) == code


def test_policy_has_the_last_word_on_an_approver() -> None:
    refusal = may_vote(_approval(), BOB, lambda _: Refusal("not_an_approver", "policy does not permit you"))
    assert refusal is not None
    assert refusal.code == "not_an_approver"


def test_only_voters_count_who_may_still_vote() -> None:
    votes = (Vote("bob", True, 1.0), Vote("carol", True, 2.0), Vote("gone", True, 3.0), Vote("dave", False, 4.0))
    approval = _approval(votes=votes)
    people = MemoryPrincipals(person("bob", "dev"), CAROL, person("dave", "dev"))
    voters, denied = valid_voters(approval, people, _yes)
    assert [voter.name for voter in voters] == ["carol"]
    assert not denied
    assert valid_voters(approval, MemoryPrincipals(person("dave", "dba")), _yes) == ([], True)


def test_a_vote_is_not_the_vote_of_who_has_the_name_later() -> None:
    by_provider = CallerProof("token", "192.0.2.7", provider="corporate", subject="sub-1")
    people = MemoryPrincipals(BOB, CAROL)

    def counted(proof: CallerProof, approve: bool = True) -> tuple[list[Principal], bool]:
        return valid_voters(_approval(votes=(Vote("bob", approve, 1.0, proof=proof),)), people, _yes)

    assert counted(NO_PROOF) == ([BOB], False)
    # Cast while a provider's subject had the name that the principals file has now.
    assert counted(by_provider) == ([], False)
    assert counted(by_provider, approve=False) == ([], False)
    people.holders = {"bob": ("corporate", "sub-1")}
    assert counted(by_provider) == ([BOB], False)
    assert counted(NO_PROOF) == ([], False)
    assert counted(dataclasses.replace(by_provider, subject="sub-2")) == ([], False)


@pytest.mark.parametrize(
    ("rules", "voters", "enough"),
    [
        ((_rule("dba"),), (), False),
        ((_rule("dba"),), (BOB,), True),
        ((_rule("dba", 2),), (BOB,), False),
        ((_rule("dba", 2),), (BOB, CAROL), True),
        # Two policies that ask the same group share their people, and the larger count decides.
        ((_rule("dba", 1, "a"), _rule("dba", 2, "b")), (BOB, CAROL), True),
        # One person in two groups is one person.
        ((_rule("dba"), _rule("sec")), (CAROL,), False),
        ((_rule("dba"), _rule("sec")), (CAROL, BOB), True),
        ((_rule("dba"), _rule("sec")), (BOB, ALICE), False),
        ((), (BOB,), False),
        ((_rule("dba", 0),), (), False),
    ],
)
def test_when_it_is_enough(rules: tuple[ApprovalRule, ...], voters: tuple[Principal, ...], enough: bool) -> None:
    assert satisfied(rules, voters) is enough


_GROUPS = ("a", "b", "c")
_PEOPLE = st.lists(st.frozensets(st.sampled_from(_GROUPS)), max_size=5).map(
    lambda groups: [person(f"p{index}", *of) for index, of in enumerate(groups)]
)
_RULES = st.dictionaries(st.sampled_from(_GROUPS), st.integers(1, 3), min_size=1, max_size=3)


@given(_RULES, _PEOPLE)
def test_an_assignment_is_found_exactly_when_there_is_one(counts: dict[str, int], people: list[Principal]) -> None:
    seats = [group for group, count in counts.items() for _ in range(count)]
    possible = any(
        all(seat in someone.groups for seat, someone in zip(seats, order, strict=False))
        for order in itertools.permutations(people, len(seats))
    )
    rules = [_rule(group, count) for group, count in counts.items()]
    assert satisfied(rules, people) is possible


def test_a_vote_is_found_by_its_person() -> None:
    approval = _approval(votes=(Vote("bob", True, 1.0),))
    assert voted(approval, "bob") == approval.votes[0]
    assert voted(approval, "carol") is None
