"""A full disk under the record: nothing is sent that cannot be recorded, clients are told, and it goes on when there is space."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer
from tests.support.raw_postgres import RawClient, errors
from tests.support.scene import Scene, until
from tests.support.small_disk import fill, small_disk


@pytest.fixture
def small() -> Iterator[Path]:
    """A file system of 6 MiB."""
    with small_disk() as folder:
        yield folder


@pytest.mark.slow
def test_a_full_disk_refuses_and_recovers(postgres: PostgresServer, small: Path) -> None:
    with Scene(postgres, state=small / "state") as scene, RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        assert errors(client.ask(b"insert into notes (body) values ('before')")) == []
        ballast = fill(small)
        told: list[dict[str, str]] = []
        number = 0
        while not told and number < 2000:
            number += 1
            told = errors(client.ask(b"insert into notes (body) values ('n%d') -- %s" % (number, b"x" * 4000)))
        assert told, "at some point the record is full"
        assert told[0]["C"] == "53100", told
        assert json.loads(told[0]["D"])["code"] == "audit_unavailable"
        assert "cannot be" in told[0]["M"]
        ran = int(scene.upstream("select count(*) from notes where body like 'n%'"))
        assert ran < number, "what could not be recorded was not sent"
        fill(small)  # what the ended session left free, too
        refused = scene.psql("alice", "shop", "select 1")
        assert refused.returncode != 0
        assert "the record of this session cannot be written" in refused.stderr
        until(lambda: scene.api("", "GET", "/readyz")[0] == 503, 30, "health that says so")
        os.unlink(ballast)
        until(lambda: scene.psql("alice", "shop", "select 1").stdout == "1\n", 30, "service after there is space")
        until(lambda: scene.api("", "GET", "/readyz")[0] == 200, 30, "good health")
        assert scene.gateway.stop() == 0
        verified = scene.verify()
        assert verified.returncode == 0, verified.stdout
