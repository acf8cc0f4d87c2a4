"""Expressions: what a value is computed from; what is not in the vocabulary is unknown and not passed over."""

import pytest
from postgast import pg_query_pb2 as pb

from interpose.analysis.sql.guard import Limits
from interpose.analysis.sql.scope import Scope
from interpose.analysis.sql.state import Refused
from interpose.model.actions import Action
from interpose.model.analysis import SessionChange
from tests.support.catalog import analysed
from tests.unit.analysis.sql.walking import a_statement


def sources(expression: str) -> set[str] | None:
    """The columns of orders and payments that an expression is computed from; None when not known."""
    outputs = analysed(f"SELECT {expression} AS x FROM orders o, payments p").statements[0].outputs
    assert outputs is not None and outputs.columns is not None
    column = outputs.columns[0]
    return {f"{each.table}.{each.name}" for each in column.sources} if column.known else None


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("1", set()),
        ("$1", set()),
        ("current_user", set()),
        ("o.note", {"orders.note"}),
        ("note || status", {"orders.note", "orders.status"}),
        ("-total", {"orders.total"}),
        ("total BETWEEN amount AND 5", {"orders.total", "payments.amount"}),
        ("total IN (1, amount)", {"orders.total", "payments.amount"}),
        ("total = ANY (ARRAY[amount])", {"orders.total", "payments.amount"}),
        ("NOT (note IS NULL OR card IS NOT NULL)", {"orders.note", "payments.card"}),
        ("(total > 1) IS TRUE", {"orders.total"}),
        ("CASE note WHEN 'x' THEN card ELSE status END", {"orders.note", "orders.status", "payments.card"}),
        ("substring(note FROM 1 FOR 2)", {"orders.note"}),
        ("extract(year FROM note::date)", {"orders.note"}),
        ("note AT TIME ZONE 'utc'", {"orders.note"}),
        ("xmlforest(note AS a)", {"orders.note"}),
        ("json_object('a': note)", {"orders.note"}),
        ("json_value(note::jsonb, '$.a' PASSING card AS x)", {"orders.note", "payments.card"}),
        ("note IS JSON", {"orders.note"}),
        ("ROW(note, card)", {"orders.note", "payments.card"}),
        ("(ARRAY[note, 'x'])[total]", {"orders.note", "orders.total"}),
        ("string_agg(note, status ORDER BY card)", {"orders.note", "orders.status"}),
        ("count(*) OVER (PARTITION BY card)", set()),
        ("format(fmt => note)", {"orders.note"}),
        ("grouping(note)", set()),
        ("public.tidy(note)", None),
        ("note OPERATOR(public.@@@) card", None),
    ],
)
def test_sources(expression: str, columns: set[str] | None) -> None:
    assert sources(expression) == columns


def test_a_node_without_a_rule_is_unknown() -> None:
    walk = a_statement()
    value = walk.expr(pb.Node(sub_plan=pb.SubPlan()), Scope(None))
    assert not value.known
    assert not walk.used_known and not walk.sinks_known
    assert SessionChange.OPAQUE in walk.changes
    assert [(action) for action, _, _ in walk.found()] == [Action.UNKNOWN]


def test_right_nesting_is_bounded() -> None:
    node = pb.Node(a_const=pb.A_Const(isnull=True))
    for _ in range(30):
        node = pb.Node(coalesce_expr=pb.CoalesceExpr(args=[node]))
    a_statement().expr(node, Scope(None))
    with pytest.raises(Refused, match="too deep"):
        a_statement(Limits(max_nesting=20)).expr(node, Scope(None))
