"""A service account's key is rotated while its sessions live, on every worker."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.postgres import PostgresServer
from tests.support.scene import Scene, until

PRINCIPALS = """\
principals:
  - {name: robot, kind: service, groups: [jobs]}
  - {name: carol, kind: user, groups: [dba]}
"""


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer) -> Iterator[Scene]:
    """A gateway with two workers."""
    with Scene(postgres, settings={"workers": 2}, principals=PRINCIPALS) as made:
        yield made


def over(session: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Whether the gateway has ended it."""
    try:
        session.execute("select 1")
    except psycopg.OperationalError:
        return True
    return False


def test_sessions_of_the_older_key_end_with_the_grace_and_those_of_the_new_one_go_on(scene: Scene) -> None:
    first = scene.gateway.interpose("service", "rotate", "robot", "--quiet").stdout.strip()
    old = [scene.connect("robot", "shop", token=first) for _ in range(6)]  # on both workers
    second = scene.gateway.interpose("service", "rotate", "robot", "--grace", "1h", "--quiet").stdout.strip()
    new = scene.connect("robot", "shop", token=second)
    assert not any(over(each) for each in [*old, new]), "the older key is good for the grace"
    scene.connect("robot", "shop", token=first).close()
    third = scene.gateway.interpose("service", "rotate", "robot", "--grace", "0s", "--quiet").stdout.strip()
    until(lambda: all(over(each) for each in [*old, new]), 30, "the end of all older sessions")
    for token in (first, second):
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            scene.connect("robot", "shop", token=token)
    with scene.connect("robot", "shop", token=third) as session:
        assert session.execute("select 1").fetchall() == [(1,)]

    listed = json.loads(scene.gateway.interpose("token", "list", "--json").stdout)
    assert [each["due"] for each in listed if each["principal"] == "robot"] == [False] * 3
    refused = scene.gateway.interpose("service", "rotate", "carol", check=False)
    assert (refused.returncode, "there is no service `carol`" in refused.stderr) == (1, True)
    events = scene.events("token.shortened")
    assert len(events) == 3
