"""The learned catalog resolves names as PostgreSQL does, and never answers what it was not told."""

from interpose.analysis.sql.catalog import CatalogCache, folded
from interpose.model.catalog import Behind, CatalogColumn, CatalogNames, CatalogPage, Lookup, Relation, Routine

PATH = ("pg_catalog", "app", "public")


def table(schema: str, name: str, oid: int) -> Relation:
    """A table with one column."""
    return Relation(oid, schema, name, "table", (CatalogColumn("id", 1, 20),))


def page(*relations: Relation, asked: set[tuple[str | None, str]], path: tuple[str, ...] = PATH) -> CatalogPage:
    """An answer."""
    return CatalogPage(CatalogNames(relations=frozenset(asked)), path, relations)


def test_what_was_not_asked_is_not_known() -> None:
    cache = CatalogCache()
    assert cache.relation(None, "t", PATH) is Lookup.NOT_CACHED
    assert cache.relation("public", "t", PATH) is Lookup.NOT_CACHED
    assert cache.relation_by_oid(1) is Lookup.NOT_CACHED
    assert cache.routine(None, "f", PATH) is Lookup.NOT_CACHED


def test_the_first_schema_of_the_path_wins() -> None:
    cache = CatalogCache()
    cache.absorb(page(table("public", "t", 1), table("app", "t", 2), asked={(None, "t")}))
    found = cache.relation(None, "t", PATH)
    assert isinstance(found, Relation) and found.schema == "app"
    other = cache.relation(None, "t", ("public", "app"))
    assert isinstance(other, Relation) and other.schema == "public"


def test_a_schema_that_was_not_asked_may_hold_the_name() -> None:
    cache = CatalogCache()
    cache.absorb(page(table("public", "t", 1), asked={(None, "t")}, path=("public",)))
    assert cache.relation(None, "t", ("new", "public")) is Lookup.NOT_CACHED


def test_what_was_asked_and_not_found_does_not_exist() -> None:
    cache = CatalogCache()
    cache.absorb(page(asked={(None, "t"), ("app", "u")}))
    assert cache.relation(None, "t", PATH) is Lookup.NOT_FOUND
    assert cache.relation("app", "u", PATH) is Lookup.NOT_FOUND


def test_pg_temp_is_passed_over_but_a_sessions_own_schema_is_not() -> None:
    cache = CatalogCache()
    cache.absorb(page(table("public", "t", 1), asked={(None, "t")}))
    assert isinstance(cache.relation(None, "t", ("pg_temp", *PATH)), Relation)
    assert cache.relation("pg_temp", "t", PATH) is Lookup.NOT_FOUND
    assert cache.relation("pg_temp_3", "t", PATH) is Lookup.NOT_CACHED
    assert cache.relation(None, "t", ("pg_temp_3", *PATH)) is Lookup.NOT_CACHED
    cache.absorb(page(table("pg_temp_3", "t", 2), asked={("pg_temp_3", "t")}))
    found = cache.relation(None, "t", ("pg_temp_3", *PATH))
    assert isinstance(found, Relation) and found.oid == 2


def test_forgetting_forgets_everything_and_says_so() -> None:
    cache = CatalogCache()
    before = cache.version
    cache.absorb(page(table("public", "t", 7), asked={(None, "t")}))
    assert cache.version == before
    cache.forget()
    assert cache.version > before
    assert cache.relation(None, "t", PATH) is Lookup.NOT_CACHED
    assert cache.relation_by_oid(7) is Lookup.NOT_CACHED


def test_it_is_bounded() -> None:
    cache = CatalogCache(capacity=10)
    for number in range(30):
        cache.absorb(page(table("public", f"t{number}", number), asked={("public", f"t{number}")}))
    assert cache.version > 1
    assert isinstance(cache.relation("public", "t29", PATH), Relation)
    assert cache.relation("public", "t0", PATH) is Lookup.NOT_CACHED


def test_routines_are_found_in_the_path() -> None:
    cache = CatalogCache()
    routine = Routine("app", "f", frozenset("f"), "v", False, frozenset({"sql"}), False)
    cache.absorb(CatalogPage(CatalogNames(routines=frozenset({(None, "f")})), PATH, (), (routine,)))
    assert cache.routine(None, "f", PATH) == routine
    assert cache.routine("public", "f", PATH) is Lookup.NOT_FOUND


def test_schemas_exist_or_not_as_was_answered() -> None:
    cache = CatalogCache()
    assert cache.schema("public") is Lookup.NOT_CACHED
    asked = CatalogNames(schemas=frozenset({("", "public"), ("", "alice"), ("clerk", "public")}))
    cache.absorb(CatalogPage(asked, PATH, schemas=frozenset({("", "public")})))
    assert cache.schema("public") is True
    assert cache.schema("alice") is False
    assert cache.schema("public", "clerk") is False, "no USAGE"
    assert cache.schema("alice", "clerk") is Lookup.NOT_CACHED
    cache.forget()
    assert cache.schema("public") is Lookup.NOT_CACHED


def test_what_is_behind_an_operator_is_told_of_all_schemas_of_the_path() -> None:
    cache = CatalogCache()
    app, public = (Routine(schema, "f", frozenset("f"), "v", False, frozenset({"sql"}), False) for schema in PATH[-2:])
    asked = CatalogNames(behind=frozenset({(Behind.OPERATOR, None, "+"), (Behind.CAST, "app", "kind")}))
    found = tuple((Behind.OPERATOR, each.schema, "+", each) for each in (app, public))
    for _ in range(2):
        cache.absorb(CatalogPage(asked, PATH, behind=found))
        assert cache.behind(Behind.OPERATOR, None, "+", PATH) == (app, public)
    assert cache.behind(Behind.OPERATOR, app.schema, "+", PATH) == (app,)
    assert cache.behind(Behind.CAST, "app", "kind", PATH) == ()
    assert cache.behind(Behind.CAST, None, "+", PATH) is Lookup.NOT_CACHED
    cache.forget()
    assert cache.behind(Behind.OPERATOR, None, "+", PATH) is Lookup.NOT_CACHED


def test_overloads_of_an_extension_and_of_the_server_are_the_extensions() -> None:
    own = Routine("pg_catalog", "replace", frozenset("f"), "i", False, frozenset({"internal"}), True)
    theirs = Routine("public", "replace", frozenset("f"), "i", False, frozenset({"sql"}), False, "citext")
    users = Routine("app", "replace", frozenset("f"), "i", False, frozenset({"sql"}), False)
    assert folded([own, theirs]).extension == "citext"
    assert folded([own, theirs, users]).extension is None
    assert not folded([own, theirs]).builtin
