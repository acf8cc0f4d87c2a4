"""Metadata both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from interpose.identity.saml_metadata import own_metadata, read_metadata
from interpose.model.errors import ProviderError
from tests.support.saml import ADDRESS, DS, ENTITY, ISSUER, SIGN_IN, body, metadata, signer
from tests.support.saml_place import SamlPlace

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


def test_what_a_provider_says_of_itself(tmp_path: Path) -> None:
    file = metadata(tmp_path / "idp.xml", signer(0), signer(1), more=' validUntil="2099-01-01T00:00:00Z"')
    found = read_metadata(file)
    assert (found.entity, found.sign_in) == (ISSUER, SIGN_IN)
    assert [body(each) for each in found.certificates] == [body(signer(which).certificate) for which in (0, 1)]
    assert found.valid_until == 4070908800.0


def test_a_key_for_encryption_signs_nothing(tmp_path: Path) -> None:
    file = metadata(tmp_path / "idp.xml", signer(0), signer(1))
    first, second, rest = file.read_text().partition('use="signing"')
    file.write_text(f'{first}use="encryption"{rest}')
    assert second
    assert [body(each) for each in read_metadata(file).certificates] == [body(signer(1).certificate)]


def test_comments_of_a_file_do_no_harm(tmp_path: Path) -> None:
    file = metadata(tmp_path / "idp.xml")
    file.write_text(f"<?xml version='1.0'?><!-- made by hand -->{file.read_text()}")
    assert read_metadata(file).entity == ISSUER


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ("HTTP-Redirect", "HTTP-POST", "HTTP-Redirect"),
        (' entityID="', ' entity="', "entityID"),
        ('use="signing"', 'use="encryption"', "no certificate"),
        ("X509Certificate>MII", "X509Certificate>XII", "is none"),
        ("<md:EntityDescriptor", '<!DOCTYPE a SYSTEM "file:///etc/hostname"><md:EntityDescriptor', "xml_has_dtd"),
        (' entityID="', ' validUntil="tomorrow" entityID="', "no time"),
        (' entityID="', ' validUntil="2030-01-01T00:00:00" entityID="', "no time"),
    ],
)
def test_metadata_that_is_not_used(tmp_path: Path, was: str, becomes: str, why: str) -> None:
    file = metadata(tmp_path / "idp.xml")
    assert was in file.read_text()
    file.write_text(file.read_text().replace(was, becomes))
    with pytest.raises(ProviderError) as caught:
        read_metadata(file)
    assert why in caught.value.detail


def test_several_providers_in_a_file_are_too_many(tmp_path: Path) -> None:
    one = metadata(tmp_path / "idp.xml").read_text()
    (tmp_path / "two.xml").write_text(f'<x xmlns:md="{MD[1:-1]}">{one}{one}</x>')
    with pytest.raises(ProviderError) as caught:
        read_metadata(tmp_path / "two.xml")
    assert "describes 2" in caught.value.detail


def test_what_the_gateway_says_of_itself(tmp_path: Path) -> None:
    key = SamlPlace(tmp_path).key
    root = etree.fromstring(own_metadata(ENTITY, ADDRESS, key))
    assert root.get("entityID") == ENTITY
    role = root.find(f"{MD}SPSSODescriptor")
    assert (role.get("AuthnRequestsSigned"), role.get("WantAssertionsSigned")) == ("true", "true")
    (service,) = role.findall(f"{MD}AssertionConsumerService")
    assert (service.get("Location"), service.get("Binding")) == (
        ADDRESS,
        "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
    )
    uses = {
        each.get("use"): next(each.iter(f"{DS}X509Certificate")).text for each in role.findall(f"{MD}KeyDescriptor")
    }
    assert uses == dict.fromkeys(("signing", "encryption"), body(key.certificate))
    assert "PRIVATE" not in etree.tostring(root, encoding="unicode")
    assert not any("rsa-1_5" in each.get("Algorithm", "") for each in root.iter(f"{MD}EncryptionMethod"))
