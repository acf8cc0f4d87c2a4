"""`kill -9` of the whole gateway under load: what the server ran is in the record, the chain holds, a restart seals."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.recording.timeline import CommandDecided
from interpose.store.files.reading import RecordedSessions
from tests.support.postgres import PostgresServer
from tests.support.records import stand_alone_says
from tests.support.scene import Scene, until

SCRIPT = """\\set n random(1, 1000000000)
select :n + 0 as loaded;
insert into notes (body) values (:n::text) returning 1 as loaded;
begin;
update customers set name = :n::text where id = 1 + :n % 20 returning 2 as loaded;
commit;
"""


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A gateway in front of a server that writes down every statement that reaches it."""
    with (
        PostgresServer(log_statements=True, settings={"log_parameter_max_length": "0"}) as server,
        Scene(server) as made,
    ):
        yield made


def recorded(scene: Scene) -> Counter[str]:
    """How often each text was recorded as about to run."""
    found: Counter[str] = Counter()
    store = RecordedSessions(scene.gateway.state / "recordings")
    for stored in store.all():
        for event in store.timeline(stored.session):
            if isinstance(event, CommandDecided) and event.kind != "prepare":
                found[event.text.strip().rstrip(";")] += 1
    return found


def ran(scene: Scene) -> Counter[str]:
    """How often the server says that it ran each text of the load."""
    statements = (statement.strip().rstrip(";") for statement in scene.server.logged_statements())
    return Counter(statement for statement in statements if "as loaded" in statement)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_every_statement_that_the_server_ran_is_in_the_record(scene: Scene, tmp_path: Path, mode: str) -> None:
    script = tmp_path / "load.sql"
    script.write_text(SCRIPT)
    if scene.gateway._process is None:
        scene.gateway.start(timeout=90)
    already, sealed = len(scene.server.logged_statements()), len(scene.events("session.sealed"))
    load = subprocess.Popen(
        [scene.server.bin / "pgbench", "-n", "-M", mode, "-c", "4", "-T", "60", "-f", script],
        env=scene.gateway.psql_environment("alice", scene.token("alice"), "shop"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: len(scene.server.logged_statements()) > already + 200, 30, "the load")
        until(lambda: len(scene.sessions("live=true&limit=1000")) == 4, 30, "the sessions in the index")
        live = [session["id"] for session in scene.sessions("live=true&limit=1000")]
        time.sleep(random.uniform(0.0, 0.7))  # any point will do: that is what is tested
        scene.gateway.kill()
        assert load.wait(30) != 0
    finally:
        load.kill()
        load.communicate()
    until(lambda: scene.backends() == 0, 30, "the end of every backend")
    missing = ran(scene) - recorded(scene)
    assert not missing, f"{missing.total()} statements ran without a record: {list(missing)[:3]}"
    verified = scene.verify()
    assert verified.returncode == 0, verified.stdout
    scene.gateway.start(timeout=90)
    assert "sealed" in verified.stdout or scene.gateway.log.read_text().count('"recovered": "4"')
    orphans = scene.events("session.sealed")[sealed:]
    assert {event["session"] for event in orphans} >= set(live)
    assert len(live) == 4
    until(lambda: not scene.sessions("live=true&limit=1000"), what="the end of the orphans in the index")
    closed = {each["id"]: each["close_reason"] for each in scene.sessions()}
    assert all(closed[name] for name in live)
    assert not (ran(scene) - recorded(scene)), "sealing loses nothing"
    assert scene.verify().returncode == 0
    right, said = stand_alone_says(scene.gateway.state)
    assert right, said
    assert scene.psql("alice", "shop", "select 1").stdout == "1\n"
