"""The schema: it parses, and says of the actions what the model says."""

from __future__ import annotations

import cedarpy
import pytest

from interpose.model.actions import ACTION_GROUPS, COMMAND_GROUPS, UNGROUPED_COMMANDS, Action
from interpose.policy.facts import CedarType
from interpose.policy.schema import COMMAND_ACTIONS, action_parents, groups_of, schema_text


def test_it_parses_with_declared_attributes_of_every_type() -> None:
    cedarpy.Schema.from_str(schema_text({type_.name.lower(): type_ for type_ in CedarType}))


def test_parents_are_those_of_the_model() -> None:
    parents = action_parents()
    for action in Action:
        expected = set(ACTION_GROUPS[action]) | ({"any_command"} if action in UNGROUPED_COMMANDS else set())
        assert set(parents[action.value]) == expected
    assert all(parents[group] == ("any_command",) for group in COMMAND_GROUPS)
    assert parents["any_command"] == parents["gateway"] == parents["tunnel"] == ()


def test_groups_include_the_groups_groups() -> None:
    assert groups_of(Action.DROP) == {"ddl", "any_command"}
    assert groups_of(Action.UNKNOWN) == frozenset()


@pytest.mark.parametrize("action", sorted(COMMAND_ACTIONS, key=lambda action: action.value))
def test_a_rule_about_any_command_may_ask_any_attribute_and_optional_fact(action: Action) -> None:
    text = (
        f'permit (principal, action == Action::"{action.value}", resource) when {{ resource.schema == "public" && resource.resolved'
        ' && resource.connection.name like "*" && context has tables && context.tables.contains("x") };'
    )
    assert cedarpy.validate_policies(text, cedarpy.Schema.from_str(schema_text())).validation_passed


def test_required_facts_need_no_has() -> None:
    schema = cedarpy.Schema.from_str(schema_text())
    good = 'forbid (principal, action in [Action::"update", Action::"delete"], resource) when { !context.has_where };'
    assert cedarpy.validate_policies(good, schema).validation_passed
    bad = 'forbid (principal, action in Action::"write", resource) when { !context.has_where };'
    assert not cedarpy.validate_policies(bad, schema).validation_passed
