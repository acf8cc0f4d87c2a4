"""`ssh -X` and `-Y` with a real X server and a real X client: refused unless policy permits, and the display's secret is nowhere in the records."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.display import Display, cookies, have_display
from tests.support.forward_scene import FORWARDS
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed"),
    pytest.mark.skipif(not have_display(), reason="Xvfb, xauth or xdpyinfo is not installed"),
]


class Desk:
    """A gateway, a display on the client's side, and the file in which the host keeps the cookies that clients give it."""

    def __init__(self, scene: SshScene, display: Display, given: Path) -> None:
        self.scene = scene
        self.display = display
        self.given = given

    def ssh(
        self, principal: str, command: str, option: str = "-Y", connection: str = "web-1"
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command with the display offered to it."""
        return subprocess.run(
            [*self.scene.arguments(option), self.scene.target(principal, connection), command],
            env={**self.scene.environment(principal), **self.display.environment},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=90,
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    given = tmp_path_factory.mktemp("host") / "Xauthority"
    more = f"X11Forwarding yes\nX11UseLocalhost yes\nXAuthLocation /usr/bin/xauth\nSetEnv XAUTHORITY={given}"
    with Display(tmp_path_factory.mktemp("display")) as display, SshServer(more=more) as server:
        scene = SshScene(server, policy=FORWARDS)
        connections = scene.gateway.settings["connections"]
        assert isinstance(connections, dict)
        for connection in connections.values():
            connection["options"] = {**connection["options"], "record_forwards": True}
        scene.gateway.write()
        with scene:
            yield Desk(scene, display, given)


def test_a_window_of_the_host_is_shown_here_where_policy_permits(desk: Desk) -> None:
    direct = subprocess.run(
        ["xdpyinfo"], env={**os.environ, **desk.display.environment}, capture_output=True, timeout=60
    )
    assert direct.returncode == 0, direct.stderr
    done = desk.ssh("alice", "echo $DISPLAY; xdpyinfo")
    assert done.returncode == 0, done.stderr
    name, _, shown = done.stdout.partition(b"\n")
    assert name.startswith(b"localhost:")
    # The same display, by another name.
    assert shown.partition(b"\n")[2] == direct.stdout.partition(b"\n")[2]
    assert desk.scene.events("command.decided", decision="permit", actions=["forward_x11"])


def test_untrusted_windows_are_shown_as_well(desk: Desk) -> None:
    """`-X` gives the host a cookie of its own kind, made for it by the X server."""
    done = desk.ssh("alice", "xdpyinfo", "-X")
    assert done.returncode == 0, done.stderr
    assert b"name of display:    localhost:" in done.stdout


def test_the_secret_of_a_display_is_not_recorded(desk: Desk) -> None:
    assert desk.ssh("alice", "xdpyinfo >/dev/null").returncode == 0
    session = desk.scene.events("session.opened")[-1]["session"]
    until(lambda: any(each["session"] == session for each in desk.scene.events("session.closed")), 60)
    secrets = [*cookies(desk.given), bytes.fromhex(desk.display.cookie)]
    assert len(secrets) > 1
    recorded = repr(desk.scene.timeline(session))
    assert "forward the client's display" in recorded
    kept = b"".join(path.read_bytes() for path in desk.scene.gateway.state.rglob("*") if path.is_file())
    for secret in secrets:
        assert len(secret) == 16
        assert secret not in kept
        assert secret.hex().encode() not in kept
        assert repr(secret)[2:-1] not in recorded
        assert secret.hex() not in recorded


def test_who_may_not_have_a_display_is_told_and_the_program_runs_without(desk: Desk) -> None:
    before = len(cookies(desk.given)) if desk.given.exists() else 0
    done = desk.ssh("mallory", 'echo "display: $DISPLAY"; echo ran')
    assert done.stdout == b"display: \nran\n"
    assert done.returncode == 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith(b"interpose: ")]
    assert b"no policy permits `forward_x11`" in line
    assert desk.scene.events("command.decided", decision="forbid", actions=["forward_x11"])
    assert (len(cookies(desk.given)) if desk.given.exists() else 0) == before


def test_a_held_display_is_lent_when_it_is_approved(desk: Desk) -> None:
    arguments = [*desk.scene.arguments("-Y"), desk.scene.target("alice", "held"), "xdpyinfo >/dev/null && echo shown"]
    environment = {**desk.scene.environment("alice"), **desk.display.environment}
    with subprocess.Popen(
        arguments, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as client:
        approval = desk.scene.held("alice", "forward the client's display")
        assert desk.scene.vote("carol", approval)[0] == 200
        out, err = client.communicate(timeout=60)
    assert (client.returncode, out) == (0, b"shown\n"), err


def test_a_display_ends_with_the_program_that_had_it(desk: Desk, tmp_path: Path) -> None:
    """What the program left behind on the host does not reach the display any more, though the connection is there for others."""
    control, target = tmp_path / "control", desk.scene.target("alice")
    environment = {**desk.scene.environment("alice"), **desk.display.environment}
    # It keeps the connection, and has no program and no display of its own.
    first = [*desk.scene.arguments("-M", "-N", "-Y", "-S", str(control)), target]
    with subprocess.Popen(first, env=environment, stdin=subprocess.DEVNULL) as client:
        until(control.exists, 60, "the shared connection")
        wait = f"while [ ! -e {tmp_path}/over ]; do sleep 0.05; done; xdpyinfo; echo $? >{tmp_path}/status"
        command = f"xdpyinfo; ({wait}) </dev/null >/dev/null 2>&1 &"
        second = [*desk.scene.arguments("-S", str(control), "-Y"), target, command]
        done = subprocess.run(second, env=environment, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert b"name of display" in done.stdout
        (tmp_path / "over").touch()
        assert until(lambda: (tmp_path / "status").exists() and (tmp_path / "status").read_text().strip(), 60) != "0"
        assert client.poll() is None
        client.terminate()
