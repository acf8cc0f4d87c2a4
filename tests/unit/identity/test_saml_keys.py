"""The gateway's key towards SAML providers: made once, for the gateway's user alone, with a certificate that stays the same."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from interpose.identity.saml_keys import FILE, load_or_make_key, read_key
from interpose.model.errors import SecretError, StoreError


def test_a_key_is_made_once(tmp_path: Path) -> None:
    key = load_or_make_key(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE]
    again = load_or_make_key(tmp_path)
    assert (again.pem, again.certificate) == (key.pem, key.certificate)
    assert key.private.key_size == 3072
    assert "PRIVATE" not in repr(key)


def test_a_damaged_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("half")
    with pytest.raises(StoreError) as caught:
        load_or_make_key(tmp_path)
    assert "restore it" in caught.value.hint
    assert (tmp_path / FILE).read_text() == "half"


def test_keys_that_are_not_taken() -> None:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    locked = serialization.BestAvailableEncryption(b"x")
    pem = serialization.Encoding.PEM
    small = rsa.generate_private_key(65537, 1024)
    for text in (
        "x",
        ec.generate_private_key(ec.SECP256R1()).private_bytes(pem, form, plain).decode(),
        small.private_bytes(pem, form, plain).decode(),
        small.private_bytes(pem, form, locked).decode(),
    ):
        with pytest.raises(SecretError):
            read_key(text)
