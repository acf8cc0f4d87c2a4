"""Files through the gateway by the real `sftp` and `scp`, on a real sshd: what policy permits arrives whole, what it does not leaves no trace."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ssh_scene import POLICY, SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed"),
]

FILES = """
@id("strangers-read-logs")
permit (principal in Group::"strangers", action in Action::"file_read", resource in Path::"web-1/{root}/log");
@id("strangers-upload")
permit (principal in Group::"strangers", action in [Action::"file_write", Action::"list_files"], resource in Path::"web-1/{root}/upload");
@id("no-secrets")
@reason("secrets are not moved about")
forbid (principal, action in [Action::"file_read", Action::"file_write"], resource in Path::"web-1/{root}/secret");
@id("looked-at")
@approval("oncall")
@reason("releases are looked at")
forbid (principal, action == Action::"write_file", resource in Path::"web-1/{root}/release");
"""


class Place:
    """A gateway, and folders on the host behind it: `log`, `upload`, `secret`, `release`."""

    def __init__(self, scene: SshScene, root: Path, here: Path) -> None:
        self.scene = scene
        self.root = root
        self.here = here
        self._count = 0

    def sftp(self, principal: str, *lines: str, connection: str = "web-1") -> subprocess.CompletedProcess[bytes]:
        """A batch; it stops at the first line that fails."""
        self._count += 1
        batch = self.here / f"batch-{self._count}"
        batch.write_text("\n".join(lines) + "\n")
        words = self.scene.arguments("-oBatchMode=no", "-b", str(batch), program="sftp")
        return subprocess.run(
            [*words, self.scene.target(principal, connection)],
            env=self.scene.environment(principal),
            capture_output=True,
            timeout=120,
        )

    def scp(self, principal: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        """`host:` stands for the host behind the gateway."""
        target = self.scene.target(principal)
        given = [word.replace("host:", f"{target}:") for word in words]
        return subprocess.run(
            self.scene.arguments(*given, program="scp"),
            env=self.scene.environment(principal),
            capture_output=True,
            timeout=300,
        )

    def file(self, name: str, size: int = 300_000) -> Path:
        path = self.here / name
        path.write_bytes(os.urandom(size))
        return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("host").resolve()
    for name in ("log", "upload", "secret", "release"):
        (root / name).mkdir()
    (root / "log" / "app.log").write_bytes(b"one line\n")
    (root / "secret" / "key").write_bytes(b"the secret\n")
    policy = POLICY + FILES.replace("{root}", str(root))
    server = SshServer(tmp_path_factory.mktemp("sshd"))
    with server:
        scene = SshScene(server, policy=policy)
        connections = scene.gateway.settings["connections"]
        assert isinstance(connections, dict)
        connections["web-1"]["options"] = {**connections["web-1"]["options"], "file_hash": "sha256"}
        scene.gateway.write()
        with scene:
            yield Place(scene, root, tmp_path_factory.mktemp("here"))


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder with its hash, every folder, every link with its target."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        else:
            found[name] = "/" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_everything_that_the_real_client_can_do(place: Place) -> None:
    at, source = place.root / "upload" / "all", place.file("source")
    back = place.here / "back"
    done = place.sftp(
        "alice",
        f"mkdir {at}",
        f"put -p {source} {at}/a",
        f"get {at}/a {back}",
        f"rename {at}/a {at}/b",
        f"ln {at}/b {at}/hard",
        f"ln -s b {at}/soft",
        f"chmod 640 {at}/b",
        f"df {at}",
        f"ls -la {at}",
        f"get {at}/soft {back}-2",
        f"cp {at}/b {at}/copy",
        f"cd {at}",
        "pwd",
        "rm hard",
        "mkdir n",
        "rmdir n",
    )
    assert done.returncode == 0, done.stderr
    assert f"Remote working directory: {at}" in done.stdout.decode()
    wanted = source.read_bytes()
    assert back.read_bytes() == (place.here / "back-2").read_bytes() == (at / "copy").read_bytes() == wanted
    assert sorted(os.listdir(at)) == ["b", "copy", "soft"]
    assert os.readlink(at / "soft") == "b"
    assert (at / "b").stat().st_mode & 0o7777 == 0o640
    (up,) = place.scene.events("command.ended", path=f"{at}/a", direction="upload")
    assert up["fields"]["bytes_written"] == len(wanted)
    assert up["fields"]["sha256"] == hashlib.sha256(wanted).hexdigest()
    (down,) = place.scene.events("command.ended", path=f"{at}/a", direction="download")
    assert (down["fields"]["bytes_read"], down["fields"]["sha256"]) == (len(wanted), up["fields"]["sha256"])
    assert place.scene.verify().returncode == 0


def test_who_may_read_logs_reads_nothing_else(place: Place) -> None:
    log, secret, here = place.root / "log", place.root / "secret", place.here
    assert place.sftp("mallory", f"get {log}/app.log {here}/got").returncode == 0
    assert (here / "got").read_bytes() == b"one line\n"
    for path in (f"{secret}/key", "/etc/passwd", f"{log}/../secret/key"):
        done = place.sftp("mallory", f"get {path} {here}/stolen")
        assert done.returncode != 0
        assert b"interpose: " in done.stderr
    done = place.sftp("mallory", f"put {here}/got {log}/new")
    assert done.returncode != 0
    assert not (here / "stolen").exists()
    assert not (log / "new").exists()
    assert place.sftp("mallory", f"put {here}/got {place.root}/upload/mine").returncode == 0
    assert (place.root / "upload" / "mine").read_bytes() == b"one line\n"
