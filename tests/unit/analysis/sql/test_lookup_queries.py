"""Catalog queries quote what they are given, and their rows are read strictly. Against a real server: tests/live."""

import pytest

from interpose.analysis.sql.lookup_queries import lookup_query, read_page
from interpose.model.catalog import Behind, CatalogColumn, CatalogNames

RELATION = [
    "relation",
    "16400",
    "public",
    "t",
    "v",
    "p",
    '[["id",1,false,[23,-1]],["n",2,true,[1043,14]]]',
    "SELECT 1",
    '[["a","b"]]',
    "77",
    "true",
]


def routine(kind: str, volatility: str, builtin: str = "false", language: str = "sql") -> list[str | None]:
    """A row of one overload."""
    return ["routine", "public", "f", kind, volatility, "false", language, builtin, None, f"16500:{kind}"]


def test_names_are_quoted() -> None:
    names = CatalogNames(relations=frozenset({("a'b", "t'; DROP TABLE x; --")}))
    text = lookup_query(names, ())
    assert "n.nspname = 'a''b'" in text
    assert "'t''; DROP TABLE x; --'" in text


def test_unqualified_names_are_asked_in_every_schema_of_the_path() -> None:
    text = lookup_query(CatalogNames(routines=frozenset({(None, "f")})), ("one", "two"))
    assert "n.nspname = 'one'" in text and "n.nspname = 'two'" in text


def test_nothing_is_asked_that_was_not_wanted() -> None:
    text = lookup_query(CatalogNames(oids=frozenset({5, 7})), ())
    assert "c.oid IN (5, 7)" in text
    assert "pg_proc p" not in text


def test_a_relation_is_read() -> None:
    (relation,) = read_page(CatalogNames(), (), [RELATION]).relations
    assert (relation.oid, relation.kind, relation.definition) == (16400, "view", "SELECT 1")
    assert relation.columns == (CatalogColumn("id", 1, 23), CatalogColumn("n", 2, 1043, True, 14))
    assert relation.parents == (("a", "b"),)
    assert relation.mark == "77"
    assert relation.ruled


def test_a_generated_column_says_what_it_is_computed_from() -> None:
    row = [*RELATION[:6], '[["id",1,false,[23,-1]],["n",2,["id"],[23,-1]]]', *RELATION[7:]]
    (relation,) = read_page(CatalogNames(), (), [row]).relations
    assert [(column.generated, column.computed_from) for column in relation.columns] == [(False, ()), (True, ("id",))]


def test_overloads_are_folded_at_their_most_dangerous() -> None:
    rows = [routine("f", "i", "true", "internal"), routine("p", "v", "false", "plpgsql")]
    (folded,) = read_page(CatalogNames(), (), rows).routines
    assert folded.kinds == frozenset("fp")
    assert folded.volatility == "v"
    assert not folded.builtin
    assert folded.languages == frozenset({"internal", "plpgsql"})
    assert folded.marks == frozenset({"16500:f", "16500:p"})


def test_a_row_of_another_shape_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="not understood"):
        read_page(CatalogNames(), (), [["surprise"]])
    for place, part in (
        (6, "[[1]]"),
        (6, "[5]"),
        (6, '[["id",1,false,5]]'),
        (6, '[["id",null,false,[23,-1]]]'),
        (8, "[7]"),
    ):
        with pytest.raises(ValueError):
            read_page(CatalogNames(), (), [[*RELATION[:place], part, *RELATION[place + 1 :]]])


def test_schemas_are_asked_for_each_role() -> None:
    names = CatalogNames(schemas=frozenset({("", "public"), ("o'clerk", "app")}))
    text = lookup_query(names, ())
    assert "has_schema_privilege(oid, 'USAGE')" in text
    assert "r.rolname = 'o''clerk' AND n.nspname IN ('app')" in text
    page = read_page(names, (), [["schema", "", "public"]])
    assert page.schemas == {("", "public")}


def test_what_is_behind_operators_and_types_is_asked_by_kind() -> None:
    names = CatalogNames(behind=frozenset({(Behind.OPERATOR, None, "@'@"), (Behind.CAST, "app", "kind")}))
    text = lookup_query(names, ("one", "two"))
    assert "(n.nspname = 'one' AND o.oprname IN ('@''@')) OR (n.nspname = 'two' AND" in text
    assert "(n.nspname = 'app' AND t.typname IN ('kind'))" in text
    assert lookup_query(CatalogNames(behind=frozenset({(Behind.CAST, "app", "kind")})), ()).count("'behind'") == 1


def test_the_functions_behind_a_name_are_read() -> None:
    row = ["behind", "operator", "public", "@@@", *routine("f", "v")[1:]]
    ((kind, schema, name, found),) = read_page(CatalogNames(), (), [row]).behind
    assert (kind, schema, name) == (Behind.OPERATOR, "public", "@@@")
    assert found.volatility == "v"
    for wrong in (
        ["behind", "operator", "public", "@@@"],
        ["routine", "short"],
        ["behind", "dream", "p", "n", *row[4:]],
    ):
        with pytest.raises(ValueError):
            read_page(CatalogNames(), (), [wrong])
