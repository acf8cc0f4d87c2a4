"""What may be called, and that no function, operator or cast launders a hidden value through a real gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.postgres import PostgresServer
from tests.support.raw_postgres import RawClient, kinds
from tests.support.scene import CLASSIFICATIONS, Scene

SECRETS = ("secret-domain", "078-05-11", "-1121", "90001", "90020", "5-11")
"""Parts of what is classified, and of what is made of it: none may come to alice."""

OBJECTS = """\
create function leak() returns text language sql stable as 'select max(ssn) from customers';
create function leak_immutable(int) returns text language plpgsql immutable as $$ begin return (select max(ssn) from customers); end $$;
create function leak_definer() returns text language sql security definer as 'select max(ssn) from customers';
create function leak_rows() returns setof customers language sql stable as 'select * from customers';
create function leak_table() returns table (a text, b text) language sql stable as 'select ssn, email from customers';
create function leak_variadic(variadic int[]) returns text language sql stable as 'select max(ssn) from customers';
create function leak_default(a int default 1, b text default 'x') returns text language sql stable as 'select max(ssn) from customers';
create function told() returns text language sql as $$ select '078-05-1127' $$;
create function copied(text) returns text language sql immutable as 'select $1';
create function moved(c customers) returns text language sql immutable as 'select (c).ssn';
create function leak_op(int, int) returns text language sql stable as 'select max(ssn) from customers';
create function leak_eq(int, text) returns boolean language sql stable as 'select (select max(ssn) from customers) like $2';
create operator @@@ (function = leak_op, leftarg = int, rightarg = int);
create operator = (function = leak_eq, leftarg = int, rightarg = text);
create operator /~ (function = pg_catalog.pg_read_file, rightarg = text);
create type leaky as (v text);
create function to_leaky(int) returns leaky language sql stable as 'select row(max(ssn))::leaky from customers';
create function from_leaky(leaky) returns int language sql stable as 'select 90001';
create cast (int as leaky) with function to_leaky(int);
create cast (leaky as int) with function from_leaky(leaky);
create function leak_state(text, int) returns text language sql stable as 'select max(ssn) from customers';
create aggregate leak_all (int) (sfunc = leak_state, stype = text, initcond = '');
create procedure leak_out(inout a text) language plpgsql as $$ begin a := (select max(ssn) from customers); end $$;
create table parted (k text, id int) partition by list (k);
create table parted_1 partition of parted for values in ('078-05-1121');
create index on customers (id) where ssn = '078-05-1122';
alter table customers add constraint odd check (ssn <> '078-05-1123x');
create table with_default (a text default '078-05-1124');
create view fixed as select id from customers where ssn <> '078-05-1125';
comment on table orders is '078-05-1126';
"""

WAYS = [
    "select leak()",
    "select leak_immutable(1)",
    "select leak_definer()",
    "select * from leak_rows()",
    "select r.ssn, r.email from leak_rows() r",
    "select (leak_rows()).*",
    "select leak_rows()",
    "select * from leak_table()",
    "select a from leak_table() x(a, c)",
    "select leak_variadic(1, 2)",
    "select leak_variadic(variadic array[1])",
    "select leak_default(b => 'y')",
    "select copied(ssn) from customers",
    "select copied(leak())",
    "select moved(c) from customers c",
    "select c.moved from customers c",
    "select upper(leak())",
    "select x from (select leak() as x) y union select 'a'",
    "select id @@@ 1 from orders limit 1",
    "select 1 operator(public.@@@) 2",
    "select (1 @@@ 2) || ''",
    "select case 1 when '078%'::text then 'found 5-11' end",
    "select 1::leaky",
    "select (1::leaky).v",
    "select cast(1 as leaky)::text",
    "select leaky '(x)'::leaky::int + 0",
    "select leak_all(id) from orders",
    "select leak_all(id) over () from orders",
    "call leak_out('x')",
    "select pg_get_expr(relpartbound, oid) from pg_class where relname = 'parted_1'",
    "select pg_get_partition_constraintdef('parted_1'::regclass)",
    "select pg_advisory_lock(salary) from customers; select objid from pg_locks where locktype = 'advisory'",
    "begin; select pg_try_advisory_xact_lock(1, salary) from customers; select objid from pg_locks where locktype = 'advisory'; rollback",
    "begin; select lo_open(lo_create(0), 393216); select lo_lseek(0, (select max(salary) from customers), 0); select lo_tell(0); rollback",
    "select query_to_xml('select ssn from customers', true, true, '')",
    "select query_to_xml('select ' || 'ssn from customers', true, true, '')",
    "begin; declare c cursor for select ssn from customers; select cursor_to_xml('c', 5, true, true, ''); rollback",
    "select table_to_xml('customers', true, true, '')",
    "select schema_to_xml('public', true, true, '')",
    "select database_to_xml(true, true, '')",
    "select * from ts_stat('select to_tsvector(ssn) from customers')",
    "select ts_headline(ssn, to_tsquery('078')) from customers",
    "select * from ts_parse('default', (select ssn from customers limit 1))",
    "select to_tsvector(ssn) from customers",
    "select json_populate_record(null::customers, row_to_json(c)) from customers c",
    "select * from customers c, json_to_record(row_to_json(c)) as j(ssn text)",
    "select textout(textin('x')), textout(ssn) from customers",
    "select record_out(c) from customers c",
    "select array_out(array[ssn]) from customers",
    "select format('%s %I %L', ssn, email, ssn) from customers",
    "select * from pg_input_error_info((select ssn from customers limit 1), 'int')",
    "select quote_nullable(ssn), convert_to(ssn, 'UTF8'), encode(ssn::bytea, 'hex') from customers",
    "select * from pg_options_to_table((select array_agg('a=' || ssn) from customers))",
]


DEFINITIONS = [
    "select pg_get_viewdef('fixed'::regclass)",
    "select definition from pg_views where viewname = 'fixed'",
    "select view_definition from information_schema.views where table_name = 'fixed'",
    "select pg_get_indexdef(indexrelid) from pg_index where indrelid = 'customers'::regclass",
    "select indexdef from pg_indexes where tablename = 'customers'",
    "select pg_get_expr(indpred, indrelid) from pg_index where indrelid = 'customers'::regclass",
    "select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'customers'::regclass",
    "select check_clause from information_schema.check_constraints",
    "select column_default from information_schema.columns where table_name = 'with_default'",
    "select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'with_default'::regclass",
    "select obj_description('orders'::regclass, 'pg_class')",
    "select description from pg_description where objoid = 'orders'::regclass",
    "select pg_get_functiondef('told'::regproc)",
]
"""Texts that a definition's owner wrote: shown to people, and not to agents."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Scene]:
    """A scene of this module's own, with functions that leak whatever is asked of them."""
    with PostgresServer() as server, Scene(server) as made:
        made.upstream(OBJECTS)
        yield made


def _shown(scene: Scene, way: str, principal: str = "alice") -> str:
    with RawClient(scene.plain_port) as client:
        client.log_in(principal, "shop", scene.token(principal))
        start = len(client.received)
        for statement in way.split("; "):
            client.ask(statement.encode())
        shown = bytes(client.received[start:]).decode(errors="replace")
        assert kinds(client.ask(b"rollback; select 1"))[-1:] == b"Z"
        return shown


@pytest.mark.parametrize("way", WAYS)
def test_no_function_shows_what_is_hidden_even_where_every_call_is_permitted(shop: Scene, way: str) -> None:
    shown = _shown(shop, way)
    for secret in SECRETS:
        assert secret not in shown, f"{secret} in {shown[:500]}"


@pytest.mark.parametrize("way", DEFINITIONS)
def test_definitions_are_shown_to_people_and_not_to_agents(shop: Scene, way: str) -> None:
    # information_schema answers owners only, and the gateway's role is none.
    assert "information_schema" in way or any(secret in _shown(shop, way) for secret in SECRETS)
    strict = _shown(shop, way, "shopbot")
    # Somebody made an operator `=` here: in strict mode what compares with it is refused.
    assert any(word in strict for word in ("redacted", "hidden from you", "SELECT 0"))
    for secret in SECRETS:
        assert secret not in strict, f"{secret} in {strict[:500]}"


@pytest.mark.parametrize("way", [*WAYS, *DEFINITIONS])
def test_each_way_does_leak_without_the_gateway(shop: Scene, way: str) -> None:
    shown = shop.upstream(way.replace("; ", ";\n"))
    assert any(secret in shown for secret in SECRETS)


def test_a_function_of_pg_catalog_that_nobody_reviewed_is_refused(shop: Scene) -> None:
    shop.upstream("create function pg_catalog.brand_new(text) returns text language internal immutable as 'textin'")
    shop.upstream("set allow_system_table_mods = on; update pg_proc set oid = 9998 where proname = 'brand_new'")
    with shop.connect("carol", "shop") as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            session.execute("select brand_new('x')")
        assert caught.value.diag.message_hint
        assert session.execute("select 1").fetchone() == (1,)


CALLS = """
@id("own-functions")
permit (principal, action == Action::"call", resource is Function in Label::"team=shop") when { resource.builtin };

@id("exactly-this-one")
permit (principal, action == Action::"call", resource == Function::"shop/public.tidy");

@id("the-rest")
permit (principal, action in [Action::"connect", Action::"select", Action::"transaction"], resource in Label::"team=shop");
"""


@pytest.fixture(scope="module")
def narrow() -> Iterator[Scene]:
    """A scene whose policy permits PostgreSQL's own functions and exactly one more."""
    policy = {"shop.cedar": CALLS, "classifications.yaml": CLASSIFICATIONS}
    with PostgresServer() as server, Scene(server, policy=policy) as made:
        made.upstream("create function tidy(text) returns text language sql immutable as 'select trim($1)'")
        made.upstream("create function other(text) returns text language sql immutable as 'select trim($1)'")
        made.upstream("create function plus(int, text) returns text language sql immutable as 'select $2'")
        made.upstream("create operator @@@ (function = plus, leftarg = int, rightarg = text)")
        made.upstream("create operator /~ (function = pg_catalog.pg_read_file, rightarg = text)")
        yield made


@pytest.mark.parametrize(
    "text",
    [
        "select other('x')",
        "select other(name) from customers",
        "select 1 @@@ 'x'",
        "select * from other('x')",
        "select query_to_xml('select 1', true, true, '')",
        "select pg_read_file('x')",
        "select /~ 'x'",
        "select set_config('work_mem', '4MB', false)",
        "select pg_terminate_backend(1)",
        "select brand_new()",
        "select domain_in('1', 23, -1)",
    ],
)
def test_what_no_policy_names_is_refused(narrow: Scene, text: str) -> None:
    with narrow.connect("alice", "shop") as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(text.encode())
        assert session.execute("select lower('X')").fetchone() == ("x",)


def test_the_function_that_policy_names_runs_and_shows_nothing_hidden(narrow: Scene) -> None:
    with narrow.connect("alice", "shop") as session:
        row: tuple[Any, ...] | None = session.execute("select tidy(' x ')").fetchone()
        assert row == ("[redacted]",), "its body is out of sight, and there are hidden columns"
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            session.execute("select tidy(ssn) from customers")
        assert "masked_value_would_escape" in (caught.value.diag.message_detail or "")


def test_ordinary_functions_still_answer(narrow: Scene) -> None:
    with narrow.connect("alice", "shop") as session:
        row = session.execute(
            "select upper(name), length(name), now() is not null, id + 1 = 2, name like 'N%', id::text, id between 1 and 5"
            " from customers where id = 1"
        ).fetchone()
        assert row == ("NAME 1", 6, True, True, True, "1", True)
        assert session.execute("select format_type(23, null), pg_typeof(1)::text").fetchone() == ("integer", "integer")
        assert session.execute("select pg_advisory_lock(4711)").fetchone() is not None
