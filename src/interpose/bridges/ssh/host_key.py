"""The gateway's own host key: read from a file, or made once and shared by all workers and restarts."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

import asyncssh

from interpose.bridges.ssh.algorithms import HOST_KEY_TYPES
from interpose.model.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_LEAST_RSA_BITS = 3072


def make_host_key(path: Path) -> None:
    """Make an Ed25519 key there unless there is one; of several workers that begin at once one wins. Raises `OSError`."""
    if path.exists():
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(asyncssh.generate_private_key("ssh-ed25519", comment="interpose").export_private_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
    finally:
        beside.unlink()


def read_host_key(path: Path) -> asyncssh.SSHKey:
    """The private key in a file that nobody else may read; raises `ConfigurationError`."""
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the host key `{path}` cannot be read", detail=error.strerror or "", hint="check the path and its owner"
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"the host key `{path}` is open to others", hint=f"run `chmod 600 {path}`")
    try:
        key = asyncssh.import_private_key(data)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        raise ConfigurationError(
            f"the host key `{path}` is no private key that can be used",
            hint="make one without a passphrase: `ssh-keygen -t ed25519 -N '' -f FILE`",
        ) from None
    name = key.get_algorithm()
    if name not in HOST_KEY_TYPES or (name == "ssh-rsa" and _rsa_bits(key) < _LEAST_RSA_BITS):
        raise ConfigurationError(
            f"the host key `{path}` is too weak", hint="use Ed25519, ECDSA, or RSA of 3072 bits or more"
        )
    return key


def _rsa_bits(key: asyncssh.SSHKey) -> int:
    numbers = key.pyca_key
    return int(getattr(numbers, "key_size", 0))
