"""The table of docs/reference/statements.md: examples of every statement kind, and the effects that analysis finds in them.

The example catalog is the shop of examples/policy/tests. A statement kind that analysis knows and that has no example is an error.
"""

from __future__ import annotations

from collections.abc import Iterable

from interpose.analysis.sql import tree
from interpose.analysis.sql.analyst import PostgresAnalyst
from interpose.analysis.sql.guard import Limits
from interpose.analysis.sql.settings import PINNED
from interpose.analysis.sql.vocabulary import STATEMENTS
from interpose.app.policy_tests import DeclaredCatalog
from interpose.model.analysis import Analysis
from interpose.model.command import Command, CommandKind, SqlContext
from interpose.model.connection import Address, Connection
from interpose.model.ids import ConnectionName
from interpose.model.resources import ConnectionResource
from interpose.policy.cases import CaseConnection
from interpose.policy.names import describe
from tools.pages.tables import code, codes, table

EXAMPLES: dict[str, tuple[str, ...]] = {
    "Queries": (
        "select id, email from customers where name = 'Ada'",
        "select count(*) from orders",
        "select refund(17)",
        "select * from orders for update",
        "insert into orders (id, status) values (1, 'new')",
        "insert into orders (id, status) values (1, 'new') on conflict (id) do update set status = 'new'",
        "insert into archive select * from customers",
        "update orders set status = 'paid' where id = 17",
        "delete from orders",
        "merge into orders o using archive a on o.id = a.id when matched then delete when not matched then insert (id) values (a.id)",
        "with gone as (delete from orders where id = 17 returning id) select id from gone",
        "select id, status into newer from orders",
    ),
    "Rows to and from elsewhere": (
        "copy orders to stdout",
        "copy (select status from orders) to stdout",
        "copy orders from stdin",
        "copy orders to '/data/orders'",
        "copy orders from program 'curl example.com'",
        "create table newer as select id from orders",
        "create view recent as select id from orders",
        "refresh materialized view totals",
        "explain select status from orders",
        "explain analyze delete from orders where id = 17",
    ),
    "The session": (
        "begin",
        "rollback to savepoint a",
        "commit",
        "set work_mem = '64MB'",
        "set search_path = shop",
        "reset all",
        "set role reporting",
        "set transaction isolation level serializable",
        "set constraints all deferred",
        "show work_mem",
        "discard all",
        "prepare p as select status from orders",
        "execute p",
        "deallocate p",
        "declare c cursor for select status from orders",
        "fetch all from c",
        "close c",
        "listen news",
        "unlisten *",
        "notify news, 'hello'",
        "lock table orders",
        "do $$ begin perform 1; end $$",
        "call refund(17)",
    ),
    "Functions of PostgreSQL that do more than compute": (
        "select pg_read_file('postgresql.conf')",
        "select pg_terminate_backend(17)",
        "select set_config('work_mem', '64MB', false)",
        "select current_setting('work_mem')",
        "select nextval('order_numbers')",
        "select pg_notify('news', 'hello')",
        "select lo_get(17)",
        "select query_to_xml('select status from orders', true, true, '')",
        "select table_to_xml('orders', true, true, '')",
        "select * from dblink('dbname=other', 'select 1') as t (n int)",
    ),
    "Tables and what belongs to them": (
        "create table parcels (id int primary key)",
        "create temporary table mine (id int)",
        "create foreign table far (id int) server other",
        "alter table orders add column note text",
        "alter table orders rename to purchases",
        "alter table orders set schema old",
        "alter table orders owner to bob",
        "drop table orders",
        "drop view if exists recent",
        "truncate orders",
        "create index by_status on orders (status)",
        "drop index by_status",
        "create sequence order_numbers",
        "alter sequence order_numbers restart",
        "create trigger audit before update on orders for each row execute function refund()",
        "create rule r as on insert to orders do instead nothing",
        "create policy own on orders using (true)",
        "alter policy own on orders using (false)",
        "create statistics s on id, status from orders",
        "alter statistics s set statistics 100",
        "comment on table orders is 'what was bought'",
        "security label on table orders is 'secret'",
    ),
    "Other objects": (
        "create schema shop",
        "drop schema shop cascade",
        "alter schema shop owner to bob",
        "create function f() returns int language sql as 'select 1'",
        "alter function refund() volatile",
        "alter function refund() depends on extension hstore",
        "create aggregate a (int) (sfunc = int4pl, stype = int)",
        "create type pair as (a int, b int)",
        "create type mood as enum ('good', 'bad')",
        "create type span as range (subtype = float8)",
        "alter type mood add value 'so so'",
        "alter type span set (subtype_diff = f)",
        "create domain age as int check (value > 0)",
        "alter domain age drop not null",
        'create collation c from "C"',
        "alter collation c refresh version",
        "create operator class o for type int using btree as operator 1 <",
        "create operator family o using btree",
        "alter operator family o using btree drop operator 1 (int, int)",
        "alter operator = (int, int) set (restrict = none)",
        "alter text search dictionary d (stopwords = e)",
        "alter text search configuration c drop mapping for word",
        "create cast (text as age) with inout",
        "create conversion c for 'UTF8' to 'LATIN1' from f",
        "create transform for int language plpgsql (from sql with function f(internal))",
    ),
    "Privileges and roles": (
        "grant select on orders to reporting",
        "revoke select on orders from reporting",
        "grant reporting to bob",
        "alter default privileges grant select on tables to reporting",
        "create role reporting",
        "alter role reporting superuser",
        "alter role reporting set work_mem = '64MB'",
        "drop role reporting",
        "drop owned by bob",
        "reassign owned by bob to alice",
    ),
    "The server": (
        "vacuum orders",
        "analyze",
        "cluster orders",
        "reindex table orders",
        "checkpoint",
        "load 'library'",
        "alter system set work_mem = '64MB'",
        "create database other",
        "alter database other set work_mem = '64MB'",
        "alter database other with connection limit 5",
        "alter database other refresh collation version",
        "drop database other",
        "create tablespace fast location '/mnt'",
        "alter tablespace fast set (seq_page_cost = 1)",
        "alter table all in tablespace fast set tablespace slow",
        "drop tablespace fast",
        "create extension hstore",
        "alter extension hstore update",
        "alter extension hstore add table orders",
        "create foreign data wrapper w",
        "alter foreign data wrapper w options (set a 'b')",
        "create server other foreign data wrapper w",
        "alter server other options (set host 'x')",
        "create user mapping for bob server other",
        "alter user mapping for bob server other options (set user 'x')",
        "drop user mapping for bob server other",
        "import foreign schema far from server other into public",
        "create access method m type index handler h",
        "create language l",
        "create language l handler h",
        "create event trigger t on ddl_command_start execute function f()",
        "alter event trigger t disable",
        "create publication p for all tables",
        "alter publication p add table orders",
        "create subscription s connection 'host=x' publication p",
        "alter subscription s disable",
        "drop subscription s",
    ),
}
"""Examples by the heading under which they are told."""

_CATALOG = DeclaredCatalog(
    CaseConnection(
        Connection(ConnectionName("orders-prod"), "postgres", Address("test", 1), "", None),
        tables={
            ("public", "customers"): ("id", "name", "email"),
            ("public", "orders"): ("id", "status"),
            ("public", "archive"): ("id", "name", "email"),
            ("public", "totals"): ("day", "sum"),
        },
        functions=frozenset({("public", "refund")}),
    )
)
_SHOWN_ROWS = 6


def analysed(text: str) -> Analysis:
    """One example's analysis; raises `TypeError` when it has none."""
    found = PostgresAnalyst().analyse(
        Command(CommandKind.QUERY, text, SqlContext(("pg_catalog", "public"), 17)), _CATALOG
    )
    if not isinstance(found, Analysis):
        raise TypeError(f"`{text}`: {found}")
    return found


def _kinds(texts: Iterable[str]) -> set[str]:
    found = set()
    for text in texts:
        parsed = tree.parse(text)
        found |= {raw.stmt.WhichOneof("node") for raw in getattr(parsed, "stmts", ())}
    return found


def _effects(text: str) -> str:
    words = []
    for effect in analysed(text).effects:
        on = "" if isinstance(effect.resource, ConnectionResource) else f" {describe(effect.resource)}"
        words.append(code(effect.action.value) + on)
    distinct = list(dict.fromkeys(words))
    more = f", and {len(distinct) - _SHOWN_ROWS} more" if len(distinct) > _SHOWN_ROWS else ""
    return ", ".join(distinct[:_SHOWN_ROWS]) + more


def statements() -> str:
    """Every statement kind by example."""
    missing = set(STATEMENTS) - _kinds(text for texts in EXAMPLES.values() for text in texts)
    if missing:
        raise ValueError(f"statement kinds without an example: {sorted(missing)}")
    parts = []
    for heading, texts in EXAMPLES.items():
        parts.append(
            f"### {heading}\n\n{table(('statement', 'effects'), ((code(text), _effects(text)) for text in texts))}"
        )
    return "\n\n".join(parts)


def pinned() -> str:
    """The settings that cannot be moved."""
    return table(
        ("setting", "may be set to"), ((code(name), codes(sorted(allowed))) for name, (allowed, _) in PINNED.items())
    )


def limits() -> str:
    """The bounds on one command's text."""
    bounds = Limits()
    rows = (
        ("length", f"{bounds.max_bytes:,} bytes in UTF-8", "too_long"),
        ("chained operators, joins and set operations", f"{bounds.max_links:,} deep", "too_deep"),
        ("sub-selects and expressions in each other", f"{bounds.max_nesting} steps of the analysis", "too_deep"),
        ("statements in one message", f"{bounds.max_statements:,}", "too_long"),
    )
    return table(("what", "at most", "code"), ((what, most, code(word)) for what, most, word in rows))


BLOCKS = {"statements": statements, "pinned": pinned, "limits": limits}
"""The page's blocks by name."""
