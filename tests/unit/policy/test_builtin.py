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


@pytest.mark.parametrize(
    ("kind", "policy", "hidden"),
    [
        (PrincipalKind.USER, CONNECT, False),
        (PrincipalKind.SERVICE, CONNECT, False),
        (PrincipalKind.AGENT, CONNECT, True),
        (PrincipalKind.USER, '@id("no") forbid (principal, action == Action::"reveal", resource);', True),
        (PrincipalKind.USER, _FORBID, False),
        (
            PrincipalKind.AGENT,
            '@id("yes") permit (principal, action == Action::"reveal", resource == DataClass::"schema.definition");',
            False,
        ),
    ],
)
def test_who_sees_definitions_where_something_is_hidden(kind: PrincipalKind, policy: str, hidden: bool) -> None:
    classes = "data_classes: {pii: {mask: hash}}\nclassifications: [{connections: ['*'], columns: {public.customers.email: [pii]}}]"
    table = bundle(policy, classifications=classes).reveal_table(_principal(kind), PROD, {}, NOW)
    assert table.columns and table.definitions is hidden
    assert not bundle(policy).reveal_table(_principal(kind), PROD, {}, NOW).definitions, "nothing else is hidden"


def test_they_are_rules_like_others() -> None:
    found = [rule for rule in bundle(CONNECT).rules if rule.file == builtin.FILE]
    assert [rule.id for rule in found] == [
        "interpose-people-infer",
        "interpose-services-infer",
        "interpose-people-see-definitions",
        "interpose-services-see-definitions",
    ]
    assert all(rule.permits and rule.description for rule in found)
