"""One statement under analysis, with what all kinds of statements share: results, new tables, objects by name.

The table of statement kinds is in `vocabulary`; each handler there gets a `Statement` and the node.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from interpose.analysis.sql.expressions import EXPRESSION_KINDS, Columns
from interpose.analysis.sql.from_clause import table_resource
from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage, combine
from interpose.analysis.sql.modifications import Modifications
from interpose.analysis.sql.scope import Scope, Table
from interpose.model.actions import Action
from interpose.model.analysis import FactValue, NamedText, OutputColumn, Outputs, SessionChange
from interpose.model.resources import ConnectionResource, TableResource

QUERY_TAGS: Final = {
    "select_stmt": "SELECT",
    "insert_stmt": "INSERT",
    "update_stmt": "UPDATE",
    "delete_stmt": "DELETE",
    "merge_stmt": "MERGE",
}
"""Statements that are queries in PostgreSQL's sense, with their tags."""

_PLAIN: Final = frozenset({"string", "integer", "float", "list", "res_target", "param_ref", "a_const"})
_WALKED: Final = EXPRESSION_KINDS - _PLAIN


class Statement(Modifications):
    """One statement of a command."""

    @abstractmethod
    def statement(self, node: pb.Node) -> None:
        """Walk a statement of any kind into these findings."""

    @abstractmethod
    def named(self, name: str, node: pb.Node) -> NamedText:
        """The analysis of a statement that this one gives a name to, to be run later."""

    def run_query(self, node: pb.Node) -> None:
        """Walk a query as the statement itself: its columns go to the client, or into a new table."""
        kind = node.WhichOneof("node") or ""
        self.tag = self.tag or QUERY_TAGS[kind]
        columns = self.query(node, None)
        bound = self.bound
        if kind == "select_stmt" and not self.tables:
            self.add(Action.SELECT, ConnectionResource())
        if self.intos:
            for into in self.intos:
                self.create_table(into.rel, columns, "table")
        elif kind == "select_stmt" or getattr(node, kind).HasField("returning_clause"):
            self.outputs = outputs_of(columns, bound)

    def create_table(self, rangevar: pb.RangeVar, columns: Columns | None, kind: str) -> TableResource:
        """A new relation that is filled from a query, or reads from it later (a view): its columns are sinks."""
        resource = self.new_relation(rangevar, kind)
        self.add(Action.CREATE, resource, {"object_kind": kind, "temporary": resource.kind == "temp"})
        self.changes.add(SessionChange.CATALOG)
        self.sink_columns(columns)
        return resource

    def sink_columns(self, columns: Columns | None) -> None:
        """All these values are stored or sent elsewhere than to the client."""
        if columns is None:
            self.sinks_known = False
        for _, lineage in columns or ():
            self.stores(lineage)

    def new_relation(self, rangevar: pb.RangeVar, kind: str) -> TableResource:
        """The resource of a relation that is about to be made."""
        if rangevar.relpersistence == "t" or rangevar.schemaname == "pg_temp":
            return TableResource("pg_temp", rangevar.relname, "temp")
        return TableResource(rangevar.schemaname or self.state.creation_schema(), rangevar.relname, kind)

    def relation_resource(self, schema: str | None, name: str) -> TableResource:
        """The resource of a relation that exists, or an unresolved one."""
        relation = self.state.relation(schema, name)
        return TableResource(schema or "", name, "unresolved") if relation is None else table_resource(relation)

    def on_relation(
        self, action: Action, rangevar: pb.RangeVar, facts: dict[str, FactValue] | None = None
    ) -> TableResource:
        """An action on a relation that exists; on its inheritance parents as well."""
        schema = rangevar.schemaname or None
        resource = self.relation_resource(schema, rangevar.relname)
        given = dict(facts or {})
        if not resource.resolved:
            given["resolved"] = False
        self.add(action, resource, given)
        relation = self.state.relation(schema, rangevar.relname)
        for parent in self._ancestors(relation) if relation else ():
            self.add(action, TableResource(*parent), given)
        return resource

    def table_scope(self, rangevar: pb.RangeVar | None) -> Scope:
        """A scope in which the columns of one relation can be named; None: of one that does not exist yet."""
        scope = Scope(None)
        if rangevar is None:
            table = Table("", {}, scope.level, self.read_log, open_=True)
            table.rest = CONSTANT
        else:
            table = self.named_table(rangevar.schemaname or None, rangevar.relname, scope, rangevar.relname)
            table.target = True
        scope.items.append(table)
        return scope

    def fragments(self, message: Message, scope: Scope) -> Lineage:
        """Walk every expression and query inside a definition; answers the lineage of all of them together."""
        parts: list[Lineage] = []
        self.enter()
        for descriptor, value in message.ListFields():
            if descriptor.message_type is None:
                continue
            for item in value if descriptor.is_repeated else (value,):
                if isinstance(item, pb.Node):
                    parts.append(self._fragment(item, scope))
                elif not isinstance(item, pb.TypeName | pb.ObjectWithArgs):
                    parts.append(self.fragments(item, scope))
        self.state.depth -= 1
        return combine(parts)

    def _fragment(self, node: pb.Node, scope: Scope) -> Lineage:
        kind = node.WhichOneof("node")
        if kind is None or kind in ("type_name", "object_with_args"):
            return CONSTANT
        if kind in QUERY_TAGS:
            columns = self.query(node, scope)
            return combine([lineage for _, lineage in columns or ()])
        if kind in _WALKED:
            return self.expr(node, scope)
        part = getattr(node, kind)
        assert isinstance(part, Message)
        return self.fragments(part, scope)


def outputs_of(columns: Columns | None, bound: Lineage = UNKNOWN) -> Outputs:
    """Result columns as values; `bound` is what each can be computed from where their number is not known."""
    if columns is None:
        return Outputs(None, OutputColumn("*", bound.sources) if bound.known else None)
    return Outputs(
        tuple(OutputColumn(name, lineage.sources, lineage.direct, lineage.known) for name, lineage in columns)
    )


def columns_of(outputs: Outputs | None) -> Columns | None:
    """Result columns as they are walked with; None when they are not known."""
    if outputs is None or outputs.columns is None:
        return None
    return [
        (column.name, Lineage(column.sources, known=column.known, direct=column.direct)) for column in outputs.columns
    ]
