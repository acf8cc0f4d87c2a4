"""Entities: the hierarchy that policies match on is really there."""

from __future__ import annotations

import pytest

from interpose.model.actions import ACTION_GROUPS, COMMAND_GROUPS, UNGROUPED_COMMANDS, Action
from interpose.model.analysis import FactValue
from interpose.model.decisions import Forbidden, Permitted
from interpose.model.ids import DataClassName
from interpose.model.resources import (
    ConnectionResource,
    DestinationResource,
    HostResource,
    PathResource,
    ProgramResource,
)
from interpose.policy.entities import action_entities, ancestors, class_entities, connection_entity
from interpose.policy.facts import EFFECT_FACTS, CedarType
from interpose.policy.schema import COMMAND_ACTIONS, GATEWAY_ACTIONS
from tests.unit.policy.shop import ALICE, PROD, bundle, connection, effect, judge

_VALUES: dict[CedarType, FactValue] = {
    CedarType.STRING: "x",
    CedarType.BOOL: True,
    CedarType.STRINGS: ("x",),
    CedarType.LONG: 1,
}
_GROUPS = (*COMMAND_GROUPS, "tunnel", "any_command")


def _in_group(action: Action, group: str) -> bool:
    if group == "any_command":
        return action in UNGROUPED_COMMANDS or any(each in COMMAND_GROUPS for each in ACTION_GROUPS[action])
    return group in ACTION_GROUPS[action]


@pytest.mark.parametrize("group", _GROUPS)
def test_a_group_matches_exactly_its_actions(group: str) -> None:
    """The evaluator does not know the hierarchy from the schema: this fails when a group stops matching."""
    policies = bundle(f'@id("x") permit (principal, action in Action::"{group}", resource);')
    for action in COMMAND_ACTIONS - {Action.INFER}:  # permitted to people by a built-in policy
        stated = {fact.name: _VALUES[fact.type] for fact in EFFECT_FACTS if action in fact.required_on}
        decision = judge(policies, effect(action, ConnectionResource(), **stated))
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


@pytest.mark.parametrize("folder", ["", "etc", "etc/ssh"])
def test_a_path_is_in_every_folder_above_it_and_on_its_host(folder: str) -> None:
    policies = bundle(f'@id("x") permit (principal, action, resource in Path::"orders-prod//{folder}");')
    inside = effect(Action.READ_FILE, PathResource("/etc/ssh/sshd_config"))
    assert isinstance(judge(policies, inside), Permitted)
    for path in (PathResource("/var"), PathResource("etc/ssh/x", resolved=False)):
        assert isinstance(judge(policies, effect(Action.READ_FILE, path)), Permitted) == (
            path.path == "/var" and not folder
        )


def test_programs_paths_and_destinations_are_on_the_host_and_in_the_connections_labels() -> None:
    resources = [
        HostResource(),
        ProgramResource("rm"),
        PathResource("/"),
        PathResource("x", resolved=False),
        DestinationResource("db", 5432),
    ]
    for head in ('Host::"orders-prod"', 'Connection::"orders-prod"', 'Label::"env=prod"'):
        policies = bundle(f'@id("x") permit (principal, action, resource in {head});')
        for resource in resources:
            assert isinstance(judge(policies, effect(Action.READ_FILE, resource)), Permitted)


def test_programs_are_permitted_by_name_and_forbidden_by_basename() -> None:
    policies = bundle(
        '@id("x") permit (principal, action == Action::"remove_file", resource) when { resource.name == "rm" };'
        '@id("y") forbid (principal, action == Action::"remove_file", resource) when { resource.basename == "dd" && resource.path != "" };'
    )
    assert isinstance(judge(policies, effect(Action.REMOVE_FILE, ProgramResource("/bin/rm"))), Permitted)
    decision = judge(policies, effect(Action.REMOVE_FILE, ProgramResource("/srv/rm")))
    assert isinstance(decision, Forbidden)
    assert decision.code == "not_permitted"
    decision = judge(policies, effect(Action.REMOVE_FILE, ProgramResource("/srv/dd")))
    assert isinstance(decision, Forbidden)
    assert decision.policies == ("y",)
