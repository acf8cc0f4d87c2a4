"""Whom an approval's rules mean: a group, or whoever an attribute of the requester names now."""

from __future__ import annotations

import dataclasses

import pytest

from interpose.engine.approvers import all_named, electorate, people_named, unanswerable
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import PolicyId
from interpose.model.principal import AttributeValue, Principal, PrincipalKind
from tests.support.memory import MemoryPrincipals, person


def _with(name: str, *groups: str, **attributes: AttributeValue) -> Principal:
    return dataclasses.replace(person(name, *groups), attributes=attributes)


FRED = _with("fred", "ship", manager="grace", reviewers=("grace", "heidi"), level=3)
GRACE, HEIDI = _with("grace", "ship", manager="grace"), _with("heidi", "dba")
BOT = Principal(PrincipalKind.AGENT, "bot", attributes={"manager": "heidi"}, acting_for="fred")
PEOPLE = MemoryPrincipals(FRED, GRACE, HEIDI, BOT)
MANAGER = ApprovalRule(PolicyId("m"), "attribute:manager")
REVIEWERS = ApprovalRule(PolicyId("r"), "attribute:reviewers", 2)
DBA = ApprovalRule(PolicyId("d"), "dba")


@pytest.mark.parametrize(
    ("requester", "attribute", "names"),
    [
        (FRED, "manager", {"grace"}),
        (FRED, "reviewers", {"grace", "heidi"}),
        (FRED, "level", set()),
        (FRED, "nothing", set()),
        (BOT, "manager", {"grace"}),  # of the person, not of the agent
        (person("gone"), "manager", set()),
    ],
)
def test_an_attribute_names_people(requester: Principal, attribute: str, names: set[str]) -> None:
    assert people_named(attribute, requester, PEOPLE.find) == names


def test_what_counts_is_what_the_identity_source_says_now() -> None:
    asked = dataclasses.replace(FRED, attributes={"manager": "heidi"})
    assert people_named("manager", asked, PEOPLE.find) == {"grace"}


def test_groups_and_names_are_told_apart() -> None:
    eligible = electorate(FRED, PEOPLE.find)
    assert eligible("attribute:manager", GRACE) and not eligible("attribute:manager", HEIDI)
    assert eligible("dba", HEIDI) and not eligible("dba", GRACE)
    assert not eligible("attribute:manager", _with("mallory", "attribute:manager")), (
        "a group cannot stand for an attribute"
    )


def test_everybody_who_is_named_is_told_to_policy() -> None:
    assert all_named([DBA], FRED, PEOPLE.find) is None
    assert all_named([MANAGER, REVIEWERS], FRED, PEOPLE.find) == ("grace", "heidi")
    assert all_named([MANAGER], HEIDI, PEOPLE.find) == ()


@pytest.mark.parametrize(
    ("requester", "rules", "missing"),
    [
        (FRED, [MANAGER, REVIEWERS, DBA], ""),
        (GRACE, [MANAGER], "manager"),  # she is her own
        (HEIDI, [MANAGER], "manager"),  # she has none
        (HEIDI, [DBA], ""),
        (_with("fred", reviewers=("grace",)), [REVIEWERS], ""),  # as known now, there are two
    ],
)
def test_nobody_waits_for_nobody(requester: Principal, rules: list[ApprovalRule], missing: str) -> None:
    assert unanswerable(rules, requester, PEOPLE.find) == missing


def test_a_manager_who_is_gone_can_approve_nothing() -> None:
    people = MemoryPrincipals(FRED, HEIDI)
    assert unanswerable([MANAGER], FRED, people.find) == "manager"
    assert unanswerable([REVIEWERS], FRED, people.find) == "reviewers"
