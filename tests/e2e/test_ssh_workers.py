"""Two workers behind one port for SSH: whatever is done about a session reaches it, in whichever worker it lives."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.scene import until
from tests.support.ssh_scene import SshScene, read_until
from tests.support.sshd import SshServer, have_sshd
from tests.support.terminal import Typist

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

Sessions = dict[str, tuple[str, subprocess.Popen[bytes]]]


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with SshServer() as server, SshScene(server, settings={"workers": 2}) as made:
        yield made


def row(scene: SshScene, session: str) -> dict[str, Any]:
    """The session in the index."""
    return next(each for each in scene.sessions() if each["id"] == session)


@pytest.fixture(scope="module")
def sessions(scene: SshScene) -> Sessions:
    """One session on each worker, by the worker's name; the kernel chooses which one gets a connection."""
    found: Sessions = {}
    for _ in range(30):
        client = scene.start_ssh("alice", "echo here; cat")
        assert client.stdout is not None and os.read(client.stdout.fileno(), 5) == b"here\n"
        session = scene.newest()
        worker = str(row(scene, session)["worker"])
        if worker in found:
            client.kill()
            until(lambda session=session: row(scene, session)["close_reason"], 60, "the end of one too many")
        else:
            found[worker] = (session, client)
        if len(found) == 2:
            return found
    raise AssertionError("all connections come to one worker")


def test_people_watch_speak_to_and_end_a_session_of_either_worker(scene: SshScene, sessions: Sessions) -> None:
    token = scene.token("carol")
    for session, client in sessions.values():
        assert client.stdin is not None and client.stdout is not None
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(scene.gateway.interpose, "sessions", "watch", session, token=token)
            until(lambda: scene.events("recording.read", how="watch"), 60, "the viewer")
            client.stdin.write(b"typed\n")
            assert os.read(client.stdout.fileno(), 100) == b"typed\n"
            scene.gateway.interpose("sessions", "say", session, "lunch is ready", token=token)
            assert b"message from the operators: lunch is ready" in read_until(client, b"lunch is ready")
            scene.gateway.interpose("sessions", "kill", session, "--reason", "unattended", token=token)
            assert b"unattended" in read_until(client, b"unattended")
            assert client.wait(60) == 255
            shown = watching.result(60).stdout
        assert "here" in shown and "typed" in shown
        until(lambda session=session: row(scene, session)["close_reason"], 60, "its end in the index")


def test_a_held_command_of_either_worker_is_approved_and_one_that_nobody_waits_for_is_void(scene: SshScene) -> None:
    workers: set[str] = set()
    for number in range(30):
        client = scene.start_ssh("alice", f"echo approved-{number}", connection="held")
        read_until(client, b"held for approval")
        approval = scene.held("alice", f"approved-{number}")
        if number % 2:
            client.kill()
            until(lambda: not scene.api("alice", "GET", "/v1/approvals")[1]["own"], 60, "a void")
        else:
            assert scene.vote("carol", approval)[0] == 200
            assert client.communicate(timeout=60)[0] == f"approved-{number}\n".encode()
            workers.add(str(row(scene, scene.newest())["worker"]))
        if len(workers) == 2:
            return
    raise AssertionError("all connections come to one worker")


def test_a_menu_is_shown_and_its_choice_opened_by_either_worker(scene: SshScene) -> None:
    workers: set[str] = set()
    for _ in range(30):
        with Typist([*scene.arguments("-tt"), scene.target("alice", "")], scene.environment("alice")) as typist:
            typist.until(b"Number or name, or Enter to leave: ")
            before = len(scene.sessions())
            typist.type(b"web-1\r")
            until(lambda before=before: len(scene.sessions()) > before, 60, "the chosen session")
            typist.type(b"echo chosen-$((6*7)); exit\n")
            typist.until(b"chosen-42")
            assert typist.ended() == 0
        workers.add(str(row(scene, scene.newest())["worker"]))
        if len(workers) == 2:
            return
    raise AssertionError("all connections come to one worker")
