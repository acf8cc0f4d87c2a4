"""Statements that maintain, lock or administer: VACUUM to ALTER SYSTEM, roles, databases, extensions, replication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names
from interpose.analysis.sql.session_statements import set_role_of, setting_arguments
from interpose.analysis.sql.statement import Statement
from interpose.model.actions import Action
from interpose.model.analysis import FactValue, SessionChange
from interpose.model.resources import (
    ConnectionResource,
    DatabaseResource,
    ObjectResource,
    Resource,
    RoleResource,
    SchemaResource,
)


def lock(walk: Statement, node: pb.Node) -> None:
    """LOCK TABLE."""
    walk.tag = "LOCK TABLE"
    for relation in node.lock_stmt.relations:
        walk.on_relation(Action.LOCK, relation.range_var)


def vacuum(walk: Statement, node: pb.Node) -> None:
    """VACUUM and ANALYZE: of tables, or of the whole database."""
    stmt = node.vacuum_stmt
    walk.tag = "VACUUM" if stmt.is_vacuumcmd else "ANALYZE"
    for item in stmt.rels:
        walk.on_relation(Action.MAINTAIN, item.vacuum_relation.relation)
    if not stmt.rels:
        walk.add(Action.MAINTAIN, ConnectionResource())


def cluster(walk: Statement, node: pb.Node) -> None:
    """CLUSTER a table, or all."""
    walk.tag = "CLUSTER"
    if node.cluster_stmt.HasField("relation"):
        walk.on_relation(Action.MAINTAIN, node.cluster_stmt.relation)
    else:
        walk.add(Action.MAINTAIN, ConnectionResource())


def reindex(walk: Statement, node: pb.Node) -> None:
    """REINDEX an index, a table, a schema or a database."""
    stmt = node.reindex_stmt
    walk.tag = "REINDEX"
    if stmt.kind == pb.REINDEX_OBJECT_TABLE:
        walk.on_relation(Action.MAINTAIN, stmt.relation)
    elif stmt.kind == pb.REINDEX_OBJECT_INDEX:
        schema = stmt.relation.schemaname or walk.state.creation_schema()
        walk.add(Action.MAINTAIN, ObjectResource("index", schema, stmt.relation.relname))
    elif stmt.kind == pb.REINDEX_OBJECT_SCHEMA:
        walk.add(Action.MAINTAIN, SchemaResource(stmt.name))
    else:
        walk.add(Action.MAINTAIN, ConnectionResource())


def refresh(walk: Statement, node: pb.Node) -> None:
    """REFRESH MATERIALIZED VIEW: copies again what its query reads."""
    stmt = node.refresh_mat_view_stmt
    walk.tag = "REFRESH MATERIALIZED VIEW"
    walk.on_relation(Action.MAINTAIN, stmt.relation, {"object_kind": "matview"})


def checkpoint(walk: Statement, node: pb.Node) -> None:
    """CHECKPOINT."""
    walk.tag = "CHECKPOINT"
    walk.add(Action.MAINTAIN, ConnectionResource())


def load(walk: Statement, node: pb.Node) -> None:
    """LOAD: a shared library into the server's process."""
    walk.tag = "LOAD"
    resource = ObjectResource("library", "", node.load_stmt.filename)
    walk.add(Action.ADMINISTER_SERVER, resource)
    walk.changes.add(SessionChange.OPAQUE)


def alter_system(walk: Statement, node: pb.Node) -> None:
    """ALTER SYSTEM SET."""
    stmt = node.alter_system_stmt.setstmt
    walk.tag = "ALTER SYSTEM"
    setting_arguments(walk, stmt)
    walk.add(Action.ADMINISTER_SERVER, ConnectionResource(), {"object_kind": "setting"})


def alter_role_set(walk: Statement, node: pb.Node) -> None:
    """ALTER ROLE … SET: takes effect at the next login; pinned settings stay pinned."""
    stmt = node.alter_role_set_stmt
    walk.tag = "ALTER ROLE"
    setting_arguments(walk, stmt.setstmt)
    resource = set_role_of(walk, stmt.role) if stmt.HasField("role") else RoleResource("all")
    _administer(walk, Action.ALTER, resource, "role")


def alter_database_set(walk: Statement, node: pb.Node) -> None:
    """ALTER DATABASE … SET: takes effect at the next login; pinned settings stay pinned."""
    stmt = node.alter_database_set_stmt
    walk.tag = "ALTER DATABASE"
    setting_arguments(walk, stmt.setstmt)
    _administer(walk, Action.ALTER, DatabaseResource(stmt.dbname), "database")


def alter_role(walk: Statement, node: pb.Node) -> None:
    """ALTER ROLE … options."""
    walk.tag = "ALTER ROLE"
    _administer(walk, Action.ALTER, set_role_of(walk, node.alter_role_stmt.role), "role")


def drop_role(walk: Statement, node: pb.Node) -> None:
    """DROP ROLE, USER, GROUP."""
    walk.tag = "DROP ROLE"
    for item in node.drop_role_stmt.roles:
        _administer(walk, Action.DROP, set_role_of(walk, item.role_spec), "role")


def import_foreign_schema(walk: Statement, node: pb.Node) -> None:
    """IMPORT FOREIGN SCHEMA: makes foreign tables in a schema."""
    stmt = node.import_foreign_schema_stmt
    walk.tag = "IMPORT FOREIGN SCHEMA"
    walk.add(Action.CREATE, SchemaResource(stmt.local_schema), {"object_kind": "foreign_table"})
    _administer(walk, Action.ALTER, ObjectResource("foreign_server", "", stmt.server_name), "foreign_server")


def create_publication(walk: Statement, node: pb.Node) -> None:
    """CREATE PUBLICATION: whoever subscribes gets the rows of its tables."""
    walk.tag = "CREATE PUBLICATION"
    stmt = node.create_publication_stmt
    _administer(walk, Action.CREATE, ObjectResource("publication", "", stmt.pubname), "publication")
    walk.sinks_known = False


def alter_publication(walk: Statement, node: pb.Node) -> None:
    """ALTER PUBLICATION: as CREATE PUBLICATION."""
    walk.tag = "ALTER PUBLICATION"
    name = node.alter_publication_stmt.pubname
    _administer(walk, Action.ALTER, ObjectResource("publication", "", name), "publication")
    walk.sinks_known = False


def _administer(walk: Statement, action: Action, resource: Resource, kind: str) -> None:
    facts: dict[str, FactValue] = {"object_kind": kind}
    walk.add(action, resource, facts)
    walk.add(Action.ADMINISTER_SERVER, resource, facts)
    walk.changes.add(SessionChange.CATALOG)


def administered(
    action: Action, kind: str, tag: str, name_of: Callable[[pb.Node], str]
) -> Callable[[Statement, pb.Node], None]:
    """The handler of a statement about an object of the server that is known by kind and name only."""

    def administer(walk: Statement, node: pb.Node) -> None:
        walk.tag = tag
        name = name_of(node)
        resource: Resource = ObjectResource(kind, "", name)
        if kind == "role":
            resource = RoleResource(name)
        elif kind == "database":
            resource = DatabaseResource(name)
        _administer(walk, action, resource, kind)

    administer.__doc__ = f"{tag}."
    return administer


def _field(statement: str, field: str) -> Callable[[pb.Node], str]:
    def name_of(node: pb.Node) -> str:
        message = getattr(node, statement)
        assert isinstance(message, Message)
        value: object = getattr(message, field)
        return value if isinstance(value, str) else ""

    return name_of


_SIMPLE: Final[tuple[tuple[str, Action, str, str, str], ...]] = (
    ("create_role_stmt", Action.CREATE, "role", "CREATE ROLE", "role"),
    ("createdb_stmt", Action.CREATE, "database", "CREATE DATABASE", "dbname"),
    ("alter_database_stmt", Action.ALTER, "database", "ALTER DATABASE", "dbname"),
    ("alter_database_refresh_coll_stmt", Action.ALTER, "database", "ALTER DATABASE", "dbname"),
    ("dropdb_stmt", Action.DROP, "database", "DROP DATABASE", "dbname"),
    ("create_table_space_stmt", Action.CREATE, "tablespace", "CREATE TABLESPACE", "tablespacename"),
    ("alter_table_space_options_stmt", Action.ALTER, "tablespace", "ALTER TABLESPACE", "tablespacename"),
    ("alter_table_move_all_stmt", Action.ALTER, "tablespace", "ALTER TABLESPACE", "orig_tablespacename"),
    ("drop_table_space_stmt", Action.DROP, "tablespace", "DROP TABLESPACE", "tablespacename"),
    ("create_extension_stmt", Action.CREATE, "extension", "CREATE EXTENSION", "extname"),
    ("alter_extension_stmt", Action.ALTER, "extension", "ALTER EXTENSION", "extname"),
    ("alter_extension_contents_stmt", Action.ALTER, "extension", "ALTER EXTENSION", "extname"),
    ("create_fdw_stmt", Action.CREATE, "fdw", "CREATE FOREIGN DATA WRAPPER", "fdwname"),
    ("alter_fdw_stmt", Action.ALTER, "fdw", "ALTER FOREIGN DATA WRAPPER", "fdwname"),
    ("create_foreign_server_stmt", Action.CREATE, "foreign_server", "CREATE SERVER", "servername"),
    ("alter_foreign_server_stmt", Action.ALTER, "foreign_server", "ALTER SERVER", "servername"),
    ("create_user_mapping_stmt", Action.CREATE, "user_mapping", "CREATE USER MAPPING", "servername"),
    ("alter_user_mapping_stmt", Action.ALTER, "user_mapping", "ALTER USER MAPPING", "servername"),
    ("drop_user_mapping_stmt", Action.DROP, "user_mapping", "DROP USER MAPPING", "servername"),
    ("create_am_stmt", Action.CREATE, "access_method", "CREATE ACCESS METHOD", "amname"),
    ("create_plang_stmt", Action.CREATE, "language", "CREATE LANGUAGE", "plname"),
    ("create_event_trig_stmt", Action.CREATE, "event_trigger", "CREATE EVENT TRIGGER", "trigname"),
    ("alter_event_trig_stmt", Action.ALTER, "event_trigger", "ALTER EVENT TRIGGER", "trigname"),
    ("create_subscription_stmt", Action.CREATE, "subscription", "CREATE SUBSCRIPTION", "subname"),
    ("alter_subscription_stmt", Action.ALTER, "subscription", "ALTER SUBSCRIPTION", "subname"),
    ("drop_subscription_stmt", Action.DROP, "subscription", "DROP SUBSCRIPTION", "subname"),
    ("create_transform_stmt", Action.CREATE, "transform", "CREATE TRANSFORM", "lang"),
)

SIMPLE: Final = {
    statement: administered(action, kind, tag, _field(statement, field))
    for statement, action, kind, tag, field in _SIMPLE
}
"""Statements about objects of the server that need nothing but a name."""


def create_cast(walk: Statement, node: pb.Node) -> None:
    """CREATE CAST: from now on a function may run wherever a value changes its type, unseen."""
    stmt = node.create_cast_stmt
    walk.tag = "CREATE CAST"
    parts = names.strings(stmt.sourcetype.names)[-1:] + names.strings(stmt.targettype.names)[-1:]
    _administer(walk, Action.CREATE, ObjectResource("cast", "", " as ".join(parts)), "cast")


def create_conversion(walk: Statement, node: pb.Node) -> None:
    """CREATE CONVERSION: how bytes become characters."""
    walk.tag = "CREATE CONVERSION"
    schema, name = names.dotted(node.create_conversion_stmt.conversion_name)
    _administer(walk, Action.CREATE, ObjectResource("conversion", schema or "", name), "conversion")
