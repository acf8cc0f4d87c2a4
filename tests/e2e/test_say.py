"""A message to the user of a PostgreSQL session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import PostgresServer
from tests.support.scene import Scene, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with PostgresServer() as server, Scene(server) as made:
        yield made


def test_a_session_is_told_between_its_commands_and_never_within_one(scene: Scene) -> None:
    with scene.connect("alice", "shop", autocommit=True) as session:
        told: list[str] = []
        session.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        session.execute("begin")
        name = str(until(scene.sessions, what="the session in the index")[0]["id"])
        token = scene.token("carol")
        scene.gateway.interpose("sessions", "say", name, "lunch\x1b[2J is ready", token=token)
        until(lambda: scene.events("administered", what="say"), what="the record")
        for _ in range(20):
            assert session.execute("select 1").fetchall() == [(1,)]
        assert not told, "an open transaction is not disturbed"
        session.execute("commit")

        def heard() -> list[str]:
            assert session.execute("select 1").fetchall() == [(1,)]
            return told

        (message,) = until(heard, 30, "the message")
        assert message.startswith("message from the gateway's operators: lunch\\x1b[2J is ready (User:carol)")
        scene.gateway.interpose("sessions", "kill", name, "--reason", "unattended", token=token)

        def ended() -> str:
            try:
                session.execute("select 1")
            except Exception as error:  # noqa: BLE001 -- whatever psycopg makes of a FATAL error
                return str(error)
            return ""

        assert "unattended" in until(ended, 30, "the end")
