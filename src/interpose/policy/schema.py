"""The Cedar schema: entity types, their attributes, the actions with their groups, and the context of each action.

Built from `model.actions`, `facts` and the declared principal attributes, so that the three cannot drift apart.

Why these shapes. *Labels are entities*: a connection is `in` its `Label`s, so `resource in Label::"env=prod"` stands in a rule's head,
reaches every table and column below, and needs no `has` check; for comparisons labels are tags too
(`resource.connection.hasTag("team") && resource.connection.getTag("team") == principal.team`). *Every resource has the same nine
attributes* (empty text or false where one does not apply), so that a rule over all resources type-checks. *Principal
attributes are declared* in `attributes.yaml` with a type and are optional: `principal has clearance && principal.clearance >= 3`.
A schema is directly in its connection: one connection is one database, and a `Database` is only what CREATE, ALTER
and DROP DATABASE act on, so no rule can trust a database's name as a container. *A path is in every folder above it*, up to
`/`, which is in its host: `resource in Path::"web-1//etc"` reaches everything below.
"""

from __future__ import annotations

from collections.abc import Mapping

from interpose.model.actions import ACTION_GROUPS, COMMAND_GROUPS, NAMED_GROUPS, UNGROUPED_COMMANDS, Action
from interpose.policy.facts import (
    DELEGATION_FACTS,
    EFFECT_FACTS,
    GATEWAY_FACTS,
    SESSION_ALWAYS,
    SESSION_FACTS,
    CedarType,
    Fact,
)

PRINCIPAL_TYPES: tuple[str, ...] = ("User", "Service", "Agent")
"""Entity types of principals, as in `model.principal.PrincipalKind`."""

RESOURCE_TYPES: tuple[str, ...] = (
    "Connection",
    "Database",
    "Schema",
    "Table",
    "Column",
    "Function",
    "Setting",
    "Role",
    "DbObject",
    "Host",
    "Program",
    "Path",
    "Destination",
)
"""Entity types that a command's effect can be on."""

ENTITY_TYPES: tuple[str, ...] = (*PRINCIPAL_TYPES, *RESOURCE_TYPES, "Group", "Label", "DataClass", "Gateway", "Action")
"""Every entity type, for suggestions."""

RESOURCE_ATTRIBUTES: Mapping[str, str] = {
    "connection": "Connection",
    "name": "String",
    "schema": "String",
    "table": "String",
    "path": "String",
    "basename": "String",
    "kind": "String",
    "resolved": "Bool",
    "builtin": "Bool",
}
"""The attributes of every resource and their Cedar types."""

ANY_COMMAND = "any_command"
"""The group of every command action that need not be named to be permitted."""

GATEWAY_ACTIONS: frozenset[Action] = frozenset(
    action for action, groups in ACTION_GROUPS.items() if "gateway" in groups
)
"""Actions on the gateway itself: what `PolicyBundle.may` is asked, besides `connect`."""

COMMAND_ACTIONS: frozenset[Action] = (
    frozenset(Action) - GATEWAY_ACTIONS - {Action.CONNECT, Action.REVEAL, Action.ACT_FOR}
)
"""Actions that a command's effect can have."""

_PARENTS: Mapping[str, str] = {
    "Schema": "[Connection]",
    "Table": "[Schema]",
    "Column": "[Table, DataClass]",
    "Function": "[Schema]",
    "Database": "[Connection]",
    "Setting": "[Connection]",
    "Role": "[Connection]",
    "DbObject": "[Schema, Connection]",
    "Host": "[Connection]",
    "Program": "[Host]",
    "Path": "[Path, Host]",
    "Destination": "[Host]",
    "DataClass": "[DataClass, Connection]",
}


def action_parents() -> dict[str, tuple[str, ...]]:
    """Every action and action group with its direct parents: the one source for the schema and for the entities."""
    parents: dict[str, tuple[str, ...]] = {ANY_COMMAND: (), **dict.fromkeys(NAMED_GROUPS, ())}
    for group in COMMAND_GROUPS:
        parents[group] = (ANY_COMMAND,)
    for action, groups in ACTION_GROUPS.items():
        parents[action.value] = (*groups, ANY_COMMAND) if action in UNGROUPED_COMMANDS else groups
    return parents


def groups_of(action: Action) -> frozenset[str]:
    """All groups that an action is in, the groups' own groups included."""
    return _GROUPS[action]


def _ancestors(name: str, parents: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(parents[name]).union(*(_ancestors(parent, parents) for parent in parents[name]))


def schema_text(attributes: Mapping[str, CedarType] | None = None) -> str:
    """The schema in Cedar's schema language; `attributes` are the declared principal attributes."""
    lines = ["entity Group;", "entity Label;"]
    declared = "".join(f", {name}?: {type_.value}" for name, type_ in sorted((attributes or {}).items()))
    lines += [f"entity {name} in [Group] {{name: String{declared}}};" for name in PRINCIPAL_TYPES]
    record = "{" + ", ".join(f"{name}: {type_}" for name, type_ in RESOURCE_ATTRIBUTES.items()) + "}"
    lines.append(f"entity Connection in [Label] {record} tags String;")
    lines += [f"entity {name} in {parents} {record};" for name, parents in _PARENTS.items()]
    lines.append("entity Gateway {name: String, kind: String};")
    actions = {action.value: action for action in Action}
    for name, parents in action_parents().items():
        membership = " in [" + ", ".join(f'"{parent}"' for parent in parents) + "]" if parents else ""
        action = actions.get(name)
        lines.append(f'action "{name}"{membership}{"" if action is None else _applies_to(action)};')
    return "\n".join(lines) + "\n"


def facts_of(action: Action) -> tuple[Fact, ...]:
    """The facts that `context` can have when this action is asked."""
    if action in GATEWAY_ACTIONS:
        return (*SESSION_FACTS, *GATEWAY_FACTS)
    if action is Action.ACT_FOR:
        return (*SESSION_FACTS, *DELEGATION_FACTS)
    return (*SESSION_FACTS, *EFFECT_FACTS) if action in COMMAND_ACTIONS else SESSION_FACTS


def _applies_to(action: Action) -> str:
    principals = ", ".join(PRINCIPAL_TYPES)
    if action in GATEWAY_ACTIONS:
        resources = "Connection, Gateway"
    elif action is Action.CONNECT:
        resources = "Connection"
    elif action is Action.REVEAL:
        resources = "Column, DataClass"
    elif action is Action.INFER:
        resources = "Column"
    elif action is Action.ACT_FOR:
        resources = "User"
    else:
        # Every effect may be on every resource: a narrower table here would let a rule pass the check and then meet, at
        # run time, a pair that it was never checked with.
        resources = ", ".join(RESOURCE_TYPES)
    fields = [
        f"{fact.name}{'' if fact.name in SESSION_ALWAYS or action in fact.required_on else '?'}: {fact.type.value}"
        for fact in facts_of(action)
    ]
    return f" appliesTo {{principal: [{principals}], resource: [{resources}], context: {{{', '.join(fields)}}}}}"


def attribute_names(attributes: Mapping[str, CedarType]) -> list[str]:
    """Every attribute of any entity, for suggestions."""
    return [*RESOURCE_ATTRIBUTES, *attributes]


_GROUPS: Mapping[Action, frozenset[str]] = {action: _ancestors(action.value, action_parents()) for action in Action}
