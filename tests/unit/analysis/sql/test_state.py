"""Names are resolved only while what they mean is known, and everything that is missing is collected."""

from interpose.analysis.sql.catalog import CatalogCache
from interpose.analysis.sql.guard import Limits
from interpose.analysis.sql.state import CommandState
from interpose.model.analysis import SessionChange
from interpose.model.catalog import CatalogNames, CatalogPage, Lookup, Relation, Routine
from interpose.model.command import SqlContext
from tests.support.catalog import PATH, ShopCatalog


def state(path: tuple[str, ...] | None = PATH, unasked: frozenset[str] = frozenset()) -> CommandState:
    """A command's state in the shop."""
    return CommandState(SqlContext(path, 17), ShopCatalog(unasked), Limits())


def test_the_path_decides() -> None:
    found = state().relation(None, "customers")
    assert isinstance(found, Relation) and found.schema == "app"
    assert state(None).relation(None, "customers") is None
    assert state(None).relation("public", "customers") is not None


def test_what_is_not_cached_is_wanted() -> None:
    asked = state(unasked=frozenset({"orders", "lower"}))
    assert asked.relation(None, "orders") is None
    assert asked.routine(None, "lower") is Lookup.NOT_CACHED
    wanted = asked.wanted()
    assert wanted.relations == {(None, "orders")} and wanted.routines == {(None, "lower")}
    assert not state().wanted()


def test_what_does_not_exist_is_not_wanted() -> None:
    asked = state()
    assert asked.relation(None, "absent") is None
    assert asked.routine(None, "absent") is Lookup.NOT_FOUND
    assert not asked.wanted()


def test_changes_are_forgotten_about() -> None:
    for change, keeps in ((SessionChange.CATALOG, False), (SessionChange.OPAQUE, False), (SessionChange.CURSORS, True)):
        after = state()
        after.after(frozenset({change}), moves_path=False)
        assert (after.relation("public", "orders") is not None) is keeps
    after = state()
    after.after(frozenset({SessionChange.SETTINGS}), moves_path=True)
    assert after.relation(None, "orders") is None
    assert after.relation("public", "orders") is not None
    assert after.routine(None, "lower") is Lookup.NOT_CACHED and not after.wanted()


def test_a_literal_path_is_followed() -> None:
    after = state()
    after.follow_path(("public",))
    found = after.relation(None, "customers")
    assert isinstance(found, Relation) and found.schema == "public"
    routine = after.routine(None, "shadowed")
    assert isinstance(routine, Routine) and not routine.builtin, "functions of all schemas compete"


def test_temporary_names_need_a_temporary_schema() -> None:
    assert state().relation("pg_temp", "orders") is None
    assert state(("pg_temp_3", "pg_catalog")).temporary_schema() == "pg_temp_3"
    assert state().creation_schema() == "app"
    assert state(None).creation_schema() == ""


def test_a_name_is_created_in_the_first_schema_that_exists() -> None:
    """`"$user", public` is the default path, and hardly ever is there a schema of the user's name."""
    cache = CatalogCache()
    created = CommandState(SqlContext(("pg_catalog", "gateway_role", "public"), 17), cache, Limits())
    created.creation_schema()
    assert created.wanted().schemas == {("", "gateway_role")}
    asked = CatalogNames(schemas=frozenset({("", "gateway_role"), ("", "public")}))
    cache.absorb(CatalogPage(asked, (), schemas=frozenset({("", "public")})))
    assert created.creation_schema() == "public"
    cache.absorb(CatalogPage(asked, (), schemas=frozenset({("", "gateway_role"), ("", "public")})))
    assert created.creation_schema() == "gateway_role"
