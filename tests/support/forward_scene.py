"""A gateway for SSH whose policy knows forwards, and places to forward to: an echo server on TCP, one on a socket, and their counts."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.ssh_scene import SshScene
from tests.support.sshd import SshServer

FORWARDS: Final = """\
@id("ops-work")
permit (principal in Group::"ops", action in [Action::"connect", Action::"any_command", Action::"exec_dynamic"], resource);

@id("ops-tunnel")
permit (principal in Group::"ops", action in Action::"tunnel", resource);

@id("not-to-metadata")
@reason("the host's own metadata is for the host")
@hint("ask for a role instead")
forbid (principal, action == Action::"forward", resource) when { context.destination_kind == "metadata" };

@id("not-to-loopback-there")
forbid (principal, action == Action::"forward", resource in Connection::"no-shell") when { context.destination_kind == "loopback" };

@id("oncall-looks")
@approval("oncall")
@reason("what is tunnelled there is looked at")
forbid (principal, action in Action::"tunnel", resource in Connection::"held");

@id("no-sockets-of-docker")
forbid (principal, action, resource) when { resource is Path && resource.path like "*docker.sock" };

@id("strangers-come-in-and-run")
permit (principal in Group::"strangers", action in [Action::"connect", Action::"any_command", Action::"exec_dynamic"], resource);

@id("auditors-look")
permit (principal in Group::"auditors", action in Action::"gateway", resource);

@id("oncall-approves")
permit (principal in Group::"oncall", action == Action::"approve", resource);
"""
"""Alice tunnels, but not to metadata; what she tunnels on `held` waits for `oncall`; on `no-shell` no loopback. Mallory runs programs and tunnels nothing."""


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)
        # What a half-closed connection still gets.
        self.request.sendall(b"<end>")


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Places:
    """Where forwards lead."""

    def __init__(self, folder: Path) -> None:
        """Both servers run at once."""
        self.socket = folder / "echo.sock"
        self._tcp = _Tcp(("127.0.0.1", 0), _Echo)
        self._unix = _Unix(str(self.socket), _Echo)
        self.port = int(self._tcp.server_address[1])
        for server in (self._tcp, self._unix):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop both."""
        for server in (self._tcp, self._unix):
            server.shutdown()
            server.server_close()


@contextlib.contextmanager
def forward_scene(**more: object) -> Iterator[tuple[SshScene, Places]]:
    """A gateway in front of a real sshd, and places."""
    with tempfile.TemporaryDirectory(prefix="interpose-fwd-") as folder, SshServer() as server:
        places = Places(Path(folder))
        try:
            with SshScene(server, policy=FORWARDS, **more) as scene:  # type: ignore[arg-type]
                yield scene, places
        finally:
            places.close()


def exchange(address: tuple[str, int] | str, data: bytes, timeout: float = 30) -> bytes:
    """Send, end the sending half, and read to the end."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.settimeout(timeout)
        made.connect(address)
        made.sendall(data)
        made.shutdown(socket.SHUT_WR)
        found = b""
        while piece := made.recv(65536):
            found += piece
        return found
