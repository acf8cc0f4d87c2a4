"""Batches: what is asked once, what is asked apart, and that answers come back in their places."""

from __future__ import annotations

import pytest

from interpose.model.actions import Action
from interpose.model.decisions import Permitted
from interpose.model.resources import ColumnResource, TableResource
from interpose.policy.matching import Matcher
from tests.unit.policy.shop import ALICE, PERMIT, PROD, bundle, effect, judge

_CLASSES = "data_classes: {pii: {}}\nclassifications: [{connections: ['*'], columns: {public.t.b: [pii]}}]"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests each call of the evaluator had."""
    sizes: list[int] = []
    original = Matcher.match

    def match(self, action, principal, groups, requests, entities):  # type: ignore[no-untyped-def]
        sizes.append(len(requests))
        return original(self, action, principal, groups, requests, entities)

    monkeypatch.setattr(Matcher, "match", match)
    return sizes


def _columns(*names: str) -> list[ColumnResource]:
    return [ColumnResource("public", "t", name) for name in names]


def test_columns_that_no_policy_tells_apart_are_asked_once(asked: list[int]) -> None:
    policies = bundle(PERMIT, _CLASSES)
    assert isinstance(judge(policies, *(effect(Action.SELECT, each) for each in _columns("a", "c", "d"))), Permitted)
    assert asked == [1]


def test_a_classified_column_is_asked_apart(asked: list[int]) -> None:
    policies = bundle(
        PERMIT + '@id("no") forbid (principal, action == Action::"select", resource in DataClass::"pii");', _CLASSES
    )
    assert not isinstance(
        judge(policies, *(effect(Action.SELECT, each) for each in _columns("a", "b", "c"))), Permitted
    )
    assert asked == [2]
    assert isinstance(judge(policies, *(effect(Action.SELECT, each) for each in _columns("a", "c"))), Permitted)


def test_columns_are_asked_one_by_one_where_a_policy_names_one(asked: list[int]) -> None:
    named = PERMIT + '@id("no") forbid (principal, action == Action::"select", resource) when { resource.name == "c" };'
    assert not isinstance(judge(named, *(effect(Action.SELECT, each) for each in _columns("a", "c"))), Permitted)
    assert asked == [2]
    assert isinstance(judge(named, *(effect(Action.INSERT, each) for each in _columns("a", "c"))), Permitted)
    assert asked == [2, 1]


def test_other_facts_are_asked_apart_only_where_they_matter(asked: list[int]) -> None:
    first, second = (effect(Action.SELECT, TableResource("public", "t"), limit=limit) for limit in (1, 2))
    judge(PERMIT, first, second)
    assert asked == [1]
    judge(
        PERMIT
        + '@id("l") forbid (principal, action == Action::"select", resource) when { context has limit && context.limit > 1 };',
        first,
        second,
    )
    assert asked == [1, 2]


def test_answers_come_back_in_the_order_of_asking() -> None:
    policies = bundle(PERMIT + '@id("no") forbid (principal, action == Action::"drop", resource);')
    effects = [
        effect(action, TableResource("public", name)) for action in (Action.SELECT, Action.DROP) for name in "abc"
    ]
    findings = policies.findings(ALICE, PROD, tuple(effects), {}, 0.0)
    assert [finding.effect for finding in findings] == effects
    assert [bool(finding.forbids) for finding in findings] == [False] * 3 + [True] * 3
