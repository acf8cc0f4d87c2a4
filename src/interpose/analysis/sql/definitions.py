"""CREATE statements of a database's own objects: tables, indexes, functions, triggers, rules, policies, types and the like.

Bodies of functions and rules run later and out of sight: making one is an effect of its own and a place that values may flow to.
"""

from __future__ import annotations

from collections.abc import Callable

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names
from interpose.analysis.sql.objects import kind_word, name_parts
from interpose.analysis.sql.session_statements import setting_arguments
from interpose.analysis.sql.statement import Statement
from interpose.model.actions import Action
from interpose.model.analysis import FactValue, SessionChange
from interpose.model.catalog import Routine
from interpose.model.resources import (
    FunctionResource,
    ObjectResource,
    Resource,
    SchemaResource,
)


def create_table(walk: Statement, node: pb.Node) -> None:
    """CREATE TABLE, with its defaults, checks and generated columns."""
    stmt = node.create_stmt
    walk.tag = "CREATE TABLE"
    _create_table(walk, stmt, "table")


def create_foreign_table(walk: Statement, node: pb.Node) -> None:
    """CREATE FOREIGN TABLE: a way to another server's data."""
    stmt = node.create_foreign_table_stmt
    walk.tag = "CREATE FOREIGN TABLE"
    _create_table(walk, stmt.base_stmt, "foreign")
    walk.add(Action.ADMINISTER_SERVER, ObjectResource("foreign_server", "", stmt.servername))


def _create_table(walk: Statement, stmt: pb.CreateStmt, kind: str) -> None:
    resource = walk.new_relation(stmt.relation, kind)
    facts: dict[str, FactValue] = {"object_kind": kind, "temporary": resource.kind == "temp"}
    if stmt.if_not_exists:
        facts["if_exists"] = True
    walk.add(Action.CREATE, resource, facts)
    for parent in stmt.inh_relations:
        # A child's rows show up in its parent; a partition's bounds decide which rows move there.
        walk.on_relation(Action.ALTER, parent.range_var, {"object_kind": "table"})
    for element in stmt.table_elts:
        if element.WhichOneof("node") == "table_like_clause":
            walk.on_relation(Action.SHOW, element.table_like_clause.relation, {"object_kind": "table"})
    walk.fragments(stmt, walk.table_scope(None))
    walk.changes.add(SessionChange.CATALOG)


def create_index(walk: Statement, node: pb.Node) -> None:
    """CREATE INDEX: an index on the table, computed by the expressions in it."""
    stmt = node.index_stmt
    walk.tag = "CREATE INDEX"
    table = walk.on_relation(Action.ALTER, stmt.relation, {"object_kind": "index"})
    walk.add(Action.CREATE, ObjectResource("index", table.schema, stmt.idxname), {"object_kind": "index"})
    walk.fragments(stmt, walk.table_scope(stmt.relation))
    walk.changes.add(SessionChange.CATALOG)


def create_function(walk: Statement, node: pb.Node) -> None:
    """CREATE FUNCTION and PROCEDURE: a body that nobody judges when it runs; its SET clause keeps the pinned settings."""
    stmt = node.create_function_stmt
    kind = "procedure" if stmt.is_procedure else "function"
    walk.tag = f"CREATE {kind.upper()}"
    schema, name = names.dotted(stmt.funcname)
    resource = FunctionResource(schema or walk.state.creation_schema(), name)
    language = "sql"
    for option in stmt.options:
        _function_option(walk, option.def_elem)
        if option.def_elem.defname == "language":
            language = option.def_elem.arg.string.sval
    walk.add(Action.CREATE, resource, {"object_kind": kind})
    if stmt.replace:
        walk.add(Action.ALTER, resource, {"object_kind": kind})
    if language in ("c", "internal"):
        walk.add(Action.ADMINISTER_SERVER, ObjectResource("language", "", language), {"object_kind": kind})
    for parameter in stmt.parameters:
        walk.fragments(parameter.function_parameter, walk.table_scope(None))
    walk.sinks_known = False
    walk.changes.add(SessionChange.CATALOG)


def alter_function(walk: Statement, node: pb.Node) -> None:
    """ALTER FUNCTION … SET, OWNER-less options, volatility."""
    stmt = node.alter_function_stmt
    walk.tag = f"ALTER {kind_word(stmt.objtype).upper()}"
    schema, name = names.dotted(stmt.func.objname)
    routine = walk.state.routine(schema, name)
    found = isinstance(routine, Routine)
    resource = FunctionResource(routine.schema if isinstance(routine, Routine) else schema or "", name)
    walk.add(Action.ALTER, resource, {"object_kind": kind_word(stmt.objtype), "resolved": found})
    for action in stmt.actions:
        _function_option(walk, action.def_elem)
    walk.changes.add(SessionChange.CATALOG)


def _function_option(walk: Statement, option: pb.DefElem) -> None:
    if option.defname == "set" and option.arg.WhichOneof("node") == "variable_set_stmt":
        setting_arguments(walk, option.arg.variable_set_stmt)


def create_trigger(walk: Statement, node: pb.Node) -> None:
    """CREATE TRIGGER: from now on a function sees every row that is written."""
    stmt = node.create_trig_stmt
    walk.tag = "CREATE TRIGGER"
    schema, name = names.dotted(stmt.funcname)
    walk.call(schema, name, (), [])
    _on_table(walk, stmt.relation, "trigger", stmt.trigname)
    if stmt.HasField("when_clause"):
        scope = walk.table_scope(stmt.relation)
        target = next(iter(scope.items[0].tables()))
        scope.named.update(old=target, new=target)
        walk.expr(stmt.when_clause, scope)
    walk.sinks_known = False


def create_rule(walk: Statement, node: pb.Node) -> None:
    """CREATE RULE: rewrites statements on a table into others; what they do is judged nowhere else."""
    stmt = node.rule_stmt
    walk.tag = "CREATE RULE"
    _on_table(walk, stmt.relation, "rule", stmt.rulename)
    walk.sinks_known = walk.used_known = False


def create_policy(walk: Statement, node: pb.Node) -> None:
    """CREATE POLICY: row security on a table."""
    stmt = node.create_policy_stmt
    walk.tag = "CREATE POLICY"
    _on_table(walk, stmt.table, "policy", stmt.policy_name)
    walk.fragments(stmt, walk.table_scope(stmt.table))


def alter_policy(walk: Statement, node: pb.Node) -> None:
    """ALTER POLICY: row security on a table."""
    stmt = node.alter_policy_stmt
    walk.tag = "ALTER POLICY"
    table = walk.on_relation(Action.ALTER, stmt.table, {"object_kind": "policy"})
    walk.add(Action.ALTER, ObjectResource("policy", table.schema, f"{table.name}.{stmt.policy_name}"))
    walk.fragments(stmt, walk.table_scope(stmt.table))
    walk.changes.add(SessionChange.CATALOG)


def _on_table(walk: Statement, relation: pb.RangeVar, kind: str, name: str) -> None:
    table = walk.on_relation(Action.ALTER, relation, {"object_kind": kind})
    walk.add(Action.CREATE, ObjectResource(kind, table.schema, f"{table.name}.{name}"), {"object_kind": kind})
    walk.changes.add(SessionChange.CATALOG)


def create_sequence(walk: Statement, node: pb.Node) -> None:
    """CREATE SEQUENCE."""
    walk.tag = "CREATE SEQUENCE"
    resource = walk.new_relation(node.create_seq_stmt.sequence, "sequence")
    walk.add(Action.CREATE, resource, {"object_kind": "sequence", "temporary": resource.kind == "temp"})
    walk.changes.add(SessionChange.CATALOG)


def create_schema(walk: Statement, node: pb.Node) -> None:
    """CREATE SCHEMA with the statements in it."""
    stmt = node.create_schema_stmt
    name = stmt.schemaname or stmt.authrole.rolename
    walk.add(Action.CREATE, SchemaResource(name), {"object_kind": "schema"})
    path, walk.state.path = walk.state.path, None
    for element in stmt.schema_elts:
        walk.statement(element)
    walk.state.path = path
    walk.tag = "CREATE SCHEMA"
    walk.changes.add(SessionChange.CATALOG)


def create_domain(walk: Statement, node: pb.Node) -> None:
    """CREATE DOMAIN with its default and checks."""
    walk.tag = "CREATE DOMAIN"
    _create(walk, "domain", names.strings(node.create_domain_stmt.domainname))
    walk.fragments(node.create_domain_stmt, walk.table_scope(None))


def define(walk: Statement, node: pb.Node) -> None:
    """CREATE AGGREGATE, OPERATOR, TYPE, COLLATION, TEXT SEARCH …: what an operator does is a function's body."""
    stmt = node.define_stmt
    kind = kind_word(stmt.kind)
    walk.tag = f"CREATE {kind.upper().replace('_', ' ')}"
    parts = names.strings(stmt.defnames)
    if stmt.kind == pb.OBJECT_AGGREGATE:
        schema, name = names.qualified(parts)
        walk.add(Action.CREATE, FunctionResource(schema or walk.state.creation_schema(), name), {"object_kind": kind})
        walk.changes.add(SessionChange.CATALOG)
    else:
        _create(walk, kind, parts)
    walk.sinks_known = False


def create_statistics(walk: Statement, node: pb.Node) -> None:
    """CREATE STATISTICS: samples of values, which land in the catalog."""
    stmt = node.create_stats_stmt
    walk.tag = "CREATE STATISTICS"
    _create(walk, "statistics", names.strings(stmt.defnames))
    for relation in stmt.relations:
        if relation.WhichOneof("node") == "range_var":
            walk.on_relation(Action.ALTER, relation.range_var, {"object_kind": "statistics"})
            walk.fragments(stmt, walk.table_scope(relation.range_var))


def _create(walk: Statement, kind: str, parts: list[str]) -> None:
    schema, name = names.qualified(parts)
    resource: Resource = ObjectResource(kind, schema or walk.state.creation_schema(), name)
    walk.add(Action.CREATE, resource, {"object_kind": kind})
    walk.changes.add(SessionChange.CATALOG)


def simple(kind: str, tag: str, name_of: Callable[[pb.Node], list[str]]) -> Callable[[Statement, pb.Node], None]:
    """The handler of a CREATE that only makes an object with a name."""

    def create_simple(walk: Statement, node: pb.Node) -> None:
        walk.tag = tag
        _create(walk, kind, name_of(node))

    create_simple.__doc__ = f"{tag}."
    return create_simple


create_type = simple(
    "type", "CREATE TYPE", lambda node: name_parts(pb.Node(range_var=node.composite_type_stmt.typevar))
)
create_enum = simple("type", "CREATE TYPE", lambda node: names.strings(node.create_enum_stmt.type_name))
create_range = simple("type", "CREATE TYPE", lambda node: names.strings(node.create_range_stmt.type_name))
create_opclass = simple(
    "opclass", "CREATE OPERATOR CLASS", lambda node: names.strings(node.create_op_class_stmt.opclassname)
)
create_opfamily = simple(
    "opfamily", "CREATE OPERATOR FAMILY", lambda node: names.strings(node.create_op_family_stmt.opfamilyname)
)
