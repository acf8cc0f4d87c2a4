"""The demo's stage: a real PostgreSQL with the shop in it, a real sshd, and the gateway in front with the example policies."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import trustme

from demo.host import HOST, MISSING, OPERATORS, Ssh, add_policy, host_available, start_host
from demo.shop import GATEWAY_PASSWORD, GATEWAY_ROLE, load_shop
from tests.support.gateway import GatewayProcess, free_port
from tests.support.postgres import PostgresServer
from tests.support.sshd import SshServer

CONNECTION = "orders-prod"
ACTORS = ("alice", "bob", "carol", "shopbot")
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything up and running. `tokens` has one access token for each actor; `ssh` is None where there is no sshd."""

    folder: Path
    server: PostgresServer
    gateway: GatewayProcess
    tokens: Mapping[str, str]
    authority: Path
    ssh: Ssh | None


def say(text: str) -> None:
    """One line of progress."""
    print(f"\033[2m— {text}\033[0m", flush=True)


@contextmanager
def stage() -> Iterator[Stage]:
    """Set up, yield, and leave nothing running and nothing on disk; SIGTERM ends it like Ctrl-C."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    folder = Path(tempfile.mkdtemp(prefix="interpose-demo-"))
    server: PostgresServer | None = None
    gateway: GatewayProcess | None = None
    host: SshServer | None = None
    try:
        say("starting a PostgreSQL of its own (the first time, its binaries are fetched)")
        server = PostgresServer()
        server.start()
        say("loading a small shop: 2,000 customers, 4,000 orders, payments, support notes")
        load_shop(server)
        if host_available():
            say("starting an sshd of its own, whose account only runs a few commands that look")
            host = start_host()
        else:
            say(MISSING)
        port = free_port()
        gateway, authority = gateway_for(folder, server, host, port)
        say("starting the gateway with the policies of examples/policy and examples/ssh")
        gateway.start(timeout=60)
        actors = ACTORS if host is None else (*ACTORS, *OPERATORS)
        say("making an access token for each of " + ", ".join(actors))
        tokens = {name: gateway.token(name) for name in actors}
        ssh = None if host is None else Ssh(folder, port, gateway.state / "ssh_host_key")
        yield Stage(folder, server, gateway, tokens, authority, ssh)
    finally:
        say("cleaning up")
        if gateway is not None:
            gateway.stop()
        if host is not None:
            host.close()
        if server is not None:
            server.close()
        shutil.rmtree(folder, ignore_errors=True)


def gateway_for(
    folder: Path, server: PostgresServer, host: SshServer | None, ssh_port: int
) -> tuple[GatewayProcess, Path]:
    """The gateway, not started yet, and the file of the authority that its clients trust."""
    authority = trustme.CA()
    identity = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "gateway-ca.pem")
    certificate = folder / "gateway.pem"
    certificate.touch(0o600)
    identity.private_key_and_cert_chain_pem.write_to_path(certificate)
    policy = folder / "policies"
    shutil.copytree(EXAMPLES / "policy", policy)
    connections: dict[str, dict[str, object]] = {CONNECTION: _shop(server)}
    settings: dict[str, object] = {}
    port = free_port()
    if host is not None:
        add_policy(EXAMPLES / "ssh", policy)
        connections[HOST] = host.connection(labels={"env": "prod", "team": "web"})
        tls = {"certificate": str(certificate), "key": str(certificate)}
        settings["listeners"] = [
            {"protocol": "postgres", "address": f"127.0.0.1:{port}", "tls": tls},
            {"protocol": "ssh", "address": f"127.0.0.1:{ssh_port}"},
        ]
    gateway = GatewayProcess(
        folder / "gateway",
        connections,
        policy=policy,
        principals=(EXAMPLES / "principals.yaml").read_text(),
        environment={"ORDERS_PROD_PASSWORD": GATEWAY_PASSWORD},
        settings=settings,
        certificate=certificate,
        key=certificate,
    )
    if host is not None:
        gateway.port = port
    return gateway, folder / "gateway-ca.pem"


def _shop(server: PostgresServer) -> dict[str, object]:
    return {
        "protocol": "postgres",
        "address": f"127.0.0.1:{server.port}",
        "secret": "env:ORDERS_PROD_PASSWORD",
        "labels": {"env": "prod", "team": "shop"},
        "detect_content": True,
        "options": {
            "database": "shop",
            "user": GATEWAY_ROLE,
            "tls": "verify-full",
            "tls_ca_file": str(server.ca_path),
        },
    }


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
