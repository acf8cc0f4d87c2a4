"""Whom the rules of an approval mean: members of a group, or the people whom an attribute of the requester names. Pure.

`@approval("attribute:manager")` means whoever the requester's attribute `manager` names, as the identity source says it at the moment of
asking. For an agent it is the attribute of the person that it acts for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from interpose.model.decisions import ApprovalRule
from interpose.model.principal import Principal

Find = Callable[[str], Principal | None]


def people_named(attribute: str, requester: Principal, find: Find) -> frozenset[str]:
    """The names in this attribute of the requester as it is now; empty when it has none, or is gone."""
    who = find(requester.acting_for or requester.name)
    value = None if who is None else who.attributes.get(attribute)
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(value) if isinstance(value, tuple) else frozenset()


def electorate(requester: Principal, find: Find) -> Callable[[str, Principal], bool]:
    """Whether somebody is among those whom a rule's `approvers` mean, for what this requester asked."""

    def eligible(approvers: str, voter: Principal) -> bool:
        attribute = ApprovalRule.attribute_in(approvers)
        if attribute is None:
            return approvers in voter.groups
        return voter.name in people_named(attribute, requester, find)

    return eligible


def all_named(rules: Iterable[ApprovalRule], requester: Principal, find: Find) -> tuple[str, ...] | None:
    """Everybody whom rules name by an attribute; None when no rule does."""
    attributes = [rule.attribute for rule in rules if rule.attribute is not None]
    if not attributes:
        return None
    return tuple(sorted({name for each in attributes for name in people_named(each, requester, find)}))


def unanswerable(rules: Iterable[ApprovalRule], requester: Principal, find: Find) -> str:
    """The attribute of a rule that nobody could ever answer, since it names nobody who exists but the requester; empty when there is none."""
    asking = {requester.name, requester.acting_for}
    for rule in rules:
        if rule.attribute is not None:
            named = people_named(rule.attribute, requester, find)
            if len([name for name in named - asking if find(name) is not None]) < rule.count:
                return rule.attribute
    return ""
