"""The PostgreSQL protocol against a real server and real clients: login, dial, relay, cancel and lookups, without an engine."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import asyncpg
import psycopg
import pytest

from interpose.analysis.sql import PostgresAnalyst
from interpose.analysis.sql.catalog import CatalogCache
from interpose.masking.plan import build_plan
from interpose.model.analysis import Analysis, NeedsCatalog, Unanalysable
from interpose.model.catalog import CatalogNames, CatalogPage
from interpose.model.command import Command
from interpose.model.connection import Address, Connection
from interpose.model.errors import UpstreamError
from interpose.model.ids import ConnectionName
from interpose.model.masks import MaskRule
from interpose.model.proofs import Clearance
from interpose.model.refusal import Refusal
from interpose.protocols.contract import Credential
from interpose.protocols.dialogue import Done, Failed
from interpose.protocols.intents import Answer, Refused, Show, ShowAnswer, Showing
from interpose.protocols.postgres import PostgresOptions, TlsMode
from interpose.protocols.postgres.dial import Dialled, PostgresDial
from interpose.protocols.postgres.spec import SPEC
from tests.support.database import Database
from tests.support.relay_pump import SEAL, SESSION, RelayGateway, allowed


def connection(database: Database, tls: TlsMode = TlsMode.INSECURE_PLAINTEXT, **options: object) -> Connection:
    """The server as a configured upstream."""
    server = database.server
    made = PostgresOptions(database.name, "postgres", tls, str(server.ca_path))
    made = dataclasses.replace(made, **options)  # type: ignore[arg-type]
    return Connection(ConnectionName("shop"), "postgres", Address("127.0.0.1", server.port), "env:X", made)


def analyse(command: Command) -> Analysis | Unanalysable:
    """The real analysis, with a catalog in which nothing exists."""
    catalog = CatalogCache()
    while isinstance(found := PostgresAnalyst().analyse(command, catalog), NeedsCatalog):
        catalog.absorb(CatalogPage(found.names, command.context.path or ()))
    return found


def judge(command: Command) -> Answer:
    """Everything is permitted, but for texts that say `forbidden`."""
    found = analyse(command)
    if isinstance(found, Unanalysable):
        return Refused(Refusal(found.reason, found.message, found.hint, position=found.position))
    if "forbidden" in command.text:
        return Refused(Refusal("forbidden", "policy says no", "ask somebody"))
    return allowed(found)


@pytest.fixture
async def gateway(fresh_database: Database) -> AsyncIterator[RelayGateway]:
    """A gateway that permits nearly everything."""
    upstream = connection(fresh_database)
    async with RelayGateway(upstream, fresh_database.server.superuser_password, judge) as made:
        yield made


async def psql(gateway: RelayGateway, database: Database, script: str, *arguments: str) -> str:
    """What psql prints, both streams in one."""
    process = await asyncio.create_subprocess_exec(
        str(database.server.bin / "psql"),
        *("-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(gateway.port), "-U", "alice", "-d", "shop", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PGPASSWORD": "token", "PGCLIENTENCODING": "UTF8", "PATH": "/usr/bin:/bin"},
    )
    out, _ = await process.communicate(script.encode())
    return out.decode().strip()


def dsn(gateway: RelayGateway) -> str:
    """For libpq and asyncpg."""
    return f"postgresql://alice:token@127.0.0.1:{gateway.port}/shop?sslmode=disable"


async def test_psql_works_and_a_refusal_leaves_the_session(gateway: RelayGateway, fresh_database: Database) -> None:
    script = """
    create table t (a int, b text);
    copy t from stdin;
1\tx
2\ty
\\.
    copy t to stdout;
    begin; declare c cursor for select a from t order by a; fetch 1 from c; commit;
    select 'forbidden';
    select count(*) from t;
    """
    assert await psql(gateway, fresh_database, script) == (
        "1\tx\n2\ty\n1\nERROR:  policy says no\n"
        'DETAIL:  {"code": "forbidden", "policies": [], "reason": "policy says no", "what_to_do": "ask somebody", '
        '"approval": null, "reference": null}\nHINT:  ask somebody\n2'
    )
    assert {reason for reason, _ in gateway.closed} == {"client_terminated"}


async def test_a_syntax_error_is_told_with_its_position(gateway: RelayGateway, fresh_database: Database) -> None:
    said = await psql(gateway, fresh_database, "select 1;\nselec 2;")
    assert "ERROR" in said
    assert "LINE 1: selec 2;" in said


async def test_psycopg_pipelines_and_prepared_statements(gateway: RelayGateway) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(gateway), autocommit=True) as client:
        await client.execute("create table t (a int)")
        async with client.pipeline():
            for number in range(50):
                await client.execute("insert into t values (%s)", [number], prepare=True)
            cursor = await client.execute("select sum(a) from t")
            assert await cursor.fetchone() == (1225,)
        async with client.cursor().copy("copy t to stdout") as copy:
            assert len([line async for line in copy]) == 50


async def test_a_refusal_in_a_pipeline_undoes_what_was_before_it(gateway: RelayGateway) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(gateway), autocommit=True) as client:
        await client.execute("create table t (a int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with client.pipeline():
                await client.execute("insert into t values (1)")
                await client.execute("select 'forbidden'")
                await client.execute("insert into t values (2)")
        cursor = await client.execute("select count(*) from t")
        assert await cursor.fetchone() == (0,)


async def test_a_pipelined_search_path_is_judged_as_it_will_be(gateway: RelayGateway, fresh_database: Database) -> None:
    seen: list[tuple[str, ...] | None] = []

    def remember(command: Command) -> Answer:
        if "from t" in command.text:
            seen.append(command.context.path)
        return judge(command)

    gateway.judge = remember
    fresh_database.psql("create schema other; create table other.t (a int)")
    async with await psycopg.AsyncConnection.connect(dsn(gateway), autocommit=True) as client, client.pipeline():
        await client.execute("set search_path = other")
        await client.execute("select * from t")
    assert seen
    assert set(seen) == {("pg_temp", "pg_catalog", "other")}


async def test_asyncpg_prepares_binds_in_binary_and_uses_cursors(gateway: RelayGateway) -> None:
    client = await asyncpg.connect(dsn(gateway))
    try:
        statement = await client.prepare("select $1::int + 1, $2::text")
        assert tuple(await statement.fetchrow(41, "x")) == (42, "x")
        async with client.transaction():
            numbers = [record[0] async for record in client.cursor("select generate_series(1, 120)")]
        assert numbers == list(range(1, 121))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await client.fetch("select 'forbidden'")
        assert await client.fetchval("select 7") == 7
    finally:
        await client.close()


async def test_a_cancel_reaches_its_own_session_only(gateway: RelayGateway) -> None:
    one = await psycopg.AsyncConnection.connect(dsn(gateway), autocommit=True)
    async with one, await psycopg.AsyncConnection.connect(dsn(gateway), autocommit=True) as other:
        sleeping = asyncio.create_task(one.execute("select pg_sleep(30)"))
        while not sleeping.done():
            await asyncio.sleep(0.1)
            await one.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            await sleeping
        assert (await (await other.execute("select 1")).fetchone()) == (1,)


async def test_masked_rows_in_both_formats(gateway: RelayGateway, fresh_database: Database) -> None:
    fresh_database.psql(
        "create table people (id int, ssn text); insert into people select i, 'canary-' || i from generate_series(1, 3000) i"
    )

    def describing(command: Command) -> Answer:
        found = analyse(command)
        assert isinstance(found, Analysis)
        return allowed(found, describe=True, scrub=True)

    def redact(show: Show) -> ShowAnswer:
        rules = [MaskRule("redact") if column.name == "ssn" else None for column in show.shape.columns]
        return Showing(Clearance(SEAL, SESSION, True), build_plan(show.shape, rules, {}, b"k" * 16))

    gateway.judge, gateway.show = describing, redact
    assert "canary" not in await psql(gateway, fresh_database, "select * from people;")
    async with await psycopg.AsyncConnection.connect(dsn(gateway), autocommit=True) as client:
        for binary in (False, True):
            cursor = await client.execute("select id, ssn from people", binary=binary)
            rows = await cursor.fetchall()
            assert len(rows) == 3000
            assert not any("canary" in row[1] for row in rows)
        with pytest.raises(psycopg.errors.InvalidTextRepresentation) as error:
            await client.execute("select ssn::int from people")
        assert "canary" not in str(error.value)
    pooled = await asyncpg.connect(dsn(gateway))
    assert "canary" not in str(await pooled.fetch("select ssn from people where id = $1", 5))
    await pooled.close()


async def test_a_dead_upstream_is_told(gateway: RelayGateway, fresh_database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(dsn(gateway), autocommit=True) as client:
        sleeping = asyncio.create_task(client.execute("select pg_sleep(30)"))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(
            fresh_database.psql,
            "select pg_terminate_backend(pid) from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()",
        )
        with pytest.raises(psycopg.errors.AdminShutdown):
            await sleeping


@pytest.mark.parametrize("tls", [TlsMode.VERIFY_FULL, TlsMode.VERIFY_CA, TlsMode.REQUIRE, TlsMode.INSECURE_FALLBACK])
async def test_dialling_with_tls_binds_the_channel(fresh_database: Database, tls: TlsMode) -> None:
    upstream = connection(fresh_database, tls)
    gateway = RelayGateway(upstream, "", judge)
    dial = PostgresDial(upstream, Credential(fresh_database.server.superuser_password), {"datestyle": "German"})
    wire, done = await gateway.converse(dial)
    await gateway.hang_up(wire)
    assert isinstance(done, Done)
    assert isinstance(done.result, Dialled)
    assert done.result.parameters["DateStyle"] == "German, DMY"
    assert done.result.search_path == '"$user", public'
    assert done.result.server_version >= 14
    assert len(done.result.key) == 8


async def test_a_wrong_upstream_password_tells_nothing(fresh_database: Database) -> None:
    upstream = connection(fresh_database)
    gateway = RelayGateway(upstream, "", judge)
    wire, done = await gateway.converse(PostgresDial(upstream, Credential("canary-secret"), {}))
    await gateway.hang_up(wire)
    assert isinstance(done, Failed)
    assert isinstance(done.error, UpstreamError)
    assert done.error.public_message == "the upstream refused the gateway's credential"
    assert "canary-secret" not in str(done.error)


async def test_lookups_and_fingerprints_share_a_connection(fresh_database: Database) -> None:
    fresh_database.psql("create table t (a int, b text); create view v as select a from t")
    upstream = connection(fresh_database)
    gateway = RelayGateway(upstream, "", judge)
    wire, done = await gateway.converse(SPEC.dial(upstream, Credential(fresh_database.server.superuser_password), {}))
    assert isinstance(done, Done)
    names = CatalogNames(relations=frozenset({(None, "t"), ("public", "v"), (None, "nothing")}))
    wire, done = await gateway.converse(SPEC.lookup(names, ("pg_catalog", "public")), wire)
    assert isinstance(done, Done)
    assert isinstance(done.result, CatalogPage)
    assert {relation.name for relation in done.result.relations} == {"t", "v"}
    marks = []
    for change in ("", "create table u ()"):
        fresh_database.psql(change or "select 1")
        wire, done = await gateway.converse(SPEC.fingerprint(), wire)
        assert isinstance(done, Done)
        marks.append(done.result)
    assert marks[0] != marks[1]
    await gateway.hang_up(wire)
