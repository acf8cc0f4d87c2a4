"""Packets: none but those that say something, and none is looked at behind what closed the connection."""

from __future__ import annotations

import asyncio
import os
import socket

import asyncssh
from asyncssh.constants import MSG_IGNORE

from interpose.bridges.ssh.ends import ClientEnd
from interpose.bridges.ssh.packets import PIECE
from interpose.model.actions import Action
from tests.support.ssh_pair import pair


async def test_only_a_sign_of_life_is_an_empty_packet() -> None:
    async with pair([Action.FORWARD]) as made:
        kinds: list[int] = []
        made.client.log_received_packet = lambda kind, *_: kinds.append(kind)  # type: ignore[method-assign]
        reader, writer = await made.connect()
        data = os.urandom(5 * PIECE)
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == data + b"<end>"
        assert kinds
        assert MSG_IGNORE not in kinds
        made.session.client.send_ignored()
        await made.until(lambda: kinds[-1] == MSG_IGNORE)
        assert kinds.count(MSG_IGNORE) == 1


async def test_nothing_is_parsed_behind_what_closed_the_connection() -> None:
    parsed: list[bool] = []

    class Watched(ClientEnd):
        def _recv_data(self) -> None:
            parsed.append(self._transport is not None)
            super()._recv_data()

    loop = asyncio.get_running_loop()
    key = asyncssh.generate_private_key("ssh-ed25519")
    offer = asyncssh.SSHServerConnectionOptions(loop=loop, config=None, server_host_keys=[key], login_timeout=0)
    ours, theirs = socket.socketpair()
    with theirs:
        _, end = await loop.connect_accepted_socket(lambda: Watched(loop, offer, asyncssh.SSHServer), ours)
        too_long = b"\xff" * 8
        end.data_received(b"SSH-2.0-x\r\n" + too_long + bytes(4 * PIECE))
        assert parsed == [True]
        await end.wait_closed()
