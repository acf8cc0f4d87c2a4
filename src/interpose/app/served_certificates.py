"""The TLS certificates that this worker shows, kept as their files are: a renewed one is served to whoever connects from then on.

A pair that cannot be used leaves the old one serving, and is told in the log, the audit chain, health and the answer of a reload.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from interpose.engine.ports import AuditChain
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import ConfigurationError, InterposeError, Problem
from interpose.net.certificates import ServerCertificate

LOOK: Final = 5.0
"""Seconds between two looks at the files."""

SOON: Final = 7 * 86400.0
"""Seconds before its end from which a certificate is warned of."""

Say = Callable[[str, dict[str, str | int]], None]


class ServedCertificates:
    """All of one worker's."""

    def __init__(self, audit: AuditChain, tell: Say, warn: Say, wall: Callable[[], float] = time.time) -> None:
        """None yet; `tell` and `warn` write the operator's log."""
        self._audit = audit
        self._wall = wall
        self._warned: set[tuple[str, str, str]] = set()
        self._tell = tell
        self._warn = warn
        self._served: dict[str, ServerCertificate] = {}
        self._looking = asyncio.Lock()

    def add(self, where: str, certificate: ServerCertificate) -> None:
        """Keep this one, which `where` shows."""
        self._served[where] = certificate
        self._warn_of(where, certificate)

    async def run(self, interval: float = LOOK) -> None:
        """Look every `interval` seconds, until cancelled."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.look()
            except InterposeError as error:
                # What could not be put into the audit chain is in the log at least.
                self._warn("certificates could not be looked at", {"why": str(error)})

    async def look(self) -> None:
        """Take in what has changed, and tell of it. Raises `RecordingError`."""
        async with self._looking:
            for where, certificate in self._served.items():
                before = certificate.leaf
                try:
                    changed = await asyncio.to_thread(certificate.look)
                except ConfigurationError as error:
                    self._warn("certificate rejected, the old one serves", {"where": where, "why": str(error)})
                    self._record(AuditKind.TLS_REJECTED, where, certificate)
                    continue
                # The roots of clients change it as well.
                if changed and certificate.leaf != before:
                    self._tell("certificate renewed", {"where": where, "expires_at": certificate.leaf.expires_at})
                    self._record(AuditKind.TLS_RENEWED, where, certificate)
            for where, certificate in self._served.items():
                self._warn_of(where, certificate)

    async def check(self) -> None:
        """Look now. Raises `ConfigurationError` with all that cannot be used as the files are, told before or not; `RecordingError`."""
        await self.look()
        faults = self.faults()
        if faults:
            raise ConfigurationError(
                "the configuration is loaded, and a renewed TLS certificate cannot be used; the old one goes on serving",
                problems=tuple(Problem(fault) for fault in faults),
                hint="put a PEM certificate chain and its unencrypted key in place, both of them",
            )

    def faults(self) -> list[str]:
        """What is wrong with the files as they were looked at last."""
        return [f"{where}: {each.fault}" for where, each in self._served.items() if each.fault is not None]

    def _warn_of(self, where: str, certificate: ServerCertificate) -> None:
        """Once when the end is near, and once when it is there: clients then refuse the gateway, and it hears nothing of why.

        So of a key that everybody may read: platforms mount keys like that, and a gateway that refused it would serve nobody.
        """
        leaf, left = certificate.leaf, certificate.leaf.expires_at - self._wall()
        if left <= SOON:
            event = "certificate ends soon" if left > 0 else "certificate has expired, clients refuse it"
            self._warn_once(where, leaf.fingerprint, event, {"expires_at": leaf.expires_at})
        if certificate.exposed:
            event = "the certificate's key is open to everybody on this machine"
            self._warn_once(where, leaf.fingerprint, event, {})

    def _warn_once(self, where: str, fingerprint: str, event: str, fields: dict[str, str | int]) -> None:
        told = (where, fingerprint, event)
        if told not in self._warned:
            self._warned.add(told)
            self._warn(event, {"where": where, **fields})

    def _record(self, kind: AuditKind, where: str, certificate: ServerCertificate) -> None:
        """`fingerprint` and `expires_at` are those of the certificate that serves."""
        leaf = certificate.leaf
        fields: dict[str, AuditValue] = {"where": where, "fingerprint": leaf.fingerprint, "expires_at": leaf.expires_at}
        self._audit.append(AuditEvent(kind, fields=fields))
