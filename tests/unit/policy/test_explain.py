"""Explanations: the same decision, and the policies that made it with their places."""

from __future__ import annotations

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect
from interpose.model.ids import PolicyId
from interpose.policy.explain import Explanation, decision_line, explain, render
from tests.unit.policy.shop import ALICE, CUSTOMERS, EMAIL, NOW, PROD, WHERE, bundle, effect

_POLICIES = (
    '@id("all") @max_rows("9") permit (principal, action in Action::"any_command", resource);\n'
    '@id("hold") @approval("dba") @reason("look first") forbid (principal, action == Action::"update", resource);\n'
    '@id("no") @reason("never") forbid (principal, action == Action::"drop", resource);\n'
    '@id("try") @mode("observe") forbid (principal, action == Action::"update", resource);\n'
    '@id("mask") @mask("hash") forbid (principal, action == Action::"reveal", resource in DataClass::"pii");\n'
)
_CLASSES = "data_classes: {pii: {}}\nclassifications: [{connections: ['*'], columns: {public.customers.email: [pii]}}]"
_BUNDLE = bundle(_POLICIES, _CLASSES)


def _explain(*effects: Effect, lifted: tuple[str, ...] = ()) -> Explanation:
    ids = frozenset(PolicyId(each) for each in lifted)
    made = explain(_BUNDLE, ALICE, PROD, Analysis(effects, ()), {}, NOW, lifted=ids)
    assert made.decision == _BUNDLE.judge(ALICE, PROD, effects, {}, NOW, lifted=ids)
    return made


def test_a_hold_in_full() -> None:
    assert render(_explain(Effect(Action.UPDATE, CUSTOMERS, WHERE)), source=False) == (
        "User:alice on orders-prod\n"
        "decision: hold by hold, for approval by 1 of `dba` within 900 s: look first\n"
        "observed only: try\n"
        "effects:\n"
        "  `update` on table public.customers\n"
        "    facts: has_where=true, where_constant=false\n"
        "    permitted by all (policy.cedar:1)\n"
        "    forbidden by hold (policy.cedar:2), lifted by approval of `dba`\n"
        "    observed by try (policy.cedar:4)\n"
        "hidden columns:\n"
        "  public.customers.email: hash, by mask; mode output\n"
        "definitions and comments: shown\n"
        "hidden where detected:\n"
        "  pii: hash, by mask\n"
    )


def test_decision_lines() -> None:
    assert decision_line(_explain(effect(Action.SELECT)).decision) == "permit by all, at most 9 rows"
    lifted = _explain(effect(Action.UPDATE), lifted=("hold",))
    assert decision_line(lifted.decision) == "permit by all, lifted: hold, at most 9 rows"
    refused = decision_line(_explain(effect(Action.DROP)).decision)
    assert refused == "forbid by no, forbidden: never (ask whoever keeps the policies about `no`)"


def test_neighbours_alike_are_told_together_and_policies_are_quoted() -> None:
    text = render(_explain(effect(Action.SELECT), effect(Action.SELECT, EMAIL), effect(Action.DROP)))
    assert "  `select` on table public.customers, `select` on column public.customers.email\n" in text
    assert '  @id("no") @reason("never") forbid (principal, action == Action::"drop", resource);\n' in text
    assert "hold" not in text


def test_what_nothing_permits() -> None:
    assert "    permitted by nothing\n" in render(_explain(effect(Action.UNKNOWN)))


def test_what_could_not_be_judged_says_so() -> None:
    made = _explain(effect(Action.SELECT, mood="x", tables=("a",)))
    assert "not judged: `mood` is no declared fact\n" in render(made)
    assert "effects: none\n" in render(made)


def test_errors_are_shown_to_the_keeper_of_policies() -> None:
    policies = bundle(
        '@id("p") permit (principal, action == Action::"select", resource);'
        '@id("f") forbid (principal, action == Action::"select", resource) when { context has limit && context.limit + 1 < 0 };'
    )
    text = render(explain(policies, ALICE, PROD, Analysis((effect(Action.SELECT, limit=2**63 - 1),), ()), {}, NOW))
    assert "error in f: integer overflow" in text
    assert "hidden values: none" in text
