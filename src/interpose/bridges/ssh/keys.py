"""Whether a client has the private key of what it offers. Who has that key is asked elsewhere."""

from __future__ import annotations

import asyncssh
from asyncssh.public_key import decode_ssh_certificate, decode_ssh_public_key

from interpose.bridges.ssh.algorithms import SIGNATURES

_CERTIFICATE = b"-cert-v01@openssh.com"


def is_certificate(blob: bytes) -> bool:
    """Whether this is an OpenSSH certificate, by the name of its type (PROTOCOL.certkeys)."""
    return _first(blob).endswith(_CERTIFICATE)


def verified(blob: bytes, signed: bytes, signature: bytes) -> bool:
    """Whether this key, or the key of this certificate, made the signature, by an algorithm that is not broken."""
    if _first(signature) not in _TAKEN:
        return False
    try:
        key: asyncssh.SSHKey = decode_ssh_certificate(blob).key if is_certificate(blob) else decode_ssh_public_key(blob)
    except (asyncssh.KeyImportError, ValueError):
        return False
    return key.verify(signed, signature)


_TAKEN = frozenset(name.encode() for name in SIGNATURES)


def _first(blob: bytes) -> bytes:
    """The first string in SSH's form (RFC 4251 §5): the name of a key's type, or of a signature's algorithm."""
    length = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + length]
