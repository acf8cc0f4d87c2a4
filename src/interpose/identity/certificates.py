"""Client certificates: issued to a proven principal for a key that never leaves its owner, and checked at login.

A certificate is a record in the token store, by its digest: one that is not there is worth nothing, whoever signed it, and revocation and
expiry are those of a token. TLS has checked the chain and the possession of the key before anything here looks.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from interpose.engine.ports import TokenRecord
from interpose.identity.authority import LONGEST, SKEW, URI_HOST, Authority, client_usage, pem, serial_number
from interpose.identity.holder import holder
from interpose.identity.keeping import keep
from interpose.identity.names import canonical_name
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import AuthenticationError, ClientError
from interpose.model.ids import TokenId
from interpose.model.principal import Identity

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain, Clock, Ids, PrincipalSource, TokenStore

_WRONG: Final = "authentication failed"
_SHORTEST_RSA: Final = 2048


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was just made. `expires_at` is wall-clock seconds; nothing in it is secret."""

    certificate: str
    serial: str
    principal: str
    expires_at: float


class Certificates:
    """Checks certificates at login."""

    def __init__(self, store: TokenStore, principals: Callable[[], PrincipalSource], clock: Clock) -> None:
        """`principals` gives the current snapshot's."""
        self._store = store
        self._principals = principals
        self._clock = clock

    async def identify(self, claimed_name: str, certificate: bytes) -> Identity:
        """Who this is, by a certificate (DER) that TLS has verified; raises `AuthenticationError` or `StoreError`.

        INVARIANT: the certificate counts for the principal that it was issued to, and for no other name.
        """
        record = await self._store.find(certificate_digest(certificate))
        if record is None:
            raise AuthenticationError(_WRONG, detail="certificate_unknown")
        name = canonical_name(claimed_name) or ""
        if not hmac.compare_digest(name.encode(), record.principal.encode()):
            raise AuthenticationError(_WRONG, detail="certificate_of_another")
        now = self._clock.wall()
        if record.revoked_at is not None:
            raise AuthenticationError(_WRONG, detail="certificate_revoked")
        if record.expires_at is None or now >= record.expires_at:
            raise AuthenticationError(_WRONG, detail="certificate_expired")
        if now < record.created_at - SKEW:
            raise AuthenticationError(_WRONG, detail="certificate_not_yet_valid")
        principal, fault = holder(self._principals(), record)
        if principal is None:
            raise AuthenticationError(_WRONG, detail=fault)
        return Identity(
            principal,
            "certificate",
            record.id,
            record.expires_at,
            record.provider,
            record.subject,
            record.context,
            connections=record.connections,
        )


class CertificateIssuer:
    """Makes certificates; each is in the audit chain before it exists."""

    def __init__(self, authority: Authority, store: TokenStore, audit: AuditChain, clock: Clock, ids: Ids) -> None:
        """All of one process."""
        self._authority = authority
        self._store = store
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def issue(self, identity: Identity, request: str, ttl: float, source: str) -> Issued:
        """A certificate for the key of a signing request (PEM); every name in the request is ignored.

        Lives `ttl` seconds, never longer than `LONGEST` nor past the credential that `identity` was proven with. Raises `ClientError`,
        `RecordingError` and `StoreError`.
        """
        key = _requested_key(request)
        now = self._clock.wall()
        # Whole seconds: the certificate has no finer ones, and the record must not outlive it.
        longest = min(ttl, LONGEST)
        if identity.expires_at is not None:
            longest = min(longest, identity.expires_at - now)
        until = float(int(now + longest))
        if until <= now:
            raise ClientError("a certificate must live longer than nothing", hint="give a duration such as `8h`")
        principal = identity.principal
        issuer, signing_key = await asyncio.to_thread(self._authority.signer)
        number = serial_number(self._ids)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, principal.name)]))
            .issuer_name(issuer.subject)
            .public_key(key)
            .serial_number(number)
            .not_valid_before(datetime.fromtimestamp(int(now - SKEW), UTC))
            .not_valid_after(datetime.fromtimestamp(until, UTC))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(client_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_uri(principal.name)]), critical=False)
            .add_extension(_issued_by(issuer), critical=False)
            .sign(signing_key, hashes.SHA256())
        )
        serial = f"{number:040x}"
        fields = {
            "serial": serial,
            "principal": principal.name,
            "acting_for": principal.acting_for,
            "expires_at": int(until),
            "method": identity.method,
            "token": identity.token,
            "source": source,
        }
        self._audit.append(AuditEvent(AuditKind.CERTIFICATE_ISSUED, None, principal.label, fields))
        record = certificate_record(identity, serial, now, until, "client certificate")
        digest = certificate_digest(certificate.public_bytes(serialization.Encoding.DER))
        await keep(self._store, digest, record, self._audit, AuditKind.CERTIFICATE_REVOKED, principal.label)
        return Issued(pem(certificate), serial, principal.name, until)


def certificate_record(identity: Identity, serial: str, now: float, until: float, description: str) -> TokenRecord:
    """What stands in the token store for a certificate of this identity: it ends with whatever the identity was proven by."""
    principal = identity.principal
    return TokenRecord(
        TokenId(serial),
        principal.name,
        now,
        until,
        None,
        description,
        principal.acting_for,
        principal.task,
        parent=identity.token,
        connections=identity.connections,
        provider=identity.provider,
        subject=identity.subject,
        context=identity.context,
    )


async def revoke_certificate(serial: str, by: str, store: TokenStore, audit: AuditChain, clock: Clock) -> bool:
    """Revoke by serial number; live sessions end within seconds. False when there is none such."""
    audit.append(AuditEvent(AuditKind.CERTIFICATE_REVOKED, None, by, {"serial": serial}))
    return await store.revoke(TokenId(serial), clock.wall())


def certificate_digest(der: bytes) -> bytes:
    """Under what a certificate is stored. No text of a token has this digest: it would begin with a NUL character."""
    return hashlib.sha256(b"\0interpose client certificate\0" + der).digest()


def new_request() -> tuple[str, bytes, bytes]:
    """On the client: a signing request (PEM) without any name, and its new private key as PEM and as PKCS #8 DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    form, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return (
        request.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(serialization.Encoding.PEM, form, bare),
        key.private_bytes(serialization.Encoding.DER, form, bare),
    )


def certificate_name(certificate: bytes) -> tuple[str, float]:
    """On the client: whose certificate (PEM) this is, and until when; raises `ClientError`."""
    try:
        made = x509.load_pem_x509_certificate(certificate)
        name = made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    except (ValueError, IndexError) as error:
        raise ClientError("this is no client certificate", hint="get one with `interpose credential issue`") from error
    return str(name), made.not_valid_after_utc.timestamp()


def _requested_key(request: str) -> ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey:
    try:
        parsed = x509.load_pem_x509_csr(request.encode())
        signed = parsed.is_signature_valid
        key = parsed.public_key()
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise ClientError("the signing request is not understood", hint="send a PKCS #10 request as PEM") from error
    if not signed:
        raise ClientError("the signing request is not signed by its own key", hint="make it anew")
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return key
    if isinstance(key, ed25519.Ed25519PublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SHORTEST_RSA
    ):
        return key
    raise ClientError(
        "keys of this kind are not certified", hint="use P-256, P-384, Ed25519 or RSA of 2048 bits or more"
    )


def _uri(name: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(f"interpose://{URI_HOST}/{quote(name, safe='')}")


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
