"""Forwards that no ordinary client or host asks for: data before anything is judged, floods behind a held request, channels that a hostile host opens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import asyncssh
import pytest
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_GLOBAL_REQUEST, MSG_REQUEST_FAILURE, MSG_REQUEST_SUCCESS
from asyncssh.packet import Boolean, String, UInt32

from interpose.bridges.ssh.ends import MOST_REQUESTS
from tests.support.forward_scene import FORWARDS, Places, forward_scene
from tests.support.gateway import free_port
from tests.support.scene import until
from tests.support.ssh_pair import Host
from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not have_sshd(), reason="openssh-server is not installed")]


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[SshScene, Places]]:
    with forward_scene() as both:
        yield both


@contextlib.asynccontextmanager
async def connected(
    scene: SshScene, principal: str = "alice", connection: str = "web-1", **more: object
) -> AsyncIterator[asyncssh.SSHClientConnection]:
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


@pytest.mark.parametrize("host", ["", "a b", "a/b", "bücher.example", "web.127", "256.1.1.1", "x" * 300])
async def test_what_is_no_host_is_refused_and_the_connection_goes_on(made: tuple[SshScene, Places], host: str) -> None:
    async with connected(made[0]) as client:
        with pytest.raises(asyncssh.ChannelOpenError) as caught:
            await client.open_connection(host, 80)
        assert caught.value.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
        assert caught.value.reason.startswith("interpose: ")
        assert (await client.run("echo on", encoding=None)).stdout == b"on\n"


async def test_a_socket_by_another_name_is_refused(made: tuple[SshScene, Places]) -> None:
    async with connected(made[0]) as client:
        for path in ("run/x", "/run/../run/x", "/run//x", "/run/docker.sock"):
            with pytest.raises(asyncssh.ChannelOpenError) as caught:
                await client.open_unix_connection(path)
            assert caught.value.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED


async def test_data_before_the_channel_is_open_ends_the_connection_and_reaches_nobody(
    made: tuple[SshScene, Places],
) -> None:
    scene, places = made
    async with connected(scene, connection="held") as client:
        opening = asyncio.ensure_future(client.open_connection("127.0.0.1", places.port))
        approval = await asyncio.to_thread(scene.held, "alice", f"forward to 127.0.0.1:{places.port}")
        # The number of the gateway's channel is easy to guess: it is the first one.
        client.send_packet(MSG_CHANNEL_DATA, UInt32(0), String(b"early"))
        await asyncio.wait_for(client.wait_closed(), 60)
        with pytest.raises((asyncssh.Error, OSError)):
            await opening
    assert await asyncio.to_thread(
        lambda: until(lambda: scene.events("approval.closed", approval=approval, state="cancelled"), 60)
    )


async def test_a_flood_of_requests_behind_a_held_one_ends_the_connection(made: tuple[SshScene, Places]) -> None:
    scene, _ = made
    async with connected(scene, connection="held") as client:
        port = free_port()
        asking = asyncio.ensure_future(client.start_server(lambda host, port: None, "127.0.0.1", port))
        await asyncio.to_thread(scene.held, "alice", f"listen on 127.0.0.1:{port}")
        for _ in range(MOST_REQUESTS + 10):
            client.send_packet(MSG_GLOBAL_REQUEST, String("other@example.com"), Boolean(False))
        await asyncio.wait_for(client.wait_closed(), 60)
        with contextlib.suppress(asyncssh.ChannelListenError, asyncssh.Error, OSError):
            await asking


async def test_questions_whether_it_is_there_are_answered_in_their_turn_behind_a_held_one(
    made: tuple[SshScene, Places],
) -> None:
    scene, _ = made
    async with connected(scene, connection="held") as client:
        port = free_port()
        asking = asyncio.ensure_future(client.start_server(lambda host, port: None, "127.0.0.1", port))
        approval = await asyncio.to_thread(scene.held, "alice", f"listen on 127.0.0.1:{port}")
        count = MOST_REQUESTS * 3
        asked = [asyncio.ensure_future(client._make_global_request(b"keepalive@openssh.com")) for _ in range(count)]
        unknown = asyncio.ensure_future(client._make_global_request(b"other@example.com"))
        last = asyncio.ensure_future(client._make_global_request(b"keepalive@openssh.com"))
        # All of them have arrived when a command that was asked for later is answered.
        assert (await client.run("echo on", encoding=None)).stdout == b"on\n"
        assert not any(each.done() for each in [*asked, unknown, last])
        assert (await asyncio.to_thread(scene.vote, "carol", approval))[0] == 200
        listener = await asyncio.wait_for(asking, 60)
        answers = await asyncio.wait_for(asyncio.gather(*asked, unknown, last), 60)
        assert [kind for kind, _ in answers] == [MSG_REQUEST_SUCCESS] * count + [
            MSG_REQUEST_FAILURE,
            MSG_REQUEST_SUCCESS,
        ]
        listener.close()


async def test_the_same_port_is_not_listened_on_twice(made: tuple[SshScene, Places]) -> None:
    async with connected(made[0]) as client:
        port = free_port()
        await client.start_server(lambda host, port: None, "127.0.0.1", port)
        with pytest.raises(asyncssh.ChannelListenError):
            await client.start_server(lambda host, port: None, "127.1", port)


class Hostile(Host):
    """A host that opens channels as soon as anything is run on it, and again later."""

    results: list[str] = []  # noqa: RUF012 -- one server, one list

    def __init__(self) -> None:
        super().__init__()
        self.program = self.attack

    async def attack(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Open a channel of every kind, whatever was asked for."""
        for kind, payload in (
            (b"auth-agent@openssh.com", b""),
            (b"x11", String("127.0.0.1") + UInt32(6000)),
            (b"forwarded-tcpip", String("") + UInt32(22) + String("127.0.0.1") + UInt32(1)),
            (b"forwarded-streamlocal@openssh.com", String("/run/x") + String("")),
            (b"direct-tcpip", String("127.0.0.1") + UInt32(22) + String("127.0.0.1") + UInt32(1)),
            (b"session", b""),
            (b"tun@openssh.com", UInt32(1) + UInt32(0)),
        ):
            try:
                await self.open(kind, payload)
                Hostile.results.append(f"{kind.decode()} opened")
            except asyncssh.ChannelOpenError as error:
                Hostile.results.append(f"{kind.decode()} {error.code}")
        process.stdout.write(b"done\n")
        process.exit(0)


async def test_a_hostile_host_opens_nothing() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    Hostile.results = []
    listening = await asyncssh.create_server(
        Hostile, "127.0.0.1", 0, server_host_keys=[key], encoding=None, reuse_port=False
    )
    port = listening.get_port()
    try:
        with contextlib.ExitStack() as stack:
            scene = await asyncio.to_thread(lambda: stack.enter_context(_in_front_of(port, key)))
            opened: list[str] = []
            async with connected(scene) as client:
                client._process_forwarded_tcpip_open = lambda packet: opened.append("tcp")  # type: ignore[method-assign,assignment,return-value]
                done = await asyncio.wait_for(client.run("attack"), 60)
            assert done.stdout == "done\n"
            assert opened == []
            assert [each.rpartition(" ")[2] for each in Hostile.results] == ["1"] * len(Hostile.results), (
                Hostile.results
            )
            assert len(Hostile.results) == 7
            await asyncio.to_thread(stack.close)
    finally:
        listening.close()


@contextlib.contextmanager
def _in_front_of(port: int, key: asyncssh.SSHKey) -> Iterator[SshScene]:
    class Fake(SshServer):
        """Nothing of sshd but its keys and folders."""

        @property
        def host_key(self) -> str:
            return " ".join(key.export_public_key().decode().split()[:2])

    server = Fake()
    server.port = port
    try:
        with SshScene(server, policy=FORWARDS) as scene:
            yield scene
    finally:
        server.close()
