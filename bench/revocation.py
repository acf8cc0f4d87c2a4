"""From the moment at which something is taken away to the end of a live session that lived by it, in the worker that hears of it and in another.

    python -m bench.revocation [--count N]

For a group: until a command that only the group permits is refused (asked again every 5 ms). Times are from just before the request or the
command's work to what the client sees.
"""

from __future__ import annotations

import argparse
import math
import select
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import psycopg

from interpose.app.state import State
from interpose.cli.local import local_state, run
from interpose.engine.directory import Directory
from interpose.engine.ports import DirectoryEntry
from interpose.engine.snapshot import SnapshotHolder
from interpose.identity.logout_token import EVENT
from interpose.identity.tokens import TokenIssuer
from interpose.model.principal import AuthenticationContext, Identity, Principal, PrincipalKind
from tests.support.gateway import free_port
from tests.support.identity_provider.process import IdentityProvider
from tests.support.postgres import PostgresServer
from tests.support.scene import CLASSIFICATIONS, POLICY, Scene, until
from tests.support.scim_source import ScimSource
from tests.support.signing import from_jwk, signed

_SCIM = "the token of a source that only this benchmark knows"
_POLICY = (
    '@id("g") forbid (principal, action == Action::"insert", resource) unless { principal in Group::"support" };\n'
)
_BATCH = 20
_DEADLINE = 30.0
Session = psycopg.Connection[tuple[Any, ...]]


def main() -> None:
    """Print one line a way and worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="sessions a way")
    options = parser.parse_args()
    port = free_port()
    url = f"https://localhost:{port}"
    with PostgresServer(17) as server, IdentityProvider(clients=[]) as provider:
        corporate = {
            "type": "oidc",
            "issuer": provider.issuer,
            "client_id": "interpose",
            "allow_plaintext_on_loopback": True,
            "scim": {"token": "env:BENCH_SCIM"},
            "mapping": {"groups": {"claim": "groups", "allow": ["support"]}},
        }
        files = {"shop.cedar": POLICY, "more.cedar": _POLICY, "classifications.yaml": CLASSIFICATIONS}
        scene = Scene(
            server, settings={"workers": 2, "identity": {"providers": {"corporate": corporate}}}, policy=files
        )
        try:
            pem = str(scene.folder / "gateway.pem")
            scene.gateway.settings["public"] = {
                "address": f"127.0.0.1:{port}",
                "url": url,
                "certificate": pem,
                "key": pem,
            }
            scene.gateway._environment["BENCH_SCIM"] = _SCIM
            scene.gateway.write()
            scene.gateway.start(timeout=90)
            with local_state(scene.gateway.config, "bench") as (loaded, state):
                _measure(scene, provider, url, loaded.snapshot, state, options.count)
        finally:
            scene.close()


def _measure(scene: Scene, provider: IdentityProvider, url: str, snapshot: Any, state: State, count: int) -> None:
    directory = Directory(SnapshotHolder(snapshot), state.directory, state.record.chain, state.bus, state.clock)
    issuer = TokenIssuer(
        state.tokens, lambda: directory._holder.current.principals, state.record.chain, state.clock, state.ids
    )
    source = ScimSource(f"{url}/scim/v2/corporate", _SCIM, str(scene.authority_file))
    people = [f"p{number}" for number in range(_BATCH)]
    users = {name: source.user(f"sub-{name}", f"{name}@x.example") for name in people}
    group = source.group("support")
    key = provider.keys()[0]

    def logout(name: str) -> None:
        now = int(time.time())
        claims = {"iss": provider.issuer, "aud": "interpose", "iat": now, "exp": now + 60, "sub": f"sub-{name}"}
        claims |= {"jti": f"{name}-{time.time_ns()}", "sid": f"s-{name}", "events": {EVENT: {}}}
        token = signed(claims, from_jwk(key), "RS256", kid=key["kid"], typ="logout+jwt")
        asked = urllib.request.Request(
            f"{url}/oidc/corporate/backchannel-logout", urllib.parse.urlencode({"logout_token": token}).encode()
        )
        urllib.request.urlopen(asked, timeout=30, context=source._tls).close()

    def active(name: str, value: bool) -> None:
        status, told = source.patch(f"/Users/{users[name]}", {"op": "replace", "value": {"active": value}})
        assert status == 200, told

    def member(name: str, op: str) -> None:
        status, told = source.patch(
            f"/Groups/{group}", {"op": op, "path": "members", "value": [{"value": users[name]}]}
        )
        assert status == 200, told

    tokens: dict[str, Any] = {}

    def sign_in(name: str) -> str:
        principal = Principal(PrincipalKind.USER, name)
        now = time.time()
        # Another second than the last time: what is vouched for must be longer than what ended.
        entry = DirectoryEntry(principal, "corporate", f"sub-{name}", now, now + 3600)
        run(lambda: directory.learn(entry))
        context = AuthenticationContext(now, frozenset({"pwd"}), "", False, f"s-{name}")
        proven = Identity(principal, "oidc", None, None, "corporate", f"sub-{name}", context)
        record, token = run(lambda: issuer.create(name, by="os:bench", ttl=3600, proven=proven))
        tokens[name] = record.id
        return token

    ways: dict[str, tuple[Callable[[str], object], Callable[[str], object], bool]] = {
        "token revoked": (lambda name: run(lambda: issuer.revoke(tokens[name], by="os:bench")), lambda _: None, False),
        "principal disabled": (
            lambda name: run(lambda: directory.disable(name, by="os:bench", reason="bench")),
            lambda name: run(lambda: directory.enable(name, by="os:bench")),
            False,
        ),
        "SCIM deactivation": (lambda name: active(name, False), lambda name: active(name, True), False),
        "back-channel logout": (logout, lambda _: None, False),
        "SCIM group removed": (lambda name: member(name, "remove"), lambda _: None, True),
    }
    print(f"{'':22}{'worker':8}{'n':>5}{'p50':>9}{'p99':>9}{'most':>9}   (milliseconds)")
    for way, (take, give, by_command) in ways.items():
        times: dict[str, list[float]] = {"same": [], "other": []}
        while sum(map(len, times.values())) < count:
            for name in people:
                token = sign_in(name)
                if by_command:
                    member(name, "add")
                session = until(lambda name=name, token=token: _opened(scene, name, token), _DEADLINE, "the session")
                if by_command:
                    until(lambda session=session: _inserts(session), _DEADLINE, "the group")
                rows = until(
                    lambda name=name: scene.sessions(f"live=true&limit=10&principal=User:{name}"),  # type: ignore[misc]
                    _DEADLINE,
                    "the session in the index",
                )
                row = rows[0]
                where = "same" if row["worker"].split("-")[1] == "0" else "other"
                began = time.perf_counter()
                take(name)
                _wait(session, by_command)
                times[where].append(1000 * (time.perf_counter() - began))
                session.close()
                give(name)
        for where, found in times.items():
            if len(found) > 1:
                shown = "".join(f"{_at(found, share):9.0f}" for share in (0.5, 0.99, 1.0))
                print(f"{way:22}{where:8}{len(found):5}{shown}", flush=True)


def _at(found: list[float], share: float) -> float:
    """A percentile by the nearest rank: a time that was measured, never one that lies above the longest."""
    return sorted(found)[math.ceil(share * len(found)) - 1]


def _opened(scene: Scene, name: str, token: str) -> Session | None:
    """A session, when the workers know this person again."""
    try:
        return scene.connect(name, "open", token=token)
    except psycopg.Error:
        return None


def _inserts(session: Session) -> bool:
    try:
        session.execute("insert into notes (body) values ('x')")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _wait(session: Session, by_command: bool) -> None:
    deadline = time.monotonic() + _DEADLINE
    if not by_command:
        readable, _, _ = select.select([session.fileno()], [], [], _DEADLINE)
        assert readable, "the session did not end"
        return
    while _inserts(session):
        assert time.monotonic() < deadline, "the group did not end"
        time.sleep(0.005)


if __name__ == "__main__":
    main()
