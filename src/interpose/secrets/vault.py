"""The encrypted store of credentials: one file, AES-256-GCM a secret, the key from elsewhere.

What is in the file: names, nonces, ciphertexts. The name is authenticated with each ciphertext, so that two entries cannot be
exchanged. Knows no connection and no grant (`sources.py` does).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from interpose.model.errors import SecretError
from interpose.secrets.files import read_private_file

KEY_BYTES = 32
"""Length of the key: AES-256."""

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""What a stored secret may be called."""

_NONCE_BYTES = 12
_CONTEXT = b"interpose secret v1\0"


def parse_key(text: str) -> bytes:
    """A key as it is written in a file or an environment variable: 32 bytes in base64. Raises `SecretError`."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SecretError(
            "the key of the secret store is not valid",
            hint="it is 32 random bytes in base64: `openssl rand -base64 32`",
        )
    return key


def load_key(reference: str, environment: Mapping[str, str]) -> bytes:
    """The key behind `env:NAME` or `file:/path`; raises `SecretError`."""
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        value = environment.get(name)
        if not value:
            raise SecretError("the key of the secret store is not set", detail=f"environment variable {name}")
        return parse_key(value)
    if kind == "file" and name:
        return parse_key(read_private_file(Path(name)))
    raise SecretError("the key of the secret store must be `env:NAME` or `file:/path`")


def make_key_file(path: Path, random: bytes) -> None:
    """Write a new key (32 random bytes) to a file that only its owner can read; raises `SecretError` when there is one."""
    if len(random) != KEY_BYTES:
        raise ValueError("a key is 32 random bytes")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(random).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SecretError("the key file cannot be made", detail=f"{path}: {error.strerror}") from error


class Vault:
    """Secrets by name. Several processes may use one file: writers take turns by a lock file, readers see whole states."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Nothing is read yet; the file is made with the first secret."""
        self._path = path
        self._cipher = AESGCM(key)

    def get(self, name: str) -> str:
        """A secret; raises `SecretError` when there is none such or the key is another one."""
        entry = self._load().get(name)
        if entry is None:
            raise SecretError("there is no such stored secret", detail=name, hint=f"run `interpose secret set {name}`")
        try:
            blob = base64.b64decode(entry, validate=True)
            return self._cipher.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], _CONTEXT + name.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SecretError(
                "a stored secret cannot be decrypted", detail=name, hint="check the key of the secret store"
            ) from error

    def set(self, name: str, value: str, nonce: bytes) -> None:
        """Store or replace a secret. `nonce` is 12 fresh random bytes. Raises `SecretError`."""
        if NAME.fullmatch(name) is None:
            raise SecretError("this is no name for a secret", detail=name, hint="use a-z, 0-9 and `. _ -`, at most 63")
        if not value:
            raise SecretError("a secret cannot be empty")
        if len(nonce) != _NONCE_BYTES:
            raise ValueError("a nonce is 12 random bytes")
        blob = nonce + self._cipher.encrypt(nonce, value.encode(), _CONTEXT + name.encode())
        with self._changing() as entries:
            entries[name] = base64.b64encode(blob).decode()

    def remove(self, name: str) -> bool:
        """Forget a secret; False when there is none such."""
        with self._changing() as entries:
            return entries.pop(name, None) is not None

    def names(self) -> tuple[str, ...]:
        """The names of all secrets."""
        return tuple(sorted(self._load()))

    def _load(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        try:
            stored = json.loads(read_private_file(self._path, limit=16 * 1024 * 1024))
            entries = stored["secrets"]
            if stored["version"] != 1 or not isinstance(entries, dict):
                raise ValueError("not a secret store")
            return {str(name): str(value) for name, value in entries.items()}
        except (ValueError, KeyError, TypeError) as error:
            raise SecretError("the secret store is damaged", detail=str(self._path)) from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, str]]:
        """The entries, written back as a whole file that replaces the old one."""
        lock_path = self._path.with_name(self._path.name + ".lock")
        new_path = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SecretError("the secret store cannot be written", detail=f"{self._path}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = self._load()
            yield entries
            new = os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(new, "w") as file:
                json.dump({"version": 1, "secrets": entries}, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            new_path.replace(self._path)
        except OSError as error:
            raise SecretError("the secret store cannot be written", detail=f"{self._path}: {error.strerror}") from error
        finally:
            os.close(lock)
