"""Commands through the gateway by the real `ssh`, on a real sshd."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import ChannelClosed
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with SshServer() as server, SshScene(server) as made:
        yield made


@pytest.mark.parametrize("connection", ["web-1", "strict"])
def test_streams_and_exit_status_are_those_of_the_command(scene: SshScene, connection: str) -> None:
    done = scene.ssh("alice", "echo out; echo err >&2; cat; exit 7", connection=connection, stdin=b"through\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\nthrough\n", b"err\n")


def test_what_a_signal_ended_ends_as_it_does_without_a_gateway(scene: SshScene) -> None:
    direct = scene.server.ssh("kill -9 $$")
    through = scene.ssh("alice", "kill -9 $$")
    assert (through.returncode, through.stdout) == (direct.returncode, direct.stdout)


def test_a_hundred_megabytes_go_both_ways_unchanged(scene: SshScene, tmp_path: Path) -> None:
    data = os.urandom(MIB) * 100
    done = scene.ssh("alice", "cat", stdin=data, timeout=300)
    assert done.returncode == 0
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_output_goes_on_after_the_end_of_input(scene: SshScene) -> None:
    done = scene.ssh("alice", "cat >/dev/null; seq 1 200000 | md5sum", stdin=b"x" * 100_000)
    assert done.stdout == scene.server.ssh("seq 1 200000 | md5sum").stdout


def test_a_command_that_closes_its_input_early_is_not_waited_for(scene: SshScene) -> None:
    done = scene.ssh("alice", "head -c 5; exec <&-; echo; echo over", stdin=b"x" * 20 * MIB)
    assert done.stdout == b"xxxxx\nover\n"


def test_a_variable_goes_through_unless_policy_says_otherwise(scene: SshScene) -> None:
    options = ("-o", "SetEnv=LC_ALLOWED=yes FORBIDDEN=no")
    done = scene.ssh("alice", "echo $LC_ALLOWED:$FORBIDDEN", options=options)
    assert done.stdout == b"yes:\n"
    assert done.stderr == b""
    assert scene.events("command.decided", kind="environment", decision="forbid")


def test_a_refusal_is_one_line_with_status_126_and_nothing_reaches_the_host(scene: SshScene) -> None:
    canary = scene.server.folder / "canary"
    done = scene.ssh("mallory", f"touch {canary}")
    assert done.returncode == 126
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"interpose: ")
    assert b"audit " in done.stderr
    assert not canary.exists()
    assert scene.events("command.decided", kind="exec", decision="forbid")


def test_what_would_have_to_be_masked_is_refused(scene: SshScene) -> None:
    canary = scene.server.folder / "unmasked"
    done = scene.ssh("alice", f"netconf; touch {canary}", connection="detected", options=("-s",))
    assert (done.returncode, done.stdout) == (126, b"")
    assert b"cannot be masked" in done.stderr
    assert not canary.exists()
    until(lambda: scene.events("command.ended", outcome="not_sent"), 30, "the record that it was not sent")


def test_multiplexed_sessions_are_judged_one_by_one_and_a_refusal_ends_none(scene: SshScene, tmp_path: Path) -> None:
    control = ("-o", f"ControlPath={tmp_path}/mux")
    master = scene.start_ssh("alice", connection="no-shell", options=(*control, "-o", "ControlMaster=yes", "-N"))
    until((tmp_path / "mux").exists, 30, "the master")

    def again(*command: str) -> subprocess.CompletedProcess[bytes]:
        return scene.ssh("alice", *command, connection="no-shell", options=control)

    assert again("echo one").stdout == b"one\n"
    refused = again()
    assert refused.returncode == 126
    assert b"policy no-shells" in refused.stderr
    assert again("echo two").stdout == b"two\n"
    slow = scene.start_ssh("alice", "cat", connection="no-shell", options=control)
    assert again("echo three").stdout == b"three\n"
    out, _ = slow.communicate(b"still here\n", timeout=60)
    assert out == b"still here\n"
    assert master.poll() is None
    sessions = {event["session"] for event in scene.events("command.decided", connection="no-shell")}
    assert len(sessions) == 1


def test_git_and_rsync_go_through(scene: SshScene, tmp_path: Path) -> None:
    remote, clone, copy = tmp_path / "remote.git", tmp_path / "clone", tmp_path / "copy"
    environment = {**scene.environment("alice"), "GIT_SSH_COMMAND": " ".join(scene.arguments())}
    environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}

    def git(*arguments: str, cwd: Path = tmp_path) -> None:
        subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True, timeout=120)

    git("init", "-q", "--bare", "-b", "main", str(remote))
    git("clone", "-q", f"ssh://{scene.target('alice')}{remote}", str(clone))
    (clone / "file").write_bytes(os.urandom(300_000))
    git("-c", "user.name=a", "-c", "user.email=a@b.example", "checkout", "-q", "-b", "main", cwd=clone)
    git("add", ".", cwd=clone)
    git("-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-q", "-m", "one", cwd=clone)
    git("push", "-q", "origin", "main", cwd=clone)
    shown = subprocess.run(["git", "show", "main:file"], cwd=remote, capture_output=True, check=True).stdout
    assert shown == (clone / "file").read_bytes()
    shell = " ".join(scene.arguments())
    subprocess.run(
        ["rsync", "-a", "-e", shell, f"{scene.target('alice')}:{clone}/", f"{copy}/"],
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert (copy / "file").read_bytes() == (clone / "file").read_bytes()
    shutil.rmtree(clone)


def test_what_went_over_a_channel_is_in_its_recording(scene: SshScene) -> None:
    scene.ssh("alice", "echo recorded output; cat >/dev/null", stdin=b"recorded input\n")
    session = scene.events("session.opened")[-1]["session"]
    until(lambda: scene.events("session.closed")[-1]["session"] == session, what="the end")
    assert scene.recorded(session, StreamName.STDOUT) == b"recorded output\n"
    assert scene.recorded(session, StreamName.STDIN) == b"recorded input\n"
    (closed,) = (event for event in scene.timeline(session) if isinstance(event, ChannelClosed))
    assert closed.status == 0
    assert scene.verify().returncode == 0
