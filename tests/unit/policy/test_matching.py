"""The evaluator: our decisions equal Cedar's own, and nothing that is left out for speed changes an answer."""

from __future__ import annotations

import json

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpose.model.actions import Action
from interpose.model.analysis import Effect
from interpose.model.decisions import Permitted
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.resources import ColumnResource, ConnectionResource, SettingResource, TableResource
from interpose.policy.entities import (
    action_entities,
    class_entities,
    connection_entity,
    principal_entity,
    principal_uid,
    resource_entities,
    uid_json,
)
from interpose.policy.facts import effect_context, session_context
from interpose.policy.matching import EvaluationError, add_entities, parse_entities
from interpose.policy.names import connection_uid, resource_uid
from tests.unit.policy.shop import NOW, PROD, bundle, effect, judge

_CLASSES = """
data_classes: {pii.email: {}, pii.name: {}}
classifications:
  - connections: ["*"]
    columns:
      public.customers.email: [pii.email]
      public.customers.name: [pii.name]
      public.orders.note: [pii]
"""

_principals = st.builds(
    Principal,
    st.sampled_from(list(PrincipalKind)),
    st.sampled_from(["alice", "bob"]),
    st.frozensets(st.sampled_from(["support", "dba"])),
    st.just({}),
    st.sampled_from([None, "alice"]),
)
_tables = st.builds(
    TableResource,
    st.sampled_from(["public", "other"]),
    st.sampled_from(["customers", "orders"]),
    st.sampled_from(["table", "view", "unresolved"]),
)
_columns = st.builds(
    ColumnResource,
    st.just("public"),
    st.sampled_from(["customers", "orders"]),
    st.sampled_from(["id", "email", "name", "note"]),
)
_resources = _tables | _columns | st.sampled_from([ConnectionResource(), SettingResource("work_mem")])
_actions = st.sampled_from([Action.SELECT, Action.UPDATE, Action.DROP, Action.CALL, Action.UNKNOWN, Action.CONNECT])
_effects = st.builds(effect, _actions, _resources, limit=st.sampled_from([1, 100]))

_who = st.sampled_from(
    [
        "principal",
        'principal in Group::"support"',
        'principal == User::"alice"',
        'principal in User::"bob"',
        "principal is Agent",
        'principal is User in Group::"dba"',
    ]
)
_what = st.sampled_from(
    [
        "action",
        'action == Action::"select"',
        'action in Action::"read"',
        'action in Action::"any_command"',
        'action in [Action::"write", Action::"call"]',
        'action in [Action::"ddl", Action::"unknown", Action::"connect"]',
    ]
)
_where = st.sampled_from(
    [
        "resource",
        "resource is Column",
        'resource in Table::"orders-prod/public.customers"',
        'resource in Schema::"orders-prod/public"',
        'resource in Label::"env=prod"',
        'resource in DataClass::"pii"',
        'resource == Column::"orders-prod/public.customers.name"',
    ]
)
_when = st.sampled_from(
    [
        "",
        'when { resource.connection.name == "orders-prod" }',
        "when { context.agent }",
        "unless { context has acting_for }",
    ]
)
_commands = st.sampled_from(
    [
        "",
        "when { context has limit && context.limit > 10 }",
        'when { resource has name && resource.name == "email" }',
        'unless { resource has kind && ["table", "column"].contains(resource.kind) }',
    ]
)


@st.composite
def _policies(draw: st.DrawFn) -> str:
    lines = []
    for index in range(draw(st.integers(1, 6))):
        action = draw(_what)
        # Conditions about commands only type-check where every action of the head is one.
        condition = draw(_commands if action not in ("action",) and "connect" not in action else st.just(""))
        word = draw(st.sampled_from(["permit", "forbid"]))
        lines.append(f'@id("p{index}") {word} ({draw(_who)}, {action}, {draw(_where)}) {condition};')
    return "\n".join(lines)


def _cedar_says(text: str, principal: Principal, one: Effect) -> bool:
    """Cedar's own decision, with everything sent: all policies, all attributes, all facts, all entities."""
    classified = _MADE.classifications.for_connection(PROD)
    uid = connection_uid(PROD.name)
    classes = classified.get(one.resource, frozenset()) if isinstance(one.resource, ColumnResource) else frozenset()
    own, above = resource_entities(uid, one.resource, classes, None)
    entities = [*action_entities(), principal_entity(principal, {}), connection_entity(PROD)]
    entities += [*class_entities(PROD, _MADE.data_classes), *(entity for _, entity in above)]
    entities += [] if own is None else [own]
    context = session_context(principal, {}, NOW, None)
    if one.action is not Action.CONNECT:
        context.update(effect_context(one.action, one.facts, None))
    request = {
        "principal": uid_json(principal_uid(principal)),
        "action": {"type": "Action", "id": one.action.value},
        "resource": uid_json(resource_uid(uid[1], one.resource)),
        "context": json.dumps(context),
    }
    answer = cedarpy.is_authorized(request, text, json.dumps(entities))
    assert not answer.diagnostics.errors
    return answer.allowed


_MADE = bundle('@id("x") permit (principal, action, resource);', _CLASSES)


@settings(max_examples=120, deadline=None)
@given(_policies(), _principals, st.lists(_effects, min_size=1, max_size=6))
def test_our_decision_is_cedars_own(text: str, principal: Principal, effects: list[Effect]) -> None:
    effects = [Effect(each.action, each.resource) if each.action is Action.CONNECT else each for each in effects]
    decision = judge(bundle(text, _CLASSES), *effects, principal=principal)
    assert isinstance(decision, Permitted) == all(_cedar_says(text, principal, each) for each in effects)


def test_entities_that_contradict_each_other_are_an_error() -> None:
    base = parse_entities(action_entities())
    with pytest.raises(EvaluationError):
        add_entities(base, [{"uid": {"type": "Action", "id": "select"}, "attrs": {}, "parents": []}])
    with pytest.raises(EvaluationError):
        parse_entities([{"uid": {"type": "not a type", "id": "x"}, "attrs": {}, "parents": []}])
    assert add_entities(base, []) is base
