"""Reload by signal, by file and by command; what it does to live sessions; a bad one changes nothing; the drain."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import ssl
import struct
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.gateway import free_port
from tests.support.postgres import PostgresServer
from tests.support.raw_postgres import RawClient, errors, fields, kinds
from tests.support.scene import POLICY, PRINCIPALS, Scene, ends, until

NO_NOTES = """
@id("no-notes")
@reason("notes are closed")
forbid (principal, action, resource in Table::"shop/public.notes");
"""


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer) -> Iterator[Scene]:
    """A scene of this file's own: its files are changed under it."""
    unstarted, port = Scene(postgres), free_port()
    file = unstarted.folder / "public.pem"
    unstarted.authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(file)
    address, url = f"127.0.0.1:{port}", f"https://localhost:{port}"
    unstarted.gateway.settings["public"] = {"address": address, "url": url, "certificate": str(file), "key": str(file)}
    unstarted.gateway.write()
    with unstarted as made:
        for name in ("alice", "bob", "carol", "dave", "erin"):
            made.token(name)  # while the configuration is whole: making one reads it
        yield made


@pytest.fixture(autouse=True)
def _as_before(scene: Scene) -> Iterator[None]:
    """Put the files back and wait until they serve."""
    yield
    scene.gateway.settings["connections"] = {name: dict(each) for name, each in scene.connections().items()}
    scene.gateway.write()
    (scene.gateway.folder / "principals.yaml").write_text(PRINCIPALS)
    os.chmod(scene.gateway.policy, 0o755)
    for name in scene.gateway.policy.glob("*.cedar"):
        if name.name != "shop.cedar":
            name.unlink()
    (scene.gateway.policy / "shop.cedar").write_text(POLICY)
    assert until(lambda: scene.gateway.interpose("reload", token=scene.token("carol"), check=False).returncode == 0)


def ready(scene: Scene) -> str:
    """What /readyz says."""
    return str(scene.api("", "GET", "/readyz")[1])


def rejected(scene: Scene) -> float:
    """How many loads were refused, as metrics say."""
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in scene.metrics().splitlines()
        if line.startswith('interpose_snapshot_loads_total{outcome="rejected"')
    )


@pytest.mark.parametrize("how", ["file", "signal", "command"])
def test_a_tightened_policy_meets_the_next_command_of_a_live_session(scene: Scene, how: str) -> None:
    with scene.connect("alice", "shop") as session:
        session.execute("select * from notes")
        (scene.gateway.policy / "notes.cedar").write_text(NO_NOTES)
        if how == "signal":
            scene.signal(signal.SIGHUP)
        elif how == "command":
            assert scene.gateway.interpose("reload", token=scene.token("carol")).returncode == 0

        def refused() -> bool:
            try:
                session.execute("select * from notes")
            except psycopg.errors.InsufficientPrivilege as error:
                return "notes are closed" in str(error)
            return False

        until(refused)
        assert session.execute("select 1").fetchone() == (1,), "the session goes on"
    assert scene.events("snapshot.loaded")


def test_a_prepared_statement_meets_it_too(scene: Scene) -> None:
    with scene.connect("alice", "shop", prepare_threshold=0) as session:
        for _ in range(3):
            session.execute("select * from notes where id = %s", (1,))
        (scene.gateway.policy / "notes.cedar").write_text(NO_NOTES)
        scene.gateway.interpose("reload", token=scene.token("carol"))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select * from notes where id = %s", (1,))


def test_a_typo_leaves_the_old_policy_serving_and_says_why_everywhere(scene: Scene) -> None:
    before = rejected(scene)
    (scene.gateway.policy / "shop.cedar").write_text(
        POLICY.replace('action == Action::"drop"', 'action == Action::"dorp"')
    )
    checked = scene.gateway.interpose("config", "check", check=False)
    assert checked.returncode == 1
    assert "shop.cedar" in checked.stdout + checked.stderr
    assert "dorp" in checked.stdout + checked.stderr
    reloaded = scene.gateway.interpose("reload", token=scene.token("carol"), check=False)
    assert reloaded.returncode == 1
    assert "dorp" in reloaded.stderr
    assert "Traceback" not in reloaded.stderr
    until(lambda: rejected(scene) > before)
    assert scene.psql("alice", "shop", "select 1").stdout == "1\n"
    assert "tables are not dropped here" in scene.psql("alice", "shop", "drop table notes").stderr
    assert "shop.cedar" in ready(scene), "health says why"
    assert "snapshot rejected" in scene.gateway.log.read_text()
    assert "dorp" in scene.gateway.log.read_text()
    assert "interpose_snapshot_current 0.0" in scene.metrics()
    assert scene.events("snapshot.rejected")
    (scene.gateway.policy / "shop.cedar").write_text(POLICY)
    until(lambda: "interpose_snapshot_current 1.0" in scene.metrics() or None)


@pytest.mark.parametrize("spoil", ["empty", "missing", "not utf-8", "unreadable"])
def test_a_policy_folder_that_cannot_be_read_changes_nothing(scene: Scene, spoil: str) -> None:
    before, moved = rejected(scene), scene.gateway.policy.with_name("moved")
    if spoil == "missing":
        scene.gateway.policy.rename(moved)
    elif spoil == "empty":
        (scene.gateway.policy / "shop.cedar").unlink()
        (scene.gateway.policy / "classifications.yaml").rename(moved)
    elif spoil == "unreadable":
        # For root no mode is in the way; a link to nowhere is what root cannot read either.
        (scene.gateway.policy / "gone.cedar").symlink_to("/nonexistent/gone.cedar")
    else:
        (scene.gateway.policy / "bytes.cedar").write_bytes(b"\xff\xfe permit")
    try:
        done = scene.gateway.interpose("reload", token=scene.token("carol"), check=False)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        assert rejected(scene) > before
        assert scene.psql("alice", "shop", "select 1").stdout == "1\n"
    finally:
        if spoil == "missing":
            moved.rename(scene.gateway.policy)
        elif spoil == "empty":
            moved.rename(scene.gateway.policy / "classifications.yaml")
        elif spoil == "unreadable":
            (scene.gateway.policy / "gone.cedar").unlink()


def test_a_wrong_key_in_the_configuration_is_told_with_line_and_suggestion(scene: Scene) -> None:
    scene.gateway.settings["connectoins"] = {}
    scene.gateway.write()
    del scene.gateway.settings["connectoins"]
    checked = scene.gateway.interpose("config", "check", check=False)
    assert checked.returncode == 1
    said = checked.stdout + checked.stderr
    assert "connectoins" in said and "connections" in said and "interpose.yaml:" in said
    assert scene.psql("alice", "shop", "select 1").stdout == "1\n"


def test_a_principal_that_is_removed_loses_its_live_sessions(scene: Scene) -> None:
    scene.token("dave")
    with RawClient(scene.plain_port) as client:
        client.log_in("dave", "shop", scene.token("dave"))
        lines = [line for line in PRINCIPALS.splitlines() if "dave" not in line]
        (scene.gateway.folder / "principals.yaml").write_text("\n".join(lines) + "\n")
        client.socket.settimeout(15)
        (error,) = errors(list(client.messages()))
    assert error["S"] == "FATAL"
    assert json.loads(error["D"])["code"] == "principal_gone"
    with RawClient(scene.plain_port, "127.0.0.21") as client:
        assert errors(client.log_in("dave", "shop", scene.token("dave")))[0]["C"] == "28P01"


def test_a_connection_that_is_removed_loses_its_live_sessions(scene: Scene) -> None:
    with RawClient(scene.plain_port) as client, RawClient(scene.plain_port) as other:
        client.log_in("alice", "open", scene.token("alice"))
        other.log_in("alice", "shop", scene.token("alice"))
        scene.gateway.settings["connections"] = {n: c for n, c in scene.connections().items() if n != "open"}
        scene.gateway.write()
        scene.signal(signal.SIGHUP)
        client.socket.settimeout(15)
        (error,) = errors(list(client.messages()))
        assert json.loads(error["D"])["code"] == "connection_gone"
        assert kinds(other.ask(b"select 1")) == b"TDCZ", "others go on"


def test_an_approver_who_lost_the_group_does_not_count_any_more(scene: Scene) -> None:
    psql = scene.start_psql("bob", "shop", "delete from orders where id = 0")
    approval = scene.held("bob", "delete from orders")
    scene.token("erin")
    assert scene.vote("erin", approval)[0] == 200
    (scene.gateway.folder / "principals.yaml").write_text(
        PRINCIPALS.replace("erin, kind: user, groups: [dba]", "erin, kind: user, groups: [support]")
    )
    scene.gateway.interpose("reload", token=scene.token("carol"))
    assert scene.vote("erin", approval)[0] in (403, 404, 409)
    assert scene.vote("carol", approval)[0] == 200
    assert scene.pending("bob"), "one of the two votes has lost its weight"
    psql.send_signal(signal.SIGINT)
    ends(psql)


def test_a_hold_that_is_approved_after_policy_forbids_does_not_run(scene: Scene) -> None:
    psql = scene.start_psql("bob", "shop", "update orders set status = 'late' where id = 60")
    approval = scene.held("bob", "id = 60")
    (scene.gateway.policy / "orders.cedar").write_text(
        '@id("closed") @reason("orders are closed now")\nforbid (principal, action == Action::"update", resource);\n'
    )
    scene.gateway.interpose("reload", token=scene.token("carol"))
    scene.vote("carol", approval)
    out, err = ends(psql)
    assert out == ""
    assert "orders are closed now" in err or "policy" in err
    assert scene.upstream("select status from orders where id = 60") == "placed"


def test_a_drain_ends_idle_sessions_readably_and_lets_a_running_statement_finish(postgres: PostgresServer) -> None:
    with Scene(postgres) as scene, RawClient(scene.plain_port) as idle, RawClient(scene.plain_port) as within:
        idle.log_in("alice", "shop", scene.token("alice"))
        within.log_in("alice", "shop", scene.token("alice"))
        within.ask(b"begin")
        psql = scene.start_psql("alice", "shop", "select 'finished' from pg_sleep(2) -- drain")
        until(lambda: scene.backends("query like '%-- drain' and state = 'active'"))
        scene.signal(signal.SIGTERM)
        idle.socket.settimeout(15)
        (error,) = errors(list(idle.messages()))
        assert (error["S"], error["C"]) == ("FATAL", "57P01")
        assert "shutting down" in error["M"]
        assert kinds(within.ask(b"select 1")) == b"TDCZ", "a transaction may go on"
        assert "finished" in ends(psql)[0]
        within.send(b"Q\0\0\0\x0bcommit\0")
        answered = list(within.messages())
        assert kinds(answered)[:2] == b"CZ"
        assert fields(answered[-1][1])["C"] == "57P01"
        assert scene.gateway.stop() == 0
        assert scene.backends() == 0
        verified = scene.verify()
        assert verified.returncode == 0, verified.stdout
        with pytest.raises(OSError, match="refused"):
            RawClient(scene.plain_port)


def test_renewed_certificates_are_served_without_a_restart(scene: Scene) -> None:
    """Before the file is whole again the old one serves; the public address and the listener have a file each."""
    places = {"public": scene.folder / "public.pem", "listener": scene.folder / "gateway.pem"}
    with scene.connect("alice", "shop") as session:
        before = {name: shown(scene, name) for name in places}
        for name, file in places.items():
            good = file.read_text()
            other = scene.authority.issue_cert("localhost", "127.0.0.1")
            # A key of one and a certificate of another.
            file.write_bytes(other.private_key_pem.bytes() + good.partition("-----END ")[2].partition("\n")[2].encode())
            done = scene.gateway.interpose("reload", token=scene.token("carol"), check=False)
            assert done.returncode == 1, done.stdout
            assert str(file) in done.stderr and "goes on serving" in done.stderr
            assert str(file) in ready(scene), "health says why"
            assert scene.events("tls.rejected")[-1]["fields"]["fingerprint"] == before[name]
            assert shown(scene, name) == before[name]
            other.private_key_and_cert_chain_pem.write_to_path(file)
            until(lambda name=name: shown(scene, name) != before[name], 30, "the new certificate")
            assert "-----" not in ready(scene)
            assert str(file) not in ready(scene)
            assert scene.gateway.interpose("reload", token=scene.token("carol")).returncode == 0
            assert scene.events("tls.renewed")[-1]["fields"]["fingerprint"] == shown(scene, name)
        assert session.execute("select 1").fetchone() == (1,), "a connection that is open goes on"
    assert scene.psql("alice", "shop", "select 1").stdout == "1\n", "verified by the client"


def shown(scene: Scene, name: str) -> str:
    """The fingerprint of the certificate that a client verifies there."""
    context = ssl.create_default_context(cafile=str(scene.authority_file))
    port = scene.gateway.port if name == "listener" else int(str(scene.gateway.settings["public"]["address"])[10:])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        if name == "listener":
            plain.sendall(struct.pack("!II", 8, 80877103))  # SSLRequest
            assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname="localhost") as channel:
            return hashlib.sha256(channel.getpeercert(binary_form=True) or b"").hexdigest()
