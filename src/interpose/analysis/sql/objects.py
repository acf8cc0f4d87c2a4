"""Which resource an object of a definition statement is: by PostgreSQL's ObjectType and the name as the grammar gives it."""

from __future__ import annotations

from typing import Final

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names
from interpose.analysis.sql.statement import Statement
from interpose.model.analysis import FactValue
from interpose.model.catalog import Routine
from interpose.model.resources import (
    ColumnResource,
    DatabaseResource,
    FunctionResource,
    ObjectResource,
    Resource,
    RoleResource,
    SchemaResource,
    TableResource,
)

_RELATIONS: Final = frozenset(
    {pb.OBJECT_TABLE, pb.OBJECT_VIEW, pb.OBJECT_MATVIEW, pb.OBJECT_FOREIGN_TABLE, pb.OBJECT_SEQUENCE}
)
_ROUTINES: Final = frozenset({pb.OBJECT_FUNCTION, pb.OBJECT_PROCEDURE, pb.OBJECT_ROUTINE, pb.OBJECT_AGGREGATE})
_OF_TABLES: Final = frozenset({pb.OBJECT_TRIGGER, pb.OBJECT_RULE, pb.OBJECT_POLICY, pb.OBJECT_TABCONSTRAINT})


def kind_word(kind: int) -> str:
    """An object type as the fact `object_kind` says it: `foreign_table`."""
    word: str = pb.ObjectType.Name(pb.ObjectType.ValueType(kind))
    return word.removeprefix("OBJECT_").lower()


def name_parts(node: pb.Node) -> list[str]:
    """The dotted name of an object, whatever node carries it."""
    kind = node.WhichOneof("node")
    if kind == "list":
        return [part for item in node.list.items for part in name_parts(item)]
    if kind == "string":
        return [node.string.sval]
    if kind == "type_name":
        return names.strings(node.type_name.names)
    if kind == "object_with_args":
        return names.strings(node.object_with_args.objname)
    if kind == "range_var":
        return [part for part in (node.range_var.schemaname, node.range_var.relname) if part]
    if kind == "role_spec":
        return [node.role_spec.rolename]
    if kind == "integer":
        return [str(node.integer.ival)]
    if kind == "float":
        return [node.float.fval]
    return []


def existing(walk: Statement, kind: int, node: pb.Node) -> tuple[Resource, dict[str, FactValue]]:
    """The resource of an object that exists, with the facts that say what it is."""
    return by_parts(walk, kind, name_parts(node))


def by_parts(walk: Statement, kind: int, parts: list[str]) -> tuple[Resource, dict[str, FactValue]]:
    """The resource of an object that exists, by its dotted name."""
    facts: dict[str, FactValue] = {"object_kind": kind_word(kind)}
    schema, name = names.qualified(parts)
    if kind in _RELATIONS:
        resource = walk.relation_resource(schema, name)
        if not resource.resolved:
            facts["resolved"] = False
        return resource, facts
    if kind in _ROUTINES:
        routine = walk.state.routine(schema, name)
        if isinstance(routine, Routine):
            return FunctionResource(routine.schema, routine.name, routine.builtin), facts
        facts["resolved"] = False
        return FunctionResource(schema or "", name), facts
    if kind == pb.OBJECT_COLUMN:
        table = walk.relation_resource(*names.qualified(parts[:-1]))
        return ColumnResource(table.schema, table.name, name), facts
    if kind == pb.OBJECT_SCHEMA:
        return SchemaResource(name), facts
    if kind == pb.OBJECT_DATABASE:
        return DatabaseResource(name), facts
    if kind == pb.OBJECT_ROLE:
        return RoleResource(name), facts
    if kind in _OF_TABLES:
        table = table_of(walk, parts)
        return ObjectResource(kind_word(kind), table.schema, f"{table.name}.{name}"), facts
    return ObjectResource(kind_word(kind), schema or "", name), facts


def table_of(walk: Statement, parts: list[str]) -> TableResource:
    """The table that a trigger, rule, policy or constraint belongs to: what stands before its name."""
    return walk.relation_resource(*names.qualified(parts[:-1]))


def belongs_to_table(kind: int) -> bool:
    """Whether objects of this kind are a part of a table, so that touching one alters the table."""
    return kind in _OF_TABLES
