"""Canaries: an upstream password and classified values that nothing may carry out, searched for after a whole tour."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import ssl
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest
import zstandard

from tests.support.postgres import PostgresServer
from tests.support.raw_postgres import SYNC, RawClient, frame
from tests.support.scene import UPSTREAM_PASSWORD, Scene, ends

EMAIL, SSN = "canary.bird@aviary-7731.example", "551-90-4477"
"""Classified values of one row; no statement of the tour has them in its text."""

TOUR = [
    "select * from customers order by id",
    "select upper(email), ssn || 'x', row_to_json(c) from customers c",
    "select * from people",
    "table nowhere",
    "select ssn::int from customers where id = 777",
    "update customers set salary = -1 where id = 777",
    "update customers set name = null where id = 777",
    "update customers set email = (select max(email) from customers) where id = 1",
    "drop table customers",
    "delete from customers where id = 777",
    "insert into notes (body) select email from customers",
    "create temp table x as select * from customers",
    "copy customers to stdout",
    "copy (select ssn, email from customers) to stdout (format csv, header)",
    "copy customers to stdout (format binary)",
    "begin",
    "declare c cursor for select ssn, email from customers where id >= 777",
    "fetch all from c",
    "commit",
    "prepare p as select ssn from customers where id = $1",
    "execute p(777)",
    "explain (analyze, verbose) select * from customers where ssn = (select max(ssn) from customers)",
    "do $$ begin raise notice '%', (select max(ssn) from customers); end $$",
    "select pg_notify('x', ssn) from customers",
    "select most_common_vals from pg_stats where tablename = 'customers'",
    "select current_setting('password_encryption'), usename, passwd from pg_user",
    "select * from pg_stat_activity",
    "show all",
]


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer) -> Iterator[Scene]:
    """A scene with the canaries in it; its upstream password comes from three sources in turn."""
    with Scene(postgres) as made:
        row = f"insert into customers values (777, 'Canary', '{EMAIL}', '{SSN}', '1999-12-31', 123)"
        made.upstream(row)
        made.upstream("analyze")
        yield made


def disguises(value: str) -> dict[str, bytes]:
    """The value in every form that is searched for."""
    data = value.encode()
    return {
        "plain": data,
        "upper": data.upper(),
        "hex": data.hex().encode(),
        "reversed": data[::-1],
        "utf-16": value.encode("utf-16-le"),
        # Whatever stands before it, one of the three alignments has this in the middle.
        **{f"base64 at {shift}": base64.b64encode(b"x" * shift + data)[4:-4] for shift in range(3)},
        "percent": "".join(f"%{byte:02x}" for byte in data).encode(),
    }


def find(name: str, data: bytes, canaries: Iterable[str]) -> list[str]:
    """Where a canary is found in these bytes."""
    return [
        f"{canary} as {form} in {name}"
        for canary in canaries
        for form, looked_for in disguises(canary).items()
        if looked_for in data
    ]


def stored(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below, and every recording decompressed."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        yield str(path.relative_to(folder)), data
        if path.suffix == ".rec":
            at = 0
            while (at := data.find(b"\x28\xb5\x2f\xfd", at)) >= 0:
                with contextlib.suppress(zstandard.ZstdError):
                    yield f"{path.name} at {at}", zstandard.ZstdDecompressor().decompressobj().decompress(data[at:])
                at += 4


def processes(pid: int) -> Iterator[tuple[str, bytes]]:
    """Title and name of a process and of all below it."""
    yield f"cmdline of {pid}", Path(f"/proc/{pid}/cmdline").read_bytes()
    yield f"comm of {pid}", Path(f"/proc/{pid}/comm").read_bytes()
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from processes(int(child))


async def binary_tour(scene: Scene) -> str:
    """What asyncpg, which asks for binary, gets to see."""
    session = await asyncpg.connect(
        host="127.0.0.1",
        port=scene.gateway.port,
        user="alice",
        password=scene.token("alice"),
        database="shop",
        ssl=ssl.create_default_context(cafile=str(scene.authority_file)),
        timeout=30,
    )
    seen: list[object] = []
    try:
        for text in TOUR[:9]:
            try:
                seen.append(await session.fetch(text))
            except (asyncpg.PostgresError, asyncpg.InternalClientError) as error:
                seen.append((str(error), getattr(error, "detail", "")))
        async with session.transaction():
            seen += [record async for record in session.cursor("select * from customers where id > $1", 700)]
    finally:
        await session.close()
    return repr(seen)


async def test_neither_the_password_nor_a_hidden_value_comes_out_anywhere(scene: Scene) -> None:
    seen = {"asyncpg": (await binary_tour(scene)).encode()}
    await asyncio.to_thread(tour, scene, seen)


def tour(scene: Scene, seen: dict[str, bytes]) -> None:
    """Everything else that looks at data, and then the search."""
    with RawClient(scene.plain_port) as client:
        client.log_in("alice", "shop", scene.token("alice"))
        for text in TOUR:
            client.ask(text.encode())
            client.send(
                frame(b"P", b"\0" + text.encode() + b"\0\0\0")
                + frame(b"B", b"\0\0" + b"\0\0" + b"\0\0" + b"\0\1\0\1")
                + frame(b"D", b"P\0")
                + frame(b"E", b"\0\0\0\0\0")
                + SYNC
            )
            client.until(b"Z")
        seen["bytes to a client of the protocol"] = bytes(client.received)
    done = scene.psql("alice", "shop", *(text for text in TOUR if "binary" not in text))
    seen["psql"] = (done.stdout + done.stderr).encode()
    psql = scene.start_psql("bob", "shop", "update orders set status = 'held' where id = 1 returning *")
    approval = scene.held("bob", "id = 1")
    seen["approvals"] = json.dumps(scene.api("carol", "GET", "/v1/approvals")).encode()
    scene.vote("carol", approval)
    seen["held psql"] = "".join(ends(psql)).encode()
    for connection in ("wrong-password", "untrusted", "down"):
        seen[connection] = scene.psql("alice", connection, "select 1").stderr.encode()
    with contextlib.suppress(psycopg.Error):
        scene.connect("alice", "shop", options="-c password=1")
    sessions = scene.sessions()
    seen["sessions"] = json.dumps(sessions).encode()
    everything = [
        scene.gateway.interpose("sessions", command, session["id"], *more, token=scene.token("carol")).stdout
        for session in sessions[:2]
        for command, more in (("replay", ("--speed", "0")), ("export", ()))
    ]
    seen["replays and exports"] = "".join(everything).encode()
    seen["search"] = str(scene.api("carol", "GET", "/v1/search?q=select")[1]).encode()
    seen["metrics"] = scene.metrics().encode()
    seen["health"] = str(scene.api("", "GET", "/readyz")).encode()
    seen["log"] = scene.gateway.log.read_bytes()
    seen["audit export"] = scene.gateway.interpose("audit", "export").stdout.encode()
    seen.update(processes(scene.gateway.pid))
    found = [hit for name, data in seen.items() for hit in find(name, data, (UPSTREAM_PASSWORD, EMAIL, SSN))]
    for name, data in stored(scene.gateway.state):
        found += find(name, data, (UPSTREAM_PASSWORD, EMAIL, SSN))
    assert found == []
    assert any(name.endswith(".rec") for name, _ in stored(scene.gateway.state)), "recordings were looked at"
    # The search can find: what a client types is recorded, as SECURITY.md says.
    scene.psql("alice", "shop", f"select '{EMAIL}' as typed")
    assert scene.gateway.stop() == 0
    assert any(find(name, data, (EMAIL,)) for name, data in stored(scene.gateway.state))
    scene.gateway.start(timeout=90)


@pytest.mark.parametrize("source", ["file", "store"])
def test_a_password_from_a_file_or_the_encrypted_store_stays_there_too(
    postgres: PostgresServer, tmp_path: Path, source: str
) -> None:
    with contextlib.ExitStack() as stack:
        scene = Scene(postgres)
        stack.callback(scene.close)
        if source == "file":
            secret = tmp_path / "password"
            secret.write_text(UPSTREAM_PASSWORD + "\n")
            secret.chmod(0o600)
            reference = f"file:{secret}"
        else:
            key = tmp_path / "key"
            scene.gateway.interpose("secret", "key", str(key))
            assert key.stat().st_mode & 0o077 == 0
            scene.gateway.settings["secrets"] = {"key": f"file:{key}"}
            scene.gateway.write()
            scene.gateway.interpose("secret", "set", "shop", stdin=UPSTREAM_PASSWORD + "\n")
            assert "shop" in scene.gateway.interpose("secret", "list").stdout
            reference = "store:shop"
        connections = scene.connections()
        connections["shop"]["secret"] = reference
        scene.gateway.settings["connections"] = {"shop": connections["shop"]}
        scene.gateway.write()
        scene.gateway._environment.pop("SCENE_PASSWORD")
        scene.gateway.start(timeout=90)
        assert scene.psql("alice", "shop", "select 1").stdout == "1\n"
        read = scene.events("secret.read")
        assert read, "fetching a credential is an audit event"
        environment = Path(f"/proc/{scene.gateway.pid}/environ").read_bytes()
        assert UPSTREAM_PASSWORD.encode() not in environment
        assert scene.gateway.stop() == 0
        found = [hit for name, data in stored(scene.gateway.state) for hit in find(name, data, (UPSTREAM_PASSWORD,))]
        found += find("log", scene.gateway.log.read_bytes(), (UPSTREAM_PASSWORD,))
        assert found == []
        if source == "store":
            scene.gateway.interpose("secret", "delete", "shop")
            assert "shop" not in scene.gateway.interpose("secret", "list").stdout.split()


def test_the_search_finds_what_it_looks_for() -> None:
    for form, hidden in disguises(UPSTREAM_PASSWORD).items():
        assert find("x", b"before" + hidden + b"after", (UPSTREAM_PASSWORD,)), form
    encoded = subprocess.run(["base64", "-w0"], input=f"ab{SSN}cd".encode(), capture_output=True, check=True).stdout
    assert find("x", encoded, (SSN,))
    assert os.sep == "/"
