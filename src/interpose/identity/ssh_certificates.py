"""User certificates for SSH: issued to a proven principal for a key that never leaves its owner, and checked at login.

As with client certificates for TLS, a certificate is a record in the token store, by its digest: one that is not there is worth nothing,
whoever signed it, and revocation and expiry are those of a token. What is in a certificate is checked all the same, field by field.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    SSHCertificate,
    SSHCertificateBuilder,
    SSHCertificateType,
    load_ssh_public_identity,
)

from interpose.identity.authority import LONGEST, SKEW
from interpose.identity.certificates import Issued, certificate_record
from interpose.identity.holder import holder
from interpose.identity.keeping import keep
from interpose.identity.names import canonical_name
from interpose.identity.ssh_authority import blob_of
from interpose.identity.ssh_certificate_form import USER, Form, option_text, read_certificate
from interpose.identity.ssh_keys import CERTIFIED_KINDS, MalformedError, PublicKey, read_public_key, read_public_line
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import AuthenticationError, ClientError
from interpose.model.principal import Identity

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain, Clock, Ids, PrincipalSource, TokenStore
    from interpose.identity.ssh_authority import SshAuthority

_WRONG: Final = "authentication failed"
_MOST_ADDRESSES: Final = 16
SOURCE_ADDRESS: Final = "source-address"
"""The one critical option that is understood: the addresses that the certificate is good from."""

EXTENSIONS: Final = ("permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty")
"""What policy could ever permit; policy decides on each. Not `permit-user-rc`: the gateway runs no file of a user's."""

CertifiedKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class SshKeys:
    """The port `SshIdentities`: checks certificates and registered keys at login."""

    def __init__(
        self, authority: SshAuthority, store: TokenStore, principals: Callable[[], PrincipalSource], clock: Clock
    ) -> None:
        """`principals` gives the current snapshot's."""
        self._authority = authority
        self._store = store
        self._principals = principals
        self._clock = clock

    async def by_certificate(self, claimed_name: str, blob: bytes, source: str) -> Identity:
        """Who this is, by a certificate; raises `AuthenticationError` or `StoreError`.

        INVARIANT: the certificate counts for the principal that it was issued to, and for no other name.
        """
        form = _understood(blob)
        now = self._clock.wall()
        believed = await asyncio.to_thread(self._authority.believed)
        if form.authority not in {root.public.blob for root in believed}:
            raise AuthenticationError(_WRONG, detail="ssh_certificate_of_another_authority")
        _check_signature(form, blob)
        if not form.valid_after - SKEW <= now:
            raise AuthenticationError(_WRONG, detail="ssh_certificate_not_yet_valid")
        if now >= form.valid_before:
            raise AuthenticationError(_WRONG, detail="ssh_certificate_expired")
        if not _is_from(source, form):
            raise AuthenticationError(_WRONG, detail="ssh_certificate_of_another_address")
        name = canonical_name(claimed_name) or ""
        record = await self._store.find(ssh_certificate_digest(blob))
        if record is None:
            raise AuthenticationError(_WRONG, detail="ssh_certificate_unknown")
        # An empty list would be good for anybody, as OpenSSH reads it.
        if form.principals != (record.principal,):
            raise AuthenticationError(_WRONG, detail="ssh_certificate_malformed")
        if not hmac.compare_digest(name.encode(), record.principal.encode()):
            raise AuthenticationError(_WRONG, detail="ssh_certificate_of_another")
        if record.revoked_at is not None:
            raise AuthenticationError(_WRONG, detail="ssh_certificate_revoked")
        if record.expires_at is None or now >= record.expires_at:
            raise AuthenticationError(_WRONG, detail="ssh_certificate_expired")
        principal, fault = holder(self._principals(), record)
        if principal is None:
            raise AuthenticationError(_WRONG, detail=fault)
        return Identity(
            principal,
            "ssh_certificate",
            record.id,
            record.expires_at,
            record.provider,
            record.subject,
            record.context,
            connections=record.connections,
        )

    async def by_public_key(self, claimed_name: str, blob: bytes) -> Identity:
        """Who this is, by a key that the principals file has for this very name; raises `AuthenticationError`."""
        try:
            key = read_public_key(blob)
        except MalformedError:
            raise AuthenticationError(_WRONG, detail="ssh_key_malformed") from None
        principals = self._principals()
        principal = principals.find(canonical_name(claimed_name) or "")
        if principal is None or key.fingerprint not in principal.ssh_keys:
            raise AuthenticationError(_WRONG, detail="ssh_key_unknown")
        if principal.acting_for is not None and principals.find(principal.acting_for) is None:
            raise AuthenticationError(_WRONG, detail="acting_for_nobody")
        return Identity(principal, "ssh_key", key=key.fingerprint)


class SshCertificateIssuer:
    """Makes user certificates; each is in the audit chain before it exists."""

    def __init__(self, authority: SshAuthority, store: TokenStore, audit: AuditChain, clock: Clock, ids: Ids) -> None:
        """All of one process."""
        self._authority = authority
        self._store = store
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def issue(
        self, identity: Identity, public_key: str, ttl: float, source: str, addresses: Sequence[str] = ()
    ) -> Issued:
        """A certificate for a public key (one line), good from `addresses` only when there are any.

        Lives `ttl` seconds, never longer than `LONGEST` nor past the credential that `identity` was proven with. Raises `ClientError`,
        `RecordingError` and `StoreError`.
        """
        key = certified_key(public_key)
        networks = _networks(addresses)
        now = self._clock.wall()
        longest = min(ttl, LONGEST)
        if identity.expires_at is not None:
            longest = min(longest, identity.expires_at - now)
        until = float(int(now + longest))
        if until <= now:
            raise ClientError("a certificate must live longer than nothing", hint="give a duration such as `8h`")
        principal = identity.principal
        _, signing_key = await asyncio.to_thread(self._authority.signer)
        number = new_serial(self._ids)
        serial = f"{number:016x}"
        builder = (
            SSHCertificateBuilder()
            .public_key(key)
            .serial(number)
            .type(SSHCertificateType.USER)
            .key_id(f"{principal.label} {serial}".encode())
            .valid_principals([principal.name.encode()])
            .valid_after(int(now - SKEW))
            .valid_before(int(until))
        )
        if networks:
            builder = builder.add_critical_option(SOURCE_ADDRESS.encode(), ",".join(networks).encode())
        for name in EXTENSIONS:
            builder = builder.add_extension(name.encode(), b"")
        line = builder.sign(signing_key).public_bytes().decode()
        fields = {
            "certificate": "ssh user",
            "serial": serial,
            "principal": principal.name,
            "acting_for": principal.acting_for,
            "expires_at": int(until),
            "method": identity.method,
            "token": identity.token,
            "source": source,
            "addresses": networks,
        }
        self._audit.append(AuditEvent(AuditKind.CERTIFICATE_ISSUED, None, principal.label, fields))
        record = certificate_record(identity, serial, now, until, "SSH certificate")
        digest = ssh_certificate_digest(blob_of(line))
        await keep(self._store, digest, record, self._audit, AuditKind.CERTIFICATE_REVOKED, principal.label)
        return Issued(line, serial, principal.name, until)


def ssh_certificate_digest(blob: bytes) -> bytes:
    """Under what a certificate is stored. No text of a token and no other certificate has this digest."""
    return hashlib.sha256(b"\0interpose ssh certificate\0" + blob).digest()


def new_serial(ids: Ids) -> int:
    """A random serial number, never 0: that is what certificates without one have."""
    return int.from_bytes(ids.secret_bytes(8), "big") or 1


def certified_key(line: str) -> CertifiedKey:
    """The key in a line, if it may be certified; raises `ClientError`."""
    try:
        key: PublicKey = read_public_line(line)
        loaded = serialization.load_ssh_public_key(key.line.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ClientError(
            "the public key is not understood", detail=str(error), hint="send one line, as in `ssh-ed25519 AAAA…`"
        ) from error
    if key.kind not in CERTIFIED_KINDS or not isinstance(
        loaded, (ed25519.Ed25519PublicKey, ec.EllipticCurvePublicKey, rsa.RSAPublicKey)
    ):
        raise ClientError("keys of this kind are not certified", hint=f"use one of {', '.join(CERTIFIED_KINDS)}")
    return loaded


def _understood(blob: bytes) -> Form:
    """A user certificate with nothing in it that is not understood; raises `AuthenticationError`."""
    try:
        form = read_certificate(blob)
        if form.signature_kind != "ssh-ed25519" or form.key.kind not in CERTIFIED_KINDS:
            raise MalformedError("no certificate of ours")
        if any(option_text(value) == "" for value in form.options.values()) or any(form.extensions.values()):
            raise MalformedError("an option without a value, or an extension with one")
    except MalformedError:
        raise AuthenticationError(_WRONG, detail="ssh_certificate_malformed") from None
    if form.purpose != USER:
        raise AuthenticationError(_WRONG, detail="ssh_certificate_of_a_host")
    # INVARIANT: `critical` means that whoever does not do as the option says must refuse; `force-command` is not done here.
    if set(form.options) - {SOURCE_ADDRESS} or set(form.extensions) - set(EXTENSIONS):
        raise AuthenticationError(_WRONG, detail="ssh_certificate_option")
    return form


def _check_signature(form: Form, blob: bytes) -> None:
    try:
        loaded = load_ssh_public_identity(f"{form.kind} {base64.b64encode(blob).decode()}".encode())
        if not isinstance(loaded, SSHCertificate):
            raise InvalidSignature
        loaded.verify_cert_signature()
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        raise AuthenticationError(_WRONG, detail="ssh_certificate_signature") from None


def _is_from(source: str, form: Form) -> bool:
    """Whether the client comes from where the certificate is good."""
    given = form.options.get(SOURCE_ADDRESS)
    if given is None:
        return True
    try:
        address = ipaddress.ip_address(source.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        networks = [ipaddress.ip_network(each) for each in option_text(given).split(",")]
    except ValueError:
        return False
    return any((mapped or address) in network for network in networks)


def _networks(addresses: Sequence[str]) -> tuple[str, ...]:
    if len(addresses) > _MOST_ADDRESSES:
        raise ClientError(f"a certificate is bound to at most {_MOST_ADDRESSES} addresses")
    try:
        return tuple(str(ipaddress.ip_network(each)) for each in addresses)
    except ValueError as error:
        raise ClientError(
            "an address is not understood", detail=str(error), hint="write `192.0.2.7` or `192.0.2.0/24`"
        ) from error
