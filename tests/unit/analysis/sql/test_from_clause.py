"""FROM: every kind of item gives columns with lineage, or says that it cannot."""

import pytest

from tests.support.catalog import analysed


def shown(text: str) -> list[str] | None:
    """Names of the result's columns, with `?` behind one of unknown lineage."""
    outputs = analysed(text).statements[-1].outputs
    assert outputs is not None
    if outputs.columns is None:
        return None
    return [column.name if column.known else f"{column.name}?" for column in outputs.columns]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("SELECT * FROM payments", ["id", "order_id", "card", "amount"]),
        ("SELECT * FROM payments AS p(a, b)", ["a", "b", "card", "amount"]),
        ("SELECT * FROM payments AS p(card)", ["card", "order_id", "card", "amount"]),
        ("SELECT * FROM (SELECT 1 AS a, note FROM orders) x", ["a", "note"]),
        ("SELECT * FROM (VALUES (1, 2)) v", ["column1", "column2"]),
        ("SELECT * FROM generate_series(1, 3) AS g", ["g"]),
        ("SELECT * FROM generate_series(1, 3) WITH ORDINALITY", ["generate_series", "ordinality"]),
        ("SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g(a, b)", ["a", "b"]),
        ("SELECT * FROM get_rows() AS g(a int, b int)", ["a?", "b?"]),
        ("SELECT * FROM get_rows()", None),
        ("SELECT * FROM ROWS FROM (generate_series(1, 2), get_rows()) AS r", None),
        ("SELECT * FROM payments TABLESAMPLE bernoulli (10)", ["id", "order_id", "card", "amount"]),
        (
            "SELECT * FROM orders JOIN payments p USING (id)",
            ["id", "customer_id", "total", "status", "note", "order_id", "card", "amount"],
        ),
        ("SELECT * FROM orders JOIN absent USING (id)", None),
        ("SELECT * FROM xmltable('/a' PASSING '<a/>' COLUMNS n FOR ORDINALITY, b text) x", ["n", "b"]),
        (
            "SELECT * FROM json_table('{}', '$' COLUMNS (a int, NESTED PATH '$.b' COLUMNS (b int), c int)) j",
            ["a", "b", "c"],
        ),
        ("SELECT g.x FROM get_rows() g", ["x?"]),
    ],
)
def test_columns(text: str, columns: list[str] | None) -> None:
    assert shown(text) == columns


def test_lateral_sees_what_stands_before_it_and_others_do_not() -> None:
    assert shown("SELECT l.n FROM orders o, LATERAL (SELECT o.note AS n) l") == ["n"]
    assert shown("SELECT l.n FROM orders o, (SELECT o.note AS n) l") == ["n?"]


def test_partitions_ask_for_their_table_too() -> None:
    tables = {
        (getattr(effect.resource, "table", ""), getattr(effect.resource, "name", ""))
        for effect in analysed("SELECT ssn FROM customers_2024").effects
    }
    assert tables == {("customers_2024", "ssn"), ("customers", "ssn")}
