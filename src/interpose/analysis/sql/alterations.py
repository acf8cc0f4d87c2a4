"""ALTER, DROP, RENAME, COMMENT, GRANT and REVOKE: what changes or ends objects that exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names
from interpose.analysis.sql.objects import belongs_to_table, by_parts, existing, kind_word, name_parts, table_of
from interpose.analysis.sql.session_statements import set_role_of
from interpose.analysis.sql.statement import Statement
from interpose.model.actions import Action
from interpose.model.analysis import FactValue, SessionChange
from interpose.model.resources import (
    ColumnResource,
    ConnectionResource,
    ObjectResource,
    Resource,
    RoleResource,
    SchemaResource,
    TableResource,
)

_SERVER_OBJECTS = frozenset(
    {
        pb.OBJECT_ACCESS_METHOD,
        pb.OBJECT_DATABASE,
        pb.OBJECT_EVENT_TRIGGER,
        pb.OBJECT_EXTENSION,
        pb.OBJECT_FDW,
        pb.OBJECT_FOREIGN_SERVER,
        pb.OBJECT_LANGUAGE,
        pb.OBJECT_PARAMETER_ACL,
        pb.OBJECT_PUBLICATION,
        pb.OBJECT_ROLE,
        pb.OBJECT_SUBSCRIPTION,
        pb.OBJECT_TABLESPACE,
        pb.OBJECT_USER_MAPPING,
    }
)
"""Objects that reach beyond one database's own schemas: touching them administers the server as well."""


def touch(
    walk: Statement, action: Action, kind: int, parts: list[str], more: dict[str, FactValue] | None = None
) -> None:
    """An action on an object that exists; on its table, too, where it is a part of one."""
    resource, facts = by_parts(walk, kind, parts)
    facts.update(more or {})
    walk.add(action, resource, facts)
    if belongs_to_table(kind):
        walk.add(Action.ALTER, table_of(walk, parts), facts)
    if kind in _SERVER_OBJECTS:
        walk.add(Action.ADMINISTER_SERVER, resource, facts)


def drop(walk: Statement, node: pb.Node) -> None:
    """DROP of anything but roles, databases, tablespaces, subscriptions and user mappings."""
    stmt = node.drop_stmt
    walk.tag = f"DROP {kind_word(stmt.remove_type).upper().replace('_', ' ')}"
    facts: dict[str, FactValue] = {"cascade": stmt.behavior == pb.DROP_CASCADE, "if_exists": stmt.missing_ok}
    for item in stmt.objects:
        touch(walk, Action.DROP, stmt.remove_type, name_parts(item), facts)
    walk.changes.add(SessionChange.CATALOG)


def truncate(walk: Statement, node: pb.Node) -> None:
    """TRUNCATE of each table."""
    stmt = node.truncate_stmt
    walk.tag = "TRUNCATE"
    for relation in stmt.relations:
        facts: dict[str, FactValue] = {"cascade": stmt.behavior == pb.DROP_CASCADE, "has_where": False}
        walk.on_relation(Action.TRUNCATE, relation.range_var, facts)


def alter_table(walk: Statement, node: pb.Node) -> None:
    """ALTER TABLE, INDEX, VIEW, SEQUENCE … with all their commands."""
    stmt = node.alter_table_stmt
    kind = kind_word(stmt.objtype)
    walk.tag = f"ALTER {kind.upper().replace('_', ' ')}"
    facts: dict[str, FactValue] = {"object_kind": kind, "if_exists": stmt.missing_ok}
    columns: dict[str, None] = {}
    cascade = False
    for item in stmt.cmds:
        command = item.alter_table_cmd
        cascade = cascade or command.behavior == pb.DROP_CASCADE
        name = command.name or getattr(command, "def").column_def.colname
        if name:
            columns[name] = None
    facts.update(cascade=cascade, columns=tuple(columns))
    if stmt.objtype == pb.OBJECT_INDEX:
        schema = stmt.relation.schemaname or walk.state.creation_schema()
        walk.add(Action.ALTER, ObjectResource("index", schema, stmt.relation.relname), facts)
    elif stmt.objtype == pb.OBJECT_TYPE:
        walk.add(Action.ALTER, ObjectResource("type", stmt.relation.schemaname, stmt.relation.relname), facts)
    else:
        table = walk.on_relation(Action.ALTER, stmt.relation, facts)
        for item in stmt.cmds:
            _alter_table_command(walk, item.alter_table_cmd, stmt.relation, table)
    walk.changes.add(SessionChange.CATALOG)


def _alter_table_command(
    walk: Statement, command: pb.AlterTableCmd, relation: pb.RangeVar, table: TableResource
) -> None:
    if command.HasField("newowner"):
        walk.add(Action.GRANT, set_role_of(walk, command.newowner), {"object_kind": "owner"})
    definition = getattr(command, "def")
    kind = definition.WhichOneof("node")
    if kind == "range_var":
        walk.on_relation(Action.ALTER, definition.range_var, {"object_kind": "table"})
    elif kind == "partition_cmd":
        walk.on_relation(Action.ALTER, definition.partition_cmd.name, {"object_kind": "table"})
    elif kind is not None:
        value = walk.fragments(pb.List(items=[definition]), walk.table_scope(relation))
        if command.subtype != pb.AT_AddConstraint:
            # A generated column or a rewrite with USING: what it is computed from flows into the table.
            walk.stores(value, ColumnResource(table.schema, table.name, command.name))


def rename(walk: Statement, node: pb.Node) -> None:
    """ALTER … RENAME: the object changes its name, or a part of a table does."""
    stmt = node.rename_stmt
    kind = stmt.rename_type
    walk.tag = f"ALTER {kind_word(kind).upper().replace('_', ' ')}"
    facts: dict[str, FactValue] = {"if_exists": stmt.missing_ok}
    if stmt.HasField("relation"):
        _alter_relation(walk, stmt.relation, kind, facts)
    elif stmt.HasField("object"):
        touch(walk, Action.ALTER, kind, name_parts(stmt.object), facts)
    else:
        touch(walk, Action.ALTER, kind, [stmt.subname], facts)
    walk.changes.add(SessionChange.CATALOG)


def set_schema(walk: Statement, node: pb.Node) -> None:
    """ALTER … SET SCHEMA: the object goes where other rules may hold, so that schema is altered, too."""
    stmt = node.alter_object_schema_stmt
    walk.tag = f"ALTER {kind_word(stmt.object_type).upper().replace('_', ' ')}"
    _alter_either(walk, stmt, stmt.object_type)
    walk.add(Action.ALTER, SchemaResource(stmt.newschema), {"object_kind": "schema"})
    walk.changes.add(SessionChange.CATALOG)


def set_owner(walk: Statement, node: pb.Node) -> None:
    """ALTER … OWNER TO: hands the object over, which is a grant of everything on it."""
    stmt = node.alter_owner_stmt
    walk.tag = f"ALTER {kind_word(stmt.object_type).upper().replace('_', ' ')}"
    _alter_either(walk, stmt, stmt.object_type)
    walk.add(Action.GRANT, set_role_of(walk, stmt.newowner), {"object_kind": "owner"})
    walk.changes.add(SessionChange.CATALOG)


def set_depends(walk: Statement, node: pb.Node) -> None:
    """ALTER … DEPENDS ON EXTENSION."""
    stmt = node.alter_object_depends_stmt
    walk.tag = f"ALTER {kind_word(stmt.object_type).upper().replace('_', ' ')}"
    _alter_either(walk, stmt, stmt.object_type)
    walk.changes.add(SessionChange.CATALOG)


def _alter_either(
    walk: Statement, stmt: pb.AlterObjectSchemaStmt | pb.AlterOwnerStmt | pb.AlterObjectDependsStmt, kind: int
) -> None:
    if stmt.HasField("relation"):
        _alter_relation(walk, stmt.relation, kind, {})
    else:
        touch(walk, Action.ALTER, kind, name_parts(stmt.object))


def _alter_relation(walk: Statement, relation: pb.RangeVar, kind: int, facts: dict[str, FactValue]) -> None:
    given: dict[str, FactValue] = {"object_kind": kind_word(kind), **facts}
    if kind == pb.OBJECT_INDEX:
        schema = relation.schemaname or walk.state.creation_schema()
        walk.add(Action.ALTER, ObjectResource("index", schema, relation.relname), given)
    else:
        walk.on_relation(Action.ALTER, relation, given)


def altered(kind: str, tag: str, name_of: Callable[[pb.Node], list[str]]) -> Callable[[Statement, pb.Node], None]:
    """The handler of an ALTER of something that is known by kind and name only."""

    def alter_named(walk: Statement, node: pb.Node) -> None:
        walk.tag = tag
        schema, name = names.qualified(name_of(node))
        resource = ObjectResource(kind, schema or "", name)
        walk.add(Action.ALTER, resource, {"object_kind": kind})
        walk.fragments(node, walk.table_scope(None))
        walk.changes.add(SessionChange.CATALOG)

    alter_named.__doc__ = f"{tag}."
    return alter_named


def alter_sequence(walk: Statement, node: pb.Node) -> None:
    """ALTER SEQUENCE."""
    walk.tag = "ALTER SEQUENCE"
    walk.on_relation(Action.ALTER, node.alter_seq_stmt.sequence, {"object_kind": "sequence"})
    walk.changes.add(SessionChange.CATALOG)


def comment(walk: Statement, node: pb.Node) -> None:
    """COMMENT ON: a text that everybody can read."""
    stmt = node.comment_stmt
    walk.tag = "COMMENT"
    resource, facts = existing(walk, stmt.objtype, stmt.object)
    walk.add(Action.COMMENT, resource, facts)


def security_label(walk: Statement, node: pb.Node) -> None:
    """SECURITY LABEL ON: what a label provider makes of it is the server's business."""
    stmt = node.sec_label_stmt
    walk.tag = "SECURITY LABEL"
    resource, facts = existing(walk, stmt.objtype, stmt.object)
    walk.add(Action.ALTER, resource, facts)
    walk.add(Action.ADMINISTER_SERVER, resource, facts)


def grant(walk: Statement, node: pb.Node) -> None:
    """GRANT and REVOKE of privileges on objects."""
    _grant(walk, node.grant_stmt)


def _grant(walk: Statement, stmt: pb.GrantStmt) -> None:
    action = Action.GRANT if stmt.is_grant else Action.REVOKE
    walk.tag = action.value.upper()
    privileges = tuple(sorted(item.access_priv.priv_name or "all" for item in stmt.privileges)) or ("all",)
    facts: dict[str, FactValue] = {"object_kind": kind_word(stmt.objtype), "columns": _columns(stmt.privileges)}
    facts["set_value"] = ",".join(privileges)
    if stmt.targtype == pb.ACL_TARGET_OBJECT:
        for item in stmt.objects:
            touch(walk, action, stmt.objtype, name_parts(item), facts)
    elif stmt.targtype == pb.ACL_TARGET_ALL_IN_SCHEMA:
        for item in stmt.objects:
            walk.add(action, SchemaResource(item.string.sval), facts)
    else:
        walk.add(action, ConnectionResource(), facts)
    for grantee in stmt.grantees:
        walk.add(action, set_role_of(walk, grantee.role_spec), facts)


def _columns(privileges: Iterable[pb.Node]) -> tuple[str, ...]:
    return tuple(column for item in privileges for column in names.strings(item.access_priv.cols))


def default_privileges(walk: Statement, node: pb.Node) -> None:
    """ALTER DEFAULT PRIVILEGES: a grant on what will be made later."""
    _grant(walk, node.alter_default_privileges_stmt.action)
    walk.tag = "ALTER DEFAULT PRIVILEGES"


def grant_role(walk: Statement, node: pb.Node) -> None:
    """GRANT and REVOKE of roles."""
    stmt = node.grant_role_stmt
    action = Action.GRANT if stmt.is_grant else Action.REVOKE
    walk.tag = f"{action.value.upper()} ROLE"
    for item in stmt.granted_roles:
        walk.add(action, RoleResource(item.access_priv.priv_name), {"object_kind": "role"})
    for item in stmt.grantee_roles:
        walk.add(action, set_role_of(walk, item.role_spec), {"object_kind": "role"})


def owned(walk: Statement, node: pb.Node) -> None:
    """DROP OWNED and REASSIGN OWNED: everything that a role has, in one stroke."""
    dropping = node.WhichOneof("node") == "drop_owned_stmt"
    walk.tag = "DROP OWNED" if dropping else "REASSIGN OWNED"
    roles = node.drop_owned_stmt.roles if dropping else node.reassign_owned_stmt.roles
    for item in roles:
        resource: Resource = set_role_of(walk, item.role_spec)
        walk.add(Action.DROP if dropping else Action.ALTER, resource, {"object_kind": "owned"})
        walk.add(Action.ADMINISTER_SERVER, resource, {"object_kind": "owned"})
    walk.changes.add(SessionChange.CATALOG)
