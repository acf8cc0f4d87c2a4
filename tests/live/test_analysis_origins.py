"""Analysis against a real server: result columns have the server's names and number, and its origins are in the lineage.

Every SELECT of the laundering corpus that the server can run is described there; what the server names as a column's origin must
be among the sources that analysis gives, and a column that analysis calls direct and of one table must have that origin.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ruamel.yaml import YAML

from interpose.analysis.sql import PostgresAnalyst
from interpose.analysis.sql.catalog import CatalogCache
from interpose.analysis.sql.lookup_queries import lookup_query, read_page
from interpose.model.analysis import Analysis, NeedsCatalog
from interpose.model.command import Command, CommandKind, SqlContext
from tests.support.database import Database

pytestmark = pytest.mark.live

PATH = ("pg_temp", "pg_catalog", "app", "public")
SHOP = """
CREATE SCHEMA app;
CREATE TABLE public.customers (id int, name text, email text, phone text, ssn text, card text, note text) PARTITION BY LIST (id);
CREATE TABLE public.customers_2024 PARTITION OF public.customers DEFAULT;
CREATE TABLE public.orders (id int PRIMARY KEY, customer_id int, total numeric, status text, note text);
CREATE TABLE public.payments (id int, order_id int, card text, amount numeric);
CREATE SEQUENCE public.orders_id_seq;
CREATE VIEW public.customer_view AS
  SELECT c.id, c.name, c.email AS contact, right(c.ssn, 4) AS tail FROM public.customers c WHERE c.card IS NOT NULL;
CREATE VIEW public.nested_view AS SELECT name, contact FROM public.customer_view;
CREATE TABLE app.customers (id int, nickname text);
CREATE TABLE app.log (id int, message text);
CREATE TABLE public."Mixed Case" ("Id" int, ssn text);
CREATE FUNCTION public.touch(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.tidy(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION public.tidy(public.customers) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.ssn';
"""


def _texts() -> list[str]:
    data = Path(__file__).parent.parent / "corpus" / "postgres"
    cases = [case for file in sorted(data.glob("*.yaml")) for case in YAML(typ="safe").load(file.read_text("utf-8"))]
    return [case["sql"] for case in cases if "path" not in case and ";" not in case["sql"] and "refused" not in case]


@pytest.fixture
def shop(fresh_database: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to a database with the shop in it."""
    with psycopg.connect(fresh_database.dsn(), autocommit=True) as connection:
        connection.execute(SHOP.encode())
        connection.execute(b"SET search_path = app, public")
        yield connection


def _learn(dsn: str, cache: CatalogCache, needs: NeedsCatalog) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(lookup_query(needs.names, PATH).encode())
        rows: list[list[str | None]] = []
        while True:
            if cursor.description:
                rows += [list(row) for row in cursor.fetchall()]
            if not cursor.nextset():
                break
    cache.absorb(read_page(needs.names, PATH, rows))


def _analyse(text: str, dsn: str, cache: CatalogCache) -> Analysis:
    command = Command(CommandKind.QUERY, text, SqlContext(PATH, 17))
    for _ in range(8):
        found = PostgresAnalyst().analyse(command, cache)
        if not isinstance(found, NeedsCatalog):
            assert isinstance(found, Analysis), found
            return found
        _learn(dsn, cache, found)
    raise AssertionError("the catalog is never enough")


def test_names_numbers_and_origins_are_the_servers(
    shop: psycopg.Connection[tuple[object, ...]], fresh_database: Database
) -> None:
    cache = CatalogCache()
    relations = {
        (int(str(oid)), int(str(number))): (str(schema), str(table), str(column))
        for oid, schema, table, number, column in shop.execute(
            "SELECT c.oid::int, n.nspname, c.relname, a.attnum::int, a.attname FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attnum > 0"
        )
    }
    compared = origins = 0
    for text in _texts():
        analysis = _analyse(text, fresh_database.dsn(), cache)
        outputs = analysis.statements[-1].outputs if analysis.statements else None
        prepared = shop.pgconn.prepare(b"", text.encode())
        if prepared.error_message:
            continue
        described = shop.pgconn.describe_prepared(b"")
        if analysis.statements and analysis.statements[-1].tag in ("EXPLAIN", "SHOW", "CALL", "FETCH", "EXECUTE"):
            continue
        if not described.nfields:
            assert outputs is None or analysis.statements[-1].copy == "out", text
            continue
        assert outputs is not None, text
        if outputs.columns is None:
            continue
        compared += 1
        names = [(described.fname(index) or b"").decode() for index in range(described.nfields)]
        assert [column.name for column in outputs.columns] == names, text
        for index, column in enumerate(outputs.columns):
            origin = relations.get((described.ftable(index), described.ftablecol(index)))
            sources = {(each.schema, each.table, each.name) for each in column.sources}
            if origin is not None and column.known:
                origins += 1
                assert origin in sources, (text, column)
            if column.known and column.direct and len(sources) == 1:
                assert {origin or next(iter(sources))} == sources, (text, column)
    assert compared > 80
    assert origins > 40
