"""What is kept of a client that sends and sends before its keys may be exchanged."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import asyncssh
from asyncssh.packet import Boolean, Byte, NameList, String, UInt32

from interpose.bridges.ssh.ends import MOST_UNREAD_EARLY, ClientEnd

READ_AT_ONCE = 256 * 1024
"""The event loop hands on so many bytes at the most before it can be told to stop."""


class Waiting(asyncssh.SSHServer):
    """A client whose turn never comes."""

    def __init__(self) -> None:
        self.lines_up = asyncio.Event()
        self.lost = asyncio.Event()

    async def turn(self) -> None:
        self.lines_up.set()
        await self.lost.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


def kexinit() -> bytes:
    """A client's offer, in clear (RFC 4253 §7.1); what it offers is not looked at before its turn."""
    payload = Byte(20) + bytes(16) + NameList([b"x"]) * 10 + Boolean(False) + UInt32(0)
    padding = 16 - (5 + len(payload)) % 8
    return String(Byte(padding) + payload + bytes(padding))


async def test_a_client_that_waits_for_its_turn_is_read_no_further_than_a_bound() -> None:
    loop = asyncio.get_running_loop()
    key = asyncssh.generate_private_key("ssh-ed25519")
    offer = asyncssh.SSHServerConnectionOptions(loop=loop, config=None, server_host_keys=[key], login_timeout=0)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    owner: Any = Waiting()
    _, end = await loop.connect_accepted_socket(lambda: ClientEnd(loop, offer, lambda: owner), ours)
    try:
        await loop.sock_sendall(theirs, b"SSH-2.0-Flood\r\n" + kexinit())
        await owner.lines_up.wait()
        sent = 0
        while sent < 8 * 1024 * 1024:
            try:
                async with asyncio.timeout(0.5):
                    await loop.sock_sendall(theirs, bytes(65536))
            except TimeoutError:
                break
            sent += 65536
        assert sent < 8 * 1024 * 1024, "at some point nothing more is taken"
        assert len(end._inpbuf) <= MOST_UNREAD_EARLY + READ_AT_ONCE
    finally:
        end.abort()
        theirs.close()
        await owner.lost.wait()
