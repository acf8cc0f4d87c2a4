"""The commands of README and of the pages, as a person types them; tampering is found; errors are one sentence."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer
from tests.support.records import stand_alone_says
from tests.support.scene import Scene, ends, until


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer) -> Iterator[Scene]:
    """A scene with some history, and a key for the encrypted store."""
    made = Scene(postgres)
    try:
        made.gateway.interpose("secret", "key", str(made.folder / "key"))
        made.gateway.settings["secrets"] = {"key": f"file:{made.folder / 'key'}"}
        made.gateway.write()
        made.gateway.start(timeout=90)
        made.psql("alice", "shop", "select id, email from customers limit 2", "drop table notes", "select 'find me'")
        until(lambda: [each for each in made.sessions() if each["closed_at"]])
        yield made
    finally:
        made.close()


def test_tokens_are_made_listed_and_revoked(scene: Scene) -> None:
    made = scene.gateway.interpose(
        "token", "create", "alice", "--expires", "8h", "--description", "for the tour"
    ).stdout
    token = made.split()[0]
    name = re.search(r"token (\S+) of alice", made)
    assert name is not None
    assert scene.psql("alice", "shop", "select 1", token=token).stdout == "1\n"
    listed = scene.gateway.interpose("token", "list").stdout
    assert name[1] in listed and "for the tour" in listed
    assert token not in listed
    assert "revoked" in scene.gateway.interpose("token", "revoke", name[1]).stdout
    assert "revoked" in scene.gateway.interpose("token", "list").stdout
    stored = b"".join(path.read_bytes() for path in scene.gateway.state.glob("state.db*"))
    assert token.encode() not in stored, "hashed at rest"


def test_secrets_are_set_listed_and_deleted(scene: Scene) -> None:
    scene.gateway.interpose("secret", "set", "reports", stdin="s3cret-of-the-reports\n")
    assert "reports" in scene.gateway.interpose("secret", "list").stdout
    scene.gateway.interpose("secret", "delete", "reports")
    assert "reports" not in scene.gateway.interpose("secret", "list").stdout
    everything = b"".join(path.read_bytes() for path in scene.gateway.state.rglob("*") if path.is_file())
    assert b"s3cret-of-the-reports" not in everything
    assert scene.events("secret.changed")


def test_whoami_config_and_policy(scene: Scene) -> None:
    assert "alice" in scene.gateway.interpose("whoami", token=scene.token("alice")).stdout
    assert scene.gateway.interpose("version").stdout.strip()
    scene.gateway.interpose("config", "check")
    scene.gateway.interpose("policy", "check")
    scene.gateway.interpose("policy", "test", "--junit", str(scene.folder / "junit.xml"))
    assert "<testsuite" in (scene.folder / "junit.xml").read_text()
    explained = scene.gateway.interpose(
        "policy", "explain", "--as", "alice", "--on", "shop", "drop table notes", check=False
    )
    assert "no-drop" in explained.stdout
    assert scene.gateway.interpose("reload", token=scene.token("carol")).returncode == 0


def test_approvals_by_command(scene: Scene) -> None:
    carol = scene.token("carol")
    psql = scene.start_psql("bob", "shop", "update orders set status = 'c' where id = 90")
    approval = scene.held("bob", "id = 90")
    assert approval in scene.gateway.interpose("approvals", "list", token=carol).stdout
    assert (
        "update orders set status = 'c'" in scene.gateway.interpose("approvals", "show", approval, token=carol).stdout
    )
    scene.gateway.interpose("approvals", "approve", approval, "--comment", "ticket 1", token=carol)
    assert ends(psql)[0] == "UPDATE 1\n"
    psql = scene.start_psql("bob", "shop", "update orders set status = 'd' where id = 91")
    approval = scene.held("bob", "id = 91")
    scene.gateway.interpose("approvals", "deny", approval, "--comment", "not today", token=carol)
    assert "not today" in ends(psql)[1]


def test_sessions_by_command(scene: Scene) -> None:
    carol = scene.token("carol")
    found = scene.gateway.interpose("sessions", "search", "find me", "--json", token=carol).stdout
    name = (
        json.loads(found.splitlines()[0])["session"] if not found.startswith("[") else json.loads(found)[0]["session"]
    )
    assert name in scene.gateway.interpose("sessions", "list", token=carol).stdout
    assert "alice" in scene.gateway.interpose("sessions", "show", name, token=carol).stdout
    replayed = scene.gateway.interpose("sessions", "replay", name, "--speed", "0", token=carol).stdout
    assert "drop table notes" in replayed and "find me" in replayed and "tables are not dropped here" in replayed
    assert "secret-domain" not in replayed
    exported = scene.gateway.interpose("sessions", "export", name, token=carol).stdout
    assert all(json.loads(line) for line in exported.splitlines())
    with scene.connect("alice", "shop") as session:
        live = until(lambda: scene.sessions("live=true&limit=1000&principal=User:alice"))
        scene.gateway.interpose("sessions", "end", live[0]["id"], token=carol)
        until(lambda: session.closed or _dead(session))
    denied = scene.gateway.interpose("sessions", "replay", name, token=scene.token("bob"), check=False)
    assert denied.returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("token", "create", "nobody-of-that-name"),
        ("token", "create", "alice", "--expires", "soon"),
        ("token", "revoke", "no-such-token"),
        ("secret", "delete", "no-such-secret"),
        ("approvals", "show", "ap-nothing"),
        ("approvals", "approve", "ap-nothing"),
        ("sessions", "show", "s_nothing"),
        ("sessions", "replay", "s_nothing"),
        ("sessions", "end", "s_nothing"),
        ("config", "check", "--config", "/nonexistent.yaml"),
        ("serve", "--config", "/nonexistent.yaml"),
        ("policy", "explain", "--as", "nobody", "--on", "shop", "select 1"),
        ("policy", "explain", "--as", "alice", "--on", "nowhere", "select 1"),
        ("audit", "verify", "--state", "/nonexistent"),
        ("whoami", "--server", "http://127.0.0.1:1"),
        ("whoami", "--server", "ftp://x"),
    ],
)
def test_an_error_is_one_sentence_with_what_to_do(scene: Scene, arguments: tuple[str, ...]) -> None:
    done = scene.gateway.interpose(*arguments, token=scene.token("carol"), check=False)
    assert done.returncode in (1, 2), done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.strip(), "an error is told on standard error"
    assert len(done.stderr) < 600


def test_the_audit_chain_is_verified_and_exported(scene: Scene) -> None:
    assert "+" in scene.gateway.interpose("audit", "key").stdout
    for form in ("jsonl", "ocsf", "cef"):
        exported = scene.gateway.interpose("audit", "export", "--format", form).stdout.splitlines()
        assert len(exported) > 10
    copy = scene.folder / "copy"
    shutil.copytree(scene.gateway.state, copy, ignore=shutil.ignore_patterns("run"))
    verified = scene.gateway.interpose("audit", "verify", "--state", str(copy))
    assert "nothing was altered" in verified.stdout
    assert stand_alone_says(copy)[0]
    shutil.rmtree(copy)


@pytest.mark.parametrize("what", ["a byte of a chain", "a line of a chain", "a byte of a recording", "a recording"])
def test_tampering_is_found_and_named(scene: Scene, tmp_path: Path, what: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(scene.gateway.state, copy, ignore=shutil.ignore_patterns("run"))
    chain = max((copy / "audit").glob("*.chain"), key=lambda path: path.stat().st_size)
    recording = max((copy / "recordings").glob("*/*.rec"), key=lambda path: path.stat().st_size)
    if what == "a byte of a chain":
        data = chain.read_bytes()
        chain.write_bytes(data.replace(b"User:alice", b"User:zlice", 1))
        named = chain.name.split(".")[0]
    elif what == "a line of a chain":
        lines = chain.read_bytes().splitlines(keepends=True)
        chain.write_bytes(b"".join(lines[:5] + lines[6:]))
        named = chain.name.split(".")[0]
    elif what == "a byte of a recording":
        changed = bytearray(recording.read_bytes())
        changed[len(changed) // 2] ^= 1
        recording.write_bytes(changed)
        named = recording.name.removesuffix(".rec")
    else:
        recording.unlink()
        named = recording.name.removesuffix(".rec")
    verified = scene.gateway.interpose("audit", "verify", "--state", str(copy), check=False)
    assert verified.returncode == 1
    assert named in verified.stdout + verified.stderr
    right, said = stand_alone_says(copy)
    assert not right
    assert named in said


def _dead(session: object) -> bool:
    try:
        session.execute("select 1")  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 -- any error will do
        return True
    return False
