"""COPY, CREATE TABLE AS, SELECT INTO's like, EXPLAIN: statements that carry a query's rows elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names
from interpose.analysis.sql.expressions import Columns
from interpose.analysis.sql.scope import Scope
from interpose.analysis.sql.session_statements import execute
from interpose.analysis.sql.statement import QUERY_TAGS, Statement, columns_of, outputs_of
from interpose.model.actions import Action
from interpose.model.analysis import CopyLayout, FactValue, OutputColumn, Outputs, SessionChange
from interpose.model.resources import ConnectionResource, ObjectResource

_EXPLAIN_ALWAYS = frozenset({SessionChange.OPAQUE})
_OFF = frozenset({"off", "false", "0", "none"})
_COPY_OPTIONS = frozenset(
    (
        "format freeze delimiter null default header quote escape force_quote force_not_null force_null encoding "
        "on_error log_verbosity reject_limit"
    ).split()
)
"""Options of COPY up to PostgreSQL 18."""


def copy(walk: Statement, node: pb.Node) -> None:
    """COPY of a table or a query, to or from the client, a server's file or a server's program."""
    stmt = node.copy_stmt
    walk.tag = "COPY"
    elsewhere = bool(stmt.filename) or stmt.is_program
    if stmt.is_program:
        walk.add(Action.SERVER_PROGRAM, ObjectResource("program", "", stmt.filename))
    elif stmt.filename:
        walk.add(Action.SERVER_FILE, ObjectResource("file", "", stmt.filename))
    walk.layout = None if elsewhere else copy_layout(stmt.options)
    if stmt.is_from:
        _copy_in(walk, stmt)
        walk.copy = None if elsewhere else "in"
        return
    columns = _copied_table(walk, stmt) if stmt.HasField("relation") else _copied_query(walk, stmt.query)
    if elsewhere:
        walk.sink_columns(columns)
    else:
        walk.copy = "out"
        walk.outputs = outputs_of(columns)


def copy_layout(options: Iterable[pb.Node]) -> CopyLayout | None:
    """How COPY's options say that its data is written; None when that is not UTF-8 or not understood."""
    given = {node.def_elem.defname: node.def_elem.arg for node in options}
    if given.keys() - _COPY_OPTIONS:
        return None
    values = {name: names.setting_value(argument) for name, argument in given.items()}
    layout_format = values.get("format", "text")
    if layout_format not in ("text", "csv", "binary"):
        return None
    if values.get("encoding", "utf8").lower().replace("-", "") not in ("utf8", "unicode"):
        return None
    csv = layout_format == "csv"
    quote = values.get("quote", '"')
    layout = CopyLayout(
        format=layout_format,
        delimiter=values.get("delimiter", "," if csv else "\t"),
        null=values.get("null", "" if csv else "\\N"),
        quote=quote,
        escape=values.get("escape", quote),
        header="header" in given and values["header"].lower() not in _OFF,
    )
    marks = (layout.delimiter, layout.quote, layout.escape)
    return layout if all(len(mark) == 1 and mark.isascii() for mark in marks) else None


def _copy_in(walk: Statement, stmt: pb.CopyStmt) -> None:
    facts: dict[str, FactValue] = {}
    listed = tuple(names.strings(stmt.attlist))
    if listed:
        facts["columns"] = listed
    walk.on_relation(Action.COPY_IN, stmt.relation, facts)
    target = walk.named_table(stmt.relation.schemaname or None, stmt.relation.relname, Scope(None))
    target.target = True
    walk.writes(target, listed or target.columns)
    if stmt.HasField("where_clause"):
        walk.expr(stmt.where_clause, walk.table_scope(stmt.relation))


def _copied_table(walk: Statement, stmt: pb.CopyStmt) -> Columns | None:
    scope = Scope(None)
    table = walk.named_table(stmt.relation.schemaname or None, stmt.relation.relname, scope)
    assert table.resource is not None
    walk.write(Action.COPY_OUT, table, {})
    if table.open:
        table.read_hidden()
        return None
    listed = names.strings(stmt.attlist) or list(table.columns)
    columns: Columns = []
    for name in listed:
        if name not in table.columns:
            return None
        columns.append((name, table.read(name)))
    return columns


def _copied_query(walk: Statement, query: pb.Node) -> Columns | None:
    before = len(walk.tables)
    columns = walk.query(query, None)
    read = [table for table in walk.tables[before:] if table.resource is not None]
    for table in read:
        walk.write(Action.COPY_OUT, table, {})
    if not read:
        walk.add(Action.COPY_OUT, ConnectionResource())
    return columns


def create_table_as(walk: Statement, node: pb.Node) -> None:
    """CREATE TABLE AS, CREATE MATERIALIZED VIEW: what the query reads flows into a new relation."""
    stmt = node.create_table_as_stmt
    kind = "matview" if stmt.objtype == pb.OBJECT_MATVIEW else "table"
    walk.tag = "CREATE MATERIALIZED VIEW" if kind == "matview" else "CREATE TABLE AS"
    if stmt.query.WhichOneof("node") == "execute_stmt":
        tag = walk.tag
        execute(walk, stmt.query)
        walk.tag = tag
        columns = columns_of(walk.outputs)
        walk.outputs = None
    else:
        columns = walk.query(stmt.query, None)
    walk.create_table(stmt.into.rel, columns, kind)


def create_view(walk: Statement, node: pb.Node) -> None:
    """CREATE VIEW: computes at read time, and may then be read under another name: its columns are sinks."""
    stmt = node.view_stmt
    walk.tag = "CREATE VIEW"
    columns = walk.query(stmt.query, None)
    resource = walk.create_table(stmt.view, columns, "view")
    if stmt.replace:
        walk.add(Action.ALTER, resource, {"object_kind": "view"})


def explain(walk: Statement, node: pb.Node) -> None:
    """EXPLAIN: the plan tells of tables and statistics, so what it plans is judged with or without ANALYZE."""
    stmt = node.explain_stmt
    runs = _analyzes(stmt)
    inner = stmt.query
    if inner.WhichOneof("node") in QUERY_TAGS:
        walk.query(inner, None)
        for into in walk.intos:
            walk.create_table(into.rel, None, "table")
    else:
        walk.statement(inner)
    walk.tag = "EXPLAIN"
    walk.explain = not runs
    walk.copy = None
    walk.prepares = walk.declares = None
    if not runs:
        walk.changes &= _EXPLAIN_ALWAYS
        walk.sinks.clear()
        walk.sinks_known = True
    walk.add(Action.EXPLAIN, ConnectionResource())
    # The planner runs immutable functions on constants and prints what they answer: a user's may answer anything.
    walk.outputs = Outputs((OutputColumn("QUERY PLAN", known=not walk.runs_code),))


def _analyzes(stmt: pb.ExplainStmt) -> bool:
    """Whether ANALYZE is on; the last of several counts, and a value that is not known counts as on."""
    runs = False
    for option in stmt.options:
        if option.def_elem.defname.lower() == "analyze":
            argument = option.def_elem.arg
            word = argument.string.sval.lower() if argument.WhichOneof("node") == "string" else ""
            number = argument.integer.ival if argument.WhichOneof("node") == "integer" else 1
            runs = word not in _OFF and number != 0
    return runs
