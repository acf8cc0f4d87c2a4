"""Entities: the hierarchy that policies match on is really there."""

from __future__ import annotations

import pytest

from interpose.model.actions import ACTION_GROUPS, COMMAND_GROUPS, UNGROUPED_COMMANDS, Action
from interpose.model.decisions import Permitted
from interpose.model.ids import DataClassName
from interpose.model.resources import ConnectionResource
from interpose.policy.entities import action_entities, ancestors, class_entities, connection_entity
from interpose.policy.schema import COMMAND_ACTIONS, GATEWAY_ACTIONS
from tests.unit.policy.shop import ALICE, PROD, bundle, connection, effect, judge

_GROUPS = (*COMMAND_GROUPS, "any_command")


def _in_group(action: Action, group: str) -> bool:
    if group == "any_command":
        return action in UNGROUPED_COMMANDS or any(each in COMMAND_GROUPS for each in ACTION_GROUPS[action])
    return group in ACTION_GROUPS[action]


@pytest.mark.parametrize("group", _GROUPS)
def test_a_group_matches_exactly_its_actions(group: str) -> None:
    """The evaluator does not know the hierarchy from the schema: this fails when a group stops matching."""
    policies = bundle(f'@id("x") permit (principal, action in Action::"{group}", resource);')
    for action in COMMAND_ACTIONS - {Action.INFER}:  # permitted to people by a built-in policy
        decision = judge(policies, effect(action, ConnectionResource()))
        assert isinstance(decision, Permitted) == _in_group(action, group), action


def test_the_gateway_group_matches_exactly_its_actions() -> None:
    policies = bundle('@id("x") permit (principal, action in Action::"gateway", resource);')
    for action in Action:
        assert policies.may(ALICE, action, PROD, {}, 0.0) == (action in GATEWAY_ACTIONS), action
        assert policies.may(ALICE, action, None, {}, 0.0) == (action in GATEWAY_ACTIONS), action


def test_every_action_is_an_entity() -> None:
    ids = {str(entity["uid"]["id"]) for entity in action_entities() if entity["uid"]["type"] == "Action"}  # type: ignore[call-overload,index]
    assert ids == {action.value for action in Action} | {*_GROUPS, "gateway"}


def test_labels_are_parents_and_tags() -> None:
    entity = connection_entity(connection(env="prod", team="shop"))
    assert entity["parents"] == [{"type": "Label", "id": "env=prod"}, {"type": "Label", "id": "team=shop"}]
    assert entity["tags"] == {"env": "prod", "team": "shop"}


def test_data_classes_nest_by_their_dots() -> None:
    assert ancestors(DataClassName("a.b.c")) == ["a.b", "a"]
    entities = {str(each["attrs"]["name"]): each for each in class_entities(PROD, [DataClassName("pii.email")])}  # type: ignore[call-overload,index]
    assert set(entities) == {"pii", "pii.email"}
    assert {"type": "DataClass", "id": "pii"} in entities["pii.email"]["parents"]  # type: ignore[operator]
    assert {"type": "Connection", "id": "orders-prod"} in entities["pii"]["parents"]  # type: ignore[operator]
