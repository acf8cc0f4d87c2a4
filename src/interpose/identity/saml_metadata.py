"""Metadata both ways (SAML 2.0 Metadata): what a provider says of itself, read from a file, and what the gateway says of itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from interpose.identity.saml_keys import MIN_BITS, ServiceKey
from interpose.identity.saml_xml import CONTENT_CIPHERS, DS, KEY_CIPHERS, read
from interpose.model.errors import AuthenticationError, ProviderError

MD: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


@dataclass(frozen=True, slots=True)
class IdentityProviderMetadata:
    """One provider. `certificates` are PEM: only their keys count, not their dates. `valid_until`: wall clock, None for no end.

    `digest` is of the file (SHA-256, hexadecimal).
    """

    entity: str
    sign_in: str
    certificates: tuple[str, ...]
    valid_until: float | None
    digest: str = ""


def read_metadata(path: Path) -> IdentityProviderMetadata:
    """The one identity provider that a file describes. Blocking. Raises `ProviderError` whose `detail` says what is wrong."""
    try:
        data = path.read_bytes()
        root = read(data, drop_comments=True)
    except OSError as error:
        raise _wrong(f"`{path}` cannot be read: {error.strerror}") from error
    except AuthenticationError as error:
        raise _wrong(f"`{path}` is no XML of a form that is read here ({error.detail})") from error
    found = [each for each in root.iter(f"{MD}EntityDescriptor") if each.find(f"{MD}IDPSSODescriptor") is not None]
    if len(found) != 1:
        raise _wrong(f"`{path}` describes {len(found)} identity providers; it must be one")
    (entity,) = found
    roles = entity.findall(f"{MD}IDPSSODescriptor")
    name = entity.get("entityID", "")
    if not name or len(roles) != 1:
        raise _wrong(f"`{path}` has no `entityID`, or several roles of an identity provider")
    places = [
        each.get("Location", "")
        for each in roles[0].findall(f"{MD}SingleSignOnService")
        if each.get("Binding") == REDIRECT
    ]
    if not places or not places[0]:
        raise _wrong(f"`{path}` has no SingleSignOnService of the binding HTTP-Redirect")
    certificates = tuple(
        _certificate("".join(text.itertext()), path)
        for descriptor in roles[0].findall(f"{MD}KeyDescriptor")
        if descriptor.get("use", "signing") == "signing"
        for text in descriptor.iter(f"{DS}X509Certificate")
    )
    if not certificates:
        raise _wrong(f"`{path}` has no certificate for signing")
    ends = [_time(each.get("validUntil", ""), path) for each in (root, entity, roles[0]) if each.get("validUntil")]
    digest = hashlib.sha256(data).hexdigest()
    return IdentityProviderMetadata(name, places[0], certificates, min(ends, default=None), digest)


def own_metadata(entity: str, address: str, key: ServiceKey) -> bytes:
    """What the gateway says of itself: that it signs its requests, wants assertions signed, and takes them by POST at `address`."""
    namespaces = {"md": MD[1:-1], "ds": DS[1:-1]}
    root = etree.Element(f"{MD}EntityDescriptor", {"entityID": entity}, nsmap=namespaces)
    role = etree.SubElement(
        root,
        f"{MD}SPSSODescriptor",
        {"AuthnRequestsSigned": "true", "WantAssertionsSigned": "true", "protocolSupportEnumeration": PROTOCOL},
    )
    for use, ciphers in (("signing", ()), ("encryption", (*CONTENT_CIPHERS, *KEY_CIPHERS))):
        _add_key(role, use, key, ciphers)
    service = {"Binding": POST, "Location": address, "index": "0", "isDefault": "true"}
    etree.SubElement(role, f"{MD}AssertionConsumerService", service)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _add_key(role: etree._Element, use: str, key: ServiceKey, ciphers: Sequence[str]) -> None:
    descriptor = etree.SubElement(role, f"{MD}KeyDescriptor", {"use": use})
    data = etree.SubElement(etree.SubElement(descriptor, f"{DS}KeyInfo"), f"{DS}X509Data")
    text = "".join(key.certificate.splitlines()[1:-1])
    etree.SubElement(data, f"{DS}X509Certificate").text = text
    for cipher in ciphers:
        etree.SubElement(descriptor, f"{MD}EncryptionMethod", {"Algorithm": cipher})


def _certificate(text: str, path: Path) -> str:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        public = certificate.public_key()
    except ValueError as error:
        raise _wrong(f"`{path}` has a certificate that is none") from error
    strong = (isinstance(public, rsa.RSAPublicKey) and public.key_size >= MIN_BITS) or isinstance(
        public, ec.EllipticCurvePublicKey
    )
    if not strong:
        raise _wrong(f"`{path}` has a key that is too weak: RSA of {MIN_BITS} bits or an elliptic curve is needed")
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _time(text: str, path: Path) -> float:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.timestamp()
    except ValueError as error:
        raise _wrong(f"`{path}` has a `validUntil` that is no time") from error


def _wrong(why: str) -> ProviderError:
    return ProviderError(
        "the identity provider's metadata cannot be used", detail=why, hint="get it from the provider again"
    )
