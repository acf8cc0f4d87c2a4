"""What the options of a connection promise, on the real thing: who looks up a forward's name, and whose contents are kept."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.bridges.ssh.wanted_forwards import MOST_ADDRESSES
from interpose.model.destinations import canonical_host
from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import CommandDecided, StreamOmitted
from tests.support.forward_scene import FORWARDS, Places
from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

_ADDRESSES = """
@id("ops-use-files")
permit (principal in Group::"ops", action in [Action::"file_read", Action::"file_write"], resource);
@id("not-to-this-address")
forbid (principal, action == Action::"forward", resource in Connection::"misnamed")
when { context has destination_address && context.destination_address == "127.0.0.1" };
"""
NAME = "localhost"
"""A name that every machine's own resolver knows, and the host's as well."""


class Optioned:
    """`web-1` without options of its own, `strict` with all of them; on `misnamed` one address is forbidden and names are looked up."""

    def __init__(self, scene: SshScene, server: SshServer, places: Places) -> None:
        self.scene = scene
        self.server = server
        self.places = places

    def through(self, connection: str, host: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
        options = ("-v", "-W", f"{host}:{self.places.port}")
        return self.scene.ssh("alice", connection=connection, options=options, stdin=data)

    @property
    def asked_for(self) -> list[str]:
        """Where the host was told to connect to, in order, as its own log has it."""
        lines = self.server.log.read_text(errors="replace").splitlines()
        return [
            line.split(" target ")[1].split()[0].rstrip(",") for line in lines if "direct_tcpip: originator" in line
        ]


@pytest.fixture(scope="module")
def optioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Optioned]:
    with SshServer(log_level="DEBUG1") as server:
        places = Places(tmp_path_factory.mktemp("places"))
        scene = SshScene(server, policy=FORWARDS + _ADDRESSES)
        connections = scene.gateway.settings["connections"]
        assert isinstance(connections, dict)
        plain = connections["web-1"]
        resolving = {**plain["options"], "resolve_forwards": "gateway"}
        connections["misnamed"] = {**plain, "options": resolving}
        connections["strict"] = {**plain, "options": {**resolving, "record_forwards": True, "record_files": True}}
        scene.gateway.write()
        try:
            with scene:
                yield Optioned(scene, server, places)
        finally:
            places.close()


def test_a_name_is_the_hosts_matter_where_nothing_else_is_said(optioned: Optioned) -> None:
    done = optioned.through("web-1", NAME, b"by name")
    assert (done.returncode, done.stdout) == (0, b"by name<end>"), done.stderr
    assert optioned.asked_for[-1] == NAME
    assert _texts(optioned.scene)[-1] == f"forward to {NAME}:{optioned.places.port}"


def test_the_host_is_told_the_addresses_that_the_gateway_found_one_after_the_other(optioned: Optioned) -> None:
    found = [canonical_host(each[4][0]) for each in socket.getaddrinfo(NAME, None, type=socket.SOCK_STREAM)]  # type: ignore[arg-type]
    tried = list(dict.fromkeys(found))[:MOST_ADDRESSES]
    wanted = tried[: tried.index("127.0.0.1") + 1]
    before = len(optioned.asked_for)
    done = optioned.through("strict", NAME, b"by address")
    assert (done.returncode, done.stdout) == (0, b"by address<end>"), done.stderr
    # The echo server is on 127.0.0.1 alone: where ::1 comes first the host cannot connect to it, and the next one is judged and tried.
    assert optioned.asked_for[before:] == wanted
    port = optioned.places.port
    assert _texts(optioned.scene)[-len(wanted) :] == [f"forward to {NAME}:{port} ({address})" for address in wanted]


def test_a_rule_about_an_address_holds_for_the_name_of_it(optioned: Optioned) -> None:
    before = len(optioned.asked_for)
    done = optioned.through("misnamed", NAME, b"x")
    assert done.stdout == b""
    assert b"administratively prohibited" in done.stderr
    assert b"not-to-this-address" in done.stderr
    assert "127.0.0.1" not in optioned.asked_for[before:]


def test_a_name_that_the_gateway_does_not_find_never_reaches_the_host(optioned: Optioned) -> None:
    before = len(optioned.asked_for)
    done = optioned.through("strict", "no-such-host.invalid", b"x")
    assert b"connect failed: interpose: " in done.stderr
    assert b"no-such-host.invalid" in done.stderr
    assert optioned.asked_for[before:] == []


def test_what_goes_through_a_forward_is_kept_only_where_it_is_to_be(optioned: Optioned) -> None:
    scene, data = optioned.scene, b"through the tunnel " * 1000
    for connection, kept in (("strict", data), ("web-1", b"")):
        assert optioned.through(connection, "127.0.0.1", data).stdout == data + b"<end>"
        session = _ended(scene)
        assert scene.recorded(session, StreamName.STDIN) == kept
        assert scene.recorded(session, StreamName.STDOUT) == (kept + b"<end>" if kept else b"")


def test_what_is_in_files_is_kept_only_where_it_is_to_be_and_up_to_the_cap(optioned: Optioned, tmp_path: Path) -> None:
    scene = optioned.scene
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"what is in it\n" * 100)
    large.write_bytes(os.urandom(1_000_000))
    for connection in ("strict", "web-1"):
        batch = f"put {small} {tmp_path}/up\nget {tmp_path}/up {tmp_path}/down\nput {large} {tmp_path}/up-large\n"
        words = [*scene.arguments("-oBatchMode=no", "-b", "-", program="sftp"), scene.target("alice", connection)]
        done = subprocess.run(
            words, input=batch.encode(), env=scene.environment("alice"), capture_output=True, timeout=90
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "down").read_bytes() == small.read_bytes()
        session = _ended(scene)
        up, down = scene.recorded(session, StreamName.STDIN), scene.recorded(session, StreamName.STDOUT)
        omitted = sum(event.count for event in scene.timeline(session) if isinstance(event, StreamOmitted))
        if connection == "strict":
            assert down == small.read_bytes()
            assert up.startswith(small.read_bytes())
            # What is kept of the large one is its beginning, and how much is missing is said.
            kept = up[len(small.read_bytes()) :]
            assert 0 < len(kept) < 1_000_000
            assert large.read_bytes().startswith(kept)
            assert omitted == 1_000_000 - len(kept)
        else:
            assert (up, down, omitted) == (b"", b"", 0)


def _ended(scene: SshScene) -> str:
    """The session that was opened last, once it is over and its recording sealed."""
    session = str(scene.events("session.opened")[-1]["session"])
    until(lambda: any(each["session"] == session for each in scene.events("session.closed")), 60, "the session's end")
    return session


def _texts(scene: SshScene) -> list[str]:
    """What the newest session asked for, as its recording has it."""
    return [event.text for event in scene.timeline(_ended(scene)) if isinstance(event, CommandDecided)]
