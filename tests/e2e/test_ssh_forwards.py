"""Forwards through the gateway with the real client: each one is judged, the bytes are right, and what is refused says why."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forward_scene import Places, exchange, forward_scene
from tests.support.gateway import free_port
from tests.support.scene import until
from tests.support.ssh_scene import SshScene, read_until
from tests.support.sshd import have_sshd, make_key

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[SshScene, Places]]:
    with forward_scene() as both:
        yield both


@pytest.fixture
def scene(made: tuple[SshScene, Places]) -> SshScene:
    return made[0]


@pytest.fixture
def places(made: tuple[SshScene, Places]) -> Places:
    return made[1]


@contextlib.contextmanager
def tunnelling(
    scene: SshScene, *options: str, principal: str = "alice", connection: str = "web-1"
) -> Iterator[subprocess.Popen[bytes]]:
    """A client in the background that has its forwards, and stays until the end."""
    with_options = ("-v", "-o", "ExitOnForwardFailure=no", *options)
    process = scene.start_ssh(principal, "echo up; cat", connection=connection, options=with_options)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n", process.stderr.read() if process.stderr else b""
        yield process
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=20)
        process.kill()


def test_a_port_is_reached_and_each_half_ends_by_itself(scene: SshScene, places: Places) -> None:
    port = free_port()
    with tunnelling(scene, "-L", f"{port}:127.0.0.1:{places.port}"):
        assert exchange(("127.0.0.1", port), b"hello") == b"hello<end>"
        assert exchange(("127.0.0.1", port), b"again") == b"again<end>"
    told = "5 bytes up, 10 bytes down"
    assert until(lambda: len(scene.events("command.ended", tag=told)) == 2, what="the counts")


def test_w_carries_standard_input(scene: SshScene, places: Places) -> None:
    done = scene.ssh("alice", options=("-v", "-W", f"localhost:{places.port}"), stdin=b"through")
    assert (done.returncode, done.stdout) == (0, b"through<end>"), done.stderr


def test_a_socket_is_reached(scene: SshScene, places: Places, tmp_path: Path) -> None:
    local = tmp_path / "local.sock"
    with tunnelling(scene, "-L", f"{local}:{places.socket}"):
        assert exchange(str(local), b"x" * 100_000) == b"x" * 100_000 + b"<end>"


def test_a_socks_client_reaches_what_policy_lets_it(scene: SshScene, places: Places) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    port = free_port()
    with tunnelling(scene, "-D", str(port)) as client:
        url = f"http://127.0.0.1:{scene.gateway.admin_port}/healthz"
        done = subprocess.run(
            ["curl", "-sS", "--noproxy", "", "--socks5-hostname", f"127.0.0.1:{port}", url],
            capture_output=True,
            timeout=60,
        )
        # The host and the gateway are one machine here: it is the host's loopback that is reached.
        assert done.returncode == 0, done.stderr
        done = subprocess.run(
            [
                "curl",
                "-sS",
                "--noproxy",
                "",
                "--socks5-hostname",
                f"127.0.0.1:{port}",
                "http://169.254.169.254/latest/",
            ],
            capture_output=True,
            timeout=60,
        )
        assert done.returncode != 0
        said = read_until(client, b"not-to-metadata")
        assert b"administratively prohibited" in said
        assert b"the host's own metadata is for the host" in said
        assert b"ask for a role instead" in said


@pytest.mark.parametrize(
    "spelling",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LocalHost.",
        "0.0.0.0",
        "[::1]",
        "0",
    ],
)
def test_every_spelling_of_loopback_is_loopback(scene: SshScene, places: Places, spelling: str) -> None:
    done = scene.ssh("alice", connection="no-shell", options=("-v", "-W", f"{spelling}:{places.port}"), stdin=b"x")
    assert b"not-to-loopback-there" in done.stderr
    assert done.stdout == b""


def test_who_may_not_tunnel_is_told_so(scene: SshScene, places: Places) -> None:
    done = scene.ssh("mallory", options=("-v", "-W", f"127.0.0.1:{places.port}"), stdin=b"x")
    assert b"administratively prohibited: interpose: " in done.stderr
    assert done.stdout == b""
    denied = scene.events("command.decided", decision="forbid", actions=["forward"], reason="not_permitted")
    assert denied


def test_what_the_host_cannot_reach_is_said(scene: SshScene) -> None:
    done = scene.ssh("alice", options=("-v", "-W", f"127.0.0.1:{free_port()}"))
    assert b"connect failed: interpose: the host could not connect" in done.stderr


def test_a_port_of_the_host_leads_back_here(scene: SshScene, places: Places) -> None:
    port = free_port()
    with tunnelling(scene, "-R", f"127.0.0.1:{port}:127.0.0.1:{places.port}"):
        assert exchange(("127.0.0.1", port), b"back" * 50_000) == b"back" * 50_000 + b"<end>"
        assert exchange(("127.0.0.1", port), b"twice") == b"twice<end>"
    assert until(lambda: not _listens(port), what="the port's end")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_that_the_host_chooses(scene: SshScene, places: Places) -> None:
    with tunnelling(scene, "-R", f"0:127.0.0.1:{places.port}") as client:
        said = read_until(client, b"for remote forward")
        port = int(said.partition(b"Allocated port ")[2].split()[0])
        assert exchange(("127.0.0.1", port), b"chosen") == b"chosen<end>"


def test_a_socket_of_the_host_leads_back_here(scene: SshScene, places: Places, tmp_path: Path) -> None:
    remote = tmp_path / "remote.sock"
    with tunnelling(scene, "-R", f"{remote}:{places.socket}"):
        assert exchange(str(remote), b"socket") == b"socket<end>"


def test_a_remote_forward_is_refused_in_words(scene: SshScene, places: Places) -> None:
    port = free_port()
    with tunnelling(scene, "-R", f"127.0.0.1:{port}:127.0.0.1:{places.port}", principal="mallory") as client:
        said = read_until(client, b"interpose: ")
        assert b"remote port forwarding failed" in said
        assert not _listens(port)


def test_a_remote_forward_is_ended_by_the_client(scene: SshScene, places: Places, tmp_path: Path) -> None:
    port, control = free_port(), tmp_path / "control"
    forward = f"127.0.0.1:{port}:127.0.0.1:{places.port}"
    with tunnelling(scene, "-M", "-S", str(control), "-R", forward):
        assert exchange(("127.0.0.1", port), b"x") == b"x<end>"
        subprocess.run(
            [*scene.arguments("-S", str(control), "-O", "cancel", "-R", forward), scene.target("alice")],
            check=True,
            timeout=60,
            capture_output=True,
        )
        assert until(lambda: not _listens(port), what="the port's end")


def test_a_held_forward_waits_for_its_approval(scene: SshScene, places: Places) -> None:
    client = scene.start_ssh("alice", connection="held", options=("-v", "-W", f"127.0.0.1:{places.port}"))
    approval = scene.held("alice", f"forward to 127.0.0.1:{places.port}")
    assert scene.vote("carol", approval)[0] == 200
    out, _ = client.communicate(b"held", timeout=60)
    assert (client.returncode, out) == (0, b"held<end>")


def test_a_held_forward_is_void_when_its_client_leaves(scene: SshScene, places: Places) -> None:
    client = scene.start_ssh("alice", connection="held", options=("-v", "-W", f"127.0.0.1:{places.port}"))
    approval = scene.held("alice", f"forward to 127.0.0.1:{places.port}")
    client.kill()
    assert until(lambda: scene.events("approval.closed", approval=approval, state="cancelled"), 60)


def test_a_client_that_asks_whether_the_gateway_is_there_waits_for_a_held_remote_forward(
    scene: SshScene, places: Places
) -> None:
    port = free_port()
    impatient = ("-vvv", "-N", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1")
    client = scene.start_ssh(
        "alice", connection="held", options=(*impatient, "-R", f"127.0.0.1:{port}:127.0.0.1:{places.port}")
    )
    approval = scene.held("alice", f"listen on 127.0.0.1:{port}")
    # It would leave at the second question without a sign of life.
    for _ in range(4):
        read_until(client, b"send packet: type 80")
    assert scene.vote("carol", approval)[0] == 200
    assert until(lambda: _listens(port), what="the port")
    assert exchange(("127.0.0.1", port), b"patient") == b"patient<end>"
    client.kill()


def test_a_denied_remote_forward_is_not_bound(scene: SshScene, places: Places) -> None:
    port = free_port()
    client = scene.start_ssh(
        "alice",
        connection="held",
        options=("-N", "-o", "ExitOnForwardFailure=yes", "-R", f"{port}:127.0.0.1:{places.port}"),
    )
    approval = scene.held("alice", f"listen on localhost:{port}")
    assert not _listens(port)
    assert scene.vote("carol", approval, "deny", "not today")[0] == 200
    client.communicate(timeout=60)
    assert client.returncode == 255
    assert not _listens(port)


def test_half_a_gigabyte_is_the_same_and_memory_is_flat(scene: SshScene) -> None:
    size, port, far = 500 * 1024 * 1024, free_port(), socket.create_server(("127.0.0.1", 0))
    sent, got = hashlib.sha256(), hashlib.sha256()
    block = os.urandom(1024 * 1024)

    def send() -> None:
        made, _ = far.accept()
        with made:
            for number in range(size // len(block)):
                piece = number.to_bytes(8, "big") + block[8:]
                sent.update(piece)
                made.sendall(piece)

    before = _resident(scene)
    with far, tunnelling(scene, "-L", f"{port}:127.0.0.1:{far.getsockname()[1]}"):
        sender = threading.Thread(target=send)
        sender.start()
        with socket.create_connection(("127.0.0.1", port)) as near:
            count = 0
            while piece := near.recv(1 << 20):
                got.update(piece)
                count += len(piece)
        sender.join(60)
        assert count == size
        assert got.digest() == sent.digest()
        assert _resident(scene) - before < 40 * 1024 * 1024


def _resident(scene: SshScene) -> int:
    status = Path(f"/proc/{scene.gateway.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextlib.contextmanager
def agent(folder: Path) -> Iterator[tuple[str, str]]:
    """An agent with one key: its socket and the key's comment."""
    path = folder / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        until(path.exists, what="the agent")
        key = make_key(folder / "agent_key")
        subprocess.run(["ssh-add", "-q", str(key)], env={**os.environ, "SSH_AUTH_SOCK": str(path)}, check=True)
        yield (
            str(path),
            subprocess.run(["ssh-keygen", "-lf", str(key)], capture_output=True, check=True, text=True).stdout.split()[
                1
            ],
        )
    finally:
        process.terminate()
        process.wait()


def _with_agent(
    scene: SshScene, principal: str, path: str, *command: str, connection: str = "web-1"
) -> subprocess.CompletedProcess[bytes]:
    options = scene.arguments("-A", "-o", "PubkeyAuthentication=no")
    return subprocess.run(
        [*options, scene.target(principal, connection), *command],
        env={**scene.environment(principal), "SSH_AUTH_SOCK": path},
        capture_output=True,
        timeout=90,
        stdin=subprocess.DEVNULL,
    )


def test_the_agent_is_lent_where_policy_permits(scene: SshScene, tmp_path: Path) -> None:
    with agent(tmp_path) as (path, fingerprint):
        done = _with_agent(scene, "alice", path, "ssh-add -l")
        assert done.returncode == 0, done.stderr
        assert fingerprint.encode() in done.stdout


def test_the_agent_is_not_lent_otherwise_and_the_program_runs(scene: SshScene, tmp_path: Path) -> None:
    with agent(tmp_path) as (path, _):
        done = _with_agent(scene, "mallory", path, 'echo ran; test -z "$SSH_AUTH_SOCK" && echo none')
        assert done.stdout == b"ran\nnone\n"
        assert b"interpose: " in done.stderr


def test_through_a_jump(scene: SshScene, places: Places) -> None:
    proxy = " ".join([*scene.arguments("-W", "%h:%p"), "alice@127.0.0.1"])
    port = free_port()
    client = scene.start_ssh(
        "alice",
        "echo up; cat",
        connection="",
        options=("-o", f"ProxyCommand={proxy}", "-o", "HostName=web-1", "-L", f"{port}:127.0.0.1:{places.port}"),
    )
    assert client.stdout is not None
    assert client.stdout.readline() == b"up\n"
    assert exchange(("127.0.0.1", port), b"jumped") == b"jumped<end>"
