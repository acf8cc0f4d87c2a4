"""SELECT, set operations and WITH: what levels say of WHERE and LIMIT, and lineage through recursion and views."""

import pytest

from interpose.model.analysis import OutputColumn
from interpose.model.resources import ColumnResource
from tests.support.catalog import RELATIONS, analysed, relation


def facts(text: str) -> dict[str, object]:
    """The facts of the first effect on a column or table."""
    return dict(next(effect for effect in analysed(text).effects if effect.action.value in ("select", "delete")).facts)


def columns(text: str) -> tuple[OutputColumn, ...]:
    """The result's columns."""
    outputs = analysed(text).statements[-1].outputs
    assert outputs is not None and outputs.columns is not None
    return outputs.columns


@pytest.mark.parametrize(
    ("where", "chooses"),
    [
        ("true", False),
        ("$1", False),
        ("1 < 2 AND 'a' = 'a'", False),
        ("note = note", False),
        ("total > 5 OR 1 = 1", False),
        ("NOT false", False),
        ("EXISTS (SELECT 1 FROM payments)", False),
        ("total > 5", True),
        ("total > 5 AND true", True),
        ("note = status", True),
        ("total > 5 OR note = 'x'", True),
        ("EXISTS (SELECT 1 FROM payments p WHERE p.order_id = orders.id)", True),
        ("id IN (SELECT order_id FROM payments)", True),
        ("ctid = '(0,1)'", False),
    ],
)
def test_a_where_that_chooses_nothing_is_told_apart(where: str, chooses: bool) -> None:
    found = facts(f"DELETE FROM orders WHERE {where}")
    assert found["has_where"] is True
    assert found["where_constant"] is not chooses


def test_limit_is_told_when_it_is_a_number() -> None:
    assert facts("SELECT id FROM orders LIMIT 7")["limit"] == 7
    assert "limit" not in facts("SELECT id FROM orders LIMIT $1")
    assert "limit" not in facts("SELECT id FROM orders LIMIT ALL")


def test_set_operations_pair_columns_by_place() -> None:
    first, second = columns("SELECT note, 'x' FROM orders UNION SELECT card, status FROM payments, orders")
    assert first.name == "note"
    assert {source.name for source in first.sources} == {"note", "card"}
    assert {source.name for source in second.sources} == {"status"}
    unequal = analysed("SELECT 1 UNION SELECT 1, 2").statements[0].outputs
    assert unequal is not None and unequal.columns is None


def test_order_by_prefers_the_output_and_group_by_the_input() -> None:
    used = analysed("SELECT 1 AS note FROM orders ORDER BY note").statements[0].used
    assert not used
    used = analysed("SELECT 1 AS note FROM orders GROUP BY note").statements[0].used
    assert {source.name for source in used} == {"note"}
    used = analysed("SELECT total AS t FROM orders GROUP BY GROUPING SETS (t, ROLLUP (status), ())").statements[0].used
    assert {source.name for source in used} == {"total", "status"}


def test_recursion_ends() -> None:
    text = "WITH RECURSIVE r(a, b, c) AS (SELECT note, '', '' FROM orders UNION ALL SELECT c, a, b FROM r) TABLE r"
    assert [{source.name for source in column.sources} for column in columns(text)] == [{"note"}] * 3
    cycle = columns(
        "WITH RECURSIVE r(a) AS (SELECT note FROM orders UNION SELECT a FROM r) CYCLE a SET seen USING path SELECT * FROM r"
    )
    assert [column.name for column in cycle] == ["a", "seen", "path"]
    assert {source.name for source in cycle[2].sources} == {"note"}


def test_views_within_views_are_followed_and_circles_end() -> None:
    (column,) = columns("SELECT contact FROM nested_view")
    assert column.direct and {source.name for source in column.sources} == {"contact", "email"}
    (looped,) = columns("SELECT a FROM loop_view")
    assert not looped.known


def test_a_view_is_walked_once_however_often_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty views of which each reads the one below three times: 3^30 walks, if each were made."""
    views = dict(RELATIONS)
    for level in range(30):
        below = "public.customers" if level == 0 else f"public.deep_{level - 1}"
        text = f"SELECT a.ssn, b.name, upper(c.name) AS loud FROM {below} a, {below} b, {below} c"
        views["public", f"deep_{level}"] = relation(
            1000 + level, f"deep_{level}", "ssn name loud", "view", definition=text
        )
    monkeypatch.setattr("tests.support.catalog.RELATIONS", views)
    (info,) = analysed("select ssn, loud from deep_29").statements
    assert info.outputs is not None and info.outputs.columns is not None
    assert all(column.known for column in info.outputs.columns)
    assert ColumnResource("public", "customers", "ssn") in info.outputs.columns[0].sources
    assert ColumnResource("public", "customers", "ssn") not in info.outputs.columns[1].sources
    assert info.used_known
