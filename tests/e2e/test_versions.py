"""Every supported PostgreSQL behind the gateway, and the ways in which clients ask for TLS and for newer protocols."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.postgres import PostgresServer
from tests.support.postgres_binaries import MAJORS, Major, obtain
from tests.support.scene import Scene


def run(scene: Scene, program: str, conninfo: str, *commands: str) -> subprocess.CompletedProcess[str]:
    """psql of some version as alice, with its own words on TLS."""
    environment = scene.gateway.psql_environment("alice", scene.token("alice"), "shop")
    arguments = [program, "-X", "-At", conninfo]
    for command in commands:
        arguments += ["-c", command]
    return subprocess.run(
        arguments, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )


def test_direct_tls_and_negotiated_tls(scene: Scene) -> None:
    psql = str(obtain(18).bin / "psql")
    for negotiation in ("direct", "postgres"):
        done = run(scene, psql, f"sslmode=verify-full sslnegotiation={negotiation}", "select 1", "\\conninfo")
        assert done.stdout.startswith("1\n"), done.stderr


def test_a_client_that_does_not_know_the_authority_does_not_talk(scene: Scene) -> None:
    psql = str(obtain(18).bin / "psql")
    done = run(scene, psql, "sslmode=verify-full sslrootcert=system", "select 1")
    assert done.returncode != 0
    assert "certificate" in done.stderr


@pytest.mark.parametrize("version", ["3.0", "3.2", "latest"])
def test_protocols_are_negotiated(scene: Scene, version: str) -> None:
    psql = str(obtain(18).bin / "psql")
    done = run(scene, psql, f"max_protocol_version={version}", "select 1", "select ssn from customers limit 1")
    assert done.stdout == "1\n[redacted]\n", done.stderr


def test_durability_strict_serves(scene: Scene) -> None:
    done = scene.psql("alice", "strict", "select 1", "begin", "insert into notes (body) values ('strict')", "rollback")
    assert done.stdout == "1\nBEGIN\nINSERT 0 1\nROLLBACK\n", done.stderr
    assert scene.events("command.decided")


@pytest.mark.slow
@pytest.mark.parametrize("major", MAJORS)
def test_every_major_upstream(major: Major) -> None:
    with PostgresServer(major) as server, Scene(server) as scene:
        done = scene.psql(
            "alice",
            "shop",
            "select id, email, ssn from customers where id = 1",
            "select count(*) from orders",
            "copy (select ssn from customers limit 1) to stdout",
            "prepare p as select ssn from people where id = $1",
            "drop table notes",
            "select upper(ssn) from customers limit 1",
        )
        assert done.stdout.splitlines() == ["1|p***@s***.***|[redacted]", "200", "[redacted]", "PREPARE", "[redacted]"]
        assert "tables are not dropped here" in done.stderr
        with scene.connect("alice", "shop") as session:
            assert session.execute("select ssn, id from customers where id = %s", (1,)).fetchone() == ("[redacted]", 1)
        found = scene.psql("alice", "shop", "\\d customers", "\\dt").stdout
        assert "customers" in found and "email" in found
        bench = subprocess.run(
            [server.bin / "pgbench", "-i", "-q", "-I", "dtpv", "-s", "1"],
            env={**scene.gateway.psql_environment("alice", scene.token("alice"), "open"), "PGSSLMODE": "verify-ca"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert bench.returncode == 0, bench.stderr
        assert scene.gateway.stop() == 0
