"""Running an HTTP application on a socket inside the gateway's own event loop: the admin API and the pages for people."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from interpose.app.slow_clients import Bounds
from interpose.model.connection import Address
from interpose.model.errors import ConfigurationError
from interpose.net.certificates import ServerCertificate
from interpose.net.sockets import telling

_CONCURRENT = 200
_FINISHING = 10
"""Seconds for what is under way when the server stops."""


class HttpServer:
    """One uvicorn server over a bound socket; signals are the app's business, not uvicorn's."""

    def __init__(
        self,
        name: str,
        application: ASGIApp,
        address: Address,
        certificate: Path | None,
        key: Path | None,
        bounds: Bounds | None = None,
    ) -> None:
        """Bind now, so that a port in use is told at start; raises `ConfigurationError`, for the certificate as well.

        `name` is the task's; `bounds` are for slow clients.
        """
        self.name = name
        self.certificate: ServerCertificate | None = None
        if certificate is not None and key is not None:
            # No ALPN, as uvicorn: it speaks HTTP/1.1 to everybody.
            self.certificate = ServerCertificate(certificate, key, alpn=())
        bounds = bounds or Bounds()
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            with telling(address.host, address.port):
                self._socket.bind((address.host, address.port))
        except ConfigurationError:
            self._socket.close()
            raise
        config = uvicorn.Config(
            application,
            http=bounds.protocol(),
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            # INVARIANT: the client's address is the socket's. A header that anybody can write never changes it.
            proxy_headers=False,
            timeout_keep_alive=5,
            limit_concurrency=_CONCURRENT,
            # Somebody who watches a session and does not read must not keep the gateway from stopping.
            timeout_graceful_shutdown=_FINISHING,
            lifespan="off",
            log_config=None,
        )
        self._server = _Server(config, bounds.head, None if self.certificate is None else self.certificate.server())
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Serve in a task of the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._server.serve([self._socket]), name=self.name)

    @property
    def serves(self) -> bool:
        """Whether it listens by now."""
        return self._server.started

    async def stop(self) -> None:
        """Finish what is under way, then stop."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, handshake: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self._handshake = handshake
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, with TLS of ours, and a deadline for it that is not the minute of asyncio's default."""
        await self.lifespan.startup()
        config, loop = self.config, asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]  # uvicorn's own protocols take these
                config=config, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )
            return made

        self.servers = [
            await loop.create_server(
                protocol,
                sock=each,
                ssl=self._tls,
                backlog=config.backlog,
                ssl_handshake_timeout=None if self._tls is None else self._handshake,
            )
            for each in sockets or ()
        ]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
