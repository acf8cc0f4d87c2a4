"""Commands over SSH that wait for people, and sessions that end while something runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.recording.channel_frames import StreamName
from tests.support.scene import until
from tests.support.ssh_scene import SshScene, read_until
from tests.support.sshd import SshServer, have_sshd
from tests.support.terminal import Typist

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


@pytest.fixture(scope="module")
def server() -> Iterator[SshServer]:
    with SshServer() as made:
        yield made


@pytest.fixture(scope="module")
def scene(server: SshServer) -> Iterator[SshScene]:
    with SshScene(server) as made:
        yield made


def test_an_approved_command_runs_with_its_input_intact_and_its_own_status(scene: SshScene) -> None:
    client = scene.start_ssh("alice", "cat; exit 9", connection="held")
    assert client.stdin is not None
    client.stdin.write(b"early " * 1000)
    said = read_until(client, b"\n")
    approval = scene.held("alice", "cat; exit 9")
    assert said.startswith(b"interpose: held for approval " + approval.encode())
    assert b"group oncall can approve" in said
    client.stdin.write(b"late")
    assert scene.vote("carol", approval)[0] == 200
    out, err = client.communicate(timeout=60)
    assert (client.returncode, out, err) == (9, b"early " * 1000 + b"late", b"")


def test_a_denied_command_does_not_run(scene: SshScene, tmp_path: Path) -> None:
    client = scene.start_ssh("alice", f"touch {tmp_path}/denied", connection="held")
    read_until(client, b"\n")
    scene.vote("carol", scene.held("alice", "denied"), "deny", "not today")
    _, err = client.communicate(timeout=60)
    assert client.returncode == 126
    assert b"not today" in err
    assert not (tmp_path / "denied").exists()


def _is_void(scene: SshScene, approval: str) -> None:
    def closed() -> bool:
        return bool(scene.events("approval.closed", approval=approval, state="cancelled"))

    until(closed, 30, "the end of the hold")
    assert scene.vote("carol", approval)[0] >= 400


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_client_that_leaves_voids_its_hold(scene: SshScene, tmp_path: Path, how: signal.Signals) -> None:
    client = scene.start_ssh("alice", f"touch {tmp_path}/left", connection="held")
    read_until(client, b"\n")
    approval = scene.held("alice", "left")
    client.send_signal(how)
    client.wait(60)
    _is_void(scene, approval)
    assert not (tmp_path / "left").exists()


def test_control_c_on_a_terminal_voids_a_hold(scene: SshScene, tmp_path: Path) -> None:
    arguments = [*scene.arguments("-tt"), scene.target("alice", "held"), f"touch {tmp_path}/typed"]
    with Typist(arguments, scene.environment("alice")) as typist:
        typist.until(b"interpose: held for approval")
        approval = scene.held("alice", "typed")
        typist.type(b"\x03")
        assert typist.ended() == 126
    assert b"cancelled" in typist.seen
    _is_void(scene, approval)
    assert not (tmp_path / "typed").exists()


def test_a_revoked_token_ends_a_running_session_in_words(scene: SshScene) -> None:
    token_id, token = scene.new_token("bob")
    client = scene.start_ssh("bob", "echo runs; sleep 600", token=token)
    assert client.stdout is not None
    assert os.read(client.stdout.fileno(), 100) == b"runs\n"
    scene.gateway.interpose("token", "revoke", token_id)
    _, err = client.communicate(timeout=60)
    assert client.returncode == 255
    assert b"was revoked" in err
    until(lambda: scene.events("session.closed", reason="token_revoked"), 30, "the session's end")


def test_an_administrator_ends_a_session(scene: SshScene) -> None:
    client = scene.start_ssh("alice", "echo runs; sleep 600")
    assert client.stdout is not None
    os.read(client.stdout.fileno(), 100)
    session = scene.events("session.opened")[-1]["session"]
    scene.gateway.interpose("sessions", "end", session, token=scene.token("carol"))
    _, err = client.communicate(timeout=60)
    assert client.returncode == 255
    assert b"an administrator ended your session" in err


def test_a_client_that_is_killed_ends_what_it_ran(scene: SshScene, tmp_path: Path) -> None:
    client = scene.start_ssh("alice", f"trap 'touch {tmp_path}/hung-up' EXIT; echo runs; cat >/dev/null")
    assert client.stdout is not None
    os.read(client.stdout.fileno(), 100)
    session = scene.events("session.opened")[-1]["session"]
    client.kill()
    until((tmp_path / "hung-up").exists, 30, "the end of the program")
    until(lambda: any(each["session"] == session for each in scene.events("session.closed")), 30, "the session's end")


def test_an_upstream_that_dies_is_told_and_ends_with_255() -> None:
    with SshServer() as own, SshScene(own) as scene:
        client = scene.start_ssh("alice", "echo runs; sleep 600")
        assert client.stdout is not None
        os.read(client.stdout.fileno(), 100)
        own.cut()
        _, err = client.communicate(timeout=60)
        assert client.returncode == 255
        assert b"interpose: the host closed the connection" in err
        until(lambda: scene.events("session.closed", reason="upstream_closed"), 30, "the session's end")


def test_a_gateway_that_is_killed_leaves_a_valid_recording() -> None:
    with SshServer() as own, SshScene(own) as scene:
        client = scene.start_ssh("alice", "i=0; while echo line $i; do i=$((i+1)); sleep 0.01; done")
        assert client.stdout is not None
        session = until(lambda: scene.events("session.opened"), 30)[-1]["session"]
        until(lambda: b"line 200\n" in _some(scene, session), 60, "recorded lines")
        scene.gateway.kill()
        client.communicate(timeout=60)
        scene.gateway.start(timeout=90)
        assert b"line 200\n" in scene.recorded(session, StreamName.STDOUT)
        verified = scene.verify()
        assert verified.returncode == 0, verified.stdout + verified.stderr


def _some(scene: SshScene, session: str) -> bytes:
    return scene.recorded(session, StreamName.STDOUT)


def test_a_gateway_that_shuts_down_lets_commands_end_and_then_says_goodbye() -> None:
    with SshServer() as own, SshScene(own, settings={"limits": {"drain": "2s"}}) as scene:
        client = scene.start_ssh("alice", "echo runs; sleep 600")
        assert client.stdout is not None
        os.read(client.stdout.fileno(), 100)
        assert scene.gateway.stop(timeout=60) == 0
        _, err = client.communicate(timeout=60)
        assert client.returncode == 255
        assert b"shutting down" in err
