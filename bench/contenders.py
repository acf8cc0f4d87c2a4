"""The ways to one PostgreSQL: directly, through PgBouncer (session mode), through Interpose with everything on, and with masking."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from interpose.masking.kernel import KERNEL, VARIABLE
from tests.support.gateway import GatewayProcess, free_port
from tests.support.postgres import PostgresServer

UPSTREAM_USER = "bench"
UPSTREAM_PASSWORD = "bench-upstream-password"

POLICY = {
    "bench.cedar": """\
@id("bench-everybody")
permit (principal, action, resource);

@id("bench-no-emails")
@mask("partial-email")
forbid (principal in Group::"masked", action == Action::"reveal", resource in DataClass::"pii.email");

@id("bench-no-cards")
@mask("last4")
forbid (principal in Group::"masked", action == Action::"reveal", resource in DataClass::"pci.card");

@id("bench-no-balances")
forbid (principal in Group::"masked", action == Action::"reveal", resource in DataClass::"finance.balance");

@id("bench-no-drop")
forbid (principal, action == Action::"drop", resource);
""",
    "classifications.yaml": """\
data_classes:
  finance.balance: {description: what is in an account}
classifications:
  - connections: [bench]
    columns:
      public.people.email: [pii.email]
      public.people.card: [pci.card]
      public.pgbench_accounts.abalance: [finance.balance]
""",
}
"""A policy with something to judge: a forbid that looks at every statement, and masking for one group."""

PRINCIPALS = """\
principals:
  - {name: plain, kind: user, groups: [developers]}
  - {name: masked, kind: user, groups: [masked]}
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to the database: a name, the libpq environment that takes it, and the gateway on it when there is one."""

    name: str
    environment: Mapping[str, str]
    gateway: GatewayProcess | None = None

    def cpu(self) -> float:
        """Seconds of processor time that the gateway has taken so far (one worker is the process itself); 0 without one."""
        if self.gateway is None:
            return 0.0
        fields = Path(f"/proc/{self.gateway.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Field:
    """All contenders over one server, and the gateway for its memory and its recordings.

    `masked` is told other values of two columns of `people` and of the balance of `pgbench_accounts`; `masked_python` is the same
    through a second gateway, whose rows kernel is the pure Python one.
    """

    server: PostgresServer
    gateway: GatewayProcess
    direct: Contender
    pgbouncer: Contender | None
    interpose: Contender
    masked: Contender
    masked_python: Contender


def _environment(port: int, user: str, password: str, database: str) -> dict[str, str]:
    return {
        **os.environ,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGUSER": user,
        "PGPASSWORD": password,
        "PGDATABASE": database,
        "PGSSLMODE": "disable",
    }


@contextmanager
def field(*, settings: Mapping[str, object] | None = None) -> Iterator[Field]:
    """Start everything on loopback, without TLS for all alike, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="interpose-bench-"))
    server = PostgresServer(tls="off", settings={"max_connections": "200", "synchronous_commit": "off"})
    gateways: list[GatewayProcess] = []
    bouncer: subprocess.Popen[bytes] | None = None
    try:
        server.start()
        server.create_role(UPSTREAM_USER, UPSTREAM_PASSWORD)
        server.create_database("bench", owner=UPSTREAM_USER)
        for name, environment in (("gateway", {}), ("python", {VARIABLE: "python"})):
            gateways.append(_gateway(folder / name, server, environment, settings))
            gateways[-1].start()
        gateway, slow = gateways
        direct = Contender("direct", _environment(server.port, UPSTREAM_USER, UPSTREAM_PASSWORD, "bench"))
        bouncer, pgbouncer = _pgbouncer(folder / "pgbouncer", server)
        yield Field(
            server,
            gateway,
            direct,
            pgbouncer,
            _through(gateway, "interpose", "plain"),
            _through(gateway, f"masked, {KERNEL.name}", "masked"),
            _through(slow, "masked, python", "masked"),
        )
    finally:
        if bouncer is not None:
            bouncer.terminate()
            bouncer.wait(10)
        for started in gateways:
            started.kill()
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def _gateway(
    folder: Path, server: PostgresServer, environment: Mapping[str, str], settings: Mapping[str, object] | None
) -> GatewayProcess:
    upstream = {
        "protocol": "postgres",
        "address": f"127.0.0.1:{server.port}",
        "secret": "env:BENCH_PASSWORD",
        "options": {"database": "bench", "user": UPSTREAM_USER, "tls": "insecure-plaintext"},
    }
    return GatewayProcess(
        folder,
        {"bench": upstream},
        policy=POLICY,
        principals=PRINCIPALS,
        environment={"BENCH_PASSWORD": UPSTREAM_PASSWORD, **environment},
        settings=settings,
    )


def _through(gateway: GatewayProcess, name: str, principal: str) -> Contender:
    return Contender(name, _environment(gateway.port, principal, gateway.token(principal), "bench"), gateway)


def _pgbouncer(folder: Path, server: PostgresServer) -> tuple[subprocess.Popen[bytes] | None, Contender | None]:
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        return None, None
    port = free_port()
    folder.mkdir()
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    (folder / "users.txt").write_text(f'"{UPSTREAM_USER}" "{UPSTREAM_PASSWORD}"\n')
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\nbench = host=127.0.0.1 port={server.port} dbname=bench\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = plain\nauth_file = {folder}/users.txt\npool_mode = session\n"
        f"max_client_conn = 200\ndefault_pool_size = 100\nunix_socket_dir =\nignore_startup_parameters = extra_float_digits\n"
        f"logfile = {folder}/log\nlog_connections = 0\nlog_disconnections = 0\n"
    )
    account = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if account:
        shutil.chown(folder, "nobody", "nogroup")
    process = subprocess.Popen(
        [*account, program, "-q", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    contender = Contender("pgbouncer", _environment(port, UPSTREAM_USER, UPSTREAM_PASSWORD, "bench"))
    for _ in range(50):
        if subprocess.run(["psql", "-Xqc", "select 1"], env=contender.environment, capture_output=True).returncode == 0:
            return process, contender
        time.sleep(0.1)
    process.terminate()
    raise RuntimeError("pgbouncer did not come up: see its log with `pgbouncer -v`")
