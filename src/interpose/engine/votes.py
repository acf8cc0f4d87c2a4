"""Who may approve what, and whether enough distinct people have: pure.

INVARIANT: nobody approves their own command; an agent's command belongs to the person it acts for as well; one person counts once,
however many groups that person is in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from interpose.engine.holders import is_whose
from interpose.model.decisions import ApprovalRule
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.refusal import Refusal

if TYPE_CHECKING:
    from interpose.engine.callers import Vote
    from interpose.engine.ports import Approval, PrincipalSource


def persons(principal: Principal) -> frozenset[str]:
    """Everybody who asks when this principal asks: itself and whoever it acts for."""
    return frozenset({principal.name} if principal.acting_for is None else {principal.name, principal.acting_for})


def in_group(approvers: str, voter: Principal) -> bool:
    """Whether somebody is in the group that a rule means."""
    return approvers in voter.groups


Eligible = Callable[[str, Principal], bool]
"""Whether somebody is among those whom a rule's `approvers` mean: `engine.approvers.electorate`."""


def may_vote(
    approval: Approval,
    voter: Principal,
    barred: Callable[[Principal], Refusal | None],
    eligible: Eligible = in_group,
) -> Refusal | None:
    """Why this principal may not vote on this approval, None when it may. `barred` is policy's answer to `approve`: None when it permits."""
    if persons(voter) & persons(approval.requester):
        return Refusal(
            "own_command",
            "nobody approves their own command",
            "ask somebody else of the approvers",
            approval=approval.id,
        )
    if voter.kind is not PrincipalKind.USER:
        return Refusal(
            "not_an_approver", "only a person may approve", "ask a person of the approvers", approval=approval.id
        )
    if not any(eligible(rule.approvers, voter) for rule in approval.rules):
        groups = ", ".join(f"`{group}`" for group in sorted({rule.approvers for rule in approval.rules}))
        return Refusal(
            "not_an_approver", f"only those of {groups} may approve this", "ask one of them", approval=approval.id
        )
    return barred(voter)


def valid_voters(
    approval: Approval,
    principals: PrincipalSource,
    barred: Callable[[Vote, Principal], Refusal | None],
    eligible: Eligible = in_group,
) -> tuple[list[Principal], bool]:
    """The people whose approval counts now, and whether anybody whose vote counts now has denied.

    A voter who is gone, has left the group (or is not named any more) or may not approve any more does not count.
    INVARIANT: nor does one whose name another has by now.
    """
    approving: dict[str, Principal] = {}
    denied = False
    for vote in approval.votes:
        voter = principals.find(vote.principal)
        if not is_whose(principals, vote.principal, None, vote.proof.provider, vote.proof.subject):
            continue
        if voter is None or may_vote(approval, voter, partial(barred, vote), eligible) is not None:
            continue
        if vote.approve:
            approving[voter.name] = voter
        else:
            denied = True
    return list(approving.values()), denied


def satisfied(rules: Sequence[ApprovalRule], voters: Iterable[Principal], eligible: Eligible = in_group) -> bool:
    """Whether each rule has its count of people, each person standing for one group only.

    Rules that name the same group share their people (the largest count decides). Augmenting paths find an assignment of
    people to groups whenever there is one.
    """
    needed: dict[str, int] = {}
    for rule in rules:
        needed[rule.approvers] = max(needed.get(rule.approvers, 0), rule.count, 1)
    seats = [group for group, count in needed.items() for _ in range(count)]
    people = list(voters)
    seated: dict[int, int] = {}

    def seat(index: int, tried: set[int]) -> bool:
        for person, principal in enumerate(people):
            if person in tried or not eligible(seats[index], principal):
                continue
            tried.add(person)
            if person not in seated or seat(seated[person], tried):
                seated[person] = index
                return True
        return False

    return bool(seats) and all(seat(index, set()) for index in range(len(seats)))


def voted(approval: Approval, name: str) -> Vote | None:
    """This person's vote, when there is one."""
    return next((vote for vote in approval.votes if vote.principal == name), None)
