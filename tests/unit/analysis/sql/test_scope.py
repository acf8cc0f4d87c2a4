"""Names are found as PostgreSQL finds them; what may be hidden makes the answer uncertain."""

from interpose.analysis.sql.lineage import Lineage
from interpose.analysis.sql.scope import Join, Scope, Table, distinct, shown
from interpose.model.resources import ColumnResource, TableResource


def table(name: str, columns: str, *, known: bool = True, schema: str = "public") -> Table:
    """A table of the catalog; not `known`: one whose columns are not."""
    log: list[frozenset[ColumnResource]] = []
    return Table(
        name,
        dict.fromkeys(columns.split()),
        Scope(None).level,
        log,
        resource=TableResource(schema, name),
        lineage_of=lambda column: Lineage(frozenset({ColumnResource(schema, name, column)}), direct=True),
        open_=not known,
    )


def test_the_inner_level_hides_the_outer() -> None:
    outer, inner = Scope(None), None
    outer.items.append(table("t", "a b"))
    inner = Scope(outer)
    inner.items.append(table("u", "a"))
    found = inner.column("a")
    assert found is not None and found.sources == {ColumnResource("public", "u", "a")}
    found = inner.column("b")
    assert found is not None and found.sources == {ColumnResource("public", "t", "b")} and found.known


def test_a_table_of_unknown_columns_may_hide_the_outer() -> None:
    outer = Scope(None)
    outer.items.append(table("t", "b"))
    inner = Scope(outer)
    inner.items.append(table("u", "", known=False))
    found = inner.column("b")
    assert found is not None and not found.known
    assert ColumnResource("public", "t", "b") in found.sources


def test_a_merged_column_is_of_both_sides() -> None:
    scope = Scope(None)
    join = Join(table("t", "id a"), table("u", "id b"), ("id",))
    scope.items.append(join)
    found = scope.column("id")
    assert found is not None and len(found.sources) == 2 and not found.direct
    assert [name for name, _ in join.columns_of()] == ["id", "a", "b"]


def test_qualifiers_reach_tables_by_alias_and_schema() -> None:
    scope = Scope(None)
    scope.items += [table("t", "a"), table("t2", "a", schema="app")]
    found = scope.table("t2", "app")
    assert found is not None and found.schema == "app"
    assert scope.table("t2", "public") is None
    assert scope.table("absent") is None


def test_reading_is_remembered_under_the_catalogs_name() -> None:
    renamed = Table(
        "t", {"x": None}, Scope(None).level, [], lineage_of=lambda _: Lineage(frozenset()), real_names={"x": "ssn"}
    )
    renamed.read("x")
    assert list(renamed.reads) == ["ssn"]
    assert renamed.level.reads == 1


def test_two_columns_of_one_name_keep_their_places() -> None:
    taken: dict[str, None] = {}
    for _ in range(3):
        taken[distinct("id", taken)] = None
    assert len(taken) == 3
    assert [shown(key) for key in taken] == ["id", "id", "id"]
