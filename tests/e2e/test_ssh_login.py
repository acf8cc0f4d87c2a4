"""SSH certificates got from a running gateway: into a real ssh-agent, into files, accepted by a real sshd, published and rotated."""

from __future__ import annotations

import json
import os
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_connect import environment
from tests.support.gateway import free_port
from tests.support.postgres import PostgresServer
from tests.support.scene import Scene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not have_sshd(), reason="OpenSSH's server is not installed"),
]


class House:
    """A scene with a public address, and a login as `interpose login` would have left it."""

    def __init__(self, scene: Scene, url: str) -> None:
        self.scene = scene
        self.url = url

    def home(self, name: str, folder: Path, token: str = "") -> dict[str, str]:
        """This person's terminal, signed in."""
        file = folder / "config" / "interpose" / "login.json"
        file.parent.mkdir(parents=True, mode=0o700)
        file.touch(0o600)
        login = {
            "url": self.url,
            "principal": name,
            "token": token or self.scene.token(name),
            "expires_at": time.time() + 3600,
        }
        file.write_text(json.dumps(login))
        made = environment(self.scene, "")
        del made["INTERPOSE_TOKEN"]
        made.update(HOME=str(folder), XDG_CONFIG_HOME=str(folder / "config"), SSH_AUTH_SOCK="")
        made["INTERPOSE_CA_FILE"] = str(self.scene.authority_file)
        return made

    def get(self, path: str) -> str:
        """A text of the public address."""
        tls = ssl.create_default_context(cafile=str(self.scene.authority_file))
        with urllib.request.urlopen(f"{self.url}{path}", context=tls, timeout=30) as answer:
            return str(answer.read().decode())


def interpose(home: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The command in this terminal."""
    return subprocess.run(
        [sys.executable, "-m", "interpose", *words], capture_output=True, text=True, env=home, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def house(postgres: PostgresServer) -> Iterator[House]:
    scene = Scene(postgres)
    port = free_port()
    identity = str(scene.folder / "gateway.pem")
    url = f"https://localhost:{port}"
    scene.gateway.settings["public"] = {
        "address": f"127.0.0.1:{port}",
        "url": url,
        "certificate": identity,
        "key": identity,
    }
    listeners = scene.gateway.settings["listeners"]
    assert isinstance(listeners, list)
    listeners[0]["client_certificates"] = True
    scene.gateway.write()
    with scene:
        yield House(scene, url)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    """A real agent's socket."""
    path = tmp_path / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    yield str(path)
    process.terminate()
    process.wait()


@pytest.fixture
def server(tmp_path: Path, house: House) -> Iterator[SshServer]:
    """A server that believes the gateway's key for users, and lets alice into the tests' account."""
    trusted, names = tmp_path / "trusted.pub", tmp_path / "principals"
    trusted.write_text(house.scene.gateway.interpose("ca", "show", "--ssh", "user").stdout)
    names.write_text("alice\n")
    more = f"TrustedUserCAKeys {trusted}\nAuthorizedPrincipalsFile {names}"
    made = SshServer(tmp_path / "sshd", more=more)
    (made.folder / "authorized_keys").write_text("")
    with made:
        yield made


def log_in(server: SshServer, home: dict[str, str], *options: str) -> subprocess.CompletedProcess[bytes]:
    base = [option for option in server.client_options() if option not in ("IdentitiesOnly=yes",)]
    base = base[:-1] if base[-1] == "-o" else base
    return subprocess.run(
        [
            "ssh",
            "-F",
            "none",
            "-p",
            str(server.port),
            *base,
            "-o",
            "BatchMode=yes",
            *options,
            f"{server.user}@127.0.0.1",
            "echo in",
        ],
        env={**home, "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
    )


def test_a_login_puts_a_certificate_into_the_agent_that_sshd_takes(
    house: House, server: SshServer, agent: str, tmp_path: Path
) -> None:
    home = {**house.home("alice", tmp_path / "alice"), "SSH_AUTH_SOCK": agent}
    done = interpose(home, "ssh", "login", "--ttl", "20m")
    assert done.returncode == 0, done.stderr
    assert "of alice in the ssh-agent, good for" in done.stdout
    (listed,) = (
        subprocess.run(["ssh-add", "-L"], env=home, capture_output=True, check=True).stdout.decode().splitlines()
    )
    assert listed.startswith("ssh-ed25519-cert-v01@openssh.com ")
    assert listed.endswith(" interpose alice")
    answer = log_in(server, home)
    assert (answer.returncode, answer.stdout) == (0, b"in\n"), answer.stderr
    assert "ID User:alice " in server.log.read_text()
    left = {path.name for path in (tmp_path / "alice").rglob("*") if path.is_file()}
    assert left == {"login.json"}  # no key of it is in any file
    event = house.scene.events("certificate.issued", certificate="ssh user", principal="alice")[-1]
    assert event["fields"]["method"] == "token"


def test_the_agent_forgets_it(house: House, agent: str, tmp_path: Path) -> None:
    home = {**house.home("alice", tmp_path / "alice"), "SSH_AUTH_SOCK": agent}
    assert interpose(home, "ssh", "login", "--ttl", "2s").returncode == 0
    deadline = time.monotonic() + 30
    while subprocess.run(["ssh-add", "-l"], env=home, capture_output=True, check=False).returncode == 0:
        assert time.monotonic() < deadline, "the agent still has it"
        time.sleep(0.1)


def test_files_are_for_their_owner_alone_and_an_account_is_needed(
    house: House, server: SshServer, tmp_path: Path
) -> None:
    for name, taken in (("alice", True), ("dave", False)):
        home = house.home(name, tmp_path / name)
        file = tmp_path / name / "keys" / "id"
        done = interpose(home, "ssh", "login", "--ttl", "3d", "--out", str(file))
        assert done.returncode == 0, done.stderr
        assert "and not for the 3d that you asked for" in done.stdout
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        answer = log_in(server, home, "-i", str(file))
        assert (answer.returncode == 0) is taken, answer.stderr


def test_what_is_missing_is_said(house: House, tmp_path: Path) -> None:
    home = house.home("alice", tmp_path / "alice")
    issued = len(house.scene.events("certificate.issued"))
    assert "SSH_AUTH_SOCK is not set" in interpose(home, "ssh", "login").stderr
    assert "no duration" in interpose(home, "ssh", "login", "--ttl", "soon").stderr
    (tmp_path / "not-an-agent").touch()
    home["SSH_AUTH_SOCK"] = str(tmp_path / "not-an-agent")
    assert "the ssh-agent does not answer" in interpose(home, "ssh", "login").stderr
    assert "is a folder" in interpose(home, "ssh", "login", "--out", str(tmp_path)).stderr
    assert "cannot be written" in interpose(home, "ssh", "login", "--out", str(tmp_path / "not-an-agent" / "id")).stderr
    # Nothing was asked of the gateway that could then be put nowhere.
    assert issued == len(house.scene.events("certificate.issued"))
    out = ("--out", str(tmp_path / "id"))
    stranger = house.home("alice", tmp_path / "wrong", token=house.scene.token("alice")[:-8] + "nobodys0")
    assert "does not take your login any more" in interpose(stranger, "ssh", "login", *out).stderr
    (tmp_path / "alice" / "config" / "interpose" / "login.json").unlink()
    assert "run `interpose login` first" in interpose(home, "ssh", "login", *out).stderr


def test_the_admin_api_issues_them_too_bound_to_addresses_and_revocable(house: House, tmp_path: Path) -> None:
    scene, folder = house.scene, tmp_path / "credential"
    identifier, token = scene.new_token("alice")
    scene.gateway.interpose(
        "credential", "issue", "--ssh", "--out", str(folder), "--source-address", "127.0.0.0/8", token=token
    )
    shown = subprocess.run(["ssh-keygen", "-L", "-f", str(folder / "id-cert.pub")], capture_output=True, check=True)
    text = shown.stdout.decode()
    assert "source-address 127.0.0.0/8" in text
    assert stat.S_IMODE((folder / "id").stat().st_mode) == 0o600
    serial = f"{int(text.split('Serial: ')[1].split()[0]):016x}"
    assert serial in scene.gateway.interpose("token", "list").stdout
    assert "is revoked" in scene.gateway.interpose("credential", "revoke", serial).stdout
    assert scene.events("certificate.revoked", serial=serial)
    for body in (
        {},
        {"request": "x", "ssh_public_key": "y"},
        {"request": "x", "source_addresses": ["127.0.0.1"]},
        {"ssh_public_key": "ssh-rsa AAAA"},
        {"ssh_public_key": "x", "unknown": 1},
    ):
        assert scene.api("alice", "POST", "/v1/credentials", body)[0] == 400, body
    scene.gateway.interpose("token", "revoke", identifier)
    done = scene.gateway.interpose("credential", "issue", "--ssh", "--out", str(folder), token=token, check=False)
    assert done.returncode == 1


def test_the_authorities_are_published_and_rotated(house: House) -> None:
    gateway = house.scene.gateway
    assert "BEGIN CERTIFICATE" in house.get("/ca.pem")
    shown = gateway.interpose("ca", "show", "--ssh", "host").stdout
    assert shown.startswith("@cert-authority localhost,[localhost]:* ssh-ed25519 ")
    assert house.get("/ca/ssh") == shown
    own = gateway.interpose("ca", "show", "--ssh", "host", "--for", "*.example.com").stdout
    assert own.startswith("@cert-authority *.example.com ssh-ed25519 ")
    upstream = gateway.interpose("ca", "show", "--ssh", "upstream").stdout
    assert house.get("/ca/ssh/upstream") == upstream
    rotated = gateway.interpose("ca", "rotate", "--ssh", "host").stdout
    assert "SSH key 2 for host signs from" in rotated
    assert len(house.get("/ca/ssh").splitlines()) == 2
    assert house.get("/ca/ssh").startswith(shown)
    gateway.interpose("ca", "rotate", "--ssh", "host", "--at-once")
    assert len(house.get("/ca/ssh").splitlines()) == 1
    assert house.scene.events("administered", what="rotate_authority", authority="ssh host", at_once=True)
    assert gateway.interpose("ca", "rotate", "--at-once", check=False).returncode == 1


def test_what_the_client_needs_is_printed(house: House, tmp_path: Path) -> None:
    home = house.home("alice", tmp_path / "alice")
    house.scene.gateway.interpose("ca", "show", "--ssh", "host")
    done = interpose(home, "ssh", "config", "web-1", "db-1", "--gateway", "localhost:2222")
    assert done.returncode == 0, done.stderr
    (tmp_path / "config").write_text(done.stdout)
    for name in ("web-1", "db-1"):
        parsed = subprocess.run(["ssh", "-G", "-F", str(tmp_path / "config"), name], capture_output=True, check=True)
        lines = parsed.stdout.decode().splitlines()
        assert {f"user alice+{name}", "hostname localhost", "port 2222"} <= set(lines)
    assert "# @cert-authority localhost,[localhost]:* ssh-ed25519 " in done.stdout
    done = interpose(home, "connect", "web-1", "--gateway", "localhost:2222", "--print", "--", "ssh", "-v", "uptime")
    assert done.stdout == "ssh -o Port=2222 -o User=alice+web-1 localhost -v uptime\n"


def test_the_name_is_whose_the_token_is(house: House, tmp_path: Path) -> None:
    home = house.home("alice", tmp_path / "alice")
    home["INTERPOSE_TOKEN"] = house.scene.token("bob")
    server = home.pop("INTERPOSE_SERVER")
    words = ["web-1", "--gateway", "localhost:2222", "--server", server]
    shown = interpose(home, "ssh", "config", *words)
    assert "User bob+web-1\n" in shown.stdout, shown.stderr
    shown = interpose(home, "connect", *words, "--print", "--", "ssh")
    assert shown.stdout == "ssh -o Port=2222 -o User=bob+web-1 localhost\n", shown.stderr
    shown = interpose(home, "ssh", "config", *words, "--as", "carol")
    assert "User carol+web-1\n" in shown.stdout
    home["INTERPOSE_TOKEN"] = "ip_" + "0" * 40
    shown = interpose(home, "ssh", "config", *words)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "the access token in INTERPOSE_TOKEN is not valid" in shown.stderr
    del home["INTERPOSE_TOKEN"]
    (tmp_path / "alice" / "config" / "interpose" / "login.json").unlink()
    for command in (["ssh", "config", *words], ["connect", *words, "--print", "--", "ssh"]):
        assert "whose name?" in interpose(home, *command).stderr
