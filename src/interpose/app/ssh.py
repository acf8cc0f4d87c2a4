"""SSH, wired: what its bridge uses of the engine, of the network side and of the state folder, and its listeners."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from socket import socket

from interpose.app.settings import ListenerSettings, Settings
from interpose.app.state import State
from interpose.app.telemetry import Telemetry
from interpose.bridges.ssh.entering import Entrance
from interpose.bridges.ssh.host_key import make_host_key, read_host_key
from interpose.bridges.ssh.parts import Bounds, Parts
from interpose.bridges.ssh.ports import Judge
from interpose.bridges.ssh.service import SshService
from interpose.engine.admit import Admission
from interpose.engine.authenticate import Authentication
from interpose.engine.ports import Secrets
from interpose.engine.snapshot import SnapshotHolder
from interpose.engine.ssh_logins import SshLogins
from interpose.identity.ssh_authority import SshAuthority, SshRole
from interpose.identity.ssh_certificates import SshKeys
from interpose.model.errors import StoreError
from interpose.model.ids import SessionId
from interpose.net.accepting import Acceptor
from interpose.net.journal import place_of
from interpose.net.live import LiveSessions
from interpose.net.options import ListenerOptions
from interpose.net.pending import Pending
from interpose.net.sockets import listen, tune
from interpose.net.upstream import Dialer

HOST_KEY = "ssh_host_key"
"""The file of the state folder that has the gateway's host key, where no listener names another."""


class SshListeners:
    """Makes the listeners for SSH of one worker."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        holder: SnapshotHolder,
        authentication: Authentication,
        admission: Admission,
        secrets: Secrets,
        dialer: Dialer,
        gate: Judge,
        live: LiveSessions,
        telemetry: Telemetry,
    ) -> None:
        """Nothing listens yet."""
        self._settings = settings
        self._journal = telemetry.journal
        entrance = Entrance(admission, secrets, dialer.open_socket, telemetry.journal, settings.limits.dial)
        authority = SshAuthority(SshRole.USER, settings.state, state.clock, state.ids)
        identities = SshKeys(authority, state.tokens, lambda: holder.current.principals, state.clock)
        self._parts: Callable[[Pending], Parts] = lambda pending: Parts(
            logins=SshLogins(authentication, identities),
            entrance=entrance,
            gate=gate,
            live=live,
            pending=pending,
            journal=telemetry.journal,
            faults=self._fault,
            traffic=telemetry.traffic,
            choices=admission.choices,
            bounds=Bounds(handshake=settings.limits.handshake),
        )

    def _fault(self, session: SessionId | None, error: BaseException) -> None:
        self._journal.session_failed(session, place_of(error))

    def open(self, settings: ListenerSettings, pending: Pending, options: ListenerOptions) -> Acceptor:
        """One listener; raises `ConfigurationError`, `StoreError` and `OSError`."""
        service = SshService(self._parts(pending), [read_host_key(self._host_key(settings))])

        async def welcome(sock: socket) -> None:
            tune(sock)
            await service.welcome(sock)

        address = settings.address
        sockets = listen(address.host, address.port, options.backlog, shared=self._settings.workers > 1)
        return Acceptor(sockets, welcome, journal=self._journal, options=options)

    def _host_key(self, settings: ListenerSettings) -> Path:
        if settings.host_key is not None:
            return settings.host_key
        path = self._settings.state / HOST_KEY
        try:
            make_host_key(path)
        except OSError as error:
            raise StoreError(f"the host key `{path}` cannot be made", detail=str(error)) from error
        return path
