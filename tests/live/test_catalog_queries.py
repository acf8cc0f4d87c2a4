"""The catalog queries on a real server: what they find, and that the fingerprint sees every kind of change."""

from collections.abc import Iterator

import psycopg
import pytest

from interpose.analysis.sql.catalog import CatalogCache
from interpose.analysis.sql.lookup_queries import FINGERPRINT, lookup_query, read_page
from interpose.model.catalog import Behind, CatalogNames, Lookup, Relation, Routine
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
        "grant usage on schema public to pg_monitor",
        "create operator public.@@@ (function = pg_catalog.int4pl, leftarg = int, rightarg = int)",
        "create type public.shape as (a int); create cast (text as public.shape) with inout",
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


def test_views_on_views_are_one_answer(upstream: psycopg.Connection[tuple[str | None, ...]]) -> None:
    upstream.execute("create view public.v1 as select n, f() as m from v")
    for level in range(2, 26):
        upstream.execute(f"create view public.v{level} as select v.n, v.m from v{level - 1} v, child".encode())
    names = CatalogNames(relations=frozenset({("public", "v25")}))
    found = read_page(names, (), ask(upstream, lookup_query(names, ()))).relations
    assert {relation.name for relation in found} == {"t", "child", "v", *(f"v{level}" for level in range(1, 26))}


def test_schemas_are_asked_whether_they_exist(upstream: psycopg.Connection[tuple[str | None, ...]]) -> None:
    upstream.execute("create role it_reads; create schema closed")
    asked = {(role, schema) for role in ("", "it_reads", "nobody") for schema in ("public", "closed", "gateway_role")}
    names = CatalogNames(schemas=frozenset(asked))
    usable = read_page(names, PATH, ask(upstream, lookup_query(names, PATH))).schemas
    upstream.execute("drop schema closed; drop role it_reads")
    assert usable == {("", "public"), ("", "closed"), ("it_reads", "public")}


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


def test_users_functions_behind_operators_and_casts_are_found(
    upstream: psycopg.Connection[tuple[str | None, ...]],
) -> None:
    upstream.execute(
        "create function public.leak(int, int) returns text language sql as 'select n from public.t limit 1';"
        "create operator public.@@@ (function = public.leak, leftarg = int, rightarg = int);"
        "create operator public.### (function = pg_catalog.int4pl, leftarg = int, rightarg = int);"
        "create type public.leaky as (a int); create domain public.over_leaky as public.leaky;"
        "create function public.to_leaky(int) returns public.leaky language sql as 'select row($1)::public.leaky';"
        "create cast (int as public.leaky) with function public.to_leaky(int);"
        "create extension citext"
    )
    operators = {(Behind.OPERATOR, None, name) for name in ("@@@", "###", "=", "+", "no")}
    casts = {(Behind.CAST, None, name) for name in ("leaky", "over_leaky", "int4", "text", "citext", "no")}
    names = CatalogNames(behind=frozenset(operators | casts | {(Behind.OPERATOR, "pg_catalog", "=")}))
    cache = CatalogCache()
    cache.absorb(read_page(names, PATH, ask(upstream, lookup_query(names, PATH))))

    def found(kind: Behind, name: str, schema: str | None = None) -> list[str]:
        behind = cache.behind(kind, schema, name, PATH)
        assert not isinstance(behind, Lookup)
        return sorted(f"{each.schema}.{each.name}" for each in behind)

    assert found(Behind.OPERATOR, "@@@") == ["public.leak"]
    assert found(Behind.OPERATOR, "###") == ["pg_catalog.int4pl"]
    assert set(found(Behind.OPERATOR, "=")) == {"public.citext_eq"}
    assert found(Behind.OPERATOR, "=", "pg_catalog") == found(Behind.OPERATOR, "no") == []
    assert found(Behind.CAST, "leaky") == found(Behind.CAST, "over_leaky") == ["public.to_leaky"]
    assert found(Behind.CAST, "int4") == [], "nothing of a user's casts to it"
    assert all(name.startswith("public.citext") or name == "pg_catalog.rtrim1" for name in found(Behind.CAST, "citext"))
    behind = cache.behind(Behind.OPERATOR, None, "=", PATH)
    assert not isinstance(behind, Lookup) and {each.extension for each in behind} == {"citext"}
    assert cache.behind(Behind.OPERATOR, None, "never asked", PATH) is Lookup.NOT_CACHED
