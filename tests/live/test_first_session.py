"""A whole session with real programs: psql, the gateway in its own process, PostgreSQL with TLS and SCRAM."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import trustme

from tests.support.gateway import ALLOW_ALL, GatewayProcess
from tests.support.postgres import PostgresServer

StartPsql = Callable[[str], subprocess.Popen[str]]

HOLD_DELETES = """
@id("deletes")
@approval("dba")
@reason("deletes are looked at")
forbid (principal, action == Action::"delete", resource);
"""


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The shared server with a role for the gateway."""
    postgres.create_role("gateway_first", "up-s3cret")
    postgres.create_database("first", owner="gateway_first")
    postgres.psql("create table orders as select 1 as id; alter table orders owner to gateway_first", database="first")
    yield postgres
    postgres.drop_database("first")
    postgres.psql("drop role gateway_first")


@pytest.fixture(scope="module")
def gateway(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway in front of it, with TLS on both sides; deletes are held."""
    folder = tmp_path_factory.mktemp("first")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    made = GatewayProcess(
        folder / "gateway",
        {
            "first": {
                "protocol": "postgres",
                "address": f"127.0.0.1:{server.port}",
                "secret": "env:FIRST",
                "options": {
                    "database": "first",
                    "user": "gateway_first",
                    "tls": "verify-full",
                    "tls_ca_file": str(server.ca_path),
                },
            }
        },
        policy={"allow-all.cedar": ALLOW_ALL, "hold.cedar": HOLD_DELETES},
        environment={
            "FIRST": "up-s3cret",
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(folder / "ca.pem"),
        },
        certificate=folder / "cert.pem",
        key=folder / "key.pem",
    )
    made.start()
    yield made
    assert made.stop() == 0, made.log.read_text()


@pytest.fixture(scope="module")
def token(gateway: GatewayProcess) -> str:
    """An access token for alice."""
    return gateway.token("alice")


def running(server: PostgresServer, text: str) -> int:
    """How many backends run a statement with this text."""
    return int(
        server.psql(
            f"select count(*) from pg_stat_activity where state <> 'idle' and query like '%{text}%' "
            "and pid <> pg_backend_pid()"
        )
    )


@pytest.fixture
def start_psql(gateway: GatewayProcess, token: str) -> Iterator[StartPsql]:
    """Starts psql with one command in the background; whatever still runs is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(command: str) -> subprocess.Popen[str]:
        psql = subprocess.Popen(
            ["psql", "-X", "-c", command],
            env=gateway.psql_environment("alice", token, "first"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(psql)
        return psql

    yield start
    for psql in started:
        psql.kill()
        psql.communicate()


def test_an_unmodified_psql_goes_through(gateway: GatewayProcess, token: str) -> None:
    done = gateway.psql(
        "alice",
        token,
        "first",
        "create table t (id int primary key, word text)",
        "insert into t select i, repeat('x', i) from generate_series(1, 5) i",
        "select * from t order by id limit 2",
        "copy t to stdout",
        "select nonsense",
        options=("-At",),
    )
    assert done.stdout.splitlines() == [
        "CREATE TABLE",
        "INSERT 0 5",
        "1|x",
        "2|xx",
        *(f"{i}\t{'x' * i}" for i in range(1, 6)),
    ]
    assert 'column "nonsense" does not exist' in done.stderr


def test_a_wrong_token_and_an_unknown_connection_are_refused(gateway: GatewayProcess, token: str) -> None:
    assert "authentication failed" in gateway.psql("alice", "wrong", "first", "select 1").stderr
    assert "no connection `nowhere`" in gateway.psql("alice", token, "nowhere", "select 1").stderr


def test_control_c_cancels_what_runs(server: PostgresServer, start_psql: StartPsql) -> None:
    psql = start_psql("select pg_sleep(30) as control_c")
    until(lambda: running(server, "control_c"))
    psql.send_signal(signal.SIGINT)
    _, errors = psql.communicate(timeout=15)
    assert "canceling statement due to user request" in errors
    assert running(server, "control_c") == 0


def test_a_client_that_is_killed_leaves_nothing_running(server: PostgresServer, start_psql: StartPsql) -> None:
    psql = start_psql("select pg_sleep(30) as killed")
    until(lambda: running(server, "killed"))
    psql.kill()
    psql.communicate()
    until(lambda: running(server, "killed") == 0)


def test_control_c_during_a_hold_voids_it(server: PostgresServer, start_psql: StartPsql) -> None:
    for _ in range(10):  # it once depended on the instant
        psql = start_psql("delete from orders")
        assert psql.stderr is not None
        assert "NOTICE" in psql.stderr.readline(), "psql prints the notice while it waits"
        psql.send_signal(signal.SIGINT)
        _, errors = psql.communicate(timeout=15)
        assert "cancelled" in errors
    assert server.psql("select count(*) from orders", database="first").strip() == "1"


def test_cancelling_hits_its_own_session_only(gateway: GatewayProcess, server: PostgresServer, token: str) -> None:
    dsn = gateway.psql_environment("alice", token, "first")
    keywords = {
        "host": dsn["PGHOST"],
        "port": dsn["PGPORT"],
        "user": "alice",
        "password": token,
        "dbname": "first",
        "sslmode": "require",
    }
    with psycopg.connect(**keywords) as one, psycopg.connect(**keywords) as two:
        for _ in range(20):
            one.cancel()
            assert two.execute("select 1").fetchone() == (1,)
        assert one.execute("select 2").fetchone() == (2,)


def test_an_upstream_session_that_is_ended_is_told(server: PostgresServer, start_psql: StartPsql) -> None:
    psql = start_psql("select pg_sleep(30) as ended_here")
    until(lambda: running(server, "ended_here"))
    server.psql(
        "select pg_terminate_backend(pid) from pg_stat_activity where query like '%ended_here%' and pid <> pg_backend_pid()"
    )
    _, errors = psql.communicate(timeout=15)
    assert "terminating connection due to administrator command" in errors


def test_the_log_says_who_came_and_nothing_of_what_was_asked(gateway: GatewayProcess, token: str) -> None:
    gateway.psql("alice", token, "first", "select 'unheard_of', nonsense")
    log = gateway.log.read_text()
    assert '"session.opened"' in log
    assert "User:alice" in log
    for word in ("unheard_of", "nonsense", token, "up-s3cret"):
        assert word not in log
    assert "session.failed" not in log
    assert "event_loop.fault" not in log


def test_stopping_tells_idle_clients_why(server: PostgresServer, gateway: GatewayProcess, tmp_path: Path) -> None:
    other = GatewayProcess(
        tmp_path / "gateway",
        {
            "first": {
                "protocol": "postgres",
                "address": f"127.0.0.1:{server.port}",
                "secret": "env:FIRST",
                "options": {"database": "first", "user": "gateway_first", "tls": "require"},
            }
        },
        environment={"FIRST": "up-s3cret"},
        state=Path(tempfile.mkdtemp(prefix="ip-")),
    )
    other.start()
    token = other.token("bob")
    connection = psycopg.connect(
        host="127.0.0.1", port=other.port, user="bob", password=token, dbname="first", sslmode="disable"
    )
    connection.execute("select 1")
    connection.commit()
    assert other.stop() == 0
    with pytest.raises(psycopg.OperationalError, match="shutting down"):
        connection.execute("select 1")
    connection.close()
    shutil.rmtree(other.state)
