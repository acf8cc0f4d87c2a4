"""Keeping a provider's refresh token where it can be read only with this gateway's key: AES-256-GCM, bound to what it is for."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from interpose.model.errors import SecretError

NONCE_BYTES: Final = 12
_CONTEXT: Final = b"interpose refresh token 1\0"


class Seal:
    """Seals and opens texts with one key."""

    def __init__(self, key: bytes) -> None:
        """32 random bytes."""
        if len(key) != 32:
            raise ValueError("a key is 32 bytes")
        self._cipher = AESGCM(key)

    def seal(self, text: str, bound_to: str, nonce: bytes) -> bytes:
        """The sealed text; `nonce` is 12 fresh random bytes."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError("a nonce is 12 random bytes")
        return nonce + self._cipher.encrypt(nonce, text.encode(), _CONTEXT + bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> str:
        """The text; raises `SecretError` when it was sealed with another key, for something else, or was changed."""
        try:
            text = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _CONTEXT + bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise SecretError("a stored refresh token cannot be read", hint="people sign in again") from error
        return text.decode()
