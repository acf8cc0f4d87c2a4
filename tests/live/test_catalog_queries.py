"""The catalog queries on a real server: what they find, and that the fingerprint sees every kind of change."""

from collections.abc import Iterator

import psycopg
import pytest

from interpose.analysis.sql.catalog import CatalogCache
from interpose.analysis.sql.lookup_queries import FINGERPRINT, lookup_query, read_page
from interpose.model.catalog import CatalogNames, Lookup, Relation, Routine
from tests.support.database import Database

PATH = ("pg_catalog", "public")


def ask(connection: psycopg.Connection[tuple[str | None, ...]], query: str) -> list[list[str | None]]:
    """Every row of every result of a simple query."""
    cursor = connection.execute(query.encode())
    rows: list[list[str | None]] = []
    while True:
        if cursor.description:
            rows += [list(row) for row in cursor.fetchall()]
        if not cursor.nextset():
            return rows


@pytest.fixture
def upstream(fresh_database: Database) -> Iterator[psycopg.Connection[tuple[str | None, ...]]]:
    """A connection of the gateway's own to a database with a few things in it."""
    with psycopg.connect(fresh_database.dsn(), autocommit=True) as connection:
        connection.execute(
            "create table public.t (id int, n text, g int generated always as (id + 1) stored);"
            "create table public.child () inherits (public.t);"
            "create view public.v as select n from t;"
            "create function public.f() returns int language sql return 1"
        )
        yield connection


def test_names_are_found_as_the_server_knows_them(upstream: psycopg.Connection[tuple[str | None, ...]]) -> None:
    names = CatalogNames(
        relations=frozenset({(None, "t"), (None, "child"), (None, "v"), (None, "absent"), ("pg_catalog", "pg_class")}),
        routines=frozenset({(None, "f"), (None, "lower"), (None, "absent")}),
    )
    cache = CatalogCache()
    cache.absorb(read_page(names, PATH, ask(upstream, lookup_query(names, PATH))))
    found = cache.relation(None, "t", PATH)
    assert isinstance(found, Relation)
    assert [(column.name, column.generated) for column in found.columns] == [("id", False), ("n", False), ("g", True)]
    assert cache.relation_by_oid(found.oid) == found
    child = cache.relation(None, "child", PATH)
    assert isinstance(child, Relation) and child.parents == (("public", "t"),)
    view = cache.relation(None, "v", PATH)
    assert isinstance(view, Relation) and view.kind == "view" and "public.t" in (view.definition or "")
    assert cache.relation(None, "absent", PATH) is Lookup.NOT_FOUND
    routine = cache.routine(None, "f", PATH)
    assert isinstance(routine, Routine) and not routine.builtin
    lower = cache.routine(None, "lower", PATH)
    assert isinstance(lower, Routine) and lower.builtin and lower.volatility == "i"


@pytest.mark.parametrize(
    "change",
    [
        "alter table public.t rename column n to m",
        "create or replace view public.v as select upper(n) as n from public.t",
        "create table public.another (id int)",
        "drop table public.child",
        "create or replace function public.f() returns int language sql return 2",
        "create schema s",
        "alter table public.child no inherit public.t",
        "alter table public.t add column extra int",
    ],
)
def test_every_change_of_the_catalog_shows(upstream: psycopg.Connection[tuple[str | None, ...]], change: str) -> None:
    before = ask(upstream, FINGERPRINT)
    assert ask(upstream, FINGERPRINT) == before
    upstream.execute(change.encode())
    assert ask(upstream, FINGERPRINT) != before


def test_rows_and_temporary_tables_do_not_show(upstream: psycopg.Connection[tuple[str | None, ...]]) -> None:
    before = ask(upstream, FINGERPRINT)
    upstream.execute(b"insert into public.t (id, n) values (1, 'x'); create temp table mine (id int); drop table mine")
    assert ask(upstream, FINGERPRINT) == before


def test_schemas_are_asked_whether_they_exist(upstream: psycopg.Connection[tuple[str | None, ...]]) -> None:
    names = CatalogNames(schemas=frozenset({"public", "gateway_role"}))
    assert read_page(names, PATH, ask(upstream, lookup_query(names, PATH))).schemas == {"public"}


def test_types_are_those_that_a_result_would_have(upstream: psycopg.Connection[tuple[str | None, ...]]) -> None:
    """Of a domain over a domain the type at the bottom, with its length: what `RowDescription` says."""
    upstream.execute(
        "create domain public.code as varchar(8); create domain public.short as public.code;"
        "create table public.typed (a public.short, b varchar(5), c bit(3), d public.short[], e numeric(5, 2), f int)"
    )
    names = CatalogNames(relations=frozenset({(None, "typed")}))
    (relation,) = read_page(names, PATH, ask(upstream, lookup_query(names, PATH))).relations
    described = upstream.pgconn.exec_(b"select * from public.typed")
    expected = [(described.ftype(i), described.fmod(i)) for i in range(described.nfields)]
    assert [(column.type_oid, column.type_modifier) for column in relation.columns] == expected
    assert expected[0] == (1043, 12)
