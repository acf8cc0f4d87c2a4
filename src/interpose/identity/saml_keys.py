"""The gateway's own key towards SAML providers: it signs what is asked of them, and opens what they encrypt.

Its certificate is only the form in which metadata carries a public key: made of the key alone, the same at every start.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from interpose.model.errors import SecretError, StoreError

FILE: Final = "saml.key"
"""The file in the state folder in which a key is kept that was made here."""
MIN_BITS: Final = 2048
_MADE_BITS: Final = 3072
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """The key, and its certificate as PEM."""

    private: rsa.RSAPrivateKey = field(repr=False)
    certificate: str

    @property
    def pem(self) -> str:
        """The private key as PEM."""
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.private.private_bytes(serialization.Encoding.PEM, form, plain).decode()

    def sign(self, data: bytes) -> bytes:
        """RSA with SHA-256, PKCS #1 v1.5 (RFC 8017 §8.2)."""
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


def read_key(pem: str) -> ServiceKey:
    """The key in a PEM text; raises `SecretError`."""
    try:
        private = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SecretError(
            "the key for SAML is no private key", hint="give an RSA key as PEM, without a password"
        ) from None
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < MIN_BITS:
        raise SecretError("the key for SAML must be an RSA key", hint=f"of {MIN_BITS} bits or more")
    return ServiceKey(private, _certificate(private))


def load_or_make_key(folder: Path) -> ServiceKey:
    """The key of this state folder, made when there is none. Blocking. Raises `StoreError`.

    INVARIANT: the key appears whole, by one link of its file, or not at all.
    """
    path = folder / FILE
    try:
        if not path.exists():
            _make(path)
        return read_key(path.read_text("ascii"))
    except (OSError, UnicodeDecodeError, SecretError) as error:
        hint = "restore it from a backup, or delete it and give the new metadata to the providers"
        raise StoreError(f"`{path}` is no key that can be used", detail=str(error), hint=hint) from error


def _make(path: Path) -> None:
    key = ServiceKey(rsa.generate_private_key(65537, _MADE_BITS), "")
    made = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(key.pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(made)
        except FileExistsError:
            return  # another process was first: its key counts
    finally:
        made.unlink()


def _certificate(key: rsa.RSAPrivateKey) -> str:
    public = key.public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest = hashlib.sha256(public.public_bytes(serialization.Encoding.DER, form)).digest()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "interpose saml")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(int.from_bytes(digest[:8]) | 1)
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
