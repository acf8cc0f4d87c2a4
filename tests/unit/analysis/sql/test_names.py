"""Names inside literals fold, unquote and are cut as the server does it; output columns are named as it names them."""

import postgast
import pytest

from interpose.analysis.sql.names import constant_text, fold, from_literal, output_name, qualified, truncate


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("orders", (None, "orders")),
        ("Shop.Orders", ("shop", "orders")),
        ('"Shop"."Or""ders"', ("Shop", 'Or"ders')),
        (' "A" . b ', ("A", "b")),
        ("db.shop.orders", ("shop", "orders")),
        ("ÄB", (None, "Äb")),
        ("x" * 70, (None, "x" * 63)),
    ],
)
def test_names_in_literals(text: str, name: tuple[str | None, str]) -> None:
    assert from_literal(text) == name


@pytest.mark.parametrize("text", ["", "a b", '"open', "a.", ".a", "a.b.c.d", 'a"b"', "x; DROP TABLE y"])
def test_what_is_no_name(text: str) -> None:
    assert from_literal(text) is None


def test_cutting_respects_characters() -> None:
    assert truncate("é" * 40) == "é" * 31
    assert truncate("a" * 63) == "a" * 63
    assert fold("ÀBC") == "Àbc"
    assert qualified(["db", "s", "t"]) == ("s", "t")


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("a", "a"),
        ("t.a", "a"),
        ("1", "?column?"),
        ("a + 1", "?column?"),
        ("a::text", "a"),
        ("5::int", "int4"),
        ("lower(a)", "lower"),
        ("x AS y", "y"),
        ("(a).b", "b"),
        ("CASE WHEN a THEN b END", "case"),
        ("CASE WHEN a THEN 1 ELSE b END", "b"),
        ("coalesce(a, b)", "coalesce"),
        ("nullif(a, b)", "nullif"),
        ("greatest(a, b)", "greatest"),
        ("current_date", "current_date"),
        ("EXISTS (SELECT 1)", "exists"),
        ("ARRAY(SELECT 1)", "array"),
        ("(SELECT a)", "a"),
        ("ROW(1)", "row"),
        ("(VALUES (1))", "column1"),
        ("xmlconcat(a)", "xmlconcat"),
        ("a IS DOCUMENT", "?column?"),
        ("a IS NULL", "?column?"),
    ],
)
def test_output_columns_are_named_as_the_server_names_them(expression: str, name: str) -> None:
    target = postgast.parse(f"SELECT {expression}").stmts[0].stmt.select_stmt.target_list[0].res_target
    assert output_name(target) == name


def test_only_string_constants_are_text() -> None:
    values = postgast.parse("SELECT 'x'::text, 5, $1, a").stmts[0].stmt.select_stmt.target_list
    assert [constant_text(each.res_target.val) for each in values] == ["x", None, None, None]
