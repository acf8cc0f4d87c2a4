"""SELECT, VALUES, set operations and WITH: a query's result columns with lineage, and what its levels say of WHERE and LIMIT.

Statements that change data may stand in WITH: `Modifications` walks them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import guard, names, tree
from interpose.analysis.sql.expressions import Columns
from interpose.analysis.sql.from_clause import FromClause, read_any
from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage, combine, either
from interpose.analysis.sql.scope import CommonTable, FromItem, Scope
from interpose.model.actions import Action
from interpose.model.analysis import Unanalysable
from interpose.model.catalog import Relation

_MOST_VIEWS_DEEP = 32
_MOST_ROUNDS = 6


class Queries(FromClause):
    """Walks queries."""

    @abstractmethod
    def modification(self, node: pb.Node, parent: Scope | None) -> Columns | None:
        """Walk an INSERT, UPDATE, DELETE or MERGE; its RETURNING columns."""

    def query(self, node: pb.Node, parent: Scope | None) -> Columns | None:
        """Walk what stands in brackets: a SELECT or, in WITH, a statement that changes data."""
        if node.WhichOneof("node") == "select_stmt":
            return self.select(node.select_stmt, parent)
        columns = self.modification(node, parent)
        self.bound, self.partial = UNKNOWN, None
        return columns

    def select(self, stmt: pb.SelectStmt, parent: Scope | None) -> Columns | None:
        """Walk one SELECT, VALUES or set operation; its columns, or None when they are not known."""
        self.enter(3)
        scope = Scope(parent)
        if stmt.HasField("with_clause"):
            self.with_clause(stmt.with_clause, scope)
        if stmt.HasField("into_clause"):
            self.intos.append(stmt.into_clause)
        columns: Columns | None
        if stmt.op not in (pb.SETOP_NONE, pb.SET_OPERATION_UNDEFINED):
            columns = self._set_operation(stmt, scope)
            self._limit(stmt, scope)
        elif stmt.values_lists:
            columns = self._values(stmt.values_lists, scope)
            self._limit(stmt, scope)
            for key in stmt.sort_clause:
                self._by_output(key.sort_by.node, columns)
        else:
            columns, bound = self._simple(stmt, scope)
            self.bound = bound
            self.state.depth -= 3
            return columns
        self.bound, self.partial = UNKNOWN, None
        self.state.depth -= 3
        return columns

    def _simple(self, stmt: pb.SelectStmt, scope: Scope) -> tuple[Columns | None, Lineage]:
        """The columns, and where their number is not known what any of them can be computed from."""
        if stmt.from_clause:
            self.from_clause(stmt.from_clause, scope)
        self.where(stmt.where_clause if stmt.HasField("where_clause") else None, scope)
        self._limit(stmt, scope)
        before = len(self.read_log)
        columns = self.targets(stmt.target_list, scope)
        bound, partial, selected = self.bound, self.partial, slice(before, len(self.read_log))
        shown = {name for name, _ in columns or ()}
        for node in stmt.group_clause:
            self._group_key(node, scope, columns, shown)
        if stmt.HasField("having_clause"):
            self.expr(stmt.having_clause, scope)
        for node in stmt.window_clause:
            self.expr(node, scope)
        for node in stmt.distinct_clause:
            self._sort_key(node, scope, columns, shown)
        for node in stmt.sort_clause:
            self._sort_key(node.sort_by.node, scope, columns, shown)
            self.sorted_by(node.sort_by, CONSTANT)
        if stmt.locking_clause:
            self._lock(stmt.locking_clause, scope)
        self.selected, self.partial = selected, partial
        return columns, bound

    def where(self, node: pb.Node | None, scope: Scope) -> None:
        """Walk WHERE and say of the level whether it has one and whether it chooses anything."""
        facts = scope.level.facts
        facts["has_where"] = node is not None
        facts["where_constant"] = node is not None and self._chooses_nothing(node, scope)

    def _chooses_nothing(self, node: pb.Node, scope: Scope) -> bool:
        """Whether a condition reads no column of its own level, so that it is the same for every row: `true`, `1 = 1`.

        `id = id` and an OR with such an arm count too. The same for a literal and a parameter.
        """
        kind = node.WhichOneof("node")
        if kind == "bool_expr":
            arms = [self._chooses_nothing(argument, scope) for argument in node.bool_expr.args]
            return any(arms) if node.bool_expr.boolop == pb.OR_EXPR else all(arms)
        before = scope.level.reads
        if kind == "current_of_expr":
            return False
        self.expr(node, scope)
        if scope.level.reads == before:
            return True
        if kind == "a_expr":
            sides = (node.a_expr.lexpr, node.a_expr.rexpr)
            if all(side.WhichOneof("node") == "column_ref" for side in sides):
                left, right = (names.strings(side.column_ref.fields) for side in sides)
                return left == right
        return False

    def _limit(self, stmt: pb.SelectStmt, scope: Scope) -> None:
        if stmt.HasField("limit_count"):
            self.state.depends_on_literals = True
            self.expr(stmt.limit_count, scope)
            count = stmt.limit_count.a_const
            if count.WhichOneof("val") == "ival":
                scope.level.facts["limit"] = count.ival.ival
        if stmt.HasField("limit_offset"):
            self.expr(stmt.limit_offset, scope)

    def targets(self, nodes: Iterable[pb.Node], scope: Scope) -> Columns | None:
        """A select list or RETURNING list; None when a `*` stands for columns that are not known.

        Of those it is often known what they are computed from (`select * from unnest($1::int[])`): then `bound` says it for all.
        """
        columns: Columns = []
        known = True
        unnamed: list[Lineage] = []
        for node in nodes:
            target = node.res_target
            starred = self._star(target.val, scope)
            if starred is None:
                columns.append((names.output_name(target), self.value(target.val, scope)))
                continue
            for item in starred:
                known = self._expand(item, columns, unnamed) and known
        rest = combine(unnamed)
        self.bound = combine([rest, *(lineage for _, lineage in columns)])
        self.partial = None if known else (columns, rest)
        return columns if known else None

    def _star(self, node: pb.Node, scope: Scope) -> list[FromItem] | None:
        """The FROM items that `*`, `t.*` or `(t).*` stands for; None when it is none of these."""
        kind = node.WhichOneof("node")
        if kind == "column_ref":
            parts = names.strings(node.column_ref.fields)
            if parts[-1] != "*":
                return None
            if len(parts) == 1:
                return list(scope.items)
            table = scope.table(parts[-2], parts[-3] if len(parts) > 2 else None)
            return [self.derived("", None, scope) if table is None else table]
        if kind == "a_indirection" and names.strings(node.a_indirection.indirection)[-1:] == ["*"]:
            whole = node.a_indirection.arg
            parts = names.strings(whole.column_ref.fields) if whole.WhichOneof("node") == "column_ref" else []
            if len(node.a_indirection.indirection) == 1 and len(parts) == 1 and not scope.has_column(parts[0]):
                table = scope.table(parts[0])
                if table is not None:
                    return [table]
            self.expr(whole, scope)
            return [self.derived("", None, scope)]
        return None

    def _expand(self, item: FromItem, columns: Columns, unnamed: list[Lineage]) -> bool:
        """Append all columns of an item; False when not all are known, and `unnamed` gets what the others are computed from."""
        columns += [(name, read_any(found)) for name, found in item.columns_of()]
        if not item.is_open():
            return True
        unnamed += [self.hidden(table) for table in item.tables() if table.open]
        return False

    def _group_key(self, node: pb.Node, scope: Scope, columns: Columns | None, shown: set[str]) -> None:
        """GROUP BY: an input column first, then an output name or number."""
        kind = node.WhichOneof("node")
        if kind == "grouping_set":
            for part in node.grouping_set.content:
                self._group_key(part, scope, columns, shown)
        elif kind == "column_ref" and len(node.column_ref.fields) == 1:
            name = names.strings(node.column_ref.fields)[0]
            self._by_output(node, columns)
            if name not in shown or scope.column(name) is not None:
                self.expr(node, scope)
        elif kind is not None:
            self._by_output(node, columns)
            self.expr(node, scope)

    def _by_output(self, node: pb.Node, columns: Columns | None) -> None:
        """A key that may be an output's name or number, or (DISTINCT alone) stands for all of them: these are compared."""
        kind = node.WhichOneof("node")
        if kind == "column_ref":
            name = names.strings(node.column_ref.fields)[-1]
            self.infers(*(lineage for shown, lineage in columns or () if shown == name))
        elif kind == "a_const":
            self.state.depends_on_literals = True
            number = node.a_const.ival.ival
            self.infers(*(lineage for _, lineage in (columns or ())[number - 1 : number]))
        elif kind is None:
            self.infers(*(lineage for _, lineage in columns or ()))

    def _sort_key(self, node: pb.Node, scope: Scope, columns: Columns | None, shown: set[str]) -> None:
        """ORDER BY and DISTINCT ON: an output name or number first, then an expression over the input."""
        self._by_output(node, columns)
        bare = node.WhichOneof("node") == "column_ref" and len(node.column_ref.fields) == 1
        if not (bare and names.strings(node.column_ref.fields)[0] in shown):
            self.expr(node, scope)

    def _lock(self, clauses: Iterable[pb.Node], scope: Scope) -> None:
        """FOR UPDATE and its like: a lock on the tables that are named, or on all of the level."""
        for clause in clauses:
            wanted = {node.range_var.relname for node in clause.locking_clause.locked_rels}
            for table in self.tables:
                if table.level is scope.level and table.resource and (not wanted or table.alias in wanted):
                    self.add(Action.LOCK, table.resource, scope.level.facts)

    def _values(self, rows: Iterable[pb.Node], scope: Scope) -> Columns:
        columns: list[Lineage] = []
        for row in rows:
            for index, node in enumerate(row.list.items):
                if index == len(columns):
                    columns.append(CONSTANT)
                if node.WhichOneof("node") == "a_const":
                    continue
                value = self.value(node, scope)
                if value is not CONSTANT:
                    columns[index] = combine((columns[index], value))
        return [(f"column{index}", lineage) for index, lineage in enumerate(columns, 1)]

    def _set_operation(self, stmt: pb.SelectStmt, scope: Scope) -> Columns | None:
        """Left-nested arms are walked in a loop: only right-nesting costs depth."""
        arms: list[pb.SelectStmt] = []
        keys: list[pb.Node] = []
        compares = False
        while True:
            keys += stmt.sort_clause
            # Only UNION ALL puts rows together without comparing them.
            compares = compares or stmt.op != pb.SETOP_UNION or not stmt.all
            arms.append(stmt.rarg)
            stmt = stmt.larg
            if stmt.op == pb.SETOP_NONE or stmt.HasField("with_clause"):
                break
            self._limit(stmt, scope)
        columns = self.select(stmt, scope)
        for arm in reversed(arms):
            right = self.select(arm, scope)
            if columns is None or right is None or len(columns) != len(right):
                columns = None
            else:
                columns = [
                    (name, either(lineage, other)) for (name, lineage), (_, other) in zip(columns, right, strict=True)
                ]
            if compares and columns is not None:
                self.infers(*(lineage for _, lineage in columns))
        for key in keys:
            self._by_output(key.sort_by.node, columns)
        return columns

    def with_clause(self, clause: pb.WithClause, scope: Scope) -> None:
        """Add common table expressions to the scope; what they do counts whether they are used or not."""
        if clause.recursive:
            for node in clause.ctes:
                name = node.common_table_expr.ctename
                scope.common[name] = CommonTable(name, None)
        for node in clause.ctes:
            expression = node.common_table_expr
            if clause.recursive:
                columns = self._recursive(expression, scope)
            else:
                columns = self._named(expression, self.query(expression.ctequery, scope))
            scope.common[expression.ctename] = CommonTable(expression.ctename, columns, len(_added(expression, {})))

    def _named(self, expression: pb.CommonTableExpr, columns: Columns | None) -> Columns | None:
        """Columns under the names of the expression's column list, with those of SEARCH and CYCLE."""
        if columns is None:
            return None
        renamed = names.strings(expression.aliascolnames)
        columns = [
            (renamed[index] if index < len(renamed) else name, lineage) for index, (name, lineage) in enumerate(columns)
        ]
        added = _added(expression, dict(columns))
        self.infers(*(lineage for _, lineage in added))
        return [*columns, *added]

    def _recursive(self, expression: pb.CommonTableExpr, scope: Scope) -> Columns | None:
        """WITH RECURSIVE: start from the first arm, then walk the whole until its lineage grows no more."""
        query = expression.ctequery
        select = query.select_stmt
        if query.WhichOneof("node") != "select_stmt" or select.op == pb.SETOP_NONE or select.HasField("with_clause"):
            return self._named(expression, self.query(query, scope))
        guess = self._named(expression, self.select(select.larg, scope))
        for _ in range(_MOST_ROUNDS):
            scope.common[expression.ctename] = CommonTable(expression.ctename, guess)
            found = self._named(expression, self.query(query, scope))
            if found is None or guess is None or len(found) != len(guess):
                return None
            grown = [
                (name, combine((lineage, before))) for (name, lineage), (_, before) in zip(found, guess, strict=True)
            ]
            if all(
                new.sources == old.sources and new.known == old.known
                for (_, new), (_, old) in zip(grown, guess, strict=True)
            ):
                return grown
            guess = grown
        return None

    def view_columns(self, relation: Relation) -> dict[str, Lineage] | None:
        """What a view's columns are computed from, by walking its definition; what that reads counts as used."""
        state = self.state
        key = (relation.schema, relation.name)
        if relation.definition is None or key in state.views or len(state.views) >= _MOST_VIEWS_DEEP:
            self.used_known = False
            return None
        # Once for each view: of views that read the one below twice, 30 would take 2^30 walks.
        again = (relation.oid, relation.definition, state.trusts_catalog)
        known = state.walked_views.get(again)
        if known is None:
            known = state.walked_views[again] = self._walk_view(key, relation.definition)
        walk, columns = known
        if walk is None:
            self.used_known = False
            return None
        self.absorb(walk)
        if columns is None or len(columns) != len(relation.columns):
            return None
        return {column.name: lineage for column, (_, lineage) in zip(relation.columns, columns, strict=True)}

    def _walk_view(self, key: tuple[str, str], definition: str) -> tuple[Queries | None, Columns | None]:
        state = self.state
        if guard.check(definition, state.limits) is not None:
            return None, None
        parsed = tree.parse(definition)
        if isinstance(parsed, Unanalysable) or len(parsed.stmts) != 1:
            return None, None
        default, literals = state.default_schema, state.depends_on_literals
        state.default_schema = "pg_catalog"
        state.views.append(key)
        walk = type(self)(state)
        # What is nested around it does not count against a view, which nobody can write flatter; how many there are is bounded.
        depth, state.depth = state.depth, 0
        columns = walk.query(parsed.stmts[0].stmt, None)
        state.depth = depth
        state.views.pop()
        state.default_schema, state.depends_on_literals = default, literals
        walk.close()
        return walk, columns

    def absorb(self, walk: Queries) -> None:
        """Take over what a view does beyond reading tables and calling functions on its owner's behalf."""
        self.read_log.append(walk.used())
        self.touched |= walk.touched
        self.used_known = self.used_known and walk.used_known and not walk.code_calls
        self.changes |= walk.changes
        self.runs_code = self.runs_code or walk.runs_code
        self.moves_path = self.moves_path or walk.moves_path
        self.sinks |= walk.sinks
        self.sinks_known = self.sinks_known and walk.sinks_known
        for action, resource, facts in walk.found():
            if action not in (Action.SELECT, Action.CALL):
                self.add(action, resource, facts)


def _added(expression: pb.CommonTableExpr, columns: dict[str, Lineage]) -> Columns:
    """The columns that SEARCH and CYCLE add (PostgreSQL 17 §7.8.2): computed from the columns that they list."""
    added: Columns = []
    if expression.HasField("search_clause"):
        search = expression.search_clause
        listed = combine([columns.get(name, UNKNOWN) for name in names.strings(search.search_col_list)])
        added.append((search.search_seq_column, listed))
    if expression.HasField("cycle_clause"):
        cycle = expression.cycle_clause
        listed = combine([columns.get(name, UNKNOWN) for name in names.strings(cycle.cycle_col_list)])
        added += [(cycle.cycle_mark_column, listed), (cycle.cycle_path_column, listed)]
    return added
