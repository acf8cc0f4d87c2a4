"""What a listener for SSH offers: the gateway's host key, its algorithms, and a client object for each connection."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

import asyncssh

from interpose.bridges.ssh import algorithms
from interpose.bridges.ssh.client import Client
from interpose.bridges.ssh.crowd import Crowd
from interpose.bridges.ssh.ends import ClientEnd
from interpose.bridges.ssh.upstream import available

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from interpose.bridges.ssh.arriving import Proven
    from interpose.bridges.ssh.parts import Parts

_VERSION: Final = "Interpose"


class SshService:
    """Welcomes accepted sockets."""

    def __init__(self, parts: Parts, host_keys: Sequence[asyncssh.SSHKey]) -> None:
        """`host_keys` are the gateway's own private keys."""
        # INVARIANT: the library writes no log: its lines hold commands, names and parts of what goes over the wire.
        logging.getLogger("asyncssh").disabled = True
        asyncssh.set_log_level(logging.CRITICAL + 1)
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._host_keys = list(host_keys)
        self._options = self._offer(self._host_keys)
        self._crowd = Crowd(_VERSION, parts.pending.make_room, self._begin, self._turned_away)

    @property
    def public_keys(self) -> list[str]:
        """The public half of each host key, one line each."""
        return [key.export_public_key().decode().strip() for key in self._host_keys]

    def certify(self, certificates: Sequence[str]) -> None:
        """From now on show these host certificates (one line each) beside the bare keys; connections that are open keep what they have."""
        pairs = [(key, line) for key in self._host_keys for line in certificates if _is_for(line, key)]
        shown = [(key, asyncssh.import_certificate(line)) for key, line in pairs]
        bare = [key for key in self._host_keys if key not in [certified for certified, _ in shown]]
        # The library shows the bare key of such a pair as well.
        self._options = self._offer([*shown, *bare])

    def _offer(self, host_keys: Sequence[object]) -> asyncssh.SSHServerConnectionOptions:
        return asyncssh.SSHServerConnectionOptions(
            loop=self._loop,
            config=None,
            server_host_keys=list(host_keys),
            server_version=_VERSION,
            authorized_client_keys=None,
            known_client_hosts=None,
            host_based_auth=False,
            gss_host=None,
            gss_kex=False,
            gss_auth=False,
            x509_trusted_certs=None,
            x509_trusted_cert_paths=[],
            agent_forwarding=False,
            x11_forwarding=False,
            allow_scp=False,
            encoding=None,
            kex_algs=available(algorithms.KEX),
            encryption_algs=list(algorithms.CIPHERS),
            mac_algs=list(algorithms.MACS),
            compression_algs=None,
            signature_algs=list(algorithms.SIGNATURES),
            keepalive_interval=self._parts.bounds.keepalive,
            # The client object has its own deadlines, for each step of the way.
            login_timeout=0,
        )

    async def welcome(self, sock: socket.socket) -> None:
        """Take an accepted socket; never waits for the client."""
        await self._crowd.arrive(sock)

    async def _begin(self, sock: socket.socket, peer: str) -> None:
        client = Client(self._parts, self._inside, peer=peer)
        if not client.arrival.take_place():
            sock.close()
            return
        try:
            await self._loop.connect_accepted_socket(lambda: ClientEnd(self._loop, self._options, lambda: client), sock)
        except OSError:
            # Gone between accept and here.
            client.arrival.gone()
            sock.close()

    def _turned_away(self, peer: str, reason: str) -> None:
        self._parts.journal.login_failed(peer, "ssh", reason)

    def _inside(self, proven: Proven) -> ClientEnd:
        """A client within a client's channel (`ssh -J`)."""
        return ClientEnd(self._loop, self._options, lambda: Client(self._parts, self._inside, proven))


def _is_for(line: str, key: asyncssh.SSHKey) -> bool:
    certificate = asyncssh.import_certificate(line)
    return bool(certificate.key.public_data == key.public_data)
