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
from interpose.analysis.sql.function_columns import columns_of_call
from interpose.analysis.sql.functions import SYSTEM_COPIES, SYSTEM_DEFINITIONS
from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage, combine
from interpose.analysis.sql.scope import Aliased, FromItem, Join, Scope, Table, distinct
from interpose.model.analysis import DEFINITION
from interpose.model.catalog import Behind, Relation
from interpose.model.resources import ColumnResource, TableResource

_PARTITION_BOUNDS: Final = ("pg_class", "relpartbound")
"""Of a table that is partitioned by the values of a column, these are such values."""

SYSTEM_SCHEMAS: Final = frozenset({"pg_catalog", "information_schema", "pg_toast"})

_RESOURCE_KINDS: Final = {"view": "view", "matview": "matview", "foreign": "foreign", "sequence": "sequence"}


def table_resource(relation: Relation) -> TableResource:
    """The resource of a relation that the catalog knows."""
    kind = "temp" if relation.temporary else _RESOURCE_KINDS.get(relation.kind, "table")
    return TableResource(relation.schema_shown, relation.name, kind)


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
                table = self.derived(alias, common.columns, scope, renamed)
                if rangevar.relname not in scope.common:
                    table.unshown = common.added
                return table
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
        table.ruled = relation.ruled and relation.schema not in SYSTEM_SCHEMAS
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
        """The lineage of a relation's column: itself, its inheritance parents', and what a view or a generated column computes it from."""
        schema, name = relation.schema_shown, relation.name
        behind: dict[str, Lineage] | None = None
        is_view = relation.kind in ("view", "matview") and schema not in SYSTEM_SCHEMAS
        if is_view:
            behind = self.view_columns(relation)
        computed = {column.name: column.computed_from for column in relation.columns if column.generated}

        def lineage_of(column: str) -> Lineage:
            if real is not None:
                column = real[column]
            own = ColumnResource(schema, name, column)
            if schema in SYSTEM_SCHEMAS or (name, column) in SYSTEM_COPIES:
                if (name, column) in SYSTEM_DEFINITIONS:
                    return Lineage(frozenset((own, DEFINITION)))
                known = (name, column) not in SYSTEM_COPIES and (name, column) != _PARTITION_BOUNDS
                return Lineage(frozenset((own,)), known=known, direct=True)
            if is_view:
                value = (behind or {}).get(column, UNKNOWN)
                return Lineage(value.sources | {own}, known=value.known, direct=value.direct)
            names = (column, *computed.get(column, ()))
            if parents or len(names) > 1:
                tables = ((schema, name), *parents)
                return Lineage(
                    frozenset(ColumnResource(*table, each) for table in tables for each in names), direct=True
                )
            return Lineage(frozenset((own,)), direct=True)

        return lineage_of


def _range_var(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    return walk.range_var(node.range_var, scope)


def _range_subselect(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    item = node.range_subselect
    columns = walk.query(item.subquery, scope if item.lateral else _outside(scope))
    renamed = names.strings(item.alias.colnames)
    if columns is not None or walk.partial is None or renamed:
        bound = walk.bound
        table = walk.derived(item.alias.aliasname, columns, scope, renamed)
        table.rest = bound if columns is None else table.rest
        return table
    # A name that is known means that column: were there another of the name, the server would call it ambiguous.
    known, rest = walk.partial
    table = walk.derived(item.alias.aliasname, known, scope)
    table.open, table.rest = True, rest
    return table


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
            others = {name for name, _ in right.columns_of()}
            merged = tuple(name for name, _ in left.columns_of() if name in others)
        if merged:
            walk.behind(Behind.OPERATOR, None, "=", CONSTANT)
        for name in merged:
            for table, column in Join(left, right, (name,)).find(name):
                value = table.read(column)
                walk.infers(value)
                walk.used_known = walk.used_known and (value.known or column in table.columns)
        blurred = join.is_natural and (left.is_open() or right.is_open())
        if blurred:
            # Which columns are compared is not known.
            walk.used_known = False
        whole = Join(left, right, merged, _showing(join, left, right), blurred=blurred)
        if join.HasField("quals"):
            # ON sees the two sides and the levels around, not what stands before them in FROM.
            before, scope.items = scope.items, [whole]
            walk.expr(join.quals, scope)
            scope.items = before
        left = whole
        if join.HasField("join_using_alias"):
            walk_alias = join.join_using_alias.aliasname
            left = Aliased(whole, _alias_of(walk, whole, walk_alias, scope, len(merged)))
        if join.HasField("alias"):
            renamed = names.strings(join.alias.colnames)
            left = _alias_of(walk, whole, join.alias.aliasname, scope, renamed=renamed)
    del scope.items[mark:]
    return left


def _showing(join: pb.JoinExpr, left: FromItem, right: FromItem) -> tuple[FromItem, ...]:
    """The sides whose values a merged column has."""
    if join.jointype == pb.JOIN_LEFT:
        return (left,)
    return (right,) if join.jointype == pb.JOIN_RIGHT else (left, right)


def _alias_of(
    walk: FromClause,
    join: Join,
    alias: str,
    scope: Scope,
    first: int | None = None,
    renamed: list[str] | None = None,
) -> Table:
    """A join, or its `first` columns, under a name of its own. What it shows counts as read when it is read."""
    if renamed and join.is_open():
        # Which column stands where cannot be told.
        return walk.derived(alias, None, scope)
    behind: dict[str, list[tuple[Table, str]]] = {}
    for index, (name, found) in enumerate(join.columns_of()[:first]):
        if renamed and index < len(renamed):
            name = renamed[index]
        behind[distinct(name, behind)] = found
    return Table(
        alias,
        dict.fromkeys(behind),
        scope.level,
        walk.read_log,
        lineage_of=lambda column: read_any(behind[column]),
        open_=join.is_open() and first is None,
    )


def read_any(found: list[tuple[Table, str]]) -> Lineage:
    """Read a column that shows one of these table columns."""
    if len(found) == 1:
        return found[0][0].read(found[0][1])
    return combine([table.read(column) for table, column in found]) if found else UNKNOWN


def _range_function(walk: FromClause, node: pb.Node, scope: Scope) -> FromItem:
    """Functions in FROM: columns are named by the alias, a definition list, or the function; often not all are known.

    INVARIANT: a column that is only likely is not named here. A name that the function does not have after all means a column
    of a level around.
    """
    item = node.range_function
    alias = item.alias.aliasname if item.HasField("alias") else ""
    renamed = names.strings(item.alias.colnames) if item.HasField("alias") else []
    values: list[Lineage] = []
    listed: list[str] | None = []
    function = ""
    for entry in item.functions:
        call = entry.list.items[0]
        values.append(walk.expr(call, scope))
        function = names.dotted(call.func_call.funcname)[1] or (call.WhichOneof("node") or "")
        found = columns_of_call(call.func_call, alias if len(item.functions) == 1 else "")
        listed = None if listed is None or found is None else [*listed, *found]
    value = combine(values)
    if item.coldeflist:
        return walk.derived(alias, [(part.column_def.colname, value) for part in item.coldeflist], scope)
    ordinality = [("ordinality", CONSTANT)] if item.ordinality else []
    if listed is not None and value.known:
        columns = [*((name, value) for name in listed), *ordinality]
        return walk.derived(alias or function, columns, scope, renamed)
    table = walk.derived(alias or function, [(name, value) for name in renamed] or ordinality, scope)
    # A function may give more columns than are named here: they are computed from its arguments like the others.
    table.rest = value
    table.open = True
    return table


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
