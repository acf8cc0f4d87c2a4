"""On the client: a fresh SSH key pair in memory, and how it and its certificate are told to an agent or written to files.

Source: draft-miller-ssh-agent §3.2 (adding keys, constraints), OpenSSH's PROTOCOL.certkeys.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interpose.identity.ssh_authority import blob_of, public_key
from interpose.identity.ssh_certificate_form import Form, read_certificate
from interpose.identity.ssh_keys import MalformedError, packed
from interpose.model.errors import ClientError

_ADD_CONSTRAINED: Final = 25
_LIFETIME: Final = 1


class ClientKey:
    """A new Ed25519 key pair; the private half leaves this object towards the agent, or the file that was asked for."""

    def __init__(self) -> None:
        """Make it."""
        self._key = Ed25519PrivateKey.generate()
        self.public = public_key(self._key)

    def private_pem(self) -> bytes:
        """As OpenSSH's files have it, without a passphrase."""
        form = serialization.PrivateFormat.OpenSSH
        return self._key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    def checked(self, certificate: str) -> Form:
        """What a certificate says that was got for this key; raises `ClientError` when it is not for this key."""
        try:
            form = read_certificate(blob_of(certificate))
        except (MalformedError, ValueError, IndexError) as error:
            raise ClientError("the gateway's answer is no SSH certificate", detail=str(error)) from error
        if form.key != self.public:
            raise ClientError("the gateway's certificate is for another key")
        return form

    def agent_request(self, certificate: str, comment: str, seconds: int) -> bytes:
        """The message that adds key and certificate to an agent, which forgets them after `seconds`."""
        raw, form = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        public = self._key.public_key().public_bytes(raw, form)
        secret = self._key.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
        return b"".join(
            (
                bytes([_ADD_CONSTRAINED]),
                packed(b"ssh-ed25519-cert-v01@openssh.com"),
                packed(blob_of(certificate)),
                packed(public),
                packed(secret + public),
                packed(comment.encode()),
                bytes([_LIFETIME]),
                seconds.to_bytes(4, "big"),
            )
        )
