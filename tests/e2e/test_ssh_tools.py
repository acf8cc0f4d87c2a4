"""The programs that people have, through the gateway and straight to the host: the same exit status, the same bytes, the same trees."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.scene import until
from tests.support.ssh_scene import PRINCIPALS, SshScene
from tests.support.sshd import SshServer, have_sshd, make_key, quiet

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


class Ways:
    """The same client's options for the host itself and for the gateway, by key."""

    def __init__(self, scene: SshScene, key: Path) -> None:
        self.scene = scene
        server = scene.server
        self.direct = f"{server.user}@127.0.0.1"
        self.through = "alice+web-1@127.0.0.1"
        own = [*quiet(scene.known_hosts), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-i", str(key)]
        self._options = {
            self.direct: ["-F", "none", "-o", f"Port={server.port}", *server.client_options(), "-i", str(server.key)],
            self.through: ["-F", "none", "-o", f"Port={scene.port}", *own],
        }

    def options(self, target: str) -> list[str]:
        return self._options[target]

    def run(self, target: str, program: str, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """`program` with the options for this way; arguments come after them."""
        done = subprocess.run(
            [program, *self.options(target), *arguments], input=stdin, capture_output=True, timeout=120
        )
        return done.returncode, done.stdout, done.stderr

    def ssh(
        self, target: str, *command: str, stdin: bytes = b"", options: tuple[str, ...] = ()
    ) -> tuple[int, bytes, bytes]:
        return self.run(target, "ssh", *options, target, *command, stdin=stdin)

    @property
    def both(self) -> tuple[str, str]:
        """Straight, and through the gateway."""
        return self.direct, self.through


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    key = make_key(tmp_path_factory.mktemp("key") / "id")
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    principals = PRINCIPALS.replace("name: alice,", f"name: alice, ssh_keys: ['{public}'],")
    with SshServer() as server, SshScene(server, principals=principals) as scene:
        yield Ways(scene, key)


def tree(folder: Path) -> Mapping[str, tuple[int, str]]:
    """Mode, and hash or link, of everything below."""
    found = {}
    for path in sorted(folder.rglob("*")):
        what = os.readlink(path) if path.is_symlink() else ""
        if path.is_file() and not what:
            what = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, what)
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A tree with what trees have: empty, large and odd files, modes, links."""
    folder = tmp_path / "source"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "empty").touch()
    (folder / "large").write_bytes(os.urandom(3_000_000))
    (folder / "a" / "with space and 'quotes'").write_text("x")
    (folder / "a" / "ünïcode").write_text("y")
    (folder / "a" / "b" / "run").write_text("#!/bin/sh\n")
    (folder / "a" / "b" / "run").chmod(0o750)
    (folder / "a" / "link").symlink_to("b/run")
    for number in range(60):
        (folder / "a" / "b" / f"file-{number}").write_bytes(os.urandom(number * 100))
    return folder


@pytest.mark.parametrize(
    "command",
    [
        *(f"exit {status}" for status in (0, 1, 42, 126, 127, 128, 255)),
        *(f"kill -{name} $$" for name in ("TERM", "INT", "HUP", "SEGV", "USR1")),
        "no-such-program-here",
        "printf out; printf err >&2; exit 3",
        "head -c 100000 /dev/zero | tr '\\0' x >&2",
        "cat; echo; wc -c </dev/null",
        "exec 0<&- 1>&-; exit 9",
    ],
)
def test_a_command_ends_and_prints_as_it_does_directly(ways: Ways, command: str) -> None:
    direct, through = (ways.ssh(target, command, stdin=b"given") for target in ways.both)
    assert through == direct


def test_a_terminal_is_the_same_and_ctrl_c_reaches_the_program(ways: Ways) -> None:
    command = "stty -a | head -3; tty >/dev/null && echo tty; trap 'echo caught; exit 5' INT; echo go; sleep 60 & wait"
    found = []
    for target in ways.both:
        arguments = ["ssh", *ways.options(target), "-tt", target, command]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None and process.stdout is not None
            shown = b""
            while b"go" not in shown:
                shown += process.stdout.read1(4096)
            process.stdin.write(b"\x03")
            process.stdin.flush()
            shown += process.stdout.read()
        found.append((process.returncode, shown))
    assert found[0] == found[1]
    assert found[1][0] == 5
    assert b"caught" in found[1][1]


def test_a_tree_in_a_pipe_arrives_whole(ways: Ways, source: Path, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(source, arcname=".")
    for name, target in zip(("direct", "through"), ways.both, strict=True):
        (tmp_path / name).mkdir()
        assert ways.ssh(target, f"tar -C {tmp_path / name} -xpf -", stdin=packed.getvalue())[0] == 0
    assert tree(tmp_path / "through") == tree(tmp_path / "direct") == tree(source)


@pytest.mark.parametrize("direction", ["to", "from"])
def test_rsync_makes_the_same_trees_and_deletes_alike(ways: Ways, source: Path, tmp_path: Path, direction: str) -> None:
    for name, target in zip(("direct", "through"), ways.both, strict=True):
        copy = tmp_path / name
        shell = " ".join(["ssh", *ways.options(target)])
        paths = [f"{source}/", f"{target}:{copy}/"] if direction == "to" else [f"{target}:{source}/", f"{copy}/"]
        command = ["rsync", "-a", "--delete", "-e", shell, *paths]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        (copy / "too much").write_text("z")
        (copy / "large").write_bytes(b"changed")
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert tree(tmp_path / "through") == tree(tmp_path / "direct") == tree(source)


@pytest.mark.parametrize("options", [[], ["-O"]], ids=["sftp", "scp -O"])
@pytest.mark.parametrize("direction", ["to", "from"])
def test_scp_makes_the_same_trees(ways: Ways, source: Path, tmp_path: Path, direction: str, options: list[str]) -> None:
    (source / "a" / "link").unlink()  # scp follows it, which is another tree
    for name, target in zip(("direct", "through"), ways.both, strict=True):
        copy = tmp_path / name
        paths = [str(source), f"{target}:{copy}"] if direction == "to" else [f"{target}:{source}", str(copy)]
        status, _, said = ways.run(target, "scp", *options, "-rp", *paths)
        assert status == 0, said
    assert tree(tmp_path / "through") == tree(tmp_path / "direct") == tree(source)


def test_a_batch_of_sftp_says_and_does_the_same(ways: Ways, source: Path, tmp_path: Path) -> None:
    found = []
    for name, target in zip(("direct", "through"), ways.both, strict=True):
        place = tmp_path / name
        (place / "remote").mkdir(parents=True)
        batch = (
            f"cd {place}/remote\nput {source}/large\nput -p {source}/a/b/run\nchmod 600 large\nrename large bigger\nmkdir d\n"
            f"ln -s run soft\nls -1\nget bigger {place}/back\n-rm nothing\nrm run\n-rmdir nothing\npwd\n"
        )
        status, said, _ = ways.run(target, "sftp", "-b", "-", target, stdin=batch.encode())
        found.append(
            (status, said.replace(str(place).encode(), b"PLACE").replace(target.encode(), b"TARGET"), tree(place))
        )
    assert found[1] == found[0]
    assert found[1][0] == 0


def test_git_clones_fetches_and_pushes(ways: Ways, tmp_path: Path) -> None:
    heads = []
    for name, target in zip(("direct", "through"), ways.both, strict=True):
        place = tmp_path / name
        place.mkdir()
        environment = {
            **os.environ,
            "GIT_SSH_COMMAND": " ".join(["ssh", *ways.options(target)]),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            **{f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            **{f"GIT_{who}_DATE": "2026-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")},
        }

        def git(*arguments: str, cwd: Path = place, environment: dict[str, str] = environment) -> bytes:
            return subprocess.run(
                ["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True, timeout=120
            ).stdout

        git("init", "-q", "--bare", "-b", "main", "remote.git")
        for clone in ("one", "two"):
            git("clone", "-q", f"ssh://{target}{place}/remote.git", clone)
        (place / "one" / "file").write_bytes(b"content" * 50_000)
        git("checkout", "-q", "-B", "main", cwd=place / "one")
        git("add", ".", cwd=place / "one")
        git("commit", "-q", "-m", "first", cwd=place / "one")
        git("push", "-q", "origin", "main", cwd=place / "one")
        git("fetch", "-q", "origin", cwd=place / "two")
        heads.append(git("rev-parse", "origin/main", cwd=place / "two"))
        assert git("show", "origin/main:file", cwd=place / "two") == b"content" * 50_000
    assert heads[0] == heads[1]


def test_a_client_that_comes_again_whenever_it_is_cut_has_its_host_again(ways: Ways, tmp_path: Path) -> None:
    """As autossh does."""
    for number in range(3):
        process = subprocess.Popen(
            ["ssh", *ways.options(ways.through), ways.through, f"echo {number} >{tmp_path}/came; cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda n=number: (tmp_path / "came").exists() and (tmp_path / "came").read_text() == f"{n}\n", what="it")  # type: ignore[misc]
        process.kill()
        process.communicate()


def test_a_script_on_the_input_of_a_shell_runs_as_an_editor_sends_it(ways: Ways) -> None:
    """VS Code Remote and its like start a shell and write to it."""
    script = b"set -e\nfor i in 1 2 3; do echo $i; done\necho $((6 * 7)) >&2\nexit 4\n"
    for options, command in ((("-T",), "bash"), (("-T",), "bash -s"), ((), "sh")):
        direct, through = (ways.ssh(target, command, stdin=script, options=options) for target in ways.both)
        assert through == direct
        assert through == (4, b"1\n2\n3\n", b"42\n")
