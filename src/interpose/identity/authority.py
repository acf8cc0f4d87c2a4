"""The built-in certificate authority: its roots in the state folder, made once and rotated, and what each is good for.

One file a root, `root-0001.pem` and so on: certificate and private key, for the gateway's user alone. The newest signs; an older one is
believed as long as a certificate of it can live, and loses its key. Knows nothing of principals. Sources: RFC 5280 §4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from interpose.identity.generations import Generations
from interpose.model.errors import StoreError

if TYPE_CHECKING:
    from interpose.engine.ports import Clock, Ids

FOLDER: Final = "authority"
"""The roots' folder within the state folder."""

LONGEST: Final = 24 * 3600.0
"""Seconds that a certificate lives at most."""

URI_HOST: Final = "principal"
"""The host of the name that a certificate carries, `interpose://principal/NAME`; the roots are constrained to it."""

SKEW: Final = 60.0
"""Seconds that a certificate is valid before it was made: clocks of gateways differ."""

_SETTLE: Final = 10.0
"""Seconds before a new root signs: by then every worker has looked at the folder and believes it."""

_ROOT_YEARS: Final = 10


@dataclass(frozen=True, slots=True)
class Root:
    """One root. `key` is None once the root signs no more."""

    number: int
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | None = field(repr=False)

    @property
    def made_at(self) -> float:
        """Wall-clock seconds."""
        return self.certificate.not_valid_before_utc.timestamp() + SKEW


class Authority:
    """The roots of one state folder, shared by every process that has it open. Blocking; reads the folder at every call."""

    def __init__(self, state: Path, clock: Clock, ids: Ids) -> None:
        """Touches nothing yet."""
        self._files = Generations(state / FOLDER, "root-", ".pem", ids)
        self._clock = clock
        self._ids = ids

    def ensure(self) -> None:
        """Make the first root when there is none; of two processes that do so at once one wins. Raises `StoreError`."""
        if not self.roots():
            self._add(1)

    def roots(self) -> Sequence[Root]:
        """Every root, oldest first; raises `StoreError` for one that is damaged or open to others."""
        return [_read(*each) for each in self._files.read()]

    def believed(self) -> Sequence[Root]:
        """The roots of which a certificate can be valid now, oldest first."""
        roots, now = self.roots(), self._clock.wall()
        # A root signs for a moment after the next one was made; what it then signed lives for LONGEST at most.
        last = _SETTLE + LONGEST + SKEW
        return [
            root
            for root, following in zip(roots, [*roots, None][1:], strict=True)
            if following is None or now < following.made_at + last
        ]

    def bundle(self) -> str:
        """The roots that are believed, as PEM."""
        return "".join(pem(root.certificate) for root in self.believed())

    def signer(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """The root that signs now, made when there is none; keys that are not needed any more are removed. Raises `StoreError`."""
        self.ensure()
        roots, now = self.roots(), self._clock.wall()
        settled = [root for root in roots if now >= root.made_at + _SETTLE] or [roots[0]]
        chosen = settled[-1]
        for root in settled[:-1]:
            if root.key is not None:
                self._files.write(root.number, pem(root.certificate), replace=True)
        if chosen.key is None:
            raise StoreError(
                "the certificate authority has lost its key", hint="make a new root with `interpose ca rotate`"
            )
        return chosen.certificate, chosen.key

    def rotate(self) -> Root:
        """Make a new root. It signs in a few seconds; the one before is believed until its last certificate has expired.

        INVARIANT: the new root appears whole, by one link of its file, or not at all. Raises `StoreError`.
        """
        roots = self.roots()
        return self._add(roots[-1].number + 1 if roots else 1)

    def _add(self, number: int) -> Root:
        made = self._made(number)
        assert made.key is not None
        secret = made.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        if self._files.write(number, pem(made.certificate) + secret.decode(), replace=False):
            return made
        if number == 1:
            return self.roots()[0]
        raise StoreError("somebody else is making a new root at this moment", hint="see `interpose ca show`")

    def _made(self, number: int) -> Root:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.fromtimestamp(self._clock.wall(), UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Interpose client certificates {number}")])
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        constraints = x509.NameConstraints([x509.UniformResourceIdentifier(URI_HOST)], None)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(serial_number(self._ids))
            .not_valid_before(now - timedelta(seconds=SKEW))
            .not_valid_after(now + timedelta(days=365 * _ROOT_YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(constraints, critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        return Root(number, certificate, key)


def pem(certificate: x509.Certificate) -> str:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def serial_number(ids: Ids) -> int:
    """A random serial number of 159 bits (RFC 5280 §4.1.2.2 allows 20 octets, positive)."""
    return int.from_bytes(ids.secret_bytes(20), "big") >> 1


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def client_usage() -> x509.KeyUsage:
    """What the key of a client's certificate may do: sign its handshake."""
    return _usage(signs_certificates=False)


def _read(number: int, path: Path, data: bytes) -> Root:
    try:
        certificate = x509.load_pem_x509_certificate(data)
        key = serialization.load_pem_private_key(data, None) if b"PRIVATE KEY" in data else None
    except ValueError as error:
        raise StoreError(
            "a root of the certificate authority is damaged", detail=str(path), hint="restore it from a backup"
        ) from error
    return Root(number, certificate, key if isinstance(key, ec.EllipticCurvePrivateKey) else None)
