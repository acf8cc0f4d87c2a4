"""Expressions: which columns a value is computed from, which functions it calls, which queries it holds.

A closed vocabulary: a node kind that is not in `_HANDLERS` makes the statement `unknown` and the value's lineage
unknown. Sub-selects are walked by `Queries`, function calls judged by `calls`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from interpose.analysis.sql import names
from interpose.analysis.sql.findings import Findings
from interpose.analysis.sql.lineage import CONSTANT, UNKNOWN, Lineage, combine
from interpose.analysis.sql.scope import SYSTEM_COLUMNS, Scope, Table
from interpose.analysis.sql.state import Refused
from interpose.model.actions import Action
from interpose.model.analysis import SessionChange
from interpose.model.catalog import Behind, Lookup
from interpose.model.resources import ColumnResource

Columns = list[tuple[str, Lineage]]
"""The columns of a query's result, in order."""


class Expressions(Findings, ABC):
    """Walks expressions of one statement."""

    @abstractmethod
    def query(self, node: pb.Node, parent: Scope | None) -> Columns | None:
        """Walk a query that stands where a value or a table may; None when its columns are not known."""

    @abstractmethod
    def call(self, schema: str | None, name: str, nodes: Iterable[pb.Node], values: list[Lineage]) -> Lineage:
        """Judge a function call; `nodes` are the arguments, `values` their lineages."""

    @abstractmethod
    def behind(self, kind: Behind, schema: str | None, name: str, value: Lineage) -> Lineage:
        """Judge the functions behind an operator or a cast; `value` is computed from the operands."""

    def sorted_by(self, sort: pb.SortBy, value: Lineage) -> Lineage:
        """The lineage of a value that rows are sorted by, maybe with an operator (`USING`)."""
        schema, name = names.dotted(sort.use_op)
        return self.behind(Behind.OPERATOR, schema, name, value) if name else value

    def cast(self, type_name: pb.TypeName, value: Lineage) -> Lineage:
        """The lineage of a value that is cast to a type."""
        schema, name = names.dotted(type_name.names)
        return self.behind(Behind.CAST, schema, name, value) if name else value

    def expr(self, node: pb.Node, scope: Scope) -> Lineage:
        """The lineage of one expression whose value is used here, so that it can be inferred from what comes of it."""
        before = self.code_calls
        lineage = self.value(node, scope)
        if self.code_calls > before:
            # A user's function may answer with anything that its body reads, and that is used here.
            self.used_known = False
        if lineage.sources and node.WhichOneof("node") in _NAMES_VALUES and not _asks_existence(node):
            self.infer_log.append(lineage.sources)
        return lineage

    def value(self, node: pb.Node, scope: Scope) -> Lineage:
        """The lineage of one expression whose value is handed on as it is, to the client or to whoever names the column.

        Everything in it is found on the way; what the expression computes *with* counts as inferred.
        """
        kind = node.WhichOneof("node")
        if kind is None:
            return CONSTANT
        handler = _HANDLERS.get(kind)
        if handler is None:
            return self.not_understood(kind)
        self.enter()
        lineage = handler(self, node, scope)
        self.state.depth -= 1
        return lineage

    def exprs(self, nodes: Iterable[pb.Node], scope: Scope) -> Lineage:
        """The lineage of something that is computed from all of these."""
        return combine([self.expr(node, scope) for node in nodes])

    def enter(self, levels: int = 1) -> None:
        """Go deeper; raises `Refused` where the limit is. The caller goes up again by itself."""
        state = self.state
        state.depth += levels
        if state.depth > state.limits.max_nesting:
            raise Refused("too_deep", "the command is nested too deep", "split it into several commands")

    def not_understood(self, kind: str) -> Lineage:
        """Something that the walk has no rule for."""
        self.add_unknown(kind)
        self.used_known = False
        self.sinks_known = False
        self.changes.add(SessionChange.OPAQUE)
        return UNKNOWN

    def whole_row(self, table: Table) -> Lineage:
        """Every column of a table at once."""
        value = combine([table.read(column) for column in table.columns])
        self.infers(value)
        if not table.open:
            return value
        hidden = self.hidden(table)
        self.infers(hidden)
        return combine((value, hidden))

    def hidden(self, table: Table) -> Lineage:
        """A column that is not known by name, of a table that may have such: known where all of these are alike."""
        value = table.read_hidden()
        if not value.known:
            self.used_known = False
        return value

    def unresolved_column(self, name: str, scope: Scope) -> Lineage:
        """A column that no table in reach has: the server refuses it, unless the catalog is behind."""
        self.used_known = False
        for item in scope.items:
            for table in item.tables():
                if table.resource is not None:
                    facts = {**table.level.facts, "resolved": False}
                    self.add(Action.SELECT, ColumnResource(table.schema, table.name, name), facts)
        return UNKNOWN

    def fields(self, message: Message, scope: Scope) -> Lineage:
        """The lineage of all expressions directly inside a message that is no expression itself."""
        parts: list[Lineage] = []
        for descriptor, value in message.ListFields():
            if descriptor.message_type is None:
                continue
            for item in value if descriptor.is_repeated else (value,):
                if isinstance(item, pb.Node):
                    parts.append(self.expr(item, scope))
                elif isinstance(item, pb.TypeName):
                    parts.append(self.cast(item, CONSTANT))
                else:
                    parts.append(self.fields(item, scope))
        return combine(parts)


_NAMES_VALUES = frozenset({"column_ref", "a_indirection", "sub_link"})
"""Kinds that hand on a value as it is. What others compute with, their own parts have named."""


def _asks_existence(node: pb.Node) -> bool:
    """EXISTS tells of what its sub-select compares, which has been noted there, and not of what it selects."""
    return bool(node.WhichOneof("node") == "sub_link" and node.sub_link.sub_link_type == pb.EXISTS_SUBLINK)


def _column_ref(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    parts = names.strings(node.column_ref.fields)
    name = parts[-1]
    if len(parts) == 1:
        if name == "*":
            tables = [table for item in scope.items for table in item.tables()]
            return combine([walk.whole_row(table) for table in tables])
        return _bare_column(walk, name, scope)
    table = scope.table(parts[-2], parts[-3] if len(parts) > 2 else None)
    if table is None:
        return walk.unresolved_column(name, scope)
    if name == "*":
        return walk.whole_row(table)
    if name in table.columns:
        return table.read(name)
    if name in SYSTEM_COLUMNS and table.resource is not None:
        return CONSTANT
    if table.open:
        return walk.hidden(table)
    # Functional notation: `c.lower` calls lower(c) when there is no such column (PostgreSQL 17 §8.16.5).
    value = walk.whole_row(table)
    return walk.call(None, name, (), [value])


def _bare_column(walk: Expressions, name: str, scope: Scope) -> Lineage:
    value, certain = scope.resolve(name)
    if value is not None and certain:
        return value
    table = scope.table(name)
    if table is None and value is not None and value.known:
        return value
    if table is not None:
        row = walk.whole_row(table)
        return row if value is None else combine((row, value))
    if value is not None:
        walk.used_known = False
        return value
    return scope.system_column(name) or walk.unresolved_column(name, scope)


def _constant(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    return CONSTANT


def _a_expr(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    """Left-nested chains are walked in a loop: only right-nesting costs depth."""
    parts: list[Lineage] = []
    operators: dict[tuple[str | None, str], None] = {}
    while True:
        expression = node.a_expr
        schema, name = names.dotted(expression.name)
        for each in _BETWEEN if name.endswith(("BETWEEN", "SYMMETRIC")) else (name,):
            operators[schema, each] = None
        if expression.HasField("rexpr"):
            parts.append(walk.expr(expression.rexpr, scope))
        if not expression.HasField("lexpr"):
            break
        node = expression.lexpr
        if node.WhichOneof("node") != "a_expr":
            parts.append(walk.expr(node, scope))
            break
    value = combine(parts)
    for schema, name in operators:
        value = walk.behind(Behind.OPERATOR, schema, name, value)
    return value


_SYSTEM = frozenset({"pg_catalog", "information_schema"})
_BETWEEN = (">=", "<=", "<", ">")
"""What the forms of BETWEEN may be made of."""


def _bool_expr(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    return walk.exprs(node.bool_expr.args, scope)


def _func_call(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    call = node.func_call
    schema, name = names.dotted(call.funcname)
    if schema is None and len(call.args) == 1 and walk.state.routine(None, name) is Lookup.NOT_FOUND:
        field = _field_of(walk, call.args[0], name, scope)
        if field is not None:
            return field
    values = [walk.expr(argument, scope) for argument in call.args]
    ordering = walk.exprs(call.agg_order, scope)
    if call.agg_within_group:
        values.append(ordering)
    if call.HasField("agg_filter"):
        walk.expr(call.agg_filter, scope)
    if call.HasField("over"):
        walk.fields(call.over, scope)
    return walk.call(schema, name, call.args, values)


def _field_of(walk: Expressions, node: pb.Node, name: str, scope: Scope) -> Lineage | None:
    """`a(t)` where no function has that name: the column of the table (PostgreSQL 17 §8.16.5); None if it is not one."""
    parts = names.strings(node.column_ref.fields) if node.WhichOneof("node") == "column_ref" else []
    if len(parts) != 1 or scope.has_column(parts[0]):
        return None
    table = scope.table(parts[0])
    if table is None or name not in table.columns:
        return None
    value = table.read(name)
    walk.infers(value)
    return value


def _sub_link(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    link = node.sub_link
    before = len(walk.read_log)
    columns = walk.query(link.subselect, scope)
    if link.sub_link_type == pb.EXISTS_SUBLINK:
        # The answer tells about everything that the sub-select looked at.
        return walk.looked_at(before, link.subselect.select_stmt)
    parts = [UNKNOWN] if columns is None else [lineage for _, lineage in columns]
    if link.sub_link_type != pb.EXPR_SUBLINK:
        walk.infers(*parts)
    if link.HasField("testexpr"):
        parts.append(walk.expr(link.testexpr, scope))
        schema, name = names.dotted(link.oper_name)
        return walk.behind(Behind.OPERATOR, schema, name or "=", combine(parts))
    if len(parts) == 1 and link.sub_link_type == pb.EXPR_SUBLINK:
        return parts[0]
    return combine(parts)


def _type_cast(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    types: list[pb.TypeName] = []
    while node.WhichOneof("node") == "type_cast":
        types.append(node.type_cast.type_name)
        node = node.type_cast.arg
    value = walk.expr(node, scope).derived()
    for type_name in types:
        value = walk.cast(type_name, value)
    return value


def _collate(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    while node.WhichOneof("node") == "collate_clause":
        node = node.collate_clause.arg
    return walk.expr(node, scope)


def _null_test(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    while True:
        if node.WhichOneof("node") == "null_test":
            node = node.null_test.arg
        elif node.WhichOneof("node") == "boolean_test":
            node = node.boolean_test.arg
        else:
            value = walk.expr(node, scope).derived()
            # That a definition or a statistic is there says nothing of what it holds, and every tool asks it.
            system = node.WhichOneof("node") == "column_ref" and value.sources
            return Lineage(value.sources) if system and all(each.schema in _SYSTEM for each in value.sources) else value


def _a_indirection(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    indirection = node.a_indirection
    argument = indirection.arg
    if argument.WhichOneof("node") == "column_ref":
        parts = names.strings(argument.column_ref.fields)
        field = names.strings(indirection.indirection)[:1]
        table = scope.table(parts[0]) if len(parts) == 1 and not scope.has_column(parts[0]) else None
        if table is not None and field and field[0] in table.columns:
            value = table.read(field[0])
            return value if len(indirection.indirection) == 1 else value.derived()
    value = walk.expr(argument, scope).derived()
    subscripts = [part for part in indirection.indirection if part.WhichOneof("node") == "a_indices"]
    return combine([value, *(walk.expr(part, scope) for part in subscripts)]) if subscripts else value


def _case_expr(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    value = walk.fields(node.case_expr, scope)
    return walk.behind(Behind.OPERATOR, None, "=", value) if node.case_expr.HasField("arg") else value


def _grouping(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    walk.exprs(node.grouping_func.args, scope)
    return CONSTANT


def _list(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    return walk.exprs(node.list.items, scope)


def _sort_by(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    return walk.sorted_by(node.sort_by, walk.expr(node.sort_by.node, scope))


def _json_query_array(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    columns = walk.query(node.json_array_query_constructor.query, scope)
    walk.infers(*(lineage for _, lineage in columns or ()))
    return UNKNOWN if columns is None else combine([lineage for _, lineage in columns])


def _inside(walk: Expressions, node: pb.Node, scope: Scope) -> Lineage:
    """Kinds whose parts are all expressions or hold such: the value is computed from all of them."""
    kind = node.WhichOneof("node")
    assert kind is not None
    part = getattr(node, kind)
    assert isinstance(part, Message)
    return walk.fields(part, scope)


Handler = Callable[[Expressions, pb.Node, Scope], Lineage]

_HANDLERS: dict[str, Handler] = {
    "column_ref": _column_ref,
    "a_const": _constant,
    "a_expr": _a_expr,
    "bool_expr": _bool_expr,
    "func_call": _func_call,
    "param_ref": _constant,
    "sub_link": _sub_link,
    "type_cast": _type_cast,
    "collate_clause": _collate,
    "null_test": _null_test,
    "boolean_test": _null_test,
    "a_indirection": _a_indirection,
    "case_expr": _case_expr,
    "grouping_func": _grouping,
    "list": _list,
    "sort_by": _sort_by,
    "json_array_query_constructor": _json_query_array,
    **dict.fromkeys(
        ("sqlvalue_function", "set_to_default", "current_of_expr", "merge_support_func", "string", "integer", "float"),
        _constant,
    ),
    **dict.fromkeys(
        ("a_array_expr", "a_indices", "case_when", "coalesce_expr", "min_max_expr", "row_expr", "named_arg_expr"),
        _inside,
    ),
    **dict.fromkeys(
        ("multi_assign_ref", "window_def", "grouping_set", "res_target", "xml_expr", "xml_serialize"),
        _inside,
    ),
    **dict.fromkeys(
        (
            "json_is_predicate json_func_expr json_value_expr json_argument json_key_value json_behavior json_parse_expr "
            "json_scalar_expr json_serialize_expr json_object_constructor json_array_constructor json_object_agg "
            "json_array_agg json_table_column json_format json_table_path_spec json_output json_returning"
        ).split(),
        _inside,
    ),
}
"""Every node kind that may stand in an expression, by the name of its field in `pg_query.Node`."""

EXPRESSION_KINDS = frozenset(_HANDLERS)
"""The vocabulary of expressions."""
