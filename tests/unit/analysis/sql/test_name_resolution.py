"""Names that mean another thing than they seem to: each was wrong once, and was found by the server's own analysis of the text."""

from __future__ import annotations

import pytest

from tests.support.catalog import analysed


def sources(text: str) -> list[str]:
    """The sources of each column of the result, as `name: table.column …`; `?` for an unknown one."""
    outputs = analysed(text).statements[-1].outputs
    assert outputs is not None and outputs.columns is not None, text
    return [
        f"{column.name}: {' '.join(sorted(f'{each.table}.{each.name}' for each in column.sources))}".rstrip()
        if column.known
        else f"{column.name}: ?"
        for column in outputs.columns
    ]


def used(text: str) -> list[str]:
    """Every column that the statement reads."""
    info = analysed(text).statements[-1]
    assert info.used_known, text
    return sorted(f"{each.table}.{each.name}" for each in info.used)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        # The source of a MERGE does not see the target: `card` is the whole row here, and not the target's column.
        (
            "MERGE INTO payments p USING LATERAL (SELECT card FROM log card) s ON true WHEN MATCHED THEN DELETE RETURNING s.card",
            ["card: log.id log.message"],
        ),
        # A VALUES names nothing: what its sub-selects look at counts.
        (
            "SELECT EXISTS (VALUES ((SELECT message FROM log WHERE id = 1 LIMIT 1)))",
            ["exists: log.id log.message"],
        ),
        # MERGE … RETURNING * shows the source's columns first.
        (
            "MERGE INTO payments p USING log l ON p.id = l.id WHEN MATCHED THEN DELETE RETURNING *",
            [
                "id: log.id",
                "message: log.message",
                "id: payments.id",
                "order_id: payments.order_id",
                "card: payments.card",
                "amount: payments.amount",
            ],
        ),
        # A table's name is the whole row even beside a function that might have a column of that name.
        (
            "SELECT count(l) FROM log l, unnest((SELECT array_agg(total) FROM orders)) u",
            ["count: log.id log.message orders.total"],
        ),
        # The alias of a function that has columns of its own is no column: the name is that of the level around.
        ("SELECT (SELECT card FROM jsonb_each('{}') card LIMIT 1) FROM payments", ["card: payments.card"]),
        # ON sees the two sides and the level around, not what stands before them.
        (
            "SELECT EXISTS (SELECT 1 FROM orders, log l JOIN generate_series(1, 2) g ON card = '1') FROM payments",
            ["exists: payments.card"],
        ),
        # A merged column is the outer side's.
        ("SELECT id FROM payments LEFT JOIN orders USING (id)", ["id: payments.id"]),
        ("SELECT id FROM payments RIGHT JOIN orders USING (id)", ["id: orders.id"]),
        ("SELECT id FROM payments FULL JOIN orders USING (id)", ["id: orders.id payments.id"]),
        # Columns of one name keep apart under a join's alias.
        (
            "SELECT x, z FROM (payments p JOIN log l ON p.id = l.id) AS j(x, b, c, y, z)",
            ["x: payments.id", "z: log.id"],
        ),
        # `a(t)` is the column where no function has that name.
        ("SELECT card(p) FROM payments p", ["card: payments.card"]),
        # SEARCH and CYCLE add columns of what they list, which `*` shows only where the WITH belongs.
        (
            (
                "WITH RECURSIVE r AS (SELECT id, card FROM payments UNION ALL SELECT r.id, r.card FROM r) "
                "SEARCH DEPTH FIRST BY id SET o CYCLE card SET m USING p SELECT * FROM r"
            ),
            ["id: payments.id", "card: payments.card", "o: payments.id", "m: payments.card", "p: payments.card"],
        ),
        (
            (
                "WITH RECURSIVE r AS (SELECT id, card FROM payments UNION ALL SELECT r.id, r.card FROM r) "
                "SEARCH DEPTH FIRST BY id SET o SELECT * FROM (SELECT * FROM r) q"
            ),
            ["id: payments.id", "card: payments.card"],
        ),
    ],
)
def test_each_column_has_its_own_sources(text: str, columns: list[str]) -> None:
    assert sources(text) == columns


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        # What a join's alias does not show is not read.
        ("SELECT j.total FROM (orders o CROSS JOIN log) AS j", ["orders.total"]),
        # INSERT of a MERGE sees the source only.
        (
            "MERGE INTO payments p USING customers c ON p.order_id = 1 WHEN NOT MATCHED THEN INSERT (id) VALUES (id)",
            ["customers.id", "payments.order_id"],
        ),
        # The columns of these functions are known by name, and no other column hides behind them.
        ("SELECT e.value FROM jsonb_each('{}') e, (SELECT note FROM orders) o WHERE e IS NOT NULL", ["orders.note"]),
        # A field of a whole row, beside something that may have a column of the table's name: the row is read too.
        (
            "SELECT 1 FROM log, unnest((SELECT array_agg(total) FROM orders)) b WHERE (log).message IS NULL",
            ["log.id", "log.message", "orders.total"],
        ),
    ],
)
def test_what_is_read(text: str, columns: list[str]) -> None:
    assert used(text) == columns


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM payments JOIN get_rows() g USING (id)",
        "SELECT id FROM payments FULL JOIN get_rows() g USING (id)",
        "SELECT id FROM payments RIGHT JOIN get_rows() g USING (id)",
        "SELECT id FROM payments NATURAL FULL JOIN get_rows() g",
    ],
)
def test_a_column_that_is_merged_with_one_that_is_not_known_is_not_known(text: str) -> None:
    assert sources(text) == ["id: ?"]


def test_where_columns_stand_in_a_join_of_unknown_width_is_not_guessed() -> None:
    assert sources("SELECT c.b FROM (payments NATURAL JOIN get_rows() g) AS c(a, b)") == ["b: ?"]
