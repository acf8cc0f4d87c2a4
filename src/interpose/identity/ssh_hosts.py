"""The gateway's host certificate: known_hosts then needs one line for all gateways, and no new one when a host key changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType

from interpose.identity.authority import SKEW
from interpose.identity.host_names import host_name
from interpose.identity.ssh_authority import HOST_SECONDS
from interpose.identity.ssh_certificates import certified_key, new_serial
from interpose.identity.ssh_keys import PublicKey, read_public_line
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import ClientError, RecordingError, StoreError

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain, Clock, Ids
    from interpose.identity.ssh_authority import SshAuthority

_LOOK: Final = 3600.0
"""Seconds between two looks at whether the certificate must be renewed; far less than what is left of its life then."""

_AGAIN: Final = 30.0


@dataclass(frozen=True, slots=True)
class HostCertificate:
    """A host certificate (one line). `valid_until` is wall-clock seconds, `authority` the key that signed it."""

    line: str
    names: tuple[str, ...]
    valid_until: float
    authority: PublicKey


class HostCertificates:
    """Makes and renews the gateway's host certificates; each is in the audit chain before it exists."""

    def __init__(self, authority: SshAuthority, audit: AuditChain, clock: Clock, ids: Ids) -> None:
        """`authority` is that of hosts."""
        self._authority = authority
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def issue(self, public_key: str, names: Sequence[str]) -> HostCertificate:
        """A certificate for a host key (one line) under these names; raises `ClientError`, `RecordingError` and `StoreError`.

        INVARIANT: there is a name: a host certificate without one is believed for every host in the world.
        """
        key = certified_key(public_key)
        checked = tuple(sorted({host_name(each) for each in names}))
        if not checked:
            raise ClientError("a host certificate needs a name", hint="give the names under which clients come")
        authority, signing_key = await asyncio.to_thread(self._authority.signer)
        now = self._clock.wall()
        until = float(int(now + HOST_SECONDS))
        number = new_serial(self._ids)
        builder = (
            SSHCertificateBuilder()
            .public_key(key)
            .serial(number)
            .type(SSHCertificateType.HOST)
            .key_id(f"interpose gateway {number:016x}".encode())
            .valid_principals([each.encode() for each in checked])
            .valid_after(int(now - SKEW))
            .valid_before(int(until))
        )
        fields: dict[str, AuditValue] = {
            "certificate": "ssh host",
            "serial": f"{number:016x}",
            "names": checked,
            "expires_at": int(until),
            "key": read_public_line(public_key).fingerprint,
            "authority": authority.fingerprint,
        }
        self._audit.append(AuditEvent(AuditKind.CERTIFICATE_ISSUED, None, "the gateway", fields))
        return HostCertificate(builder.sign(signing_key).public_bytes().decode(), checked, until, authority)

    async def due(self, made: HostCertificate) -> bool:
        """Whether it is time for another: half its life is over, or another key signs now. Raises `StoreError`."""
        authority, _ = await asyncio.to_thread(self._authority.signer)
        return self._clock.wall() >= made.valid_until - HOST_SECONDS / 2 or authority != made.authority

    async def follow(
        self,
        made: HostCertificate,
        public_key: str,
        take: Callable[[HostCertificate], None],
        warn: Callable[[Exception], None],
        interval: float = _LOOK,
    ) -> None:
        """Renew until cancelled; each new one is handed to `take`. What cannot be renewed now is tried again soon, for a week if need be."""
        while True:
            await asyncio.sleep(interval)
            try:
                if await self.due(made):
                    made = await self.issue(public_key, made.names)
                    take(made)
            except (StoreError, RecordingError) as error:
                warn(error)
                await asyncio.sleep(min(_AGAIN, interval))
