"""The demo's stage: a real PostgreSQL with the shop in it, and the gateway in front with the example policy."""

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

from demo.shop import GATEWAY_PASSWORD, GATEWAY_ROLE, load_shop
from tests.support.gateway import GatewayProcess
from tests.support.postgres import PostgresServer

CONNECTION = "orders-prod"
ACTORS = ("alice", "bob", "carol", "shopbot")
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything up and running. `tokens` has one access token for each actor."""

    folder: Path
    server: PostgresServer
    gateway: GatewayProcess
    tokens: Mapping[str, str]
    authority: Path


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
    try:
        say("starting a PostgreSQL of its own (the first time, its binaries are fetched)")
        server = PostgresServer()
        server.start()
        say("loading a small shop: 2,000 customers, 4,000 orders, payments, support notes")
        load_shop(server)
        gateway, authority = _gateway(folder, server)
        say("starting the gateway with the policy of examples/policy")
        gateway.start()
        say("making an access token for each of " + ", ".join(ACTORS))
        yield Stage(folder, server, gateway, {name: gateway.token(name) for name in ACTORS}, authority)
    finally:
        say("cleaning up")
        if gateway is not None:
            gateway.stop()
        if server is not None:
            server.close()
        shutil.rmtree(folder, ignore_errors=True)


def _gateway(folder: Path, server: PostgresServer) -> tuple[GatewayProcess, Path]:
    authority = trustme.CA()
    identity = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "gateway-ca.pem")
    identity.private_key_and_cert_chain_pem.write_to_path(folder / "gateway.pem")
    gateway = GatewayProcess(
        folder / "gateway",
        {
            CONNECTION: {
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
        },
        policy=EXAMPLES / "policy",
        principals=(EXAMPLES / "principals.yaml").read_text(),
        environment={"ORDERS_PROD_PASSWORD": GATEWAY_PASSWORD},
        certificate=folder / "gateway.pem",
        key=folder / "gateway.pem",
    )
    return gateway, folder / "gateway-ca.pem"


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
