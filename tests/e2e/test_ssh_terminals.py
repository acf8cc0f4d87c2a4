"""Shells on terminals through the gateway, and choosing a connection."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import Resized
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd
from tests.support.terminal import Typist

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with SshServer() as server, SshScene(server) as made:
        yield made


def shell(scene: SshScene, principal: str = "alice", connection: str = "web-1", *more: str) -> Typist:
    """An interactive session."""
    return Typist([*scene.arguments("-tt"), scene.target(principal, connection), *more], scene.environment(principal))


def test_a_shell_is_used_and_recorded_both_ways(scene: SshScene) -> None:
    with shell(scene) as typist:
        typist.until(b"# ")
        typist.type(b"tty; echo $((6*7))\r")
        assert b"/dev/pts/" in typist.until(b"42\r\n")
        typist.type(b"exit 3\r")
        assert typist.ended() == 3
    session = scene.events("session.opened")[-1]["session"]
    until(lambda: any(each["session"] == session for each in scene.events("session.closed")), 30, "the end")
    assert b"echo $((6*7))\r" in scene.recorded(session, StreamName.STDIN)
    # Everything that was shown is in the recording, byte for byte; `ssh` itself adds its own last line.
    assert scene.recorded(session, StreamName.STDOUT) in typist.seen
    assert any(isinstance(event, Resized) for event in scene.timeline(session))


def test_a_terminal_for_one_command(scene: SshScene) -> None:
    with shell(scene, "alice", "web-1", "tty; exit 4") as typist:
        assert typist.ended() == 4
    assert b"/dev/pts/" in typist.seen


def test_interrupts_reach_the_program(scene: SshScene) -> None:
    with shell(scene) as typist:
        typist.until(b"# ")
        # The echo of what is typed is no sign that the program has begun.
        typist.type(b"sh -c 'echo be''gun; sleep 600'\r")
        typist.until(b"begun")
        typist.type(b"\x03")
        typist.until(b"# ")
        typist.type(b"exit\r")
        typist.ended()


def test_a_shell_that_is_forbidden_says_by_which_policy(scene: SshScene) -> None:
    with shell(scene, connection="no-shell") as typist:
        assert typist.ended() == 126
    assert b"shells are not opened there (policy no-shells" in typist.seen


def test_who_names_no_connection_chooses_one(scene: SshScene) -> None:
    with shell(scene, connection="") as typist:
        shown = typist.until(b"leave: ")
        for name in (b"web-1", b"held", b"down"):
            assert name in shown
        typist.type(b"nowhere\r")
        typist.until(b"no such connection in the list")
        typist.type(b"web-1\r")
        typist.until(b"# ")
        typist.type(b"exit 5\r")
        assert typist.ended() == 5


def test_who_chooses_nothing_leaves(scene: SshScene) -> None:
    with shell(scene, connection="") as typist:
        typist.until(b"leave: ")
        typist.type(b"\x03")
        assert typist.ended() == 126


def test_a_command_without_a_connection_is_refused_and_told_the_names(scene: SshScene) -> None:
    done = scene.ssh("alice", "true", connection="")
    assert done.returncode == 126
    assert b"names no connection" in done.stderr
    assert b"web-1" in done.stderr


def test_a_jump_ends_at_the_gateway_and_is_judged_there(scene: SshScene) -> None:
    inner = " ".join([*scene.arguments("-W", "%h:%p"), scene.target("alice", "")])

    def jump(host: str, command: str) -> tuple[int, bytes, bytes]:
        options = ("-o", f"ProxyCommand={inner}", "-l", "somebody-else")
        done = subprocess.run(
            [*scene.arguments(*options), host, command], env=scene.environment("alice"), capture_output=True, timeout=90
        )
        return done.returncode, done.stdout, done.stderr

    assert jump("web-1", "echo there; exit 6") == (6, b"there\n", b"")
    status, _, err = jump("no-shell", "exit 0")
    assert (status, err) == (0, b"")
    status, _, err = jump("nowhere", "true")
    assert status == 126
    assert b"there is no connection `nowhere` that you may use" in err
    opened = scene.events("session.opened", connection="web-1")[-1]
    assert opened["actor"] == "User:alice"
    assert opened["fields"]["source"] == "127.0.0.1"
