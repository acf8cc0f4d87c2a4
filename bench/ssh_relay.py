"""A bare SSH relay on asyncssh, to compare with: it takes anybody's key, judges nothing, records nothing, and copies channels.

    python -m bench.ssh_relay PORT UPSTREAM_PORT USER KEY HOST_KEY

It has the algorithms and the event loop of the gateway, so that what differs is what the gateway does beside relaying.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import asyncssh
import uvloop
from asyncssh.constants import EXTENDED_DATA_STDERR

from interpose.bridges.ssh import algorithms
from interpose.bridges.ssh.upstream import available


class _Upstream(asyncssh.SSHClientSession[bytes]):
    """The upstream's side of one channel."""

    def __init__(self, client: asyncssh.SSHServerChannel[bytes]) -> None:
        self.client = client
        self.channel: asyncssh.SSHClientChannel[bytes] | None = None

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self.channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if not self.client.is_closing():
            self.client.write(data, EXTENDED_DATA_STDERR if datatype else None)

    def eof_received(self) -> bool:
        if not self.client.is_closing():
            self.client.write_eof()
        return True

    def exit_status_received(self, status: int) -> None:
        self.client.exit(status)

    def pause_writing(self) -> None:
        self.client.pause_reading()

    def resume_writing(self) -> None:
        self.client.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.client.close()


class _Client(asyncssh.SSHServerSession[bytes]):
    """The client's side of one channel; it asks for the upstream's when it is told what to run."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._upstream: _Upstream | None = None
        self._term: tuple[str, tuple[int, int, int, int]] | None = None
        self._begun: asyncio.Task[None] | None = None
        self._early: list[bytes] = []
        self._ended_early = False

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def pty_requested(self, term_type: str | None, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        self._term = (term_type or "dumb", term_size)
        return True

    def shell_requested(self) -> bool:
        return self._begin(None, None)

    def exec_requested(self, command: str) -> bool:
        return self._begin(command, None)

    def subsystem_requested(self, subsystem: str) -> bool:
        return self._begin(None, subsystem)

    def _begin(self, command: str | None, subsystem: str | None) -> bool:
        self._begun = asyncio.get_running_loop().create_task(self._open(command, subsystem))
        return True

    async def _open(self, command: str | None, subsystem: str | None) -> None:
        client = self._channel
        assert client is not None
        upstream = await self._server.upstream()
        term, size = self._term or (None, (0, 0, 0, 0))
        # The library's own types know only texts here; bytes are what it hands on without an encoding.
        made: Any = await upstream.create_session(
            lambda: _Upstream(client),
            command if command is not None else (),
            subsystem=subsystem,
            encoding=None,
            term_type=term,
            term_size=size,
        )
        self._upstream = made[1]
        for piece in self._early:
            self.data_received(piece, None)
        if self._ended_early:
            self.eof_received()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self._upstream is not None and self._upstream.channel is not None:
            self._upstream.channel.write(data)
        else:
            self._early.append(data)

    def eof_received(self) -> bool:
        if self._upstream is not None and self._upstream.channel is not None:
            self._upstream.channel.write_eof()
        else:
            self._ended_early = True
        return True

    def pause_writing(self) -> None:
        if self._upstream is not None and self._upstream.channel is not None:
            self._upstream.channel.pause_reading()

    def resume_writing(self) -> None:
        if self._upstream is not None and self._upstream.channel is not None:
            self._upstream.channel.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._upstream is not None and self._upstream.channel is not None:
            self._upstream.channel.close()


class _Server(asyncssh.SSHServer):
    """One client's connection, and the upstream's that belongs to it."""

    def __init__(self, port: int, user: str, key: str) -> None:
        self._port, self._user, self._key = port, user, key
        self._connecting: asyncio.Task[asyncssh.SSHClientConnection] | None = None

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return True

    def auth_completed(self) -> None:
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            "127.0.0.1",
            self._port,
            config=None,
            known_hosts=None,
            username=self._user,
            client_keys=[self._key],
            agent_path=None,
            kex_algs=available(algorithms.UPSTREAM_KEX),
            encryption_algs=list(algorithms.CIPHERS),
            mac_algs=list(algorithms.UPSTREAM_MACS),
            compression_algs=None,
        )

    async def upstream(self) -> asyncssh.SSHClientConnection:
        assert self._connecting is not None
        return await asyncio.shield(self._connecting)

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        return _Client(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connecting is not None and self._connecting.done() and not self._connecting.exception():
            self._connecting.result().abort()


async def _serve(port: int, upstream: int, user: str, key: str, host_key: str) -> None:
    logging.getLogger("asyncssh").disabled = True
    asyncssh.set_log_level(logging.CRITICAL + 1)
    await asyncssh.listen(
        "127.0.0.1",
        port,
        config=None,
        server_factory=lambda: _Server(upstream, user, key),
        server_host_keys=[host_key],
        encoding=None,
        line_editor=False,
        kex_algs=available(algorithms.KEX),
        encryption_algs=list(algorithms.CIPHERS),
        mac_algs=list(algorithms.MACS),
        compression_algs=None,
        login_timeout=120,
    )
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    assert Path(arguments[3]).exists()
    uvloop.run(_serve(int(arguments[0]), int(arguments[1]), *arguments[2:]))
