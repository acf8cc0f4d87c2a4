"""A real PostgreSQL server for tests, the demo and the benchmarks: started in a blink, gone without a trace.

    with PostgresServer() as server:
        server.create_database("shop")
        psycopg.connect(server.dsn("shop"))

Knows how one throw-away server is configured, started, stopped, killed and removed. Where its binaries come from is
`tests.support.postgres_binaries`. Blocking throughout: from async code, start it before the loop or in a thread.

A server never outlives its process. `close` and the interpreter's end stop it; a small guardian process does so when
this process is killed in a way that lets no Python run.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import quote, urlencode

import trustme

from tests.support.postgres_binaries import DEFAULT_MAJOR, Major, PostgresUnavailableError, obtain

Auth = Literal["scram-sha-256", "md5", "password", "trust"]
Tls = Literal["off", "on", "required"]
StopMode = Literal["smart", "fast", "immediate"]

_SIGNALS: Final[Mapping[StopMode, signal.Signals]] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
# Nothing here has to survive the machine's death, and many servers share two cores.
_FAST: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "1h",
    "max_connections": "120",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# Reads the server's process id, a line for each start, and acts when the pipe ends without the word `done`.
_GUARDIAN: Final = """
trap '' INT TERM HUP
pid=
while read -r word; do
  if [ "$word" = done ]; then exit 0; fi
  pid=$word
done
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2>/dev/null
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ $tries -lt 60 ]; do sleep 0.05; tries=$((tries + 1)); done
  kill -KILL "$pid" 2>/dev/null
fi
rm -rf -- "$1"
"""


class PostgresServer:
    """One PostgreSQL on 127.0.0.1 with its own data folder, certificate authority and log.

    `settings` are lines of postgresql.conf and win over the fast ones; change `self.settings` and `restart` to apply.
    `auth` is what roles prove themselves with over TCP (`md5` also makes new passwords md5). With TLS on, SCRAM offers
    channel binding: ask for it with `dsn(channel_binding="require")`. `log_statements` writes every statement that
    reaches the server into its log, which `logged_statements` reads back.
    """

    def __init__(
        self,
        major: Major = DEFAULT_MAJOR,
        *,
        auth: Auth = "scram-sha-256",
        tls: Tls = "on",
        log_statements: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Obtain the binaries and make the data folder; raises `PostgresUnavailableError`."""
        self.binaries = obtain(major)
        self.auth: Auth = auth
        self.tls: Tls = tls
        self.settings: dict[str, str] = dict(settings or {})
        if log_statements:
            self.settings.setdefault("log_statement", "all")
        self.port = 0
        self.superuser_password = self.binaries.superuser_password
        self.folder = Path(tempfile.mkdtemp(prefix="interpose-pg-"))
        self.data = self.folder / "data"
        self.log_path = self.folder / "server.log"
        self.ca_path = self.folder / "ca.pem"
        self.certificate_authority = trustme.CA()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self._guardian = subprocess.Popen(
            ["/bin/sh", "-c", _GUARDIAN, "guardian", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        atexit.register(self.close)
        self._prepare()

    def __enter__(self) -> Self:
        """Start; what was made so far is removed when that fails."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and remove everything."""
        self.close()

    @property
    def bin(self) -> Path:
        """The folder with this major's own psql, pgbench, pg_dump and the rest."""
        return self.binaries.bin

    @property
    def running(self) -> bool:
        """Whether the postmaster lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The postmaster's process id; raises `RuntimeError` when it is not running."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    # Life

    def start(self, *, timeout: float = 15.0) -> None:
        """Start and wait until connections are accepted, at most `timeout` seconds. The port stays over restarts."""
        if self.running:
            return
        deadline = time.monotonic() + timeout
        while True:
            fresh_port = self.port == 0
            if fresh_port:
                self.port = _free_port()
            self._configure()
            position = self.log_path.stat().st_size if self.log_path.exists() else 0
            if self._launch(deadline):
                return
            said = self.log_path.read_bytes()[position:].decode(errors="replace")
            # A lost race for a fresh port, or backends of a killed postmaster that have not noticed yet: again.
            if fresh_port and "Address already in use" in said:
                self.port = 0
            elif "shared memory block" not in said and "Address already in use" not in said:
                raise PostgresUnavailableError(f"PostgreSQL did not start, its log says: {said.strip()[-600:]}")
            if time.monotonic() > deadline:
                raise PostgresUnavailableError(f"PostgreSQL did not start in {timeout} s: {said.strip()[-600:]}")
            time.sleep(0.05)

    def stop(self, mode: StopMode = "fast", *, timeout: float = 15.0) -> None:
        """Stop in PostgreSQL's own `mode` and keep the data; `smart` waits for the clients to leave."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(_SIGNALS[mode])
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process = process
            raise

    def kill(self) -> None:
        """SIGKILL to the postmaster and all its backends, as a crash; `start` afterwards recovers."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        listing = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        backends = [int(pid) for pid in listing.read_text().split()] if listing.exists() else []
        process.kill()
        for pid in backends:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start on the same port, with `self.settings` as they are now."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop at once and remove the folder. Idempotent; does nothing in a forked child."""
        if os.getpid() != self._owner or not self.folder.exists():
            return
        atexit.unregister(self.close)
        try:
            self.stop("immediate")
        finally:
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
            self._tell_guardian("done")
            self._guardian.wait()
            if self._guardian.stdin is not None:
                self._guardian.stdin.close()

    # Use

    def dsn(
        self, database: str = "postgres", user: str = "postgres", password: str | None = None, **parameters: str
    ) -> str:
        """A URI for libpq, psycopg and asyncpg alike. Without a password for `postgres`, the superuser's is put in.

        With TLS on it asks for `sslmode=verify-full` against this server's own authority; `parameters` win.
        """
        if password is None and user == "postgres":
            password = self.superuser_password
        query = {"sslmode": "disable"}
        if self.tls != "off":
            query = {"sslmode": "verify-full", "sslrootcert": str(self.ca_path)}
        query.update(parameters)
        login = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
        return f"postgresql://{login}@127.0.0.1:{self.port}/{quote(database, safe='')}?{urlencode(query)}"

    def psql(self, sql: str, *, database: str = "postgres", folder: Path | None = None) -> str:
        """Run a script as superuser with this major's psql, stopping at the first error; answers unaligned tuples.

        `folder` is the current one while it runs, for `\\copy` and `\\i`. Raises `RuntimeError` with psql's message.
        """
        command = [str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        environment = {
            "PATH": os.defpath,
            "PGHOST": str(self.folder),
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGPASSWORD": self.superuser_password,
            "PGDATABASE": database,
            "PGCLIENTENCODING": "UTF8",
        }
        done = subprocess.run(
            command, input=sql.encode(), capture_output=True, env=environment, cwd=folder or self.folder
        )
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode().rstrip("\n")

    def create_database(self, name: str, *, owner: str = "postgres", template: str = "template1") -> None:
        """Create a database, as a copy of `template` (which nobody may be connected to)."""
        self.psql(f"create database {_identifier(name)} owner {_identifier(owner)} template {_identifier(template)}")

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, and close the connections to it."""
        self.psql(f"drop database if exists {_identifier(name)} with (force)")

    def create_role(self, name: str, password: str) -> None:
        """Create a role that may log in, its password stored in the form that `auth` asks for."""
        self.psql(f"create role {_identifier(name)} login password '{password.replace(chr(39), chr(39) * 2)}'")

    def logged_statements(self) -> list[str]:
        """Every statement the log holds so far, in order, as it reached the server (needs `log_statements`)."""
        found: list[str] = []
        open_entry = False
        for line in self.log_path.read_text(errors="replace").split("\n"):
            if open_entry and line.startswith("\t"):
                found[-1] += "\n" + line[1:]
                continue
            match = re.search(r"LOG:  (?:statement|execute [^:]*): (.*)", line)
            open_entry = match is not None
            if match is not None:
                found.append(match[1])
        return found

    # Inside

    def _prepare(self) -> None:
        """Copy the template's data folder and write the authority and the server's certificate."""
        account = self.binaries.account
        account.own(self.folder)
        copy = ["cp", "-R", "--reflink=auto", str(self.binaries.template), str(self.data)]
        subprocess.run(copy, check=True, cwd="/", **account.popen())
        self.data.chmod(0o700)
        certificate = self.certificate_authority.issue_cert("localhost", "127.0.0.1")
        self.certificate_authority.cert_pem.write_to_path(self.ca_path)
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        for name, content in (("server.crt", chain), ("server.key", certificate.private_key_pem.bytes())):
            path = self.data / name
            path.write_bytes(content)
            path.chmod(0o600)
            account.own(path)

    def _configure(self) -> None:
        """Write postgresql.conf and pg_hba.conf anew."""
        encryption = "md5" if self.auth == "md5" else "scram-sha-256"
        lines: dict[str, str] = {
            **_FAST,
            "password_encryption": encryption,
            "ssl": "off" if self.tls == "off" else "on",
            **self.settings,
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "unix_socket_permissions": "0700",
        }
        text = "".join(f"{key} = '{value.replace(chr(39), chr(39) * 2)}'\n" for key, value in lines.items())
        (self.data / "postgresql.conf").write_text(text)
        host = "hostssl" if self.tls == "required" else "host"
        (self.data / "pg_hba.conf").write_text(
            f"local all all scram-sha-256\n{host} all all 127.0.0.1/32 {self.auth}\n"
            f"local replication all scram-sha-256\n{host} replication all 127.0.0.1/32 {self.auth}\n"
        )

    def _launch(self, deadline: float) -> bool:
        """Run the postmaster; true when it is ready, false when it ended before."""
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                cwd=self.folder,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to answer, not the server's
                **self.binaries.account.popen(),
            )
        self._process = process
        self._tell_guardian(str(process.pid))
        status = self.data / "postmaster.pid"
        while process.poll() is None and time.monotonic() < deadline:
            # Line 1 is the process id (an old file may be there after a kill), line 8 the state.
            lines = status.read_text().splitlines() if status.exists() else []
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.01)
        if process.poll() is None:
            process.kill()
            process.wait()
        self._process = None
        return False

    def _tell_guardian(self, word: str) -> None:
        assert self._guardian.stdin is not None
        self._guardian.stdin.write(f"{word}\n".encode())
        self._guardian.stdin.flush()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
