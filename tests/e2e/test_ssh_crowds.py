"""Crowds of SSH clients: everybody gets in, one after the other, and those that say nothing keep nobody out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from asyncssh.constants import MSG_KEXINIT, MSG_SERVICE_ACCEPT
from asyncssh.packet import SSHPacket

from tests.support.ssh_scene import PRINCIPALS, SshScene
from tests.support.sshd import SshServer, have_sshd, make_key

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]

PLACES = 12


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("key") / "id")


@pytest.fixture(scope="module")
def scene(key: Path) -> Iterator[SshScene]:
    """A gateway with room for few who log in, in front of a host that takes no crowd at all."""
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    principals = PRINCIPALS.replace("name: alice,", f"name: alice, ssh_keys: ['{public}'],")
    limits = {"limits": {"handshakes": PLACES, "handshake": "2s"}}
    server = SshServer()
    server.config.write_text(server.config.read_text().replace("MaxStartups 500", "MaxStartups 10:30:100"))
    with server, SshScene(server, principals=principals, settings=limits) as made:
        yield made


def crowd(scene: SshScene, key: Path, count: int) -> list[tuple[int, bytes, bytes]]:
    """What so many real clients get that start in the same moment."""
    with_key = ("-i", str(key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes")
    started = [scene.start_ssh("alice", f"echo {number}", options=with_key) for number in range(count)]
    return [(done.returncode, *said) for done in started for said in (done.communicate(timeout=300),)]


def silent(scene: SshScene, says: bytes = b"") -> socket.socket:
    """Somebody who connects, says as much and no more."""
    sock = socket.create_connection(("127.0.0.1", scene.port), timeout=60)
    sock.sendall(says)
    return sock


def heard(sock: socket.socket) -> bytes:
    """All that is said to somebody silent, to the end."""
    found = b""
    with sock:
        while piece := sock.recv(4096):
            found += piece
    return found


def test_everybody_of_a_crowd_is_let_in_and_gets_an_answer_of_its_own(scene: SshScene, key: Path) -> None:
    done = crowd(scene, key, 3 * PLACES)
    assert done == [(0, f"{number}\n".encode(), b"") for number in range(3 * PLACES)]


def test_whoever_is_silent_is_told_that_it_took_too_long(scene: SshScene) -> None:
    quiet, greets = silent(scene), silent(scene, b"SSH-2.0-Quiet\r\n")
    for sock in (quiet, greets):
        said = heard(sock)
        assert said.startswith(b"SSH-2.0-Interpose\r\n")
        assert b"interpose: logging in took too long - connect again" in said


class HalfOpen(asyncssh.SSHClientConnection):
    """A client that stops at one message of the gateway's, and neither says anything more nor leaves."""

    def __init__(self, options: asyncssh.SSHClientConnectionOptions, stops_at: int) -> None:
        super().__init__(asyncio.get_running_loop(), options)
        self.stopped = asyncio.Event()
        self._packet_handlers = {**self._packet_handlers, stops_at: HalfOpen._stop}

    def _stop(self, _kind: int, _number: int, packet: SSHPacket) -> None:
        packet.get_remaining_payload()
        self.stopped.set()


async def test_a_client_that_stops_half_way_is_closed_wherever_it_stops_and_keeps_nobody_out(
    scene: SshScene, key: Path
) -> None:
    # In the middle of the version line, and of the packet behind it; before its part of the key exchange, and of the login.
    raw = [silent(scene, says) for says in (b"SSH-2.0-Qui", b"SSH-2.0-Quiet\r\n\0\0\4\0\12\24")]
    options = asyncssh.SSHClientConnectionOptions(
        config=None, known_hosts=None, username="alice", client_keys=None, agent_path=None, login_timeout=0
    )
    half = []
    for stops_at in (MSG_KEXINIT, MSG_SERVICE_ACCEPT):
        _, made = await asyncio.get_running_loop().create_connection(
            lambda stops_at=stops_at: HalfOpen(options, stops_at), "127.0.0.1", scene.port
        )
        half.append(made)
    async with asyncio.timeout(60):
        for each in half:
            await each.stopped.wait()
        assert (await asyncio.to_thread(crowd, scene, key, 1))[0][0] == 0
        for sock in raw:
            assert b"interpose: logging in took too long" in await asyncio.to_thread(heard, sock)
        for each in half:
            await each.wait_closed()


def test_many_that_are_silent_keep_nobody_out(scene: SshScene, key: Path) -> None:
    idle = [silent(scene, b"SSH-2.0-Quiet\r\n" if number % 2 else b"") for number in range(3 * PLACES)]
    done = crowd(scene, key, 3)
    assert [status for status, _, _ in done] == [0, 0, 0], done
    reasons = {heard(sock).partition(b"interpose: ")[2].partition(b" - ")[0] for sock in idle}
    assert reasons <= {b"logging in took too long", b"too many clients are logging in at this moment"}
    assert b"too many clients are logging in at this moment" in reasons, "some made room"
