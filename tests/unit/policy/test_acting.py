"""An agent never does more than the person that it acts for, by the real evaluator."""

from __future__ import annotations

import pytest

from interpose.model.actions import Action
from interpose.model.analysis import Effect, FactValue
from interpose.model.decisions import Decision, Forbidden, Held, Permitted
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.resources import ConnectionResource, TableResource
from interpose.policy.acting import Acting, person_named
from interpose.policy.bundle import PolicyBundle
from tests.unit.policy.shop import NOW, PROD, bundle

BOB = Principal(PrincipalKind.USER, "bob", frozenset({"developers"}))
BOT = Principal(PrincipalKind.AGENT, "bot", frozenset({"agents"}), acting_for="bob", task="sort")
_EVERYBODY = {each.name: each for each in (BOB, BOT, Principal(PrincipalKind.SERVICE, "robot"))}

AGENTS = '@id("agents") permit (principal in Group::"agents", action, resource);'
READ = '@id("read") permit (principal in Group::"developers", action in Action::"read", resource);'
HOLD = '@id("hold") @approval("dba") forbid (principal is User, action == Action::"insert", resource);'
WRITE = '@id("write") permit (principal in Group::"developers", action in Action::"write", resource);'
FACTS: dict[str, FactValue] = {"source_ip": "10.0.0.1"}


def _decide(policies: PolicyBundle, action: Action) -> Decision:
    acting = Acting.of(_EVERYBODY.get, BOT)
    assert acting is not None
    effect = Effect(
        action, ConnectionResource() if action is Action.CONNECT else TableResource("public", "orders", "table")
    )
    return acting.judge(policies, PROD, (effect,), FACTS, NOW)


def test_what_the_person_may_not_do_the_agent_may_not_either() -> None:
    policies = bundle(AGENTS + READ)
    assert isinstance(_decide(policies, Action.SELECT), Permitted)
    refused = _decide(policies, Action.INSERT)
    assert isinstance(refused, Forbidden) and "`bob`, for whom this acts" in refused.reason
    assert isinstance(_decide(policies, Action.CONNECT), Forbidden)


def test_what_is_held_for_the_person_is_held_for_the_agent() -> None:
    held = _decide(bundle(AGENTS + READ + WRITE + HOLD), Action.INSERT)
    assert isinstance(held, Held) and [rule.approvers for rule in held.approvals] == ["dba"]


def test_the_agents_own_rights_bound_it_as_well() -> None:
    refused = _decide(bundle(READ), Action.SELECT)
    assert isinstance(refused, Forbidden) and "bob" not in refused.reason


def test_gateway_actions_need_both() -> None:
    acting = Acting.of(_EVERYBODY.get, BOT)
    assert acting is not None
    both = '@id("d") permit (principal in Group::"developers", action == Action::"audit", resource);'
    assert acting.may(bundle(AGENTS + both), Action.AUDIT, PROD, FACTS, NOW)
    assert not acting.may(bundle(AGENTS), Action.AUDIT, PROD, FACTS, NOW)
    assert not acting.may(bundle(both), Action.AUDIT, PROD, FACTS, NOW)


def test_the_person_is_judged_as_the_person() -> None:
    """Rules about agents, and about whom they act for, do not speak of the person."""
    seen = '@id("a") permit (principal, action, resource) when { (principal is User) == !context.agent };'
    assert isinstance(_decide(bundle(seen), Action.SELECT), Permitted)
    tasks = '@id("t") forbid (principal is User, action, resource) when { context has task || context has acting_for };'
    assert isinstance(_decide(bundle(seen + tasks), Action.SELECT), Permitted)


@pytest.mark.parametrize("name", ["nobody", "robot", "bot"])
def test_nobody_acts_for_somebody_who_is_no_person(name: str) -> None:
    assert person_named(_EVERYBODY.get, name) is None
    assert Acting.of(_EVERYBODY.get, Principal(PrincipalKind.AGENT, "x", acting_for=name)) is None


def test_a_person_is_never_left_out() -> None:
    with pytest.raises(ValueError, match="together"):
        Acting(BOT, None)
    assert Acting(BOB, None).key() != Acting.of(_EVERYBODY.get, BOT).key()  # type: ignore[union-attr]
    assert person_named(_EVERYBODY.get, None) is None
