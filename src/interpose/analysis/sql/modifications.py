"""INSERT, UPDATE, DELETE and MERGE, wherever they stand: what they write, read, return, and where values flow to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql.expressions import Columns
from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage
from interpose.analysis.sql.queries import Queries
from interpose.analysis.sql.scope import Scope, Table
from interpose.model.actions import Action
from interpose.model.analysis import FactValue, SessionChange
from interpose.model.resources import ColumnResource, TableResource

_MERGE_ACTIONS: Final = {
    pb.CMD_INSERT: Action.INSERT,
    pb.CMD_UPDATE: Action.UPDATE,
    pb.CMD_DELETE: Action.DELETE,
}


class Modifications(Queries):
    """Walks statements that change rows."""

    def modification(self, node: pb.Node, parent: Scope | None) -> Columns | None:
        """Walk an INSERT, UPDATE, DELETE or MERGE; its RETURNING columns."""
        kind = node.WhichOneof("node") or ""
        self.enter(3)
        columns: Columns | None = None
        if kind == "insert_stmt":
            columns = self._insert(node.insert_stmt, Scope(parent))
        elif kind == "update_stmt":
            columns = self._update(node.update_stmt, Scope(parent))
        elif kind == "delete_stmt":
            columns = self._delete(node.delete_stmt, Scope(parent))
        elif kind == "merge_stmt":
            columns = self._merge(node.merge_stmt, Scope(parent))
        else:
            self.not_understood(kind)
        self.state.depth -= 3
        return columns

    def write(self, action: Action, table: Table, facts: dict[str, FactValue]) -> None:
        """The statement writes a table; one with inheritance parents is written as part of them too.

        INVARIANT: all its columns are touched. A constraint that fails says `Failing row contains (…)`, with each of them.
        """
        self.touched.update(*table.sources())
        self.used_known = self.used_known and not table.ruled
        resource = table.resource
        assert resource is not None
        if (resource.schema, resource.name) == ("pg_catalog", "pg_settings"):
            # Its rule runs `set_config`, of whatever rows there are.
            self.add_unknown("set_config_of_computed_name")
            self.moves_path = True
            self.changes.add(SessionChange.SETTINGS)
        self.add(action, resource, facts if resource.resolved else {**facts, "resolved": False})
        for schema, name in table.parents:
            self.add(action, TableResource(schema, name), facts)

    def writes(self, table: Table, columns: Iterable[str]) -> None:
        """These columns get values. Whether a value was there already is answered by a unique constraint: so it is inferred."""
        self.infers(*(table.lineage(column) for column in columns if column in table.columns))

    def _target(self, rangevar: pb.RangeVar, scope: Scope) -> Table:
        """The table that is written: never a common table expression."""
        alias = rangevar.alias.aliasname if rangevar.HasField("alias") else rangevar.relname
        table = self.named_table(rangevar.schemaname or None, rangevar.relname, scope, alias)
        table.target = True
        return table

    def _returning(self, clause: pb.ReturningClause, present: bool, table: Table, scope: Scope) -> Columns | None:
        """RETURNING's columns; `old` and `new` are names of the target (PostgreSQL 18), renamed by WITH."""
        if not present:
            return None
        aliases = {"old": "old", "new": "new"}
        for option in clause.options:
            which = "old" if option.returning_option.option == pb.RETURNING_OPTION_OLD else "new"
            aliases[which] = option.returning_option.value
        scope.named.update(dict.fromkeys(aliases.values(), table))
        columns = self.targets(clause.exprs, scope)
        if table.ruled and columns is not None:
            # The rule's own RETURNING takes its place.
            return [(name, lineage.doubted()) for name, lineage in columns]
        return columns

    def _insert(self, stmt: pb.InsertStmt, scope: Scope) -> Columns | None:
        if stmt.HasField("with_clause"):
            self.with_clause(stmt.with_clause, scope)
        table = self._target(stmt.relation, scope)
        columns = [node.res_target.name for node in stmt.cols]
        source = self.query(stmt.select_stmt, scope) if stmt.HasField("select_stmt") else []
        targets = columns or list(table.columns)
        values = self._stored(table, targets, source, self.bound)
        self.writes(table, columns if columns or source is None else targets[: len(source)])
        facts: dict[str, FactValue] = {"returning": stmt.HasField("returning_clause")}
        if columns:
            facts["columns"] = tuple(columns)
        self.write(Action.INSERT, table, facts)
        scope.items.append(table)
        if stmt.HasField("on_conflict_clause"):
            excluded = self.derived("excluded", values, scope)
            scope.named["excluded"] = excluded
            self._on_conflict(stmt.on_conflict_clause, table, scope)
        return self._returning(stmt.returning_clause, stmt.HasField("returning_clause"), table, scope)

    def _stored(
        self, table: Table, targets: list[str], source: Columns | None, bound: Lineage = UNKNOWN
    ) -> Columns | None:
        """Note where the source's values go; answers them under the target's names. `bound` is for a source of unknown width."""
        if source is None:
            self.stores(bound)
            return None
        values: Columns = []
        for index, (_, lineage) in enumerate(source):
            name = targets[index] if index < len(targets) else ""
            if lineage.sources or not lineage.known:
                self.stores(lineage, ColumnResource(table.schema, table.name, name) if name else None)
            if name:
                values.append((name, lineage))
        if len(values) < len(table.columns):
            seen = {name for name, _ in values}
            values += [(name, CONSTANT) for name in table.columns if name not in seen]
        return None if table.open else values

    def _on_conflict(self, clause: pb.OnConflictClause, table: Table, scope: Scope) -> None:
        if clause.HasField("infer"):
            for node in clause.infer.index_elems:
                if node.index_elem.name and node.index_elem.name in table.columns:
                    self.infers(table.read(node.index_elem.name))
                self.expr(node.index_elem.expr, scope)
            self.expr(clause.infer.where_clause, scope)
        if clause.action != pb.ONCONFLICT_UPDATE:
            return
        columns = self._assign(clause.target_list, table, scope)
        self.where(clause.where_clause if clause.HasField("where_clause") else None, scope)
        # The conflicting row chooses itself: an upsert without WHERE still touches only the rows it inserts.
        facts: dict[str, FactValue] = {"has_where": True, "where_constant": False, "columns": columns}
        self.write(Action.UPDATE, table, facts)

    def _assign(self, nodes: Iterable[pb.Node], table: Table, scope: Scope) -> tuple[str, ...]:
        """The SET list: values that are stored, and the names of the columns that they go to."""
        columns: dict[str, None] = {}
        for node in nodes:
            target = node.res_target
            columns[target.name] = None
            for part in target.indirection:
                if part.WhichOneof("node") == "a_indices":
                    self.expr(part, scope)
            self.stores(self.value(target.val, scope), ColumnResource(table.schema, table.name, target.name))
        self.writes(table, columns)
        return tuple(columns)

    def _update(self, stmt: pb.UpdateStmt, scope: Scope) -> Columns | None:
        if stmt.HasField("with_clause"):
            self.with_clause(stmt.with_clause, scope)
        table = self._target(stmt.relation, scope)
        scope.items.append(table)
        self.from_clause(stmt.from_clause, scope)
        columns = self._assign(stmt.target_list, table, scope)
        self.where(stmt.where_clause if stmt.HasField("where_clause") else None, scope)
        returning = stmt.HasField("returning_clause")
        self.write(Action.UPDATE, table, {**scope.level.facts, "columns": columns, "returning": returning})
        return self._returning(stmt.returning_clause, returning, table, scope)

    def _delete(self, stmt: pb.DeleteStmt, scope: Scope) -> Columns | None:
        if stmt.HasField("with_clause"):
            self.with_clause(stmt.with_clause, scope)
        table = self._target(stmt.relation, scope)
        scope.items.append(table)
        self.from_clause(stmt.using_clause, scope)
        self.where(stmt.where_clause if stmt.HasField("where_clause") else None, scope)
        returning = stmt.HasField("returning_clause")
        self.write(Action.DELETE, table, {**scope.level.facts, "returning": returning})
        return self._returning(stmt.returning_clause, returning, table, scope)

    def _merge(self, stmt: pb.MergeStmt, scope: Scope) -> Columns | None:
        """MERGE: the effect `merge`, and one for each thing that it may do. The join condition counts as WHERE."""
        if stmt.HasField("with_clause"):
            self.with_clause(stmt.with_clause, scope)
        table = self._target(stmt.relation, scope)
        self.from_clause([stmt.source_relation], scope)
        # The source does not see the target, not even a LATERAL one.
        scope.items.insert(0, table)
        self.where(stmt.join_condition, scope)
        returning = stmt.HasField("returning_clause")
        facts: dict[str, FactValue] = {**scope.level.facts, "returning": returning}
        self.write(Action.MERGE, table, facts)
        both = list(scope.items)
        for node in stmt.merge_when_clauses:
            clause = node.merge_when_clause
            # A row of one side only: the other side has no names there.
            unmatched = {pb.MERGE_WHEN_NOT_MATCHED_BY_TARGET: both[1:], pb.MERGE_WHEN_NOT_MATCHED_BY_SOURCE: both[:1]}
            scope.items = unmatched.get(clause.match_kind, both)
            self.expr(clause.condition, scope)
            action = _MERGE_ACTIONS.get(clause.command_type)
            if action is Action.INSERT:
                columns = [target.res_target.name for target in clause.target_list]
                values = [("", self.value(value, scope)) for value in clause.values]
                targets = columns or list(table.columns)
                self._stored(table, targets, values)
                self.writes(table, targets[: len(values)])
                self.write(action, table, {**facts, "columns": tuple(columns)})
            elif action is Action.UPDATE:
                self.write(action, table, {**facts, "columns": self._assign(clause.target_list, table, scope)})
            elif action is Action.DELETE:
                self.write(action, table, facts)
            elif clause.command_type != pb.CMD_NOTHING:
                self.not_understood("merge_when_clause")
        # `*` shows the source's columns before the target's, unlike UPDATE … FROM and DELETE … USING.
        scope.items = [*both[1:], *both[:1]]
        return self._returning(stmt.returning_clause, returning, table, scope)
