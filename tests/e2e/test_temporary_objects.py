"""Temporary objects: a session's own ones are known, nobody else's are believed, and none that shadows another unmasks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from tests.support.raw_postgres import SYNC, RawClient, errors, frame
from tests.support.scene import Scene

Session = psycopg.Connection[tuple[Any, ...]]
Ask = Callable[[Session, str], list[tuple[Any, ...]]]

SECRET = "078-05-"
"""What every hidden number of the scene begins with."""


def _simple(session: Session, text: str) -> list[tuple[Any, ...]]:
    with psycopg.ClientCursor(session) as cursor:
        return cursor.execute(text.encode()).fetchall()


def _extended(session: Session, text: str) -> list[tuple[Any, ...]]:
    return session.execute(text.encode(), prepare=False, binary=True).fetchall()


def _prepared(session: Session, text: str) -> list[tuple[Any, ...]]:
    return session.execute(text.encode(), prepare=True).fetchall()


def _cursor(session: Session, text: str) -> list[tuple[Any, ...]]:
    with session.transaction():
        session.execute(f"declare c cursor for {text}".encode())
        return session.execute("fetch all from c").fetchall()


@pytest.fixture(params=[_simple, _extended, _prepared, _cursor], ids=["simple", "extended", "prepared", "cursor"])
def ask(request: pytest.FixtureRequest) -> Ask:
    way: Ask = request.param
    return way


@pytest.fixture(params=["shop", "exact"])
def session(scene: Scene, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session of somebody from whom columns are hidden."""
    with scene.connect("alice", request.param) as connected:
        yield connected


def test_values_that_are_not_hidden_are_kept_and_shown(session: Session, ask: Ask) -> None:
    session.execute("create temp table kept as select id, name from customers where id < 4")
    session.execute("create index on kept (id)")
    session.execute("insert into kept values (9, 'Mine')")
    session.execute("insert into kept select id, name from customers where id = 4")
    assert ask(session, "select upper(name) from kept where id = 9") == [("MINE",)]
    assert ask(session, "select * from pg_temp.kept where id = 4") == [(4, "Name 4")]
    joined = ask(
        session,
        "select k.name, c.ssn, upper(c.ssn), k.name || '!' from kept k join customers c using (id) where id = 3",
    )
    assert joined == [("Name 3", "[redacted]", "[redacted]", "Name 3!")]
    assert session.execute("update kept set name = 'Other' where id = 9 returning upper(name)").fetchall() == [
        ("OTHER",)
    ]
    session.execute("truncate kept")
    assert ask(session, "select count(*) from kept") == [(0,)]
    session.execute("drop table kept")
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(session, "select name from kept")


def test_hidden_values_do_not_get_in(session: Session) -> None:
    session.execute("create temp table kept (id int, word text)")
    for text in (
        "insert into kept select id, ssn from customers",
        "create temp table other as select upper(ssn) from customers",
        "select ssn into temp other from customers",
        "create temp view other as select ssn from customers",
        "update kept set word = ssn from customers",
        "merge into kept k using customers c on k.id = c.id when not matched then insert values (c.id, c.ssn)",
    ):
        with pytest.raises(psycopg.Error) as refused:
            session.execute(text.encode())
        assert SECRET not in str(refused.value)
    assert session.execute("select * from kept").fetchall() == []


@pytest.mark.parametrize("commit", ["drop", "delete rows", "preserve rows"])
def test_what_a_transaction_makes_is_known_behind_it(session: Session, ask: Ask, commit: str) -> None:
    with session.transaction():
        session.execute(f"create temp table customers (id int, ssn text) on commit {commit}")
        session.execute("insert into customers values (1, 'clear')")
        # Not known yet: masked whole.
        assert session.execute("select ssn, upper(ssn) from customers").fetchall() == [("[redacted]", "[redacted]")]
    if commit == "drop":
        assert ask(session, "select upper(ssn) from customers where id = 1") == [("[redacted]",)]
    else:
        rows = [("CLEAR",)] if commit == "preserve rows" else []
        assert ask(session, "select upper(ssn) from customers") == rows
    assert ask(session, "select upper(ssn) from public.customers where id = 1") == [("[redacted]",)]


def test_a_table_that_shadows_shows_its_own_values_only(session: Session, ask: Ask) -> None:
    text = "select upper(ssn), ssn || '!' from customers where id = 1"
    assert ask(session, text) == [("[redacted]", "[redacted]")]
    session.execute("create temp table customers (id int, ssn text)")
    session.execute("insert into customers values (1, 'clear')")
    assert ask(session, text) == [("CLEAR", "clear!")]
    assert ask(session, text.replace("customers", "public.customers")) == [("[redacted]", "[redacted]")]
    session.execute("drop table customers")
    assert ask(session, text) == [("[redacted]", "[redacted]")]
    session.execute("deallocate all")
    session.execute("create temp view customers as select id, name as ssn from public.customers")
    assert ask(session, text) == [("NAME 1", "Name 1!")]
    session.execute("discard temp")
    assert ask(session, text) == [("[redacted]", "[redacted]")]


def test_pg_temp_may_stand_last(session: Session, ask: Ask) -> None:
    session.execute("set search_path = public, pg_temp")
    session.execute("create temp table customers (id int, ssn text)")
    session.execute("create temp table mine (id int, word text)")
    session.execute("insert into pg_temp.customers values (1, 'clear'); insert into mine values (1, 'mine')")
    assert ask(session, "select upper(ssn) from customers where id = 1") == [("[redacted]",)]
    assert ask(session, "select upper(ssn) from pg_temp.customers") == [("CLEAR",)]
    assert ask(session, "select upper(word) from mine") == [("MINE",)]
    session.execute("set search_path = pg_temp, public")
    assert ask(session, "select upper(ssn) from customers where id = 1") == [("CLEAR",)]


def test_a_rollback_takes_it_away(session: Session, ask: Ask) -> None:
    session.execute("create temp table first (id int)")
    for end in ("rollback", "savepoint s; create temp table later (id int); rollback to s; rollback"):
        session.execute("begin; create temp table customers (id int, ssn text)")
        session.execute(end)
        assert ask(session, "select upper(ssn) from customers where id = 1") == [("[redacted]",)]
    session.execute("create temp table customers (id int, ssn text)")
    with suppress(psycopg.Error), session.transaction():
        session.execute("drop table customers")
        assert SECRET not in str(session.execute("select upper(ssn) from customers where id = 1").fetchall())
        raise psycopg.Error
    assert ask(session, "select upper(ssn) from customers where id = 1") == []


def test_another_session_with_the_same_number_does_not_inherit_what_was_believed(scene: Scene) -> None:
    """The server gives a temporary schema's number to the next session that has its backend's slot."""
    first: set[str] = set()
    again = 0
    for turn in range(600):
        with scene.connect("alice", "shop") as session:
            session.execute("create temp table other (id int)")
            (number,) = session.execute("select pg_my_temp_schema()::regnamespace::text").fetchall()[0]
            if turn < 5:
                first.add(number)
                session.execute("create temp table customers (id int, ssn text)")
                session.execute("insert into customers values (1, 'clear')")
                assert session.execute("select upper(ssn) from customers").fetchall() == [("CLEAR",)]
            elif number in first:
                assert session.execute("select upper(ssn) from customers where id = 1").fetchall() == [("[redacted]",)]
                again += 1
        if again == 3:
            break
    assert again, "no number was used again"


@pytest.mark.parametrize("connection", ["shop", "exact"])
def test_one_that_somebody_else_drops_is_noticed(scene: Scene, connection: str) -> None:
    """DROP OWNED takes the temporary tables of other sessions too, and no poll looks at those."""
    with scene.connect("alice", connection) as session:
        session.execute("create temp table customers (id int, ssn text)")
        session.execute("insert into customers values (1, 'clear')")
        text = "select upper(ssn) from customers where id < 3"
        assert session.execute(text).fetchall() == [("CLEAR",)]
        found = session.execute("select pg_my_temp_schema()::regnamespace::text").fetchone()
        assert found is not None
        scene.server.psql(f"drop table {found[0]}.customers", database=scene.database)
        with pytest.raises(psycopg.errors.SerializationFailure, match="was changed"):
            session.execute(text)
        assert session.execute(text).fetchall() == [("[redacted]",)] * 2


def test_the_schema_of_another_session_is_not_followed(scene: Scene) -> None:
    with scene.connect("alice", "shop") as owner, scene.connect("alice", "shop") as other:
        owner.execute("create temp table mine (word text)")
        other.execute("create temp table others (word text)")
        found = owner.execute("select pg_my_temp_schema()::regnamespace::text").fetchone()
        assert found is not None
        with pytest.raises(psycopg.Error):
            other.execute(f"select upper(word) from {found[0]}.mine".encode())


def test_a_view_over_a_temporary_table_is_temporary_too(session: Session, ask: Ask) -> None:
    session.execute("create temp table kept as select id, name from customers where id < 4")
    session.execute("create view over_kept as select upper(name) as loud from kept")
    assert ask(session, "select loud from over_kept order by 1 limit 1") == [("NAME 1",)]


def test_an_agent_may_compute_with_its_own_tables(scene: Scene, ask: Ask) -> None:
    """What is strict is refused where a relation is not known; a temporary one is."""
    with scene.connect("shopbot", "shop") as session:
        session.execute("create temp table kept as select id, name from customers")
        assert ask(session, "select upper(name) from kept where name = 'Name 2'") == [("NAME 2",)]
        with pytest.raises(psycopg.Error, match="ssn"):
            ask(session, "select k.name from kept k join customers c using (id) where c.ssn like '078%'")


def test_in_one_batch_nothing_is_believed_of_what_the_batch_made(scene: Scene) -> None:
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        batch = b""
        for text in (
            b"create temp table customers as select id, name as ssn from public.customers",
            b"drop table pg_temp.customers",
            b"select upper(ssn) from customers",
        ):
            batch += frame(b"P", b"\0" + text + b"\0\0\0") + frame(b"B", b"\0" * 8)
            batch += frame(b"D", b"P\0") + frame(b"E", b"\0" * 5)
        client.send(batch + SYNC)
        answer = client.until(b"Z")
        assert SECRET.encode() not in client.received
        assert errors(answer) or b"D" in [kind for kind, _ in answer]


def test_policy_knows_them_as_pg_temp(scene: Scene) -> None:
    with scene.connect("bob", "shop") as session:
        session.execute("create temp table kept (id int)")
        session.execute("insert into kept values (1)")
        session.execute("drop table kept")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not dropped here"):
            session.execute("drop table orders")
