"""The built-in policies: people and services in mode `output`, agents in mode `strict`, and a team's own policies above them."""

import pytest

from interpose.model.actions import Action
from interpose.model.decisions import Permitted
from interpose.model.principal import Principal, PrincipalKind
from interpose.policy import builtin
from tests.unit.policy.shop import CONNECT, EMAIL, NOW, PROD, bundle, effect

_FORBID = '@id("no") forbid (principal, action == Action::"infer", resource);'
_PERMIT = '@id("yes") permit (principal is Agent, action == Action::"infer", resource);'


def _principal(kind: PrincipalKind) -> Principal:
    return Principal(kind, "somebody", frozenset())


@pytest.mark.parametrize(
    ("kind", "policy", "permitted"),
    [
        (PrincipalKind.USER, CONNECT, True),
        (PrincipalKind.SERVICE, CONNECT, True),
        (PrincipalKind.AGENT, CONNECT, False),
        (PrincipalKind.USER, _FORBID, False),
        (PrincipalKind.SERVICE, _FORBID, False),
        (PrincipalKind.AGENT, _PERMIT, True),
    ],
)
def test_who_may_infer(kind: PrincipalKind, policy: str, permitted: bool) -> None:
    decision = bundle(policy).judge(_principal(kind), PROD, (effect(Action.INFER, EMAIL),), {}, NOW)
    assert isinstance(decision, Permitted) == permitted


def test_they_are_rules_like_others() -> None:
    found = [rule for rule in bundle(CONNECT).rules if rule.file == builtin.FILE]
    assert [rule.id for rule in found] == ["interpose-people-infer", "interpose-services-infer"]
    assert all(rule.permits and rule.description for rule in found)
