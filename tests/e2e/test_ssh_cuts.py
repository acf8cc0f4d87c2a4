"""SSH over networks that are cut and with clients that stop reading: what is gone is noticed, and what only stands still is not cut."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interpose.recording.timeline import SessionClosed
from tests.support.cut_network import CutNetwork
from tests.support.gateway import free_port
from tests.support.scene import until
from tests.support.ssh_scene import SshScene, read_until
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

KEEPALIVE, STALL = 2, 4
MIB = 1024 * 1024


@dataclass(frozen=True)
class Place:
    """A gateway between two networks that can be cut: clients come to it by `near`, and it reaches the host of `far-1` by `far`."""

    server: SshServer
    scene: SshScene
    near: CutNetwork
    far: CutNetwork

    def start(self, *words: str, connection: str = "web-1", near: bool = False) -> subprocess.Popen[bytes]:
        """A real client, by the network that can be cut if `near`."""
        arguments = self.scene.arguments()
        return self.run(self.near_arguments(arguments) if near else arguments, *words, connection=connection)

    def near_arguments(self, arguments: list[str]) -> list[str]:
        """The same client, by the network that can be cut."""
        return [str(self.near.port) if word == str(self.scene.port) else word for word in arguments]

    def run(self, arguments: list[str], *words: str, connection: str = "web-1") -> subprocess.Popen[bytes]:
        """Start a client; the scene kills it in the end."""
        scene, pipe = self.scene, subprocess.PIPE
        started = subprocess.Popen(
            [*arguments, scene.target("alice", connection), *words],
            env=scene.environment("alice"),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            bufsize=0,
        )
        scene._started.append(started)
        return started

    def ended(self, session: str) -> str:
        """Why this session ended; waits until it has, and its recording is sealed."""
        until(lambda: self.scene.events("session.sealed") and self.row(session)["close_reason"], 90, "the end")
        until(lambda: any(each["session"] == session for each in self.scene.events("session.sealed")), 60, "its seal")
        assert isinstance(self.scene.timeline(session)[-1], SessionClosed)
        return str(self.row(session)["close_reason"])

    def row(self, session: str) -> dict[str, object]:
        """The session in the index."""
        return next(each for each in self.scene.sessions() if each["id"] == session)


@pytest.fixture
def place() -> Iterator[Place]:
    limits = {"limits": {"keepalive": f"{KEEPALIVE}s", "write_stall": f"{STALL}s"}}
    with SshServer() as server, CutNetwork(server.port) as far:
        scene = SshScene(server, settings=limits)
        listed = scene.gateway.settings["connections"]
        assert isinstance(listed, dict)
        listed["far-1"] = {**listed["web-1"], "address": f"127.0.0.1:{far.port}"}
        scene.gateway.write()
        with scene, CutNetwork(scene.port) as near:
            yield Place(server, scene, near, far)


def begun(place: Place, process: subprocess.Popen[bytes], word: bytes) -> str:
    """The newest session, once this client has said the word."""
    assert process.stdout is not None
    seen = b""
    while word not in seen:
        piece = os.read(process.stdout.fileno(), 65536)
        assert piece, process.communicate()
        seen += piece
    return place.scene.newest()


def test_a_network_that_is_cut_is_noticed_on_either_side_and_everything_closes(place: Place) -> None:
    port = free_port()
    forwarding = ["-R", f"127.0.0.1:{port}:127.0.0.1:9", "-o", "ExitOnForwardFailure=yes"]
    scene = place.scene
    # One whose client is cut off, with a port open on the host; and one whose host is.
    arguments = place.near_arguments(scene.arguments(*forwarding))
    client = place.run(arguments, "echo here; cat")
    ours = begun(place, client, b"here\n")
    host = place.start("echo there; cat", connection="far-1")
    theirs = begun(place, host, b"there\n")
    assert ours != theirs
    place.near.cut()
    place.far.cut()

    assert b"the host closed the connection" in read_until(host, b"the host closed the connection")
    assert host.wait(60) == 255
    assert place.ended(theirs) == "upstream_closed"
    assert place.ended(ours) == "client_closed"
    forwarded = [each for each in scene.events("command.decided") if each["fields"]["actions"] == ["forward_listen"]]
    (decided,) = forwarded
    ends = [each for each in scene.events("command.ended") if each["session"] == ours]
    assert decided["seq"] in {each["fields"]["command"] for each in ends}, "the listener's permit is over"
    until(lambda: not listens(port), 60, "the port on the host to be closed")


def listens(port: int) -> bool:
    """Whether somebody listens on this port of loopback."""
    wanted = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return any(row[1] == wanted and row[3] == "0A" for row in rows)


def test_a_socket_that_takes_nothing_is_closed_and_a_reader_that_pauses_is_not(place: Place) -> None:
    # Somebody reads a page, and nothing more for now: far more waits than any window has.
    paused = place.start(f"head -c {16 * MIB} /dev/zero; echo; echo whole")
    assert paused.stdout is not None
    assert os.read(paused.stdout.fileno(), 1000) == bytes(1000)
    pausing = place.scene.newest()
    # And somebody's socket takes nothing, while signs of life still come from there.
    stalled = place.start("while read line; do :; done & cat /dev/zero", near=True)
    session = begun(place, stalled, bytes(1000))
    assert session != pausing
    place.near.cut("down")

    def reason() -> object:
        assert stalled.stdin is not None
        try:
            stalled.stdin.write(b"alive\n")
        except OSError:
            return place.row(session)["close_reason"]
        return place.row(session)["close_reason"]

    until(reason, 90, "the end of the stalled one")
    assert place.ended(session) == "write_stall"
    # The other one has stood still for longer than that.
    assert place.row(pausing)["close_reason"] == ""
    rest, said = paused.communicate(timeout=120)
    assert rest.endswith(b"\nwhole\n") and len(rest) == 16 * MIB - 1000 + 7, said
    assert paused.returncode == 0
