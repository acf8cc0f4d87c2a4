"""Every statement kind of the grammar: how it is walked, or that it is deliberately not understood.

A test compares this table with the grammar's own list, so that a new grammar cannot bring a statement that nobody looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import alterations, copy_statements, definitions, names, server_statements
from interpose.analysis.sql import session_statements as session
from interpose.analysis.sql.statement import QUERY_TAGS, Statement

Handler = Callable[[Statement, pb.Node], None]


def _query(walk: Statement, node: pb.Node) -> None:
    walk.run_query(node)


_altered = alterations.altered

STATEMENTS: Final[dict[str, Handler]] = {
    **dict.fromkeys(QUERY_TAGS, _query),
    "copy_stmt": copy_statements.copy,
    "create_table_as_stmt": copy_statements.create_table_as,
    "view_stmt": copy_statements.create_view,
    "explain_stmt": copy_statements.explain,
    "transaction_stmt": session.transaction,
    "variable_set_stmt": session.set_variable,
    "variable_show_stmt": session.show,
    "discard_stmt": session.discard,
    "constraints_set_stmt": session.constraints_set,
    "prepare_stmt": session.prepare,
    "execute_stmt": session.execute,
    "deallocate_stmt": session.deallocate,
    "declare_cursor_stmt": session.declare_cursor,
    "fetch_stmt": session.fetch,
    "close_portal_stmt": session.close_portal,
    "notify_stmt": session.notify,
    "listen_stmt": session.listen,
    "unlisten_stmt": session.unlisten,
    "do_stmt": session.do_block,
    "call_stmt": session.call,
    "create_stmt": definitions.create_table,
    "create_foreign_table_stmt": definitions.create_foreign_table,
    "index_stmt": definitions.create_index,
    "create_function_stmt": definitions.create_function,
    "alter_function_stmt": definitions.alter_function,
    "create_trig_stmt": definitions.create_trigger,
    "rule_stmt": definitions.create_rule,
    "create_policy_stmt": definitions.create_policy,
    "alter_policy_stmt": definitions.alter_policy,
    "create_seq_stmt": definitions.create_sequence,
    "create_schema_stmt": definitions.create_schema,
    "create_domain_stmt": definitions.create_domain,
    "define_stmt": definitions.define,
    "create_stats_stmt": definitions.create_statistics,
    "composite_type_stmt": definitions.create_type,
    "create_enum_stmt": definitions.create_enum,
    "create_range_stmt": definitions.create_range,
    "create_op_class_stmt": definitions.create_opclass,
    "create_op_family_stmt": definitions.create_opfamily,
    "drop_stmt": alterations.drop,
    "truncate_stmt": alterations.truncate,
    "alter_table_stmt": alterations.alter_table,
    "rename_stmt": alterations.rename,
    "alter_object_schema_stmt": alterations.set_schema,
    "alter_owner_stmt": alterations.set_owner,
    "alter_object_depends_stmt": alterations.set_depends,
    "alter_seq_stmt": alterations.alter_sequence,
    "comment_stmt": alterations.comment,
    "sec_label_stmt": alterations.security_label,
    "grant_stmt": alterations.grant,
    "grant_role_stmt": alterations.grant_role,
    "alter_default_privileges_stmt": alterations.default_privileges,
    "drop_owned_stmt": alterations.owned,
    "reassign_owned_stmt": alterations.owned,
    "alter_domain_stmt": _altered(
        "domain", "ALTER DOMAIN", lambda node: names.strings(node.alter_domain_stmt.type_name)
    ),
    "alter_enum_stmt": _altered("type", "ALTER TYPE", lambda node: names.strings(node.alter_enum_stmt.type_name)),
    "alter_type_stmt": _altered("type", "ALTER TYPE", lambda node: names.strings(node.alter_type_stmt.type_name)),
    "alter_stats_stmt": _altered(
        "statistics", "ALTER STATISTICS", lambda node: names.strings(node.alter_stats_stmt.defnames)
    ),
    "alter_collation_stmt": _altered(
        "collation", "ALTER COLLATION", lambda node: names.strings(node.alter_collation_stmt.collname)
    ),
    "alter_operator_stmt": _altered(
        "operator", "ALTER OPERATOR", lambda node: names.strings(node.alter_operator_stmt.opername.objname)
    ),
    "alter_op_family_stmt": _altered(
        "opfamily", "ALTER OPERATOR FAMILY", lambda node: names.strings(node.alter_op_family_stmt.opfamilyname)
    ),
    "alter_tsdictionary_stmt": _altered(
        "tsdictionary",
        "ALTER TEXT SEARCH DICTIONARY",
        lambda node: names.strings(node.alter_tsdictionary_stmt.dictname),
    ),
    "alter_tsconfiguration_stmt": _altered(
        "tsconfiguration",
        "ALTER TEXT SEARCH CONFIGURATION",
        lambda node: names.strings(node.alter_tsconfiguration_stmt.cfgname),
    ),
    "lock_stmt": server_statements.lock,
    "vacuum_stmt": server_statements.vacuum,
    "cluster_stmt": server_statements.cluster,
    "reindex_stmt": server_statements.reindex,
    "refresh_mat_view_stmt": server_statements.refresh,
    "check_point_stmt": server_statements.checkpoint,
    "load_stmt": server_statements.load,
    "alter_system_stmt": server_statements.alter_system,
    "alter_role_set_stmt": server_statements.alter_role_set,
    "alter_database_set_stmt": server_statements.alter_database_set,
    "alter_role_stmt": server_statements.alter_role,
    "drop_role_stmt": server_statements.drop_role,
    "import_foreign_schema_stmt": server_statements.import_foreign_schema,
    "create_publication_stmt": server_statements.create_publication,
    "alter_publication_stmt": server_statements.alter_publication,
    "create_cast_stmt": server_statements.create_cast,
    "create_conversion_stmt": server_statements.create_conversion,
    **server_statements.SIMPLE,
}
"""How each statement kind is walked, by the name of its field in `pg_query.Node`."""

NEVER_AT_TOP: Final = frozenset(
    {
        "raw_stmt",
        "set_operation_stmt",
        "return_stmt",
        "plassign_stmt",
        "replica_identity_stmt",
    }
)
"""Nodes named like statements that no text parses into on its own: should one turn up, it is `unknown`."""
