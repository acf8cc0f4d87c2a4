"""The client's side: a fresh key, and a certificate that must be for it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interpose.identity.ssh_authority import public_key
from interpose.identity.ssh_client import ClientKey
from interpose.identity.ssh_keys import Fields
from interpose.model.errors import ClientError
from tests.support.ssh_forge import Forged, line

CA = Ed25519PrivateKey.generate()


def certified(key: ClientKey) -> str:
    secret = serialization.load_ssh_private_key(key.private_pem(), None)
    assert isinstance(secret, Ed25519PrivateKey)
    return line(Forged(secret, 1, 2).signed(CA))


def test_every_key_is_new_and_its_file_is_its_own() -> None:
    key, other = ClientKey(), ClientKey()
    assert key.public != other.public
    secret = serialization.load_ssh_private_key(key.private_pem(), None)
    assert isinstance(secret, Ed25519PrivateKey)
    assert public_key(secret) == key.public


def test_a_certificate_for_another_key_is_not_taken() -> None:
    key = ClientKey()
    assert key.checked(certified(key)).principals == ("alice",)
    for text in (certified(ClientKey()), "", "nonsense", "ssh-ed25519 !!!", key.public.line):
        with pytest.raises(ClientError):
            key.checked(text)


def test_the_agent_is_told_how_long() -> None:
    key = ClientKey()
    fields = Fields(key.agent_request(certified(key), "a comment", 77))
    assert fields.number(1) == 25
    assert fields.text() == "ssh-ed25519-cert-v01@openssh.com"
    fields.string()
    public, secret = fields.string(), fields.string()
    assert (len(public), len(secret), secret[32:]) == (32, 64, public)
    assert (fields.text(), fields.number(1), fields.number(4)) == ("a comment", 1, 77)
    fields.end()
