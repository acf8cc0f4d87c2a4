"""Entities: actions, principal, connection, data classes and resources as the evaluator's JSON.

INVARIANT: action groups are entities. With pre-parsed entities the evaluator does not take the action hierarchy from the schema: a
`forbid (principal, action in Action::"write", resource)` would silently never match if the actions were missing here
(tried with cedarpy 4.12; `tests/unit/policy/test_entities.py` fails when a group stops matching).

Everything is structured data: a name with quotes, backslashes or Cedar syntax in it is only ever a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, assert_never

from interpose.model.connection import Connection
from interpose.model.ids import DataClassName
from interpose.model.paths import above as folders_above
from interpose.model.paths import is_canonical
from interpose.model.principal import Principal
from interpose.model.resources import (
    ColumnResource,
    ConnectionResource,
    DatabaseResource,
    DestinationResource,
    FunctionResource,
    HostResource,
    ObjectResource,
    PathResource,
    ProgramResource,
    Resource,
    RoleResource,
    SchemaResource,
    SettingResource,
    TableResource,
)
from interpose.policy.facts import CedarType, Json, encode
from interpose.policy.names import (
    GATEWAY,
    Uid,
    connection_uid,
    host_uid,
    label_uid,
    path_uid,
    resource_uid,
    schema_uid,
    table_uid,
)
from interpose.policy.schema import action_parents

Entity: TypeAlias = dict[str, Json]
"""One entity in Cedar's JSON form."""


def uid_json(uid: Uid) -> Json:
    """A reference as data, never as Cedar text."""
    return {"type": uid[0], "id": uid[1]}


def _entity(uid: Uid, parents: Iterable[Uid], attributes: dict[str, Json] | None = None) -> Entity:
    return {"uid": uid_json(uid), "attrs": attributes or {}, "parents": [uid_json(parent) for parent in parents]}


def action_entities() -> list[Entity]:
    """Every action and action group with its parents, and the gateway itself."""
    actions = [
        _entity(("Action", name), (("Action", parent) for parent in parents))
        for name, parents in action_parents().items()
    ]
    return [*actions, _entity(GATEWAY, (), {"name": GATEWAY[1], "kind": "gateway"})]


def principal_uid(principal: Principal) -> Uid:
    """`User::"alice"`, `Service::"billing"` or `Agent::"shopbot"`."""
    return (principal.kind.value, principal.name)


def principal_entity(principal: Principal, declared: Mapping[str, CedarType]) -> Entity:
    """The principal in its groups, with its declared attributes; raises `FactError` for one of another type.

    An attribute that is not declared is left out: no policy that passed the check can ask for it.
    """
    attributes: dict[str, Json] = {"name": principal.name}
    for name, value in principal.attributes.items():
        if name in declared:
            attributes[name] = encode(declared[name], name, value)
    return _entity(principal_uid(principal), (("Group", group) for group in sorted(principal.groups)), attributes)


def connection_entity(connection: Connection) -> Entity:
    """The connection in its labels, which are its tags as well."""
    uid = connection_uid(connection.name)
    labels = sorted(connection.labels.items())
    entity = _entity(
        uid,
        (label_uid(key, value) for key, value in labels),
        _attributes(uid, name=connection.name, kind="connection", wanted=None),
    )
    entity["tags"] = dict(labels)
    return entity


def class_entities(connection: Connection, classes: Iterable[DataClassName]) -> list[Entity]:
    """The data classes, nested by their dots (`pii.email` in `pii`), as they occur on this connection.

    Each is in the connection, so that a rule about a connection's values reaches content that a detector finds there.
    """
    connection_ref = connection_uid(connection.name)
    entities: dict[str, Entity] = {}
    for name in classes:
        for ancestor in (name, *ancestors(name)):
            if ancestor not in entities:
                parents = [connection_ref, *(("DataClass", parent) for parent in ancestors(ancestor)[:1])]
                attributes = _attributes(connection_ref, name=ancestor, kind="data_class", wanted=None)
                entities[ancestor] = _entity(("DataClass", ancestor), parents, attributes)
    return list(entities.values())


def ancestors(name: DataClassName) -> list[DataClassName]:
    """The data classes that this one is in, nearest first: `pii.contact`, `pii` for `pii.contact.email`."""
    parts = name.split(".")
    return [DataClassName(".".join(parts[:count])) for count in range(len(parts) - 1, 0, -1)]


def resource_entities(
    connection: Uid, resource: Resource, classes: Iterable[DataClassName], wanted: frozenset[str] | None
) -> tuple[Entity | None, list[tuple[Uid, Entity]]]:
    """The resource's own entity, and those that it is in, up to the connection.

    `classes` are a column's data classes. `wanted` are the attributes that any policy mentions (None sends all). The own entity
    is None for the connection, which is always there.
    """
    ident = connection[1]
    uid = resource_uid(ident, resource)
    parents: list[Uid] = [connection]
    above: list[tuple[Uid, Entity]] = []
    match resource:
        case ConnectionResource():
            return None, []
        case ColumnResource():
            table, schema = table_uid(ident, resource.schema, resource.table), schema_uid(ident, resource.schema)
            parents = [table, *(("DataClass", name) for name in classes)]
            above = [(table, _entity(table, (schema,))), (schema, _entity(schema, (connection,)))]
            attributes = _attributes(
                connection, resource.name, "column", wanted, schema=resource.schema, table=resource.table
            )
        case TableResource():
            parents, above = _in_schema(connection, resource.schema)
            attributes = _attributes(
                connection,
                resource.name,
                resource.kind,
                wanted,
                schema=resource.schema,
                table=resource.name,
                resolved=resource.resolved,
            )
        case FunctionResource():
            parents, above = _in_schema(connection, resource.schema)
            attributes = _attributes(
                connection, resource.name, "function", wanted, schema=resource.schema, builtin=resource.builtin
            )
        case ObjectResource():
            if resource.schema:
                parents, above = _in_schema(connection, resource.schema)
            attributes = _attributes(connection, resource.name, resource.kind, wanted, schema=resource.schema)
        case SchemaResource():
            attributes = _attributes(connection, resource.name, "schema", wanted, schema=resource.name)
        case DatabaseResource():
            attributes = _attributes(connection, resource.name, "database", wanted)
        case SettingResource():
            attributes = _attributes(connection, resource.name, "setting", wanted)
        case RoleResource():
            attributes = _attributes(connection, resource.name, "role", wanted)
        case HostResource():
            attributes = _attributes(connection, ident, "host", wanted)
        case ProgramResource():
            parents, above = _on_host(connection)
            attributes = _attributes(
                connection,
                resource.name,
                "program",
                wanted,
                path=resource.path,
                basename=resource.basename,
                builtin=resource.builtin,
            )
        case PathResource():
            parents, above = _in_folders(connection, resource.path)
            attributes = _attributes(
                connection,
                resource.path.rpartition("/")[2],
                "path",
                wanted,
                path=resource.path,
                basename=resource.path.rpartition("/")[2],
                resolved=resource.resolved,
            )
        case DestinationResource():
            parents, above = _on_host(connection)
            attributes = _attributes(connection, resource.name, "destination", wanted, path=resource.socket)
        case _:
            assert_never(resource)
    return _entity(uid, parents, attributes), above


def _in_schema(connection: Uid, name: str) -> tuple[list[Uid], list[tuple[Uid, Entity]]]:
    schema = schema_uid(connection[1], name)
    return [schema], [(schema, _entity(schema, (connection,)))]


def _on_host(connection: Uid) -> tuple[list[Uid], list[tuple[Uid, Entity]]]:
    host = host_uid(connection[1])
    return [host], [(host, _entity(host, (connection,)))]


def _in_folders(connection: Uid, path: str) -> tuple[list[Uid], list[tuple[Uid, Entity]]]:
    """The folder of a canonical path, and all above it up to the host; another path is directly on its host."""
    parents, above = _on_host(connection)
    for folder in reversed(folders_above(path)) if is_canonical(path) else ():
        uid = path_uid(connection[1], folder)
        above.append((uid, _entity(uid, parents)))
        parents = [uid]
    return parents, above


def _attributes(
    connection: Uid,
    name: str,
    kind: str,
    wanted: frozenset[str] | None,
    *,
    schema: str = "",
    table: str = "",
    path: str = "",
    basename: str = "",
    resolved: bool = True,
    builtin: bool = False,
) -> dict[str, Json]:
    every: dict[str, Json] = {
        "connection": {"__entity": uid_json(connection)},
        "name": name,
        "schema": schema,
        "table": table,
        "path": path,
        "basename": basename,
        "kind": kind,
        "resolved": resolved,
        "builtin": builtin,
    }
    return every if wanted is None else {key: value for key, value in every.items() if key in wanted}
