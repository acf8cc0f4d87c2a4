"""Statements that change rows: what they write and read, where values go, what comes back."""

import pytest

from tests.support.catalog import analysed, effect_words


def words(text: str) -> set[str]:
    """Every effect."""
    return {effect_words(effect) for effect in analysed(text).effects}


def sinks(text: str) -> set[str]:
    """Names of the columns that flow elsewhere; `?` when not all are known."""
    info = analysed(text).statements[-1]
    return {column.name for column in info.sinks} | (set() if info.sinks_known else {"?"})


@pytest.mark.parametrize(
    ("text", "effects"),
    [
        ("INSERT INTO orders DEFAULT VALUES", {"insert public.orders"}),
        ("INSERT INTO orders VALUES (1) RETURNING note", {"insert public.orders", "select public.orders.note"}),
        ("UPDATE orders SET total = total + 1", {"update public.orders", "select public.orders.total"}),
        ("UPDATE orders SET total = 1", {"update public.orders"}),
        ("UPDATE absent SET a = b", {"update absent:unresolved", "select absent:unresolved"}),
        ("DELETE FROM orders", {"delete public.orders"}),
        (
            "DELETE FROM app.log USING orders o WHERE o.id = log.id",
            {"delete app.log", "select public.orders.id", "select app.log.id"},
        ),
        (
            "INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) WHERE total > 1 DO UPDATE SET note = 'x' WHERE orders.status = 'y'",
            {
                "insert public.orders",
                "update public.orders",
                "select public.orders.id",
                "select public.orders.total",
                "select public.orders.status",
            },
        ),
        ("INSERT INTO orders (id) VALUES (1) ON CONFLICT DO NOTHING", {"insert public.orders"}),
        (
            "MERGE INTO orders o USING payments p ON o.id = p.order_id WHEN MATCHED AND p.amount > 1 THEN DO NOTHING",
            {
                "merge public.orders",
                "select public.orders.id",
                "select public.payments.order_id",
                "select public.payments.amount",
            },
        ),
    ],
)
def test_effects(text: str, effects: set[str]) -> None:
    assert words(text) == effects


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("INSERT INTO orders (note) SELECT card FROM payments", {"card"}),
        ("INSERT INTO orders (note) VALUES ((SELECT max(card) FROM payments))", {"card"}),
        ("INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = orders.status", {"status"}),
        ("INSERT INTO payments (card) SELECT card FROM payments", set()),
        ("UPDATE payments SET card = upper(card)", set()),
        ("UPDATE orders SET note = p.card FROM payments p", {"card"}),
        ("UPDATE orders SET (note, status) = ROW((SELECT card FROM payments LIMIT 1), 'x')", {"card"}),
        ("UPDATE orders SET note = tidy('x')", {"?"}),
        ("DELETE FROM orders WHERE note IN (SELECT card FROM payments)", set()),
        ("MERGE INTO orders o USING payments p ON true WHEN MATCHED THEN UPDATE SET note = p.card", {"card"}),
    ],
)
def test_sinks(text: str, columns: set[str]) -> None:
    assert sinks(text) == columns


def test_nothing_comes_back_without_returning() -> None:
    for text in ("INSERT INTO orders VALUES (1)", "UPDATE orders SET total = 1", "DELETE FROM orders"):
        assert analysed(text).statements[0].outputs is None
    outputs = analysed("DELETE FROM orders RETURNING id, old.note").statements[0].outputs
    assert outputs is not None and outputs.columns is not None
    assert [column.direct for column in outputs.columns] == [True, True]
    renamed = analysed("UPDATE orders SET total = 1 RETURNING WITH (OLD AS before) before.note").statements[0].outputs
    assert renamed is not None and renamed.columns is not None and renamed.columns[0].direct


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE orders SET total = 1",
        "INSERT INTO orders (id) VALUES (1)",
        "DELETE FROM orders WHERE id = 1",
        "MERGE INTO orders o USING app.log l ON o.id = l.id WHEN MATCHED THEN DELETE",
        "WITH u AS (UPDATE orders SET id = 1 RETURNING 1) SELECT * FROM u",
        "EXPLAIN ANALYZE UPDATE orders SET total = 1",
    ],
)
def test_every_column_of_a_written_table_is_touched(text: str) -> None:
    info = analysed(text).statements[-1]
    assert {"id", "total", "note"} <= {column.name for column in info.touched if column.table == "orders"}


def test_what_is_only_read_is_not_touched() -> None:
    assert analysed("SELECT total FROM orders").statements[-1].touched == frozenset()
