"""What no ordinary SSH client does: the gateway met by a client that says what the test wants, with a real sshd as the canary behind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncssh
import pytest
from asyncssh.packet import String, UInt32

from tests.support.scene import until
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


@pytest.fixture(scope="module")
def scene() -> Iterator[SshScene]:
    with SshServer() as server, SshScene(server) as made:
        yield made


@contextlib.asynccontextmanager
async def connected(
    scene: SshScene, principal: str = "alice", connection: str = "web-1", **more: object
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection that is logged in by a token."""
    wanted: dict[str, object] = {
        "username": f"{principal}+{connection}" if connection else principal,
        "password": await asyncio.to_thread(scene.token, principal),
        "known_hosts": None,
        "config": None,
        "client_keys": None,
        "agent_path": None,
        **more,
    }
    async with asyncssh.connect("127.0.0.1", scene.port, **wanted) as made:
        yield made


class Raw(asyncssh.SSHClientSession[bytes]):
    """A channel on which a test sends requests itself."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.status: int | None = None
        self.closed = asyncio.Event()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is None:
            self.out += data
        else:
            self.err += data

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


async def opened(
    made: asyncssh.SSHClientConnection, *, window: int = 1 << 20
) -> tuple[asyncssh.SSHClientChannel[bytes], Raw]:
    """A session channel that has asked for nothing yet."""
    channel: asyncssh.SSHClientChannel[bytes] = asyncssh.SSHClientChannel(
        made, asyncio.get_running_loop(), "strict", None, "strict", window, 32768
    )
    session = Raw()
    await channel._open(b"session")
    channel._session = session
    channel.resume_reading()
    return channel, session


async def over(session: Raw) -> None:
    async with asyncio.timeout(60):
        await session.closed.wait()


async def test_a_channel_runs_one_thing_only(scene: SshScene) -> None:
    canary = scene.server.folder / "second"
    async with connected(scene) as made:
        channel, session = await opened(made)
        assert await channel._make_request(b"exec", String("cat"))
        for request in (b"exec", b"subsystem"):
            assert not await channel._make_request(request, String(f"touch {canary}"))
        assert not await channel._make_request(b"shell")
        channel.write(b"the first one")
        channel.write_eof()
        await over(session)
    assert (session.status, session.out) == (0, b"the first one")
    assert not canary.exists()


@pytest.mark.parametrize(
    ("request_name", "payload"),
    [
        (b"break", UInt32(500)),
        (b"eow@openssh.com", b""),
        (b"exit-status", UInt32(0)),
        (b"something@example.com", String("anything")),
        (b"-shell", b""),
    ],
)
async def test_unknown_requests_are_refused_and_the_channel_goes_on(
    scene: SshScene, request_name: bytes, payload: bytes
) -> None:
    async with connected(scene) as made:
        channel, session = await opened(made)
        assert not await channel._make_request(request_name, payload)
        assert await channel._make_request(b"exec", String("echo on"))
        await over(session)
    assert (session.status, session.out) == (0, b"on\n")


async def test_unknown_channels_are_refused_and_the_connection_goes_on(scene: SshScene) -> None:
    async with connected(scene) as made:
        for kind in (
            b"tun@openssh.com",
            b"x11",
            b"auth-agent@openssh.com",
            b"forwarded-tcpip",
            b"something@example.com",
        ):
            channel: asyncssh.SSHClientChannel[bytes] = asyncssh.SSHClientChannel(
                made, asyncio.get_running_loop(), "strict", None, "strict", 1 << 20, 32768
            )
            with pytest.raises(asyncssh.ChannelOpenError):
                await channel._open(kind, UInt32(1) + UInt32(0) if kind.startswith(b"tun") else b"")
        done = await made.run("echo on", encoding=None)
        assert done.stdout == b"on\n"


async def test_an_empty_command_is_no_shell(scene: SshScene) -> None:
    async with connected(scene) as made:
        channel, session = await opened(made)
        await channel._make_request(b"exec", String(""))
        channel.write(b"echo ran\n")
        await over(session)
    assert (session.status, session.out) == (126, b"")
    assert b"empty" in session.err


async def test_a_command_that_is_no_text_is_refused_in_words(scene: SshScene) -> None:
    async with connected(scene) as made:
        channel, session = await opened(made)
        await channel._make_request(b"exec", String(b"echo \xff"))
        await over(session)
    assert session.status == 126
    assert b"UTF-8" in session.err


async def test_a_held_channel_that_is_closed_behind_its_input_voids_the_hold(scene: SshScene) -> None:
    async with connected(scene, connection="held") as made:
        channel, session = await opened(made)
        assert await channel._make_request(b"exec", String("cat >/dev/null # closed"))
        channel.write(b"x" * 100_000)
        approval = await asyncio.to_thread(scene.held, "alice", "# closed")
        channel.close()
        await over(session)
        assert await asyncio.to_thread(
            lambda: until(lambda: scene.events("approval.closed", approval=approval, state="cancelled"), 30)
        )


async def test_what_is_kept_of_a_held_channel_is_bounded(scene: SshScene) -> None:
    async with connected(scene, connection="held") as made:
        channel, session = await opened(made)
        assert await channel._make_request(b"exec", String("wc -c # bounded"))
        window = channel._send_window
        assert window <= 2 * 1024 * 1024
        channel.write(b"x" * (window + 500_000))
        approval = await asyncio.to_thread(scene.held, "alice", "# bounded")
        # The gateway grants nothing more while nothing is delivered: what is beyond its window stays with the client.
        assert channel.get_write_buffer_size() == 500_000
        assert channel._send_window == 0
        await asyncio.to_thread(scene.vote, "carol", approval)
        channel.write_eof()
        await over(session)
    assert session.out.strip() == str(window + 500_000).encode()


def _resident(scene: SshScene) -> int:
    """Bytes of memory that the gateway has."""
    status = Path(f"/proc/{scene.gateway.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


async def test_a_client_that_grants_a_huge_window_and_reads_nothing_fills_no_memory(scene: SshScene) -> None:
    async with connected(scene) as made:
        before = _resident(scene)
        channel, _ = await opened(made, window=1 << 30)
        marker = scene.server.folder / "sent"
        command = f"head -c 100000000 /dev/zero; touch {marker}"
        assert await channel._make_request(b"exec", String(command))
        made._transport.pause_reading()
        # Another connection is served meanwhile, so the gateway is not waiting for this one.
        assert (await asyncio.to_thread(scene.ssh, "alice", "echo served")).stdout == b"served\n"
        await asyncio.sleep(2)
        assert _resident(scene) - before < 48 * 1024 * 1024
        assert not marker.exists()
        made._transport.resume_reading()
        await asyncio.to_thread(until, marker.exists, 60, "the end of the output")


async def test_many_channels_are_refused_beyond_the_bound(scene: SshScene) -> None:
    async with connected(scene) as made:
        for _ in range(64):
            await opened(made)
        with pytest.raises(asyncssh.ChannelOpenError):
            await opened(made)


# --- logging in


async def test_none_is_no_proof(scene: SshScene) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        async with connected(scene, password=None):
            pass


class Renaming(asyncssh.SSHClient):
    """Says another name for its second attempt."""

    def __init__(self, right: str) -> None:
        self.right = right
        self.tries = 0
        self.end: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.end = conn

    def password_auth_requested(self) -> str | None:
        self.tries += 1
        if self.tries == 1:
            return "wrong"
        assert self.end is not None
        self.end._username = "alice+web-1"
        return self.right


async def test_a_user_name_does_not_change_between_attempts(scene: SshScene) -> None:
    right = await asyncio.to_thread(scene.token, "alice")
    client = Renaming(right)
    with pytest.raises(asyncssh.DisconnectError):
        async with connected(scene, "bob", password=None, client_factory=lambda: client, preferred_auth=["password"]):
            pass
    assert client.tries == 2


async def test_a_key_that_did_not_sign_proves_nobody(scene: SshScene) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    principals = scene.gateway.folder / "principals.yaml"
    before = principals.read_text()
    public = key.export_public_key().decode().strip()
    principals.write_text(before.replace("name: bob,", f"name: bob, ssh_keys: ['{public}'],"))
    try:
        await asyncio.to_thread(scene.gateway.interpose, "reload", token=scene.token("carol"))
        async with connected(scene, "bob", password=None, client_keys=[key], preferred_auth=["publickey"]) as made:
            assert (await made.run("echo by key", encoding=None)).stdout == b"by key\n"
        for other in (stranger,):
            with pytest.raises(asyncssh.PermissionDenied):
                async with connected(scene, "bob", password=None, client_keys=[other], preferred_auth=["publickey"]):
                    pass
        with pytest.raises(asyncssh.PermissionDenied):
            async with connected(scene, "alice", password=None, client_keys=[key], preferred_auth=["publickey"]):
                pass
        forged = _Forged(key, stranger)
        with pytest.raises(asyncssh.PermissionDenied):
            async with connected(scene, "bob", password=None, client_keys=[forged], preferred_auth=["publickey"]):
                pass
    finally:
        principals.write_text(before)


class _Forged(asyncssh.SSHKeyPair):
    """Offers one key and signs with another."""

    def __init__(self, shown: asyncssh.SSHKey, signs: asyncssh.SSHKey) -> None:
        super().__init__(
            b"ssh-ed25519", b"ssh-ed25519", shown.sig_algorithms, shown.sig_algorithms, shown.public_data, None
        )
        self._signs = signs

    def sign(self, data: bytes) -> bytes:
        return self._signs.sign(data, b"ssh-ed25519")


async def test_passwords_are_not_tried_for_ever(scene: SshScene) -> None:
    class Guessing(asyncssh.SSHClient):
        tries = 0

        def password_auth_requested(self) -> str:
            Guessing.tries += 1
            return "wrong"

    with pytest.raises(asyncssh.DisconnectError):
        async with connected(scene, "carol", password=None, client_factory=Guessing, preferred_auth=["password"]):
            pass
    assert Guessing.tries <= 7


def test_silent_clients_delay_nobody_and_are_closed(scene: SshScene) -> None:
    silent = [socket.create_connection(("127.0.0.1", scene.port)) for _ in range(50)]
    try:
        assert scene.ssh("alice", "echo served").stdout == b"served\n"
        deadline = time.monotonic() + 60
        for each in silent:
            each.settimeout(max(0.1, deadline - time.monotonic()))
            while each.recv(1000):
                pass
    finally:
        for each in silent:
            each.close()


def test_the_algorithms_are_modern_ones(scene: SshScene) -> None:
    program = "import sys; from ssh_audit.ssh_audit import main; sys.exit(main())"
    arguments = [sys.executable, "-c", program, "-n", "--skip-rate-test", "-p", str(scene.port), "127.0.0.1"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert "(kex) kex-strict-s-v00@openssh.com" in done.stdout, done.stdout + done.stderr
    assert "[fail]" not in done.stdout, done.stdout
    # Clients that know no post-quantum key exchange that the library has are let in by a classic one; nothing else is to be remarked.
    warnings = [line for line in done.stdout.splitlines() if "[warn]" in line]
    assert all("post-quantum" in line for line in warnings), done.stdout


def test_keys_are_exchanged_anew_on_the_way(scene: SshScene) -> None:
    data = b"x" * (20 * 1024 * 1024)
    done = scene.ssh("alice", "cat", options=("-o", "RekeyLimit=1M"), stdin=data, timeout=180)
    assert done.returncode == 0
    assert done.stdout == data


# --- upstreams


@pytest.mark.parametrize(
    ("connection", "words", "reason"),
    [
        ("misnamed", b"host key of `misnamed` is not the one that is pinned", "host_key_mismatch"),
        ("no-credential", b"refused the gateway's credential", "upstream_unavailable"),
        ("down", b"cannot be reached", "upstream_unavailable"),
    ],
)
def test_an_upstream_that_cannot_be_used_is_told(scene: SshScene, connection: str, words: bytes, reason: str) -> None:
    done = scene.ssh("alice", "echo never", connection=connection)
    assert (done.returncode, done.stdout) == (255, b"")
    assert words in done.stderr
    assert done.stderr.count(b"\n") == 1
    until(lambda: scene.events("session.closed", reason=reason), 30)
