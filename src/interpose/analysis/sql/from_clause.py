"""FROM: tables, views, joins, sub-selects and functions in it become named columns with lineage.

Views are followed through their definitions. Does not know the rest of a query.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Final

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names
from interpose.analysis.sql.calls import Calls
from interpose.analysis.sql.expressions import Columns
from interpose.analysis.sql.functions import SYSTEM_COPIES
from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage, combine
from interpose.analysis.sql.scope import FromItem, Join, Scope, Table, distinct
from interpose.model.catalog import Relation
from interpose.model.resources import ColumnResource, TableResource

SYSTEM_SCHEMAS: Final = frozenset({"pg_catalog", "information_schema", "pg_toast"})

_RESOURCE_KINDS: Final = {"view": "view", "matview": "matview", "foreign": "foreign", "sequence": "sequence"}


def table_resource(relation: Relation) -> TableResource:
    """The resource of a relation that the catalog knows."""
    kind = "temp" if relation.temporary else _RESOURCE_KINDS.get(relation.kind, "table")
    return TableResource(relation.schema, relation.name, kind)


class FromClause(Calls):
    """Walks FROM clauses."""

    @abstractmethod
    def view_columns(self, relation: Relation) -> dict[str, Lineage] | None:
        """What a view's columns are computed from; None when that is not known."""

    def from_clause(self, nodes: Iterable[pb.Node], scope: Scope) -> None:
        """Add every item of a FROM list to the scope, in order, so that LATERAL ones see those before."""
        for node in nodes:
            scope.items.append(self._item(node, scope))

    def _item(self, node: pb.Node, scope: Scope) -> FromItem:
        kind = node.WhichOneof("node") or ""
        walk = _ITEMS.get(kind)
        if walk is None:
            self.not_understood(kind)
            return self.derived("", None, scope)
        self.enter(2)
        item = walk(self, node, scope)
        self.state.depth -= 2
        return item

    def derived(self, alias: str, columns: Columns | None, scope: Scope, renamed: list[str] | None = None) -> Table:
        """A table that is no object of the catalog; `columns` None: nothing is known of it."""
        named: dict[str, Lineage | None] = {}
        for index, (name, lineage) in enumerate(columns or ()):
            if renamed and index < len(renamed):
                name = renamed[index]
            named[distinct(name, named)] = lineage
        return Table(alias, named, scope.level, self.read_log, open_=columns is None)

    def range_var(self, rangevar: pb.RangeVar, scope: Scope) -> Table:
        """A table, view or common table expression by name."""
        alias = rangevar.alias.aliasname if rangevar.HasField("alias") else rangevar.relname
        renamed = names.strings(rangevar.alias.colnames) if rangevar.HasField("alias") else []
        if not rangevar.schemaname:
            common = scope.common_table(rangevar.relname)
            if common is not None:
                return self.derived(alias, common.columns, scope, renamed)
        return self.named_table(rangevar.schemaname or None, rangevar.relname, scope, alias, renamed)

    def named_table(
        self, schema: str | None, name: str, scope: Scope, alias: str = "", renamed: list[str] | None = None
    ) -> Table:
        """A relation of the catalog, or an unresolved name."""
        relation = self.state.relation(schema, name)
        if relation is None:
            resource = TableResource(schema or "", name, "unresolved")
            table = Table(alias or name, {}, scope.level, self.read_log, resource=resource, open_=True)
            self.used_known = False
            self.tables.append(table)
            return table
        parents = self._ancestors(relation)
        columns: dict[str, Lineage | None] = {}
        real: dict[str, str] | None = {} if renamed else None
        for index, column in enumerate(relation.columns):
            key = column.name
            if real is not None:
                key = distinct(renamed[index] if renamed and index < len(renamed) else column.name, columns)
                real[key] = column.name
            columns[key] = None
        table = Table(
            alias or name,
            columns,
            scope.level,
            self.read_log,
            resource=table_resource(relation),
            lineage_of=self._column_lineage(relation, parents, real),
            real_names=real,
        )
        table.parents = parents
        self.tables.append(table)
        return table

    def _ancestors(self, relation: Relation) -> tuple[tuple[str, str], ...]:
        """Inheritance parents and partitioned tables above, all the way up."""
        if not relation.parents:
            return ()
        found: dict[tuple[str, str], None] = dict.fromkeys(relation.parents)
        waiting = list(relation.parents)
        while waiting:
            parent = self.state.relation(*waiting.pop())
            for above in parent.parents if parent else ():
                if above not in found:
                    found[above] = None
                    waiting.append(above)
        return tuple(found)

    def _column_lineage(
        self, relation: Relation, parents: tuple[tuple[str, str], ...], real: dict[str, str] | None
    ) -> Callable[[str], Lineage]:
        """The lineage of a relation's column: itself, its inheritance parents', and what a view computes it from."""
        schema, name = relation.schema, relation.name
        behind: dict[str, Lineage] | None = None
        is_view = relation.kind in ("view", "matview") and schema not in SYSTEM_SCHEMAS
        if is_view:
            behind = self.view_columns(relation)

        def lineage_of(column: str) -> Lineage:
            if real is not None:
                column = real[column]
            own = ColumnResource(schema, name, column)
            if schema in SYSTEM_SCHEMAS or (name, column) in SYSTEM_COPIES:
                return Lineage(frozenset((own,)), known=(name, column) not in SYSTEM_COPIES, direct=True)
            if is_view:
                value = (behind or {}).get(column, UNKNOWN)
                return Lineage(value.sources | {own}, known=value.known, direct=value.direct)
            if parents:
                inherited = (ColumnResource(*parent, column) for parent in parents)
                return Lineage(frozenset((own, *inherited)), direct=True)
            return Lineage(frozenset((own,)), direct=True)

        return lineage_of


def _range_var(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    return walk.range_var(node.range_var, scope)


def _range_subselect(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    item = node.range_subselect
    columns = walk.query(item.subquery, scope if item.lateral else _outside(scope))
    return walk.derived(item.alias.aliasname, columns, scope, names.strings(item.alias.colnames))


def _outside(scope: Scope) -> Scope:
    """What a sub-select sees that is not LATERAL: the levels around and this level's common table expressions."""
    outside = Scope(scope.parent)
    outside.common = scope.common
    return outside


def _join_expr(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    """Left-nested joins are walked in a loop: only right-nesting costs depth."""
    chain: list[pb.JoinExpr] = []
    while node.WhichOneof("node") == "join_expr":
        chain.append(node.join_expr)
        node = node.join_expr.larg
    left = walk._item(node, scope)
    mark = len(scope.items)
    for join in reversed(chain):
        scope.items[mark:] = [left]
        right = walk._item(join.rarg, scope)
        merged = tuple(names.strings(join.using_clause))
        if join.is_natural:
            others = set(right.names())
            merged = tuple(name for name in left.names() if name in others)
            if left.is_open() or right.is_open():
                walk.used_known = False
        whole = Join(left, right, merged)
        for name in merged:
            for table, column in whole.find(name):
                walk.infers(table.read(column))
        if join.HasField("quals"):
            scope.items[mark:] = [whole]
            walk.expr(join.quals, scope)
        left = whole
        if join.HasField("join_using_alias"):
            walk_alias = join.join_using_alias.aliasname
            left = Join(whole, _alias_of(walk, whole, walk_alias, list(merged), scope, hidden=True), merged)
        if join.HasField("alias"):
            renamed = names.strings(join.alias.colnames)
            left = _alias_of(walk, whole, join.alias.aliasname, whole.names(), scope, renamed=renamed)
    del scope.items[mark:]
    return left


def _alias_of(
    walk: FromClause,
    join: FromItem,
    alias: str,
    columns: list[str],
    scope: Scope,
    *,
    renamed: list[str] | None = None,
    hidden: bool = False,
) -> Table:
    """A join under a name of its own. All its columns count as read: whoever names a join wants it whole."""
    found: Columns = []
    for name in columns:
        found.append((name, combine_column(join, name)))
    table = walk.derived(alias, found, scope, renamed)
    table.open = join.is_open() and not hidden
    return table


def combine_column(item: FromItem, name: str) -> Lineage:
    """The lineage of a FROM item's column; of all tables that it may come from."""
    found = item.find(name)
    if len(found) == 1:
        return found[0][0].read(found[0][1])
    return combine([table.read(column) for table, column in found]) if found else UNKNOWN


def _range_function(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    """Functions in FROM: columns are named by the alias, a definition list, or the function; often not all are known."""
    item = node.range_function
    alias = item.alias.aliasname if item.HasField("alias") else ""
    renamed = names.strings(item.alias.colnames) if item.HasField("alias") else []
    values: list[Lineage] = []
    single = len(item.functions) == 1
    function = ""
    for entry in item.functions:
        parts = entry.list.items
        values.append(walk.expr(parts[0], scope))
        kind = parts[0].WhichOneof("node")
        function = names.dotted(parts[0].func_call.funcname)[1] if kind == "func_call" else (kind or "")
    value = combine(values)
    columns = [(part.column_def.colname, value) for part in item.coldeflist]
    columns += [(name, value) for name in renamed[len(columns) :]]
    if not columns:
        columns = [(alias or function, value)]
    if item.ordinality and not renamed:
        columns.append(("ordinality", CONSTANT))
    table = walk.derived(alias or function, columns, scope)
    # A function may give more columns than are named here: they are computed from its arguments like the others.
    table.rest = value
    table.open = not (item.coldeflist or (single and value.known and function in _ONE_COLUMN))
    return table


_ONE_COLUMN: Final = frozenset(
    (
        "generate_series generate_subscripts json_array_elements json_array_elements_text json_object_keys "
        "jsonb_array_elements jsonb_array_elements_text jsonb_object_keys jsonb_path_query jsonb_path_query_tz "
        "regexp_matches regexp_split_to_table string_to_table"
    ).split()
)


def _range_table_sample(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    sample = node.range_table_sample
    item = walk._item(sample.relation, scope)
    walk.exprs(sample.args, scope)
    walk.expr(sample.repeatable, scope)
    return item


def _range_table_func(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    """XMLTABLE."""
    item = node.range_table_func
    parts = [walk.expr(item.docexpr, scope), walk.expr(item.rowexpr, scope), walk.exprs(item.namespaces, scope)]
    found: list[str] = []
    for entry in item.columns:
        column = entry.range_table_func_col
        found.append(column.colname)
        parts += [walk.expr(column.colexpr, scope), walk.expr(column.coldefexpr, scope)]
    value = combine(parts)
    renamed = names.strings(item.alias.colnames)
    return walk.derived(item.alias.aliasname or "xmltable", [(name, value) for name in found], scope, renamed)


def _json_table(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    item = node.json_table
    value = walk.fields(item, scope)
    found: list[str] = []
    waiting = list(item.columns)
    while waiting:
        column = waiting.pop(0).json_table_column
        if column.coltype == pb.JTC_NESTED:
            waiting[:0] = column.columns
        else:
            found.append(column.name)
    renamed = names.strings(item.alias.colnames)
    return walk.derived(item.alias.aliasname or "json_table", [(name, value) for name in found], scope, renamed)


_ITEMS: Final[dict[str, Callable[[FromClause, pb.Node, Scope], FromItem]]] = {
    "range_var": _range_var,
    "range_subselect": _range_subselect,
    "join_expr": _join_expr,
    "range_function": _range_function,
    "range_table_sample": _range_table_sample,
    "range_table_func": _range_table_func,
    "json_table": _json_table,
}
"""Every kind of FROM item, by the name of its field in `pg_query.Node`."""

FROM_KINDS: Final = frozenset(_ITEMS)
"""The vocabulary of FROM."""
