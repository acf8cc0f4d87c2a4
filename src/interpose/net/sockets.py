"""TCP sockets as the gateway wants them: options and listening. Linux first."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

from interpose.model.errors import ConfigurationError

KEEPALIVE_IDLE = 20
KEEPALIVE_INTERVAL = 10
KEEPALIVE_PROBES = 3
USER_TIMEOUT_MS = (KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_PROBES) * 1000
"""A peer that vanished is noticed within 50 s, whether the connection is quiet (probes) or data is on its way (RFC 5482)."""


def tune(sock: socket.socket) -> None:
    """Set what every connection of the gateway has: no delay, keepalive 20/10/3 and a matching user timeout."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


_HINTS = {
    errno.EADDRINUSE: "something listens there already, perhaps a gateway that still runs: stop it, or choose another port",
    errno.EADDRNOTAVAIL: "no interface of this machine has that address",
    errno.EACCES: "ports below 1024 need the capability CAP_NET_BIND_SERVICE: grant it, or choose a higher port",
}


@contextmanager
def telling(host: str, port: int) -> Iterator[None]:
    """An address that cannot be listened at is the operator's to choose: raises `ConfigurationError` with what to do."""
    try:
        yield
    except OSError as error:
        at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        why = os.strerror(error.errno) if error.errno in _HINTS else error.strerror or str(error)
        hint = _HINTS.get(error.errno or 0, "check the address in the configuration")
        raise ConfigurationError(f"the gateway cannot listen at `{at}`", detail=why, hint=hint) from error


def listen(host: str, port: int, backlog: int, *, shared: bool = False) -> list[socket.socket]:
    """Non-blocking listening sockets on every address that `host` means (empty: all); raises `ConfigurationError`.

    `shared` sets SO_REUSEPORT so that each worker has a socket of its own and the kernel deals connections out.
    Port 0 means any free one, the same for all addresses.
    """
    with telling(host, port):
        return _listen(host, port, backlog, shared=shared)


def _listen(host: str, port: int, backlog: int, *, shared: bool) -> list[socket.socket]:
    infos = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(infos):
            sock = socket.socket(family, kind, protocol)
            made.append(sock)
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            chosen = made[0].getsockname()[1] if port == 0 and len(made) > 1 else port
            sock.bind((address[0], chosen, *address[2:]))
            sock.listen(backlog)
    except BaseException:
        for sock in made:
            sock.close()
        raise
    return made


def free_port(host: str) -> int:
    """A port that nobody listens on at this moment; for workers that must all name the same one."""
    with closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port
