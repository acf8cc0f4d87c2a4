"""Signatures of clients, and the gateway's own host key."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncssh
import pytest

from interpose.bridges.ssh.host_key import make_host_key, read_host_key
from interpose.bridges.ssh.keys import is_certificate, verified
from interpose.model.errors import ConfigurationError


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("ssh-ed25519", b"ssh-ed25519"),
        ("ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp256"),
        ("ssh-rsa", b"rsa-sha2-256"),
        ("ssh-rsa", b"rsa-sha2-512"),
    ],
)
def test_a_signature_counts_for_its_key_and_its_data(kind: str, algorithm: bytes) -> None:
    key, other = asyncssh.generate_private_key(kind), asyncssh.generate_private_key(kind)
    signature = key.sign(b"data", algorithm)
    assert verified(key.public_data, b"data", signature)
    assert not verified(key.public_data, b"date", signature)
    assert not verified(other.public_data, b"data", signature)


def test_a_broken_algorithm_proves_nothing() -> None:
    key = asyncssh.generate_private_key("ssh-rsa")
    assert not verified(key.public_data, b"data", key.sign(b"data", b"ssh-rsa"))


def test_a_certificate_is_verified_by_the_key_in_it() -> None:
    authority, key = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    blob = authority.generate_user_certificate(key, "alice", principals=["alice"]).public_data
    assert is_certificate(blob)
    assert verified(blob, b"data", key.sign(b"data", b"ssh-ed25519"))
    assert not verified(blob, b"data", authority.sign(b"data", b"ssh-ed25519"))
    assert not is_certificate(key.public_data)


@pytest.mark.parametrize("blob", [b"", b"\0", b"\xff" * 40, b"\0\0\0\x0bssh-ed25519"])
def test_any_bytes_are_no_proof(blob: bytes) -> None:
    assert not verified(blob, b"data", blob)
    assert not verified(blob, b"data", b"\0\0\0\x0bssh-ed25519\0\0\0\x01x")


def test_a_host_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "ssh_host_key"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: make_host_key(path), range(8)))
    made = path.read_bytes()
    make_host_key(path)
    assert path.read_bytes() == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["ssh_host_key"]
    assert read_host_key(path).get_algorithm() == "ssh-ed25519"


def test_a_host_key_that_is_weak_open_or_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_host_key(path)
    for text in (
        b"nonsense",
        asyncssh.generate_private_key("ssh-rsa", key_size=2048).export_private_key(),
        asyncssh.generate_private_key("ssh-ed25519").export_private_key("pkcs8-pem", passphrase="secret"),
    ):
        path.write_bytes(text)
        path.chmod(0o600)
        with pytest.raises(ConfigurationError):
            read_host_key(path)
    make_host_key(tmp_path / "good")
    (tmp_path / "good").chmod(0o640)
    with pytest.raises(ConfigurationError, match="open to others"):
        read_host_key(tmp_path / "good")
