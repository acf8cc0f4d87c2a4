"""The listeners of one worker, opened as the configuration says, and the cancels that come to any of them."""

from __future__ import annotations

from dataclasses import dataclass

from interpose.app.protocols import BRIDGES, relayed
from interpose.app.served_certificates import ServedCertificates
from interpose.app.settings import ListenerSettings, Settings
from interpose.app.ssh import SshListeners
from interpose.engine.ports import Bus
from interpose.engine.sessions import SessionRegistry
from interpose.identity.authority import Authority
from interpose.net.accepting import Acceptor
from interpose.net.admittance import Admittance
from interpose.net.cancels import Cancels
from interpose.net.certificates import ServerCertificate
from interpose.net.journal import Journal
from interpose.net.listener import Listener
from interpose.net.login import Service, SessionStarter
from interpose.net.options import ListenerOptions, SessionOptions
from interpose.net.pending import Pending
from interpose.net.sockets import listen

CANCEL_TOPIC = "sessions.cancel"
_ALPN = {"postgres": ("postgresql",)}


@dataclass(frozen=True, slots=True)
class ListenedWith:
    """What a listener hands its clients to, and what it tells."""

    admittance: Admittance
    starter: SessionStarter
    cancels: Cancels
    registry: SessionRegistry
    ssh: SshListeners
    authority: Authority
    journal: Journal
    session_options: SessionOptions
    bus: Bus
    certificates: ServedCertificates


class Listeners:
    """Opens what the configuration lists."""

    def __init__(self, settings: Settings, parts: ListenedWith) -> None:
        """Nothing is bound yet."""
        self._settings = settings
        self._parts = parts
        limits = settings.limits
        self._options = ListenerOptions(handshake_deadline=limits.handshake, max_pending=limits.handshakes)

    def open(self) -> list[Listener | Acceptor]:
        """Bind every listener; they accept when they are started. Raises `ConfigurationError`."""
        pending = Pending(self._options)
        return [self._open(each, pending) for each in self._settings.listeners]

    def _open(self, settings: ListenerSettings, pending: Pending) -> Listener | Acceptor:
        parts = self._parts
        if settings.protocol in BRIDGES:
            return parts.ssh.open(settings, pending, self._options)
        service = Service(
            relayed()[settings.protocol],
            self._certificate(settings),
            settings.allow_plaintext_tokens,
            settings.browser_login,
        )
        at = settings.address
        return Listener(
            listen(at.host, at.port, self._options.backlog, shared=self._settings.workers > 1),
            service,
            pending,
            admittance=parts.admittance,
            starter=parts.starter,
            cancels=parts.cancels,
            ask_cancel=self._ask_cancel,
            journal=parts.journal,
            options=self._options,
            session_options=parts.session_options,
        )

    def _certificate(self, settings: ListenerSettings) -> ServerCertificate | None:
        """The listener's certificate, read again whenever its files change."""
        if settings.certificate is None or settings.key is None:
            return None
        clients = self._parts.authority.bundle if settings.client_certificates else lambda: ""
        certificate = ServerCertificate(
            settings.certificate, settings.key, alpn=_ALPN[settings.protocol], clients=clients
        )
        self._parts.certificates.add(f"listener {settings.address.host}:{settings.address.port}", certificate)
        return certificate

    def _ask_cancel(self, key: bytes) -> bool:
        """Cancel here, or let the other workers try: a cancel comes to any of them."""
        if self._parts.registry.cancel(key):
            return True
        self._parts.bus.publish(CANCEL_TOPIC, key.hex())
        return False

    async def hear_cancels(self) -> None:
        """Cancel what other workers were asked to, until cancelled."""
        async for payload in self._parts.bus.listen(CANCEL_TOPIC):
            self._parts.registry.cancel(bytes.fromhex(payload))
