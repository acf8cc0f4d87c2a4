"""The server passes over schemas of the path that the current role may not use; so does the gateway, whoever the current role is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.scene import Scene, until

Session = psycopg.Connection[tuple[Any, ...]]

SECRET = "078-05-"
CLERK = "scene_clerk"


@pytest.fixture
def owner(scene: Scene) -> Iterator[Session]:
    """A superuser past the gateway; `app.customers` stands in a schema that the sessions' role may not use."""
    with psycopg.connect(scene.server.dsn(scene.database), autocommit=True) as direct:
        direct.execute("create schema app; create table app.customers (id int, name text, ssn text)")
        direct.execute("insert into app.customers values (1, 'in app', 'of app')")
        direct.execute(f"create role {CLERK}; grant {CLERK} to {scene.role}")
        direct.execute("grant select on all tables in schema public, app to public")
        # With `catalog_check: poll` what an earlier test made is believed for some seconds: a change of the catalog through the
        # gateway makes it look anew.
        for connection in ("shop", "exact"):
            with scene.connect("carol", connection) as session:
                session.execute("create temporary table looked_anew (i int)")
        yield direct
        direct.execute("drop schema app cascade; revoke select on all tables in schema public from public")
        direct.execute(f"drop owned by {CLERK}; drop role {CLERK}")


def _once(session: Session, text: str = "select upper(ssn) from customers where id = 1") -> str:
    """What a statement shows, or the words with which it is refused; never the secret."""
    try:
        shown = str(session.execute(text.encode()).fetchone())
    except psycopg.Error as refused:
        shown = str(refused)
    assert SECRET not in shown
    return shown


def _shown(session: Session, text: str = "select upper(ssn) from customers where id = 1") -> str:
    """The same, run again when the catalog had changed."""
    shown = _once(session, text)
    return _once(session, text) if "was changed" in shown else shown


@pytest.mark.parametrize("connection", ["shop", "exact"])
def test_a_table_in_a_schema_without_usage_is_not_taken_for_the_one_behind_it(
    scene: Scene, owner: Session, connection: str
) -> None:
    with scene.connect("alice", connection, options="-c search_path=app,public") as session:
        assert _shown(session) == "('[redacted]',)"
        assert _shown(session, "select ssn from customers where id = 1") == "('[redacted]',)"
        assert "1 of hidden" not in _shown(session, "select count(*) from customers where ssn like '078%'")


@pytest.mark.parametrize("connection", ["shop", "exact"])
def test_usage_that_is_granted_and_revoked_is_noticed(scene: Scene, owner: Session, connection: str) -> None:
    with scene.connect("alice", connection, options="-c search_path=app,public") as session:
        assert _shown(session) == "('[redacted]',)"
        owner.execute(f"grant usage on schema app to {scene.role}")
        until(lambda: _shown(session) == "('OF APP',)", what="a schema that may be used")
        owner.execute(f"revoke usage on schema app from {scene.role}")
        if connection == "exact":
            assert "was changed" in _once(session)
            assert _shown(session) == "('[redacted]',)"


@pytest.mark.parametrize("how", ["set role", "set local role", "set_config", "pipelined"])
@pytest.mark.parametrize("connection", ["shop", "exact"])
def test_another_role_uses_other_schemas(scene: Scene, owner: Session, connection: str, how: str) -> None:
    owner.execute(f"grant usage on schema app to {scene.role}")
    with scene.connect("alice", connection, options="-c search_path=app,public") as session:
        assert _shown(session) == "('OF APP',)"
        if how == "set role":
            session.execute(f"set role {CLERK}")
        elif how == "set local role":
            session.execute(f"begin; set local role {CLERK}")
        elif how == "set_config":
            session.execute(f"select set_config('role', '{CLERK}', false)")
        else:
            with session.pipeline():
                session.execute(f"set role {CLERK}")
                shown = session.execute("select upper(ssn) from customers where id = 1").fetchone()
            assert shown == ("[redacted]",)
        assert _shown(session) == "('[redacted]',)"
        if how == "set local role":
            session.execute("rollback")
        else:
            session.execute("reset role")
        assert _shown(session) == "('OF APP',)"


def test_behind_a_change_of_the_role_in_the_same_text_nothing_is_known(scene: Scene, owner: Session) -> None:
    owner.execute(f"grant usage on schema app to {scene.role}")
    with scene.connect("alice", "shop", options="-c search_path=app,public") as session:
        text = f"set role {CLERK}; select upper(ssn) from customers where id = 1"
        with psycopg.ClientCursor(session) as cursor, pytest.raises(psycopg.Error, match="cannot be told"):
            cursor.execute(text.encode())
        assert _shown(session) == "('OF APP',)"


def test_what_was_prepared_under_another_role_is_judged_again(scene: Scene, owner: Session) -> None:
    owner.execute(f"grant usage on schema app to {scene.role}")
    with scene.connect("alice", "shop", options="-c search_path=app,public", prepare_threshold=0) as session:
        text = "select upper(ssn) from customers where id = 1"
        session.execute(f"prepare by_sql as {text}".encode())
        assert _shown(session) == "('OF APP',)"
        session.execute(f"set role {CLERK}")
        for again in (text, "execute by_sql"):
            assert "OF APP" not in _shown(session, again)
