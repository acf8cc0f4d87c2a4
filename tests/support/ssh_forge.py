"""SSH certificates as nobody should make them: every field as the test wants it, signed by whoever is given."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interpose.identity.ssh_authority import public_key
from interpose.identity.ssh_keys import packed

ED25519 = b"ssh-ed25519-cert-v01@openssh.com"


def names(*each: bytes) -> bytes:
    """A list of strings, packed."""
    return b"".join(packed(one) for one in each)


def option(name: bytes, value: bytes = b"") -> bytes:
    """One option; its value is packed once more, as the form wants it, when there is any."""
    return packed(name) + packed(packed(value) if value else b"")


@dataclass(frozen=True)
class Forged:
    """The fields of a certificate for an Ed25519 key."""

    key: Ed25519PrivateKey
    valid_after: int
    valid_before: int
    kind: bytes = ED25519
    nonce: bytes = b"n" * 32
    serial: int = 7
    purpose: int = 1
    key_id: bytes = b"forged"
    principals: bytes = packed(b"alice")
    options: bytes = b""
    extensions: bytes = option(b"permit-pty")
    reserved: bytes = b""
    authority: bytes | None = None
    signature_kind: bytes = b"ssh-ed25519"
    behind: bytes = b""
    behind_signature: bytes = b""

    def but(self, **changes: object) -> Forged:
        """The same with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def signed(self, by: Ed25519PrivateKey) -> bytes:
        """The certificate's binary form."""
        key = public_key(self.key).blob[4 + len(b"ssh-ed25519") :]
        body = b"".join(
            (
                packed(self.kind),
                packed(self.nonce),
                key,
                self.serial.to_bytes(8, "big"),
                self.purpose.to_bytes(4, "big"),
                packed(self.key_id),
                packed(self.principals),
                self.valid_after.to_bytes(8, "big"),
                self.valid_before.to_bytes(8, "big"),
                packed(self.options),
                packed(self.extensions),
                packed(self.reserved),
                packed(public_key(by).blob if self.authority is None else self.authority),
            )
        )
        signature = packed(self.signature_kind) + packed(by.sign(body)) + self.behind_signature
        return body + packed(signature) + self.behind


def line(blob: bytes) -> str:
    """As a file holds it."""
    size = int.from_bytes(blob[:4], "big")
    return f"{blob[4 : 4 + size].decode()} {base64.b64encode(blob).decode()}"
