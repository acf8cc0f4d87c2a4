"""Files through the gateway by the real `sftp` and `scp`, on a real sshd: what policy permits arrives whole, what it does not leaves no trace."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.bridges.ssh.sftp.wire.packets import Fields, Kind, Status, framed, string, u32, u64
from tests.support.raw_sftp import RawSftp
from tests.support.scene import until
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


def test_a_link_is_judged_by_where_it_leads(place: Place) -> None:
    upload = place.root / "upload"
    (upload / "to-secret").symlink_to(place.root / "secret")
    (upload / "to-key").symlink_to("../secret/key")
    (upload / "to-log").symlink_to(place.root / "log")
    (upload / "to-new").symlink_to(place.root / "log" / "made")
    (upload / "loop").symlink_to("loop")
    for line in (
        f"get {upload}/to-secret/key {place.here}/stolen",
        f"get {upload}/to-key {place.here}/stolen",
        f"put {place.here}/batch-1 {upload}/to-secret/new",
        f"put {place.here}/batch-1 {upload}/to-log/new",
        f"put {place.here}/batch-1 {upload}/to-new",
        f"put {place.here}/batch-1 {upload}/loop",
        f"put {place.here}/batch-1 {upload}/to-log/../secret/new",
        f"ln -s {place.root}/secret/key {upload}/mine-now",
        f"ln -s ../secret/key {upload}/mine-now",
        f"ln {place.root}/secret/key {upload}/mine-now",
        f"rename {upload}/to-key {place.root}/log/moved",
        f"rename {place.root}/secret {upload}/moved",
        f"chmod 777 {upload}/to-secret/key",
    ):
        done = place.sftp("mallory", line)
        assert done.returncode != 0, line
    assert b"key" not in place.sftp("mallory", f"ls -1 {upload}/to-secret/").stdout.replace(b"to-secret/", b"")
    assert not (place.here / "stolen").exists()
    assert tree(place.root / "secret") == {"key": hashlib.sha256(b"the secret\n").hexdigest()}
    assert sorted(os.listdir(place.root / "log")) == ["app.log"]
    assert (place.root / "secret" / "key").stat().st_mode & 0o777 != 0o777
    # A link whose both ends are permitted is used.
    (upload / "real").mkdir()
    (upload / "to-real").symlink_to("real")
    assert place.sftp("mallory", f"put {place.here}/batch-1 {upload}/to-real/x").returncode == 0
    assert (upload / "real" / "x").exists()
    # The link itself is removed, not what it leads to.
    assert place.sftp("mallory", f"rm {upload}/to-key").returncode == 0
    assert (place.root / "secret" / "key").exists()


def test_a_client_that_keeps_to_nothing(place: Place) -> None:
    upload = os.fsencode(place.root / "upload")
    scene = place.scene
    started = len(scene.events("channel.opened", protocol="sftp"))
    with RawSftp(scene, "mallory") as raw:
        # That it was started is on record before anything is done with it.
        assert len(scene.events("channel.opened", protocol="sftp")) == started + 1
        assert raw.code(Kind.STAT, string(b"/etc/passwd"))[0] == Status.PERMISSION_DENIED
        assert raw.code(Kind.STAT, string(upload + b"/a\0b"))[0] == Status.PERMISSION_DENIED
        assert raw.code(Kind.STAT, string(upload + b"/" + b"a" * 5000))[0] == Status.PERMISSION_DENIED
        assert raw.code(Kind.STAT, string(upload + b"/" + "\ufffdff".encode()))[0] == Status.PERMISSION_DENIED
        assert raw.code(Kind.STAT, string(upload + b"/a" * 200))[0] == Status.PERMISSION_DENIED
        assert raw.code(Kind.EXTENDED, string(b"check-file"), string(b"/etc/shadow"))[0] == Status.OP_UNSUPPORTED
        assert raw.code(Kind.CLOSE, string(b"\0\0\0\0"))[0] == Status.FAILURE
        assert raw.code(Kind.READ, string(b"\0\0\0\1"), u64(0), u32(10))[0] == Status.FAILURE
        assert raw.code(Kind.REALPATH, string(b"/etc"))[0] == Status.PERMISSION_DENIED
        handle = raw.open(upload + b"/raw-\xff", 0x1A)
        assert raw.write(handle, 0, b"data")[0] == Status.OK
        assert raw.code(Kind.READ, string(handle), u64(0), u32(4))[0] == Status.PERMISSION_DENIED
        # Two in one segment: the second names a path that only the first would have made harmless.
        raw.send(
            framed(Kind.STAT, u32(7), string(upload)), framed(Kind.OPEN, u32(8), string(b"/etc/passwd"), u32(1), u32(0))
        )
        assert (raw.packet()[0], raw.packet()[:9]) == (Kind.ATTRS, b"\x65\0\0\0\x08\0\0\0\x03")
        assert raw.code(Kind.CLOSE, string(handle))[0] == Status.OK
        assert raw.write(handle, 0, b"late")[0] == Status.FAILURE
        assert raw.ask(Kind.REALPATH, string(b"."))[0] == Kind.NAME
    assert (place.root / "upload" / os.fsdecode(b"raw-\xff")).read_bytes() == b"data"
    # The end of a command is written a moment after it.
    until(lambda: scene.events("command.ended", path=f"{place.root}/upload/raw-\ufffdff"), what="the upload's end")


@pytest.mark.parametrize("junk", [b"\0\0\0\0", b"\xff" * 64, framed(Kind.STAT, b"\0"), framed(Kind.WRITE, u32(1))])
def test_what_is_no_sftp_ends_the_channel(place: Place, junk: bytes) -> None:
    with RawSftp(place.scene, "alice") as raw:
        raw.send(junk)
        assert "does not speak SFTP" in raw.ended()


def test_a_held_upload_waits_alone_and_goes_on(place: Place) -> None:
    release = os.fsencode(place.root / "release")
    with RawSftp(place.scene, "alice") as raw:
        raw.send(
            framed(Kind.OPEN, u32(1), string(release + b"/v1"), u32(0x1A), u32(0)),
            framed(Kind.STAT, u32(2), string(release)),
        )
        # What comes behind it is answered while it waits.
        assert raw.packet()[:5] == bytes([Kind.ATTRS]) + u32(2)
        approval = place.scene.held("alice", "release/v1")
        assert not (place.root / "release" / "v1").exists()
        assert place.scene.vote("carol", approval)[0] == 200
        opened = Fields(raw.packet())
        assert (opened.byte(), opened.u32()) == (Kind.HANDLE, 1)
        handle = opened.string()
        assert raw.write(handle, 0, b"one")[0] == Status.OK
        assert raw.code(Kind.CLOSE, string(handle))[0] == Status.OK
    assert (place.root / "release" / "v1").read_bytes() == b"one"
    with RawSftp(place.scene, "alice") as raw:
        raw.send(framed(Kind.OPEN, u32(1), string(release + b"/v2"), u32(0x1A), u32(0)))
        assert place.scene.vote("carol", place.scene.held("alice", "release/v2"), "deny")[0] == 200
        assert raw.packet()[:9] == bytes([Kind.STATUS]) + u32(1) + u32(Status.PERMISSION_DENIED)
        # Who leaves while it waits has not sent it.
        raw.send(framed(Kind.OPEN, u32(2), string(release + b"/v3"), u32(0x1A), u32(0)))
        place.scene.held("alice", "release/v3")
    until(lambda: not place.scene.api("alice", "GET", "/v1/approvals")[1]["own"], what="a void")
    assert sorted(os.listdir(place.root / "release")) == ["v1"]


def test_what_was_approved_is_not_another_file_by_then(place: Place) -> None:
    box, aside = place.root / "release" / "box", place.root / "upload" / "box"
    box.mkdir()
    try:
        with RawSftp(place.scene, "alice") as raw:
            raw.send(framed(Kind.OPEN, u32(1), string(os.fsencode(box / "new")), u32(0x1A), u32(0)))
            approval = place.scene.held("alice", "box/new")
            box.rename(aside)
            box.symlink_to(place.root / "secret")
            assert place.scene.vote("carol", approval)[0] == 200
            answer = raw.packet()
            assert answer[:9] == bytes([Kind.STATUS]) + u32(1) + u32(Status.PERMISSION_DENIED)
            assert b"leads elsewhere" in answer
            # The channel goes on.
            assert raw.ask(Kind.REALPATH, string(b"."))[0] == Kind.NAME
        assert not (place.root / "secret" / "new").exists()
    finally:
        box.unlink()
        aside.rmdir()


def test_an_upload_that_is_cut_is_told_as_such(place: Place) -> None:
    upload = os.fsencode(place.root / "upload")
    with RawSftp(place.scene, "alice") as raw:
        handle = raw.open(upload + b"/cut", 0x1A)
        assert raw.write(handle, 0, b"half")[0] == Status.OK
    (cut,) = until(
        lambda: place.scene.events("command.ended", path=f"{place.root}/upload/cut", outcome="cut"), what="its end"
    )
    assert cut["fields"]["bytes_written"] == 4


def test_trees_by_every_way_are_those_that_were_sent(place: Place) -> None:
    source = place.here / "tree"
    (source / "a" / "b c").mkdir(parents=True)
    (source / "a" / "b c" / "ümlaut 'quoted'").write_bytes(os.urandom(40_000))
    (source / "a" / "empty").write_bytes(b"")
    (source / "big").write_bytes(os.urandom(3_000_000))
    wanted = tree(source)
    at = place.root / "upload"
    scene = place.scene
    shell = " ".join(scene.arguments())
    target = scene.target("alice")
    for name, words in {
        "sftp": ["-r", str(source), f"host:{at}/sftp"],
        "scp": ["-O", "-r", str(source), f"host:{at}/scp"],
    }.items():
        assert place.scp("alice", *words).returncode == 0
        assert tree(at / name) == wanted
        back = [word.replace(str(source), f"host:{at}/{name}") for word in words[:-1]]
        assert place.scp("alice", *back, str(place.here / f"back-{name}")).returncode == 0
        assert tree(place.here / f"back-{name}") == wanted
    rsync = ["rsync", "-a", "-e", shell, f"{source}/", f"{target}:{at}/rsync/"]
    done = subprocess.run(rsync, env=scene.environment("alice"), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert tree(at / "rsync") == wanted


def test_git_goes_through(place: Place) -> None:
    environment = {
        **place.scene.environment("alice"),
        "GIT_SSH_COMMAND": " ".join(place.scene.arguments()),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@t",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@t",
    }

    def git(*words: str, at: Path) -> None:
        done = subprocess.run(["git", *words], cwd=at, env=environment, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr

    bare, work = place.root / "upload" / "repo.git", place.here / "work"
    git("init", "-q", "--bare", "-b", "main", str(bare), at=place.here)
    git("clone", "-q", f"ssh://{place.scene.target('alice')}:{place.scene.port}{bare}", str(work), at=place.here)
    (work / "file").write_text("one\n")
    git("add", ".", at=work)
    git("commit", "-qm", "one", at=work)
    git("push", "-q", "origin", "HEAD:main", at=work)
    git("clone", "-q", str(bare), str(place.here / "copy"), at=place.here)
    assert (place.here / "copy" / "file").read_text() == "one\n"


def test_a_replay_says_what_was_done_with_which_file(place: Place) -> None:
    path = place.root / "upload" / "replayed"
    done = place.sftp("alice", f"put {place.file('replayed', 1000)} {path}", f"rename {path} {path}-2", f"rm {path}-2")
    assert done.returncode == 0, done.stderr
    session = place.scene.newest()
    until(lambda: not any(row["id"] == session and row["closed_at"] is None for row in place.scene.sessions()), 30)
    shown = place.scene.gateway.interpose("sessions", "replay", session, token=place.scene.token("carol")).stdout
    for words in (f"open (write, create, truncate) {path}", f"rename {path} to {path}-2", f"remove {path}-2"):
        assert words in shown, shown
