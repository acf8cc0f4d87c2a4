"""The catalog changes under the gateway's feet, in the session and elsewhere: nothing hidden comes out by what was true before."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from tests.support.raw_postgres import SYNC, RawClient, errors, frame
from tests.support.scene import Scene, until

Session = psycopg.Connection[tuple[Any, ...]]

SECRET = "078-05-"
CLEAR = "create or replace view flips as select id, upper(name) as shown from customers"
HIDDEN = "create or replace view flips as select id, upper(ssn) as shown from customers"


@pytest.fixture
def owner(scene: Scene) -> Iterator[Session]:
    """A connection past the gateway, as the role that owns everything."""
    with psycopg.connect(scene.server.dsn(scene.database), autocommit=True) as direct:
        direct.execute(f"set role {scene.role}")
        yield direct
        for undo in ("drop view if exists flips", "drop schema if exists ahead, early, sooner, moving cascade"):
            direct.execute(undo)


class Flipping:
    """Flips a view between its two definitions as fast as it can, in a thread of its own."""

    def __init__(self, scene: Scene) -> None:
        self.flips = 0
        self._chance = random.Random(7)
        self._dsn = scene.server.dsn(scene.database)
        self._role = scene.role
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Flipping:
        self._thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as direct:
            direct.execute(f"set role {self._role}")
            while not self._stop.is_set():
                for definition in (HIDDEN, CLEAR):
                    direct.execute(definition)
                    self.flips += 1
                    # Long enough at times for a whole statement to fit in.
                    self._stop.wait(self._chance.random() ** 3 * 0.1)


def _simple(session: Session) -> list[Any]:
    return session.execute("select shown from flips where id < 4").fetchall()


def _extended(session: Session) -> list[Any]:
    return session.execute("select shown from flips where id < %s", (4,), prepare=False, binary=True).fetchall()


def _prepared(session: Session) -> list[Any]:
    return session.execute("select shown from flips where id < %s", (5,), prepare=True).fetchall()


def _prepared_by_sql(session: Session) -> list[Any]:
    with suppress(psycopg.errors.DuplicatePreparedStatement):
        session.execute("prepare flipping as select shown from flips where id < 4")
    return session.execute("execute flipping").fetchall()


def _cursor(session: Session) -> list[Any]:
    with session.transaction():
        session.execute("declare turning cursor for select shown from flips where id < 4")
        return session.execute("fetch 2 from turning").fetchall() + session.execute("fetch all from turning").fetchall()


def _held_cursor(session: Session) -> list[Any]:
    session.execute("declare staying cursor with hold for select shown from flips where id < 4")
    try:
        return session.execute("fetch all from staying").fetchall()
    finally:
        session.execute("close staying")


def _copied(session: Session) -> list[Any]:
    with session.cursor() as cursor, cursor.copy("copy (select shown from flips where id < 4) to stdout") as copy:
        return [bytes(data) for data in copy]


def _returned(session: Session) -> list[Any]:
    text = "update notes set body = body from flips where flips.id = 1 and notes.id < 2 returning flips.shown"
    return session.execute(text).fetchall()


WAYS = [_simple, _extended, _prepared, _prepared_by_sql, _cursor, _held_cursor, _copied, _returned]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_view_that_flips_never_leaks_where_every_result_is_checked(
    scene: Scene, owner: Session, way: Callable[[Session], list[Any]]
) -> None:
    owner.execute(CLEAR)
    # A number that the table's own sequence never comes to.
    owner.execute("insert into notes (id, body) overriding system value values (0, 'a note') on conflict do nothing")
    with scene.connect("alice", "exact") as session, Flipping(scene) as flipping:
        for _ in range(ROUNDS):
            try:
                rows = way(session)
            except psycopg.Error as error:
                assert SECRET not in str(error)
            else:
                assert SECRET not in str(rows)
    assert flipping.flips > 10
    with scene.connect("alice", "exact") as session:
        # Nothing moves any more: it is shown, in the clear.
        assert "NAME 1" in str(until(lambda: _quiet(way, session), what="a quiet catalog")).upper()


ROUNDS = 100


def _quiet(way: Callable[[Session], list[Any]], session: Session) -> list[Any]:
    with suppress(psycopg.Error):
        return way(session)
    return []


def test_what_is_polled_is_noticed_within_the_poll(scene: Scene, owner: Session) -> None:
    owner.execute(CLEAR)
    with scene.connect("alice", "shop") as session:
        session.execute("declare before cursor with hold for select shown from flips where id < 4")
        assert session.execute("select shown from flips where id = 3").fetchone() == ("NAME 3",)
        owner.execute(HIDDEN)
        until(lambda: _quiet(_simple, session) == [("[redacted]",)] * 3, what="a masked view")
        for _ in range(20):
            assert SECRET not in str([_prepared(session), _extended(session), _copied(session)])
        with pytest.raises(psycopg.Error, match="was changed"):
            session.execute("fetch all from before")


def earlier(schema: str) -> str:
    """Another table of that name, in a schema that comes earlier in the path."""
    table = f"{schema}.customers"
    return f"create table {table} (id int, ssn text); insert into {table} values (1, 'early bird')"


# A schema for each: `shop` polls, and may know a table for some seconds after it was dropped behind the gateway's back.
@pytest.mark.parametrize(("connection", "early"), [("shop", "ahead"), ("exact", "sooner")])
def test_a_table_that_appears_earlier_in_the_path_does_not_unmask_what_was_prepared(
    scene: Scene, owner: Session, connection: str, early: str
) -> None:
    """The server keeps the table that it had found, and an expression has no origin that would tell."""
    owner.execute(f"create schema {early}")
    with scene.connect("alice", connection, prepare_threshold=0) as session:
        session.execute(f"set search_path = {early}, public")
        text = "select upper(ssn) || id from customers where id < %s"
        assert SECRET not in str(session.execute(text, (4,)).fetchall())
        session.execute("prepare kept as select upper(ssn) || id from customers where id < 4")
        with scene.connect("alice", connection) as other:
            other.execute(earlier(early))
        for way in (lambda: session.execute(text, (4,)), lambda: session.execute("execute kept")):
            try:
                assert SECRET not in str(way().fetchall())
            except psycopg.Error as error:
                assert SECRET not in str(error)
        with scene.connect("alice", connection) as other:
            other.execute(f"set search_path = {early}, public")
            shown = until(
                lambda: _quiet(lambda asked: asked.execute("select upper(ssn) from customers").fetchall(), other)
            )
            assert shown == [("EARLY BIRD",)]


def test_a_change_in_the_same_batch_is_not_taken_for_committed(scene: Scene, owner: Session) -> None:
    """The implicit transaction of a pipeline: the gateway's own connection does not see what it changed."""
    owner.execute("create schema early; " + earlier("early"))
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"), options="-c search_path=early,public")
        batch = b""
        for text in (b"select 1", b"alter table early.customers rename to gone", b"select upper(ssn) from customers"):
            batch += frame(b"P", b"\0" + text + b"\0\0\0") + frame(b"B", b"\0" * 8)
            batch += frame(b"D", b"P\0") + frame(b"E", b"\0" * 5)
        client.send(batch + SYNC)
        answer = client.until(b"Z")
        assert SECRET.encode() not in client.received, answer
        assert b"D" in [kind for kind, _ in answer] or errors(answer)


@pytest.mark.parametrize(
    "change",
    [
        "alter table plain rename to plain_old; create view plain as select id, ssn as word from customers",
        "drop table plain; create view plain as select id, ssn as word from customers",
        "create schema early; create view early.plain as select id, ssn as word from customers",
        "alter table plain rename column word to other; alter table plain add column word text",
    ],
)
def test_a_table_that_is_replaced_is_seen_at_once_where_every_result_is_checked(
    scene: Scene, owner: Session, change: str
) -> None:
    owner.execute(
        "create schema moving; set search_path = moving, public; create table plain (id int, word text); insert into plain values (1, 'word')"
    )
    with scene.connect("alice", "exact", prepare_threshold=0) as session:
        session.execute("set search_path = early, moving, public")
        texts = ("select upper(word) from plain where id = 1", "prepare again as select upper(word) from plain")
        assert until(lambda: _quiet(lambda asked: asked.execute(texts[0]).fetchall(), session)) == [("WORD",)]
        session.execute(texts[1])
        owner.execute(change)
        with pytest.raises(psycopg.errors.SerializationFailure, match="was changed"):
            session.execute(texts[0])
        try:
            assert SECRET not in str(session.execute("execute again").fetchall())
        except psycopg.Error as refused:
            assert SECRET not in str(refused)


@pytest.mark.parametrize("kind", ["also", "instead"])
def test_rows_of_a_rewrite_rule_are_masked_whole(scene: Scene, owner: Session, kind: str) -> None:
    """Analysis knows of no result, but the server describes one: what nothing explains is hidden."""
    owner.execute("create schema moving; create table moving.ruled (id int)")
    owner.execute(f"create rule tells as on insert to moving.ruled do {kind} select upper(ssn) from customers")
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        answer = client.ask(b"insert into moving.ruled values (1)")
    assert b"D" in [message for message, _ in answer]
    assert SECRET.encode() not in client.received


def test_views_on_views_are_followed_to_their_end(scene: Scene, owner: Session) -> None:
    owner.execute("create schema moving; create view moving.v1 as select id, name, ssn from customers")
    for level in range(2, 26):
        owner.execute(f"create view moving.v{level} as select id, name, ssn from moving.v{level - 1}".encode())
    with scene.connect("alice", "shop") as session:
        shown = session.execute("select ssn, upper(ssn), upper(name) from moving.v25 where id = 1").fetchall()
        assert shown == [("[redacted]", "[redacted]", "NAME 1")]
    with scene.connect("shopbot", "shop") as session:
        assert session.execute("select ssn, upper(name) from moving.v25 where id = 1").fetchall() == [
            ("[redacted]", "NAME 1")
        ]
        with pytest.raises(psycopg.Error, match="ssn"):
            session.execute("select name from moving.v25 where ssn like '078%'")
