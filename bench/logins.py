"""Connects a second, one after the other: straight to PostgreSQL, and through the gateway with an access token, with a workload's
own, and with a client certificate.

    python -m bench.logins [--rounds N] [--connects N]

The workload's token is one of a real OpenID provider (npm's oidc-provider). Ratios are against the direct connect of the same round.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import psycopg

from tests.support.identity_provider.process import IdentityProvider
from tests.support.postgres import PostgresServer
from tests.support.scene import UPSTREAM_PASSWORD, Scene

_SECRET = "a client's secret that only this benchmark knows"
_CLIENT = {
    "client_id": "importer",
    "client_secret": _SECRET,
    "grant_types": ["client_credentials"],
    "redirect_uris": [],
    "response_types": [],
    "token_endpoint_auth_method": "client_secret_post",
}


def main() -> None:
    """Print the median of the rounds for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connects", type=int, default=30, help="connects a round")
    options = parser.parse_args()
    with PostgresServer(17) as server, IdentityProvider(clients=[_CLIENT], resources={"urn:i": "interpose"}) as issuer:
        platform = {"type": "jwt", "issuer": issuer.issuer, "audience": "interpose", "kind": "service"}
        platform["allow_plaintext_keys_on_loopback"] = True  # type: ignore[assignment]
        house = Scene(server, settings={"identity": {"providers": {"platform": platform}}})
        listeners: Any = house.gateway.settings["listeners"]
        listeners[0]["client_certificates"] = True
        house.gateway.write()
        with house as scene:
            credential = scene.folder / "credential"
            scene.gateway.interpose("credential", "issue", "--out", str(credential), token=scene.token("alice"))
            certified = {name: value for name, value in scene.keywords("alice", "shop").items() if name != "password"}
            certified |= {"sslcert": str(credential / "client.crt"), "sslkey": str(credential / "client.key")}
            token, own = scene.token("alice"), issuer.client_token("importer", _SECRET, "urn:i")
            ways: dict[str, Callable[[], object]] = {
                "direct": lambda: psycopg.connect(
                    host="127.0.0.1",
                    port=server.port,
                    user=scene.role,
                    password=UPSTREAM_PASSWORD,
                    dbname=scene.database,
                    sslmode="verify-full",
                    sslrootcert=str(server.ca_path),
                ).close(),
                "access token": lambda: scene.connect("alice", "shop", token=token).close(),
                "workload token": lambda: scene.connect("importer", "shop", token=own).close(),
                "certificate": lambda: psycopg.connect(**certified, passfile="/none").close(),
            }
            measured: dict[str, list[float]] = {name: [] for name in ways}
            for connect in ways.values():
                connect()
            for _ in range(options.rounds):
                for name, connect in ways.items():
                    began = time.perf_counter()
                    for _ in range(options.connects):
                        connect()
                    measured[name].append(options.connects / (time.perf_counter() - began))
    for name, found in measured.items():
        ratio = statistics.median(one / other for one, other in zip(found, measured["direct"], strict=True))
        print(f"{name:15} {statistics.median(found):6.1f} connects/s, {ratio:.2f} of direct")


if __name__ == "__main__":
    main()
