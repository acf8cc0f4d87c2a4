"""Certificates with which the gateway logs in at upstream SSH servers that trust its authority for upstreams: for one session, for minutes.

The key pair is made for the one login and forgotten with it; the upstream's own log then names session and person.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType

from interpose.identity.authority import SKEW
from interpose.identity.ssh_authority import UPSTREAM_SECONDS
from interpose.identity.ssh_certificates import EXTENSIONS, new_serial
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import ConfigurationError
from interpose.model.proofs import ProofError

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain, Clock, Ids
    from interpose.identity.ssh_authority import SshAuthority
    from interpose.model.principal import Principal
    from interpose.model.proofs import Grant

USUAL: Final = ("permit-port-forwarding", "permit-pty")
"""What the upstream is told to allow unless more is asked for; policy has decided on each use before."""

_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,62}")


@dataclass(frozen=True, slots=True)
class UpstreamCertificate:
    """A key pair (OpenSSH's own PEM) and its certificate (one line)."""

    private_key: bytes = field(repr=False)
    certificate: str


class UpstreamCertificates:
    """Makes them; each is in the audit chain before it exists."""

    def __init__(self, authority: SshAuthority, audit: AuditChain, clock: Clock, ids: Ids) -> None:
        """`authority` is that of upstreams."""
        self._authority = authority
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def issue(
        self, grant: Grant, principal: Principal, user: str, permits: Sequence[str] = USUAL
    ) -> UpstreamCertificate:
        """For the login that `grant` is the right to, into the account `user`; before the grant is spent, never after.

        Raises `ConfigurationError` for what is no name of an account, `RecordingError` and `StoreError`.
        """
        if grant.spent:
            raise ProofError("a certificate is made before its grant is spent")
        if not _ACCOUNT.fullmatch(user):
            raise ConfigurationError(f"`{user[:80]}` is no name of an account")
        if set(permits) - set(EXTENSIONS):
            raise ValueError("there is no such extension")
        authority, signing_key = await asyncio.to_thread(self._authority.signer)
        now = self._clock.wall()
        number = new_serial(self._ids)
        key = Ed25519PrivateKey.generate()
        builder = (
            SSHCertificateBuilder()
            .public_key(key.public_key())
            .serial(number)
            .type(SSHCertificateType.USER)
            .key_id(f"interpose {grant.session} {grant.connection} {principal.label}".encode())
            .valid_principals([user.encode()])
            .valid_after(int(now - SKEW))
            .valid_before(int(now + UPSTREAM_SECONDS))
        )
        for name in sorted(set(permits)):
            builder = builder.add_extension(name.encode(), b"")
        fields: dict[str, AuditValue] = {
            "certificate": "ssh upstream",
            "serial": f"{number:016x}",
            "connection": grant.connection,
            "user": user,
            "expires_at": int(now + UPSTREAM_SECONDS),
            "authority": authority.fingerprint,
        }
        self._audit.append(AuditEvent(AuditKind.CERTIFICATE_ISSUED, grant.session, principal.label, fields))
        return UpstreamCertificate(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
            ),
            builder.sign(signing_key).public_bytes().decode(),
        )
