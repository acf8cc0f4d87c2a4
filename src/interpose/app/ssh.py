"""SSH, wired: what its bridge uses of the engine, of the network side and of the state folder, and its listeners.

The bridge and its library are loaded when the first listener is opened: a gateway without one does without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

from interpose.app.settings import ListenerSettings, Settings
from interpose.app.ssh_identity import SshIdentity
from interpose.app.state import State
from interpose.app.telemetry import Telemetry
from interpose.engine.admit import Admission
from interpose.engine.confirming import Confirming
from interpose.engine.foresight import Foresight
from interpose.engine.ports import Secrets
from interpose.engine.release import Release
from interpose.engine.snapshot import Policy
from interpose.identity.ssh_hosts import HostCertificate
from interpose.model.errors import StoreError
from interpose.model.ids import SessionId
from interpose.net.accepting import Acceptor
from interpose.net.journal import place_of
from interpose.net.live import LiveSessions
from interpose.net.options import ListenerOptions
from interpose.net.pending import Pending
from interpose.net.sockets import listen, tune
from interpose.net.upstream import Dialer
from interpose.policy.bundle import PolicyBundle
from interpose.policy.rules import Rule

if TYPE_CHECKING:
    from interpose.bridges.ssh.parts import Parts
    from interpose.bridges.ssh.ports import Judge
    from interpose.bridges.ssh.service import SshService

HOST_KEY = "ssh_host_key"
"""The file of the state folder that has the gateway's host key, where no listener names another."""


class SshListeners:
    """Makes the listeners for SSH of one worker."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        identity: SshIdentity,
        admission: Admission,
        secrets: Secrets,
        dialer: Dialer,
        gate: Judge,
        release: Release,
        foresight: Foresight,
        live: LiveSessions,
        telemetry: Telemetry,
        confirming: Confirming | None,
    ) -> None:
        """Nothing listens yet. `confirming` None: no listener offers logins in a browser."""
        self._settings = settings
        self._journal = telemetry.journal
        self._hosts = identity.hosts
        self._warn = telemetry.warn
        self._named: list[tuple[SshService, tuple[str, ...]]] = []
        self._shown: list[tuple[SshService, str, HostCertificate]] = []

        def wire() -> Callable[[ListenerSettings, Pending], Parts]:
            from interpose.bridges.ssh.entering import LOGINS, Entrance
            from interpose.bridges.ssh.parts import Bounds, Parts
            from interpose.bridges.ssh.turns import Turns

            entrance = Entrance(
                admission,
                secrets,
                identity.upstreams,
                dialer.open_socket,
                telemetry.journal,
                settings.limits.dial,
                keepalive=settings.limits.keepalive,
                logins=max(1, LOGINS // settings.workers),
            )
            limits = settings.limits
            bounds = Bounds(handshake=limits.handshake, keepalive=limits.keepalive, write_stall=limits.write_stall)
            exchanges = Turns(bounds.exchanges)
            return lambda listener, pending: Parts(
                logins=identity.logins,
                entrance=entrance,
                gate=gate,
                release=release,
                foresight=foresight,
                live=live,
                pending=pending,
                exchanges=exchanges,
                journal=telemetry.journal,
                faults=self._fault,
                traffic=telemetry.traffic,
                choices=admission.choices,
                bounds=bounds,
                browser=listener.browser_login,
                confirm=confirming.confirm if confirming is not None else None,
            )

        self._wire = wire
        self._parts: Callable[[ListenerSettings, Pending], Parts] | None = None

    def _fault(self, session: SessionId | None, error: BaseException) -> None:
        self._journal.session_failed(session, place_of(error))

    def open(self, settings: ListenerSettings, pending: Pending, options: ListenerOptions) -> Acceptor:
        """One listener; raises `ConfigurationError` and `StoreError`."""
        from interpose.bridges.ssh.host_key import read_host_key
        from interpose.bridges.ssh.service import SshService

        if self._parts is None:
            self._parts = self._wire()  # one for all listeners
        service = SshService(self._parts(settings, pending), [read_host_key(self._host_key(settings))])
        if settings.public_names:
            self._named.append((service, settings.public_names))

        async def welcome(sock: socket) -> None:
            tune(sock)
            await service.welcome(sock)

        address = settings.address
        sockets = listen(address.host, address.port, options.backlog, shared=self._settings.workers > 1)
        return Acceptor(sockets, welcome, journal=self._journal, options=options)

    async def certify(self) -> None:
        """Give every listener that has names its host certificate, before anybody comes. Raises `StoreError` and `RecordingError`."""
        for service, names in self._named:
            key = service.public_keys[0]
            made = await self._hosts.issue(key, names)
            service.certify([made.line])
            self._shown.append((service, key, made))

    async def renew(self) -> None:
        """Renew the host certificates until cancelled."""
        async with asyncio.TaskGroup() as group:
            for service, key, made in self._shown:
                group.create_task(self._follow(service, key, made))

    async def _follow(self, service: SshService, key: str, made: HostCertificate) -> None:
        await self._hosts.follow(
            made,
            key,
            lambda renewed: service.certify([renewed.line]),
            lambda error: self._warn("the host certificate cannot be renewed, the old one serves", {"why": str(error)}),
        )

    def _host_key(self, settings: ListenerSettings) -> Path:
        if settings.host_key is not None:
            return settings.host_key
        from interpose.bridges.ssh.host_key import make_host_key

        path = self._settings.state / HOST_KEY
        try:
            make_host_key(path)
        except OSError as error:
            raise StoreError(f"the host key `{path}` cannot be made", detail=str(error)) from error
        return path


def rules_of(policy: Policy) -> Sequence[Rule]:
    """What a policy consists of; nothing for one that was not loaded from files."""
    return policy.rules if isinstance(policy, PolicyBundle) else ()
