"""`ssh -J alice@gateway web-1` as people have it in their configuration, with every program that rides on ssh: judged and recorded all the same."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway import free_port
from tests.support.postgres import PostgresServer
from tests.support.programs import ANSIBLE, environment_with
from tests.support.scene import until
from tests.support.ssh_scene import POLICY, PRINCIPALS, SshScene
from tests.support.sshd import SshServer, have_sshd, make_key

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

_SEALED = """
@id("sealed")
@reason("what is sealed stays here")
forbid (principal, action == Action::"read_file", resource) when { resource is Path && resource.path like "*/sealed*" };
@id("no-metadata")
forbid (principal, action == Action::"forward", resource) when { context.destination_kind == "metadata" };
"""
_CONFIG = """\
Host *
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  IdentityFile {key}
  IdentitiesOnly yes
  BatchMode yes
  LogLevel {level}
"""


class Jump:
    """A person's own ssh_config: a key, and nothing that names a connection."""

    def __init__(self, scene: SshScene, folder: Path, key: Path) -> None:
        self.scene = scene
        self.folder = folder
        self.key = key
        self.config = folder / "config"
        self.config.write_text(_CONFIG.format(known_hosts=scene.known_hosts, key=key, level="ERROR"))

    @property
    def options(self) -> list[str]:
        return ["-F", str(self.config), "-J", f"alice@127.0.0.1:{self.scene.port}"]

    @property
    def shell(self) -> str:
        """ssh as other programs are told to run it."""
        return " ".join(["ssh", *self.options])

    def run(self, program: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[bytes]:
        """A program to its end; the words must not ask anybody anything."""
        return subprocess.run(
            [program, *arguments],
            env={**os.environ, "SSH_AUTH_SOCK": "", **more},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=240,
        )

    @contextlib.contextmanager
    def forwarding(self, *options: str) -> Iterator[None]:
        """A client that has its forwards, until the end."""
        command = ["ssh", *self.options, "-o", "ExitOnForwardFailure=yes", *options, "web-1", "echo up; cat"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            assert client.stdout.readline() == b"up\n"
            yield
            client.communicate(timeout=60)


@pytest.fixture(scope="module")
def jump(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jump]:
    folder = tmp_path_factory.mktemp("person")
    key = make_key(folder / "id")
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    principals = PRINCIPALS.replace("name: alice,", f"name: alice, ssh_keys: ['{public}'],")
    with SshServer() as server, SshScene(server, policy=POLICY + _SEALED, principals=principals) as scene:
        yield Jump(scene, folder, key)


@pytest.mark.parametrize("protocol", [(), ("-O",)], ids=["sftp", "scp -O"])
def test_scp(jump: Jump, tmp_path: Path, protocol: tuple[str, ...]) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(100_000))
    (tmp_path / "sealed").write_bytes(b"sealed\n")
    done = jump.run("scp", *protocol, *jump.options, str(source), f"web-1:{tmp_path}/there")
    assert done.returncode == 0, done.stderr
    done = jump.run("scp", *protocol, *jump.options, f"web-1:{tmp_path}/there", str(back))
    assert done.returncode == 0, done.stderr
    assert back.read_bytes() == source.read_bytes()
    stolen = tmp_path / "stolen"
    done = jump.run("scp", *protocol, *jump.options, f"web-1:{tmp_path}/sealed", str(stolen))
    assert done.returncode != 0
    assert b"what is sealed stays here" in done.stderr
    assert not stolen.exists()
    until(lambda: jump.scene.events("command.ended", path=f"{tmp_path}/there", direction="download"), what="its record")


def test_sftp(jump: Jump, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"by sftp\n")
    (tmp_path / "batch").write_text(
        f"put {tmp_path}/source {tmp_path}/there\nrename {tmp_path}/there {tmp_path}/moved\n"
    )
    done = jump.run("sftp", *jump.options, "-b", str(tmp_path / "batch"), "web-1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "moved").read_bytes() == b"by sftp\n"


def test_rsync(jump: Jump, tmp_path: Path) -> None:
    (tmp_path / "tree" / "a").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "file").write_bytes(os.urandom(50_000))
    done = jump.run("rsync", "-a", "-e", jump.shell, f"{tmp_path}/tree/", f"web-1:{tmp_path}/copy/")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy" / "a" / "file").read_bytes() == (tmp_path / "tree" / "a" / "file").read_bytes()


def test_git(jump: Jump, tmp_path: Path) -> None:
    own = {"GIT_SSH_COMMAND": jump.shell, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    own |= {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    (tmp_path / "empty").mkdir()
    for words in (
        ("init", "-q", "--bare", "-b", "main", str(tmp_path / "remote.git")),
        ("init", "-q", "-b", "main", str(tmp_path / "work")),
        ("-C", str(tmp_path / "work"), "commit", "-q", "--allow-empty", "-m", "first"),
        ("-C", str(tmp_path / "work"), "push", "-q", f"ssh://web-1{tmp_path}/remote.git", "main"),
        ("clone", "-q", f"ssh://web-1{tmp_path}/remote.git", str(tmp_path / "clone")),
    ):
        done = jump.run("git", *words, **own)
        assert done.returncode == 0, done.stderr
    heads = {jump.run("git", "-C", str(tmp_path / each), "rev-parse", "main").stdout for each in ("work", "clone")}
    assert len(heads) == 1


@pytest.mark.slow
def test_ansible(jump: Jump, tmp_path: Path) -> None:
    common = " ".join(jump.options)
    (tmp_path / "hosts").write_text(
        f"web-1 ansible_ssh_common_args='{common}' ansible_python_interpreter=/usr/bin/python3\n"
    )
    (tmp_path / "content").write_text("by ansible\n")
    folders = {name: str(tmp_path / name) for name in ("ANSIBLE_HOME", "ANSIBLE_LOCAL_TEMP", "ANSIBLE_REMOTE_TEMP")}
    # Its sockets have room for short paths only.
    folders["ANSIBLE_SSH_CONTROL_PATH_DIR"] = str(jump.scene.folder)
    program = str(environment_with(*ANSIBLE) / "ansible")
    copy = ("-m", "copy", "-a", f"src={tmp_path}/content dest={tmp_path}/there")
    done = jump.run(program, "-i", str(tmp_path / "hosts"), "web-1", *copy, **folders)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "there").read_text() == "by ansible\n"


@pytest.mark.parametrize("direction", ["-L", "-R"])
def test_psql_through_a_forwarded_port(jump: Jump, postgres: PostgresServer, direction: str) -> None:
    """`-R` is the host's psql to a database on the client's side."""
    port = free_port()
    with jump.forwarding(direction, f"127.0.0.1:{port}:127.0.0.1:{postgres.port}"):
        dsn = postgres.dsn().replace(f":{postgres.port}/", f":{port}/")
        rows = "select n, repeat('x', 1000) from generate_series(1, 500) n"
        done = jump.run(str(postgres.bin / "psql"), "-X", "-A", "-t", "-d", dsn, "-c", rows)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(b"x" * 1000) == 500
    action = {"-L": "forward", "-R": "forward_listen"}[direction]
    assert jump.scene.events("command.decided", decision="permit", actions=[action])


def test_a_browser_through_socks(jump: Jump) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    port = free_port()
    with jump.forwarding("-D", f"127.0.0.1:{port}"):
        curl = ["-sS", "--noproxy", "", "--socks5-hostname", f"127.0.0.1:{port}"]
        # Host and gateway are one machine here: it is the host's loopback that is reached.
        done = jump.run("curl", *curl, f"http://127.0.0.1:{jump.scene.gateway.admin_port}/healthz")
        assert done.returncode == 0, done.stderr
        done = jump.run("curl", *curl, "http://169.254.169.254/latest/")
        assert done.returncode != 0
    assert jump.scene.events("command.decided", decision="forbid", policies=["no-metadata"])


def test_each_was_a_session_of_the_connection_that_was_named(jump: Jump) -> None:
    done = jump.run("ssh", *jump.options, "web-1", "echo through")
    assert (done.returncode, done.stdout) == (0, b"through\n"), done.stderr
    assert {event["fields"]["connection"] for event in jump.scene.events("session.opened")} == {"web-1"}
    done = jump.run("ssh", *jump.options, "no-such-host", "echo through")
    assert (done.returncode, done.stdout) == (126, b"")
    assert b"interpose: " in done.stderr
    assert jump.scene.verify().returncode == 0
