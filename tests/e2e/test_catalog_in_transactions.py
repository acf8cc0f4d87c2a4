"""In a transaction that has changed the catalog the system's own catalog is still readable, and nothing that shadows it shows what is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from tests.support.scene import Scene

Session = psycopg.Connection[tuple[Any, ...]]

SECRET = "078-05-"
"""What every hidden number of the scene begins with."""

LISTED = """
select c.relname, case when c.relispartition then 'p' when c.relkind in ('m', 'v') then 'v' else 't' end, obj_description(c.oid, 'pg_class')
from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname in ('made', 'orders') and pg_table_is_visible(c.oid) order by c.relname
"""
"""How Django finds the tables that there are, between the steps of a migration."""

RENAMED = "create function public.leak(name) returns text language sql as 'select min(ssn) from public.customers'"

SHADOWS = {
    "a temporary table": (
        ["create temp table pg_class (relname text)", "insert into pg_class select ssn from customers"],
        "select upper(relname) from pg_class",
    ),
    "a temporary view": (
        ["create temp view pg_class as select ssn as relname from customers"],
        "select upper(relname) from pg_class",
    ),
    "a temporary table that is filled at once": (
        ["create temp table pg_class as select ssn as relname from customers"],
        "select upper(relname) from pg_class",
    ),
    "a function that gets the name of one of the system's": (
        ["create table made (a int)", "alter function public.leak(name) rename to quote_ident"],
        "select quote_ident(relname) from pg_catalog.pg_class limit 1",
    ),
    "a function in a schema that gets another name": (
        ["create table made (a int)", "alter schema hidden_away rename to other", "set local search_path = other"],
        "select quote_ident(relname) from pg_catalog.pg_class limit 1",
    ),
    "a path that puts the system's schema last": (
        [
            "create table pg_class as select id::text as relname from customers",
            "set local search_path = public, pg_catalog",
            "alter table customers rename to pg_class",
        ],
        "select upper(ssn) from pg_class",
    ),
}


@pytest.fixture(params=["shop", "exact"])
def session(scene: Scene, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session of somebody from whom columns are hidden."""
    with scene.connect("alice", request.param) as connected:
        yield connected


@pytest.fixture
def leaking(scene: Scene) -> Iterator[None]:
    """Functions of the database's owner that return a hidden value, under names of their own."""
    away = RENAMED.replace("public.leak", "hidden_away.quote_ident")
    scene.server.psql(f"create schema hidden_away; {RENAMED}; {away}", database=scene.database)
    scene.server.psql(
        f"alter function public.leak owner to {scene.role}; alter schema hidden_away owner to {scene.role}",
        database=scene.database,
    )
    yield
    scene.server.psql("drop schema hidden_away cascade; drop function public.leak(name)", database=scene.database)


def test_the_system_catalog_is_shown_between_the_steps_of_a_migration(session: Session) -> None:
    with suppress(psycopg.Error), session.transaction(force_rollback=True):
        session.execute("create table made (a int primary key)")
        session.execute("create index on made (a)")
        assert [row[:2] for row in session.execute(LISTED).fetchall()] == [("made", "t"), ("orders", "t")]
        assert session.execute("select upper('x'), count(*) from made").fetchall() == [("[redacted]", 0)]
        return
    pytest.fail("the migration was refused")


@pytest.mark.usefixtures("leaking")
@pytest.mark.parametrize("way", SHADOWS)
def test_nothing_that_shadows_the_system_shows_what_is_hidden(session: Session, way: str) -> None:
    steps, question = SHADOWS[way]
    with session.transaction(force_rollback=True):
        for step in steps:
            with suppress(psycopg.Error), session.transaction():
                session.execute(step.encode())
        with suppress(psycopg.Error):
            assert SECRET not in repr(session.execute(question.encode()).fetchall())
