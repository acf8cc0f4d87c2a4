"""What one statement was found to do, collected while its tree is walked and turned into values at its end."""

from __future__ import annotations

from collections.abc import Mapping

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql.functions import SYSTEM_COPIES
from interpose.analysis.sql.lineage import NO_SOURCES, UNKNOWN, Lineage, combine
from interpose.analysis.sql.scope import Table
from interpose.analysis.sql.state import CommandState
from interpose.model.actions import Action
from interpose.model.analysis import CopyLayout, Effect, FactValue, NamedText, Outputs, SessionChange, StatementInfo
from interpose.model.resources import (
    ColumnResource,
    ConnectionResource,
    FunctionResource,
    Resource,
    TableResource,
)

NO_FACTS: dict[str, FactValue] = {}


class Findings:
    """The effects, lineage and changes of one statement so far.

    Facts are handed in as dicts that may still grow; effects are made by `effects()` when the statement is finished.
    """

    def __init__(self, state: CommandState) -> None:
        """`state` belongs to the whole command."""
        self.state = state
        self.tag = ""
        self.tables: list[Table] = []
        self.outputs: Outputs | None = None
        self.copy: str | None = None
        self.layout: CopyLayout | None = None
        self.read_log: list[frozenset[ColumnResource]] = []
        self.infer_log: list[frozenset[ColumnResource]] = []
        self.used_known = True
        self.bound = UNKNOWN
        """What any column of the query that was walked last can be computed from, where their number is not known."""
        self.partial: tuple[list[tuple[str, Lineage]], Lineage] | None = None
        """Of such a query: the columns that are known by name, and what the others can be computed from."""
        self.selected = slice(0, 0)
        """Which of `read_log` the select list of the SELECT that was walked last has read."""
        self.touched: set[ColumnResource] = set()
        self.sinks: set[ColumnResource] = set()
        self.sinks_known = True
        self.changes: set[SessionChange] = set()
        self.functions: set[str] = set()
        self.explain = False
        self.runs_code = False
        self.code_calls = 0
        self.moves_path = False
        self.follows_path: tuple[str, ...] | None = None
        self.intos: list[pb.IntoClause] = []
        self.analyses: list[Effect] = []
        self.prepares: NamedText | None = None
        self.declares: NamedText | None = None
        self.deallocates: str | None = None
        self.closes: str | None = None
        self.runs_prepared: str | None = None
        self.runs_cursor: str | None = None
        self._found: dict[tuple[Action, Resource, int], dict[str, FactValue]] = {}

    def add(self, action: Action, resource: Resource, facts: dict[str, FactValue] | None = None) -> None:
        """The statement does `action` on `resource`; the same thing under the same facts counts once."""
        known = NO_FACTS if facts is None else facts
        self._found[(action, resource, id(known))] = known

    def add_unknown(self, why: str) -> None:
        """The statement does something that analysis does not understand; `why` is a machine word."""
        self.add(Action.UNKNOWN, ConnectionResource(), {"object_kind": why})

    def looked_at(self, before: int, stmt: pb.SelectStmt) -> Lineage:
        """What the SELECT that was walked last, from `before` in the log on, has looked at: not the columns that it merely names."""
        looked = self.read_log[before:]
        named = (target.res_target.val.WhichOneof("node") in ("column_ref", "a_const") for target in stmt.target_list)
        if stmt.op == pb.SETOP_NONE and not stmt.values_lists and all(named):
            looked = self.read_log[before : self.selected.start] + self.read_log[self.selected.stop :]
        return combine([Lineage(sources) for sources in looked])

    def stores(self, value: Lineage, target: ColumnResource | None = None) -> None:
        """A value is stored or sent elsewhere; one that stays in its own column is no sink."""
        if not value.known:
            self.sinks_known = False
        if target is not None and value.sources == {target}:
            return
        self.sinks |= value.sources

    def infers(self, *values: Lineage) -> None:
        """These values are used otherwise than by handing them on as they are: whoever sees the result learns of them."""
        self.infer_log += [value.sources for value in values if value.sources]

    def call_known(self, resource: FunctionResource) -> None:
        """A function is called."""
        self.functions.add(f"{resource.schema}.{resource.name}" if resource.schema else resource.name)
        self.add(Action.CALL, resource)

    def used(self) -> frozenset[ColumnResource]:
        """Every column that was read anywhere."""
        return NO_SOURCES.union(*self.read_log)

    def close(self) -> None:
        """Turn what was read of each table into effects; to be called once, when the whole tree was walked."""
        for table in self.tables:
            resource = table.resource
            if resource is None:
                continue
            facts = table.level.facts
            owners = ((resource.schema, resource.name), *table.parents)
            for column in table.reads:
                for schema, name in owners:
                    self.add(Action.SELECT, ColumnResource(schema, name, column), facts)
            if not resource.resolved and (table.hidden_reads or not table.target):
                self.add(Action.SELECT, resource, {**facts, "resolved": False})
            elif not table.reads and not table.target:
                self.add(Action.SELECT, resource, facts)
                for schema, name in table.parents:
                    self.add(Action.SELECT, TableResource(schema, name), facts)

    def settle(self) -> None:
        """End a statement. INVARIANT: it has at least one effect, so that nothing is permitted without being asked."""
        self.close()
        if not self._found and not self.analyses:
            self.add_unknown("no_effect")

    def found(self) -> list[tuple[Action, Resource, dict[str, FactValue]]]:
        """Every action on a resource so far, with its own facts."""
        return [(action, resource, facts) for (action, resource, _), facts in self._found.items()]

    def table_names(self) -> set[str]:
        """Every table that has an effect, as `schema.name`."""
        names = {_dotted(table.resource) for table in self.tables if table.resource is not None}
        names.update(_dotted(resource) for _, resource, _ in self._found if isinstance(resource, TableResource))
        return names

    def effects(self, common: Mapping[str, FactValue]) -> list[Effect]:
        """The effects, with `common` facts of the whole command added to each."""
        base = {**common, "statement": self.tag}
        if self.explain:
            base["explain"] = True
        merged: dict[int, Mapping[str, FactValue]] = {}
        seen: dict[tuple[Action, Resource], list[dict[str, FactValue]]] = {}
        effects: list[Effect] = []
        for (action, resource, key), facts in self._found.items():
            same = seen.setdefault((action, resource), [])
            if facts in same:
                continue
            same.append(facts)
            all_facts = merged.get(key)
            if all_facts is None:
                all_facts = merged[key] = {**base, **facts}
            effects.append(Effect(action, resource, all_facts))
        effects.extend(self.analyses)
        return effects

    def info(self) -> StatementInfo:
        """The statement's own value."""
        inferred = NO_SOURCES.union(*self.infer_log)
        # What is compared with a system table's copies of values is compared with any column's values.
        copies = any((column.table, column.name) in SYSTEM_COPIES for column in inferred)
        return StatementInfo(
            tag=self.tag,
            outputs=self.outputs,
            copy=self.copy,
            used=self.used(),
            used_known=self.used_known and not copies,
            inferred=inferred,
            touched=frozenset(self.touched),
            sinks=frozenset(self.sinks),
            sinks_known=self.sinks_known,
            changes=frozenset(self.changes),
            prepares=self.prepares,
            declares=self.declares,
            deallocates=self.deallocates,
            closes=self.closes,
            runs_prepared=self.runs_prepared,
            runs_cursor=self.runs_cursor,
            layout=self.layout,
        )


def _dotted(resource: TableResource) -> str:
    return f"{resource.schema}.{resource.name}" if resource.schema else resource.name
