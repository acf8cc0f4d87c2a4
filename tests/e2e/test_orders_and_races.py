"""What a name means moves in the session or elsewhere, in every order: nothing hidden comes out, and what is refused says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.raw_postgres import SYNC, RawClient, frame, kinds
from tests.support.scene import Scene

Session = psycopg.Connection[tuple[Any, ...]]

SECRET = "078-05-"
MASKED = "[('[redacted]',)]"
ONE = "select upper(ssn) from customers where id = 1"


@pytest.fixture
def owner(scene: Scene) -> Iterator[Session]:
    """A superuser past the gateway, with a schema in which `customers` is a table that nobody classified."""
    with psycopg.connect(scene.server.dsn(scene.database), autocommit=True) as direct:
        direct.execute(f"create schema early authorization {scene.role}; set role {scene.role}")
        direct.execute(
            "create table early.customers (id int, ssn text); insert into early.customers values (1, 'early')"
        )
        for each in ("shop", "exact"):
            with scene.connect("carol", each) as gone:
                # What is polled forgets at once what the last test has left.
                gone.execute(f"create table early.by_{each} (id int)".encode())
        yield direct
        direct.execute("reset role; drop schema early cascade")
        direct.execute(f"alter role {scene.role} reset all; alter database {scene.database} reset all")


@pytest.fixture(params=["shop", "exact"])
def connection(request: pytest.FixtureRequest) -> str:
    """Where the catalog is polled, and where it is looked at for every result."""
    name: str = request.param
    return name


@pytest.fixture
def session(scene: Scene, owner: Session, connection: str) -> Iterator[Session]:
    """Somebody from whom columns are hidden."""
    with scene.connect("alice", connection) as made:
        yield made


def shown(session: Session, text: str = ONE) -> str:
    """What comes, or why nothing does; never the secret. What the catalog had overtaken is run again."""
    for _ in range(2):
        try:
            found = str(session.execute(text.encode()).fetchall())
        except psycopg.Error as refused:
            assert SECRET not in str(refused)
            assert refused.diag.message_primary
            found = refused.diag.message_primary
        assert SECRET not in found
        if "was changed" not in found:
            break
    return found


def test_a_path_of_the_role_or_the_database_is_known_to_new_sessions(
    scene: Scene, owner: Session, connection: str
) -> None:
    for setting in (f"alter role {scene.role} set search_path", f"alter database {scene.database} set search_path"):
        for path, expected in (("early, public", "[('EARLY',)]"), ("public, early", MASKED)):
            owner.execute(f"reset role; {setting} = {path}")
            with scene.connect("alice", connection) as session:
                assert shown(session) == expected
                session.execute("set search_path = public")
                assert shown(session) == MASKED
                session.execute("reset search_path")
                assert shown(session) == expected
        owner.execute(f"{setting.split(' set ')[0]} reset all")


def test_user_in_the_path_follows_the_role(scene: Scene, owner: Session, connection: str) -> None:
    owner.execute(f"reset role; create role early_reader; grant early_reader to {scene.role}")
    owner.execute(
        "create schema early_reader authorization early_reader; grant select on public.customers to early_reader"
    )
    owner.execute("create view early_reader.customers as select 1 as id, 'reader' as ssn")
    owner.execute("alter view early_reader.customers owner to early_reader")
    try:
        with scene.connect("alice", connection) as session:
            assert shown(session) == MASKED
            session.execute("set role early_reader")
            assert shown(session) == "[('READER',)]"
            session.execute("begin")
            session.execute("set local role none")
            assert shown(session) == MASKED
            session.execute("rollback")
            assert shown(session) == "[('READER',)]"
            session.execute("reset role")
            assert shown(session) == MASKED
            session.execute("set role early_reader")
            session.execute("discard all")
            assert shown(session) == MASKED
    finally:
        owner.execute("reset role; drop owned by early_reader; drop role early_reader")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["begin", "set local search_path = early", "rollback"], MASKED),
        (["begin", "set local search_path = early", "commit"], MASKED),
        (["begin", "set local search_path = early"], "[('EARLY',)]"),
        (["set search_path = early", "begin", "set search_path = public", "rollback"], "[('EARLY',)]"),
        (["begin", "savepoint s", "set search_path = early", "rollback to s"], MASKED),
        (["begin", "savepoint s", "set search_path = early", "release s"], "[('EARLY',)]"),
        (["begin", "set search_path = early", "savepoint s", "set search_path = public", "rollback to s"], "[('EARLY',)]"),
        (["set search_path = early", "reset all"], MASKED),
        (["set search_path = early", "discard all"], MASKED),
        (["select set_config('search_path', 'early', false)"], "[('EARLY',)]"),
        (["begin", "select set_config('search_path', 'early', true)", "commit"], MASKED),
        (["set search_path = early", "set search_path to default"], MASKED),
        (["set session characteristics as transaction read only", "set search_path = early"], "[('EARLY',)]"),
    ],
)  # fmt: skip
def test_settings_in_every_order(session: Session, steps: list[str], expected: str) -> None:
    assert shown(session) == MASKED
    for step in steps:
        session.execute(step.encode())
    assert shown(session) == expected
    if session.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        session.execute("rollback")
        assert shown(session) == MASKED


@pytest.mark.parametrize("path", ["early", "public"])
def test_a_path_that_is_set_in_the_same_segment(scene: Scene, owner: Session, connection: str, path: str) -> None:
    with RawClient(scene.plain_port) as client:
        other = {"early": "public", "public": "early"}[path]
        client.log_in("alice", connection, scene.token("alice"), options=f"-c search_path={other}")
        for text in (ONE, ONE.replace("customers", "early.customers")) * 2:
            client.ask(text.encode())

        def batch(*texts: str) -> bytes:
            return b"".join(
                frame(b"P", b"\0" + text.encode() + b"\0\0\0") + frame(b"B", b"\0" * 8) + frame(b"E", b"\0" * 5)
                for text in texts
            )

        client.send(batch(f"set search_path = {path}", ONE) + SYNC + batch(ONE) + SYNC)
        for _ in range(2):
            answer = client.until(b"Z")
            assert b"D" in kinds(answer)
            assert any(
                (b"EARLY" if path == "early" else b"[redacted]") in body for kind, body in answer if kind == b"D"
            )
        client.send(frame(b"Q", f"set search_path = {other}\0".encode()) + frame(b"Q", ONE.encode() + b"\0"))
        client.until(b"Z"), client.until(b"Z")
        assert SECRET.encode() not in client.received


@pytest.mark.parametrize("end", ["rollback", "rollback to s", "commit", "prepare transaction 'two_phase'"])
def test_ddl_in_a_transaction(session: Session, owner: Session, end: str) -> None:
    session.execute("set search_path = early, public")
    assert shown(session) == "[('EARLY',)]"
    session.execute("begin")
    session.execute("savepoint s")
    session.execute("alter table early.customers rename to moved")
    # What the gateway's own connection sees is no longer what the session sees.
    assert shown(session) == MASKED
    try:
        session.execute(end.encode())
    except psycopg.Error as refused:
        assert "prepare" in end, refused
        session.execute("rollback")
    assert shown(session) == ("[('EARLY',)]" if end == "rollback" or end.startswith("prepare") else MASKED)
    if end == "rollback to s":
        session.execute("rollback")
        assert shown(session) == "[('EARLY',)]"


def test_a_function_that_appears_between_analysis_and_execution(
    session: Session, owner: Session, connection: str
) -> None:
    """`shorten(text)` was not there when the statement was analysed: so it was refused; nobody's later one is believed unseen."""
    assert "[" not in shown(session, "select early.shorten(name) from customers where id = 1")
    owner.execute(
        "create function early.shorten(text) returns text language sql as 'select ssn from public.customers where id = 1'"
    )
    shown(session, "select early.shorten(name) from customers where id = 1")
    session.execute("set search_path = early, public")
    owner.execute("create function early.upper(varchar) returns text language sql as 'select $1 || ''!'''")
    owner.execute("create function early.lower(early.customers) returns text language sql as 'select ($1).ssn'")
    shown(session, "select upper(ssn::varchar) from public.customers where id = 1")
    shown(session, "select lower(c) from early.customers c")


def test_partitions_come_and_go(session: Session, owner: Session) -> None:
    """What hides a partition is its parent's classification, or its own."""
    owner.execute("create table early.parts (id int, ssn text) partition by list (id)")
    owner.execute("create table early.part (id int, ssn text); insert into early.part values (1, 'part')")
    text = "select upper(ssn) from early.parts"
    assert shown(session, text) == "[]"
    owner.execute("alter table early.parts attach partition early.part for values in (1)")
    assert shown(session, text) == "[('PART',)]"
    assert shown(session, "select upper(ssn) from early.part") == "[('PART',)]"
    owner.execute("alter table early.parts detach partition early.part")
    assert shown(session, text) == "[]"
    # A child of the classified table hides what its parent hides, from the moment on at which it is one.
    owner.execute("create table early.child (like public.customers including all)")
    owner.execute("insert into early.child values (77, 'child', 'c@x.example', '078-05-7777', now(), 1)")
    owner.execute("alter table early.child inherit public.customers")
    try:
        with_child = session.execute("select 1 from customers where id = 77").fetchall()
        assert len(with_child) == 1
        for again in ("select ssn from customers where id = 77", "select upper(ssn) from customers where id = 77"):
            assert shown(session, again) == MASKED
    finally:
        owner.execute("alter table early.child no inherit public.customers")
