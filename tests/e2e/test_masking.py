"""Classified columns, whatever way a client reaches for them: shown hidden, or refused, never in the clear."""

from __future__ import annotations

import datetime
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import psycopg
import pytest

from tests.support.raw_postgres import SYNC, RawClient, errors, frame, kinds
from tests.support.scene import Scene, until

SECRETS = ("secret-domain", "078-05-11", "1985-07-2", "1985-08", "9000", "9001")
"""Parts of what is classified: none of them may come to alice."""


@pytest.fixture
def alice(scene: Scene) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session of somebody from whom personal data is hidden."""
    with scene.connect("alice", "shop") as session:
        yield session


@pytest.fixture
async def alice_asyncpg(scene: Scene) -> AsyncIterator[asyncpg.Connection[Any]]:
    """The same in binary format."""
    session = await asyncpg.connect(
        host="127.0.0.1",
        port=scene.gateway.port,
        user="alice",
        password=scene.token("alice"),
        database="shop",
        ssl=ssl.create_default_context(cafile=str(scene.authority_file)),
        timeout=30,
    )
    yield session
    await session.close()


def clean(shown: object) -> str:
    """The text of what was shown, after a look that nothing classified is in it."""
    text = str(shown)
    for secret in SECRETS:
        assert secret not in text, f"{secret} in {text[:500]}"
    return text


def test_the_rest_of_the_row_is_as_it_is(alice: psycopg.Connection[tuple[Any, ...]]) -> None:
    row = alice.execute("select * from customers where id = 3").fetchone()
    assert row is not None
    assert row[:2] == (3, "Name 3")
    assert row[3] == "[redacted]"
    assert row[4] == datetime.date(1985, 1, 1)
    assert row[5] == 0
    assert row[2].startswith("p***@")


def test_who_may_see_sees(scene: Scene) -> None:
    with scene.connect("dave", "shop") as session:
        row = session.execute("select email, ssn, born, salary from customers where id = 3").fetchone()
    assert row == ("person3@secret-domain.example", "078-05-1123", datetime.date(1985, 7, 24), 90003)


WAYS = [
    "select email from customers",
    "select c.email as harmless from customers c",
    "select upper(email), md5(ssn), ssn || '', substr(ssn, 1, 1), length(ssn), reverse(email) from customers",
    "select row_to_json(c) from customers c",
    "select to_jsonb(c) - 'id' from customers c",
    "select c from customers c",
    "select c::text from customers c",
    "select (c).ssn from customers c",
    "select ssn(c) from customers c",
    "select array_agg(ssn) from customers",
    "select string_agg(email, ',') from customers",
    "select max(ssn), min(email), max(salary) from customers",
    "select ssn from customers union all select 'x'",
    "select 'x' union select email from customers",
    "with c as (select ssn as s from customers) select s from c",
    "with recursive r(n, s) as (select 1, ssn from customers where id = 1 union all select n + 1, s from r where n < 3) select * from r",
    "select * from people",
    "select o.id, p.email from orders o join people p on p.id = o.customer_id",
    "select o.id, c.* from orders o join customers c on c.id = o.customer_id where o.id < 5",
    "select * from orders o natural join (select id as customer_id, ssn from customers) x",
    "select (select ssn from customers where id = 1)",
    "select case when id > 0 then ssn else '' end from customers",
    "select coalesce(ssn, email) from customers",
    "select array(select email from customers)",
    "select x from customers, lateral (select ssn as x) l",
    "select * from (values (1), (2)) v(i) join lateral (select email from customers where id = v.i) l on true",
    "select unnest(array[ssn, email]) from customers",
    "select json_build_object('a', ssn) from customers",
    "select xmlforest(ssn) from customers",
    "select first_value(ssn) over (order by id) from customers",
    "select lag(email) over (), ntile(2) over () from customers",
    "select distinct on (ssn) ssn, id from customers order by ssn",
    "select format('%s', email) from customers",
    "select quote_literal(ssn) from customers",
    "select ssn::bytea from customers",
    "select salary + 0, salary::text, born::text, extract(day from born) from customers",
    "table customers",
    "select * from only customers",
    "select customers.* from customers tablesample bernoulli (100)",
    "copy customers to stdout",
    "copy customers to stdout (format csv, header)",
    "copy (select ssn, upper(email) from customers) to stdout",
    "copy customers (ssn) to stdout (format csv, delimiter ';', quote '''', force_quote *)",
    "update customers set name = name where id = 1 returning ssn, email",
    "insert into customers (id, name) values (1000, 'x') on conflict (id) do nothing returning *",
    "with u as (update customers set name = name where id = 2 returning *) select * from u",
    "explain (analyze, verbose) select * from customers where ssn = (select max(ssn) from customers)",
    "select * from ssn_by_name",
    "select query_to_xml('select ssn from customers', true, true, '')",
    "select table_to_xml('customers', true, true, '')",
    "select most_common_vals from pg_stats where tablename = 'customers'",
    "select histogram_bounds::text from pg_stats where tablename = 'customers'",
    "do $$ begin raise notice '%', (select max(ssn) from customers); end $$",
    "select ssn into temp leaked from customers; select * from leaked",
    "create temp table leaked as select * from customers; select * from leaked",
    "prepare p as select ssn from customers; execute p",
    "declare c cursor with hold for select ssn, email from customers; fetch all from c",
    "begin; declare c cursor for select * from customers; fetch 5 from c; move 2 in c; fetch next from c; commit",
    "select set_config('application_name', (select ssn from customers limit 1), false); show application_name",
    "select 1 / (case when ssn like '078-05-11%' then 0 else 1 end) from customers",
    "select ssn::int from customers",
    "select (email || ssn)::json from customers",
    "insert into customers (id, name, email) select 2000, 'x', email from customers limit 1",
    "insert into notes (body) select ssn from customers",
    "notify x, 'y'; select pg_notify('x', ssn) from customers",
    "merge into notes n using customers c on false when not matched then insert (body) values (c.ssn)",
    "comment on table notes is 'x'; select obj_description('customers'::regclass)",
]


@pytest.mark.parametrize("way", WAYS)
def test_no_way_shows_what_is_hidden(scene: Scene, way: str) -> None:
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        start = len(client.received)
        for statement in way.split("; ") if not way.startswith("do ") else [way]:
            client.ask(statement.encode())
        clean(bytes(client.received[start:]).decode(errors="replace"))
        assert kinds(client.ask(b"rollback; select 1"))[-1:] == b"Z"
    assert scene.upstream("select count(*) from notes where body like '078%'") == "0"
    scene.upstream("delete from customers where id >= 1000")  # what a way may have written


@pytest.mark.parametrize("way", [way for way in WAYS if way.startswith(("select", "with", "table"))])
def test_no_prepared_way_in_binary_shows_it_either(scene: Scene, way: str) -> None:
    text = way.split("; ")[0].encode()
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        start = len(client.received)
        for describe in (b"", frame(b"D", b"P\0")):
            client.send(
                frame(b"P", b"\0" + text + b"\0\0\0")
                + frame(b"B", b"\0\0" + b"\0\0" + b"\0\0" + b"\0\1\0\1")
                + describe
                + frame(b"E", b"\0\0\0\0\0")
                + SYNC
            )
            client.until(b"Z")
        shown = bytes(client.received[start:])
        clean(shown.decode(errors="replace"))
        for salary in range(90001, 90021):
            assert salary.to_bytes(4, "big") not in shown
    scene.upstream("delete from customers where id >= 1000")


def test_copy_out_in_binary_is_masked_or_refused(scene: Scene) -> None:
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        for statement in (
            b"copy customers to stdout (format binary)",
            b"copy (select salary, ssn from customers) to stdout binary",
        ):
            start = len(client.received)
            client.ask(statement)
            shown = bytes(client.received[start:])
            clean(shown.decode(errors="replace"))
            assert all(salary.to_bytes(4, "big") not in shown for salary in range(90001, 90021))
        assert kinds(client.ask(b"copy orders to stdout (format binary)"))[:1] == b"H"


async def test_asyncpg_gets_typed_values_masked(alice_asyncpg: asyncpg.Connection[Any]) -> None:
    row = await alice_asyncpg.fetchrow("select id, name, email, ssn, born, salary from customers where id = $1", 4)
    assert row is not None
    assert (row["id"], row["name"], row["ssn"]) == (4, "Name 4", "[redacted]")
    assert (row["born"], row["salary"]) == (datetime.date(1985, 1, 1), 0)
    async with alice_asyncpg.transaction():
        seen = [record async for record in alice_asyncpg.cursor("select ssn, email from customers", prefetch=3)]
    assert len(seen) == 20
    clean(seen)
    statement = await alice_asyncpg.prepare("select upper(ssn) as s, salary * 2 as d from customers")
    clean(await statement.fetch())


def test_server_side_cursors_of_psycopg_are_masked(scene: Scene) -> None:
    with scene.connect("alice", "shop", autocommit=False) as session, session.cursor(name="mine") as cursor:
        cursor.itersize = 3
        cursor.execute("select id, ssn, email from customers order by id")
        rows = cursor.fetchall()
    assert [row[0] for row in rows] == list(range(1, 21))
    assert {row[1] for row in rows} == {"[redacted]"}
    clean(rows)


def test_prepared_by_sql_executed_by_protocol(scene: Scene) -> None:
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        assert errors(client.ask(b"prepare by_sql as select ssn, email from customers")) == []
        client.send(frame(b"B", b"\0by_sql\0" + b"\0" * 6) + frame(b"E", b"\0\0\0\0\0") + SYNC)
        answer = client.until(b"Z")
        clean(answer)
        assert kinds(answer).count(b"D") in (0, 20)


def test_sql_cursor_executed_by_protocol(scene: Scene) -> None:
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        client.ask(b"begin")
        assert errors(client.ask(b"declare by_sql cursor for select ssn, email from customers")) == []
        client.send(frame(b"E", b"by_sql\0\0\0\0\0") + SYNC)
        clean(client.until(b"Z"))


@pytest.mark.parametrize(
    "statement",
    [
        "insert into notes (body) select ssn from customers",
        "insert into notes (body) select 'x' || email from customers",
        "create table copied as select * from customers",
        "create temp table copied as select ssn as s from customers",
        "select ssn into temp copied from customers",
        "update notes set body = (select ssn from customers limit 1) where id = 1",
        "insert into notes (body) values ((select email from customers limit 1))",
    ],
)
def test_what_would_store_hidden_values_is_refused(scene: Scene, statement: str) -> None:
    with scene.connect("alice", "shop") as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            session.execute(statement.encode())
        assert "masked_value_would_escape" in (caught.value.diag.message_detail or "")
        assert caught.value.diag.message_hint
        assert session.execute("select 1").fetchone() == (1,)


FAILING = {
    "the row that a check refuses": ("update customers set salary = -1 where id = 7", "23514"),
    "a row without a name": ("update customers set name = null where id = 7", "23502"),
    "a row without a key": ("update customers set id = null where id = 7", "23502"),
    "the same through a view": ("update people set id = null where id = 7", "23502"),
    "within a query": ("with u as (update customers set name = null where id = 7) select 1", "23502"),
    "explained": ("explain analyze update customers set name = null where id = 7", "23502"),
    "a key that is there": (
        "update customers set email = 'person5@' || 'secret-domain' || '.example' where id = 6",
        "23505",
    ),
    "a key that was read": ("update customers set email = (select max(email) from customers) where id = 6", "23505"),
    "a merge": (
        "merge into customers c using orders o on o.id = 7 and c.id = 7 when matched then update set name = null",
        "23502",
    ),
    "a cast": ("select ssn::int from customers", "22P02"),
    "a cast in a condition": ("select 1 from customers where email::int = 1", "22P02"),
    "a prepared row": ("prepare u as update customers set name = null where id = 7; execute u", "23502"),
}


@pytest.mark.parametrize(("text", "sqlstate"), FAILING.values(), ids=FAILING.keys())
def test_errors_do_not_quote_hidden_values(scene: Scene, text: str, sqlstate: str) -> None:
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        told = [error for part in text.split("; ") for error in errors(client.ask(part.encode()))]
        assert [error["C"] for error in told] == [sqlstate]
        clean(bytes(client.received).decode(errors="replace"))


def test_an_error_at_commit_does_not_quote_them_either(scene: Scene) -> None:
    scene.upstream("alter table customers add constraint once unique (ssn) deferrable initially deferred")
    try:
        with RawClient(scene.plain_port) as client:
            client.log_in("alice", "shop", scene.token("alice"))
            for end in (b"commit", b"set constraints all immediate"):
                client.ask(b"begin")
                copied = client.ask(b"update customers set ssn = (select max(ssn) from customers) where id = 2")
                told = errors(copied) or errors(client.ask(end))
                assert told[0]["C"] in ("23505", "42501")
                client.ask(b"rollback")
            clean(bytes(client.received).decode(errors="replace"))
    finally:
        scene.upstream("alter table customers drop constraint once")


def test_errors_far_from_hidden_values_keep_their_words(scene: Scene) -> None:
    with scene.connect("alice", "shop") as session:
        with pytest.raises(psycopg.errors.UniqueViolation) as harmless:
            session.execute("insert into orders values (1, 1, 'placed', 1)")
        assert harmless.value.diag.message_detail == "Key (id)=(1) already exists."


def test_nulls_stay_nulls_and_counts_stay_true(scene: Scene) -> None:
    scene.upstream("insert into customers (id, name) values (500, 'Nobody')")
    try:
        with scene.connect("alice", "shop") as session:
            row = session.execute("select email, ssn, born, salary from customers where id = 500").fetchone()
            assert row == (None, None, None, None)
            assert session.execute("select count(*) from customers where id < 500").fetchone() == (20,)
    finally:
        scene.upstream("delete from customers where id = 500")


def test_recorded_results_are_masked_too(scene: Scene) -> None:
    with scene.connect("alice", "shop") as session:
        session.execute("select ssn, email from customers where id between 1 and 19").fetchall()
    found = until(lambda: json_lines(scene.api("carol", "GET", "/v1/search?q=between%201%20and%2019")[1]))
    name = found[0]["session"]
    replayed = scene.gateway.interpose("sessions", "replay", name, "--speed", "0", token=scene.token("carol")).stdout
    assert "[redacted]" in replayed
    clean(replayed)


def json_lines(found: Any) -> list[dict[str, Any]]:
    """The answer of a search: one line parses as JSON by itself, several do not."""
    return [found] if isinstance(found, dict) else [json.loads(line) for line in str(found).splitlines()]
