"""Two workers behind one port: sessions on both, cancels and reloads reach the right one, and one may die."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.gateway import GatewayProcess
from tests.support.postgres import PostgresServer
from tests.support.scene import Scene, ends, until


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer) -> Iterator[Scene]:
    """A gateway with two workers."""
    with Scene(postgres, settings={"workers": 2}) as made:
        until(lambda: len(workers(made)) == 2)
        yield made


def workers(scene: Scene) -> list[int]:
    """The process ids of the workers."""
    listing = Path(f"/proc/{scene.gateway.pid}/task/{scene.gateway.pid}/children").read_text()
    return [int(pid) for pid in listing.split() if b"--worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def on_both(scene: Scene, principal: str = "alice", token: str = "") -> list[psycopg.Connection[tuple[Any, ...]]]:
    """Sessions until each worker has one; the kernel chooses which worker gets a connection."""
    sessions: list[psycopg.Connection[tuple[Any, ...]]] = []
    query = f"live=true&limit=1000&principal=User:{principal}"
    # Sessions of the test before may still be closing, and a worker that was killed may still be coming back.
    until(lambda: not scene.sessions(query), what="the end of earlier sessions")
    until(lambda: len(workers(scene)) == 2, what="the second worker")
    while True:
        sessions += [scene.connect(principal, "shop", token=token) for _ in range(4)]
        wanted = len(sessions)
        until(lambda wanted=wanted: len(scene.sessions(query)) >= wanted, what="the sessions in the index")
        told = scene.sessions(query)
        if len({each["worker"] for each in told}) == 2:
            return sessions
        assert len(sessions) < 60, "all connections come to one worker"


@pytest.fixture
def sessions(scene: Scene) -> Iterator[list[psycopg.Connection[tuple[Any, ...]]]]:
    """Sessions on both workers."""
    opened = on_both(scene)
    yield opened
    for session in opened:
        session.close()


Sessions = list[psycopg.Connection[tuple[Any, ...]]]


def test_every_session_answers_and_metrics_are_added_up(scene: Scene, sessions: Sessions) -> None:
    for session in sessions:
        assert session.execute("select 1").fetchone() == (1,)

    def counted() -> bool:
        found = re.search(r'^interpose_sessions\{connection="shop"\} (\S+)', scene.metrics(), re.MULTILINE)
        return found is not None and float(found[1]) == len(sessions)

    until(counted, what="the sum over both workers")


def test_control_c_reaches_the_right_worker(scene: Scene) -> None:
    for number in range(4):
        psql = scene.start_psql("alice", "shop", f"select pg_sleep(60) -- cancel {number}")
        until(lambda number=number: scene.backends(f"state = 'active' and query like '%-- cancel {number}'"))
        psql.send_signal(signal.SIGINT)
        assert "canceling statement due to user request" in ends(psql)[1]


def test_a_reload_reaches_both(scene: Scene, sessions: Sessions) -> None:
    rule = '@id("no-notes") @reason("notes are closed")\nforbid (principal, action, resource in Table::"shop/public.notes");\n'
    (scene.gateway.policy / "notes.cedar").write_text(rule)
    assert scene.gateway.interpose("reload", token=scene.token("carol")).returncode == 0
    try:
        for session in sessions:

            def refused(session: psycopg.Connection[tuple[Any, ...]] = session) -> bool:
                try:
                    session.execute("select * from notes")
                except psycopg.errors.InsufficientPrivilege:
                    return True
                return False

            until(refused)
    finally:
        (scene.gateway.policy / "notes.cedar").unlink()
        scene.gateway.interpose("reload", token=scene.token("carol"))


def test_revocation_and_ending_reach_both(scene: Scene) -> None:
    name, token = scene.new_token("dave")
    opened = on_both(scene, "dave", token)
    scene.gateway.interpose("token", "revoke", name)
    for session in opened:

        def gone(session: psycopg.Connection[tuple[Any, ...]] = session) -> bool:
            try:
                session.execute("select 1")
            except psycopg.OperationalError:
                return True
            return False

        until(gone, 10)
        session.close()


def test_a_vote_reaches_the_worker_that_waits(scene: Scene) -> None:
    for order in range(70, 74):
        psql = scene.start_psql("bob", "shop", f"update orders set status = 'w' where id = {order}")
        assert scene.vote("carol", scene.held("bob", f"id = {order}"))[0] == 200
        assert ends(psql)[0] == "UPDATE 1\n"


@pytest.mark.parametrize("taken", ["listener", "admin"])
def test_a_gateway_that_cannot_start_ends_with_the_error(tmp_path: Path, taken: str) -> None:
    upstream = {
        "protocol": "postgres",
        "address": "127.0.0.1:9",
        "secret": "env:NONE",
        "options": {"database": "x", "user": "x"},
    }
    gateway = GatewayProcess(tmp_path, {"shop": upstream}, environment={"NONE": "x"}, settings={"workers": 2})
    port = gateway.port if taken == "listener" else gateway.admin_port
    # The admin API is worker 0's alone: the other one could serve.
    with socket.create_server(("127.0.0.1", port)):
        ended = gateway.interpose("serve", check=False)
    assert ended.returncode == 1, ended.stderr
    assert "before it served: the gateway ends" in ended.stderr
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "is started again" not in ended.stderr


def test_a_worker_that_is_killed_is_replaced_and_the_other_s_sessions_live(scene: Scene) -> None:
    sessions = on_both(scene)
    before = workers(scene)
    victim = before[1]
    by_worker = {session["id"]: session["worker"] for session in scene.sessions("live=true&limit=1000")}
    lost = {name for name in by_worker.values() if f"-{victim}-" in name}
    assert len(lost) == 1
    expected_lost = sum(worker in lost for worker in by_worker.values())
    os.kill(victim, signal.SIGKILL)
    alive = dead = 0
    for session in sessions:
        try:
            alive += session.execute("select 1").fetchone() == (1,)
        except psycopg.OperationalError:
            dead += 1
    assert alive == len(sessions) - dead
    assert dead == expected_lost
    assert alive > 0
    until(lambda: len(workers(scene)) == 2 and victim not in workers(scene), 30, "a new worker")
    assert scene.psql("alice", "shop", "select 1").stdout == "1\n"
    until(lambda: len(scene.events("session.sealed")) >= expected_lost, 30, "the seals of the orphans")
    until(
        lambda: not [s for s in scene.sessions("live=true&limit=1000") if s["worker"] in lost],
        30,
        "the end of the orphans in the index",
    )
    for session in sessions:
        session.close()
    until(lambda: scene.backends() == 0, 30, "the end of every backend")
    assert scene.verify().returncode == 0
