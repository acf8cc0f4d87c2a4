"""Reading SAML's XML so that it can be understood in one way only: bounded, plain, and of the one shape that is signed and checked here.

Most attacks on SAML hide a second document in the first: a comment in a name, an entity, another assertion beside the signed one. What
is not exactly of the expected shape is refused before anything is looked up in it. Knows no keys and no meaning. Sources: SAML 2.0
Core §5.4, XML Signature §4.4, XML Encryption §3.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from interpose.model.errors import AuthenticationError

SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
XENC: Final = "{http://www.w3.org/2001/04/xmlenc#}"

MAX_XML: Final = 256 * 1024
"""Bytes of one message; real ones have some ten thousand."""
MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 5000

EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
SIGNATURE_METHODS: Final = frozenset(f"{_MORE}{key}-sha{bits}" for key in ("rsa", "ecdsa") for bits in (256, 384, 512))
DIGEST_METHODS: Final = frozenset(
    {"http://www.w3.org/2001/04/xmlenc#sha256", f"{_MORE}sha384", "http://www.w3.org/2001/04/xmlenc#sha512"}
)
CONTENT_CIPHERS: Final = (
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
)
KEY_CIPHERS: Final = ("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", "http://www.w3.org/2009/xmlenc11#rsa-oaep")
"""How the content's key may be wrapped. Never RSA with PKCS #1 v1.5: what it answers to guesses opens it."""
_IDS: Final = ("ID", "Id", "id", "AssertionID", "{http://www.w3.org/XML/1998/namespace}id")
_BLANK: Final = re.compile(rb"[ \t\r\n]+")


def decode(text: str) -> bytes:
    """The XML of a message in the POST binding (SAML 2.0 Bindings §3.5.4); raises `AuthenticationError`."""
    if not text:
        raise _denied("no_response")
    if len(text) > 2 * MAX_XML:
        raise _denied("xml_too_large")
    try:
        return base64.b64decode(_BLANK.sub(b"", text.encode("ascii")), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise _denied("xml_malformed") from None


def read(data: bytes, *, drop_comments: bool = False) -> etree._Element:
    """The root of one document, plain and bounded; raises `AuthenticationError`. `drop_comments`: of a file that is trusted.

    INVARIANT: no entity is resolved, nothing is fetched, and no comment or processing instruction can part a text in two.
    """
    if len(data) > MAX_XML:
        raise _denied("xml_too_large")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise _denied("xml_malformed") from None
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _denied("xml_has_dtd")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=drop_comments,
        remove_pis=drop_comments,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        deep = "Excessive depth" in str(error)
        raise _denied("xml_too_deep" if deep else "xml_malformed") from None
    # Declared as something else, the bytes would say something else to another reader.
    if (root.getroottree().docinfo.encoding or "utf-8").lower() not in ("utf-8", "us-ascii", "ascii"):
        raise _denied("xml_malformed")
    for number, (depth, node) in enumerate(_walk(root)):
        if number >= MAX_ELEMENTS:
            raise _denied("xml_too_large")
        if depth > MAX_DEPTH:
            raise _denied("xml_too_deep")
        if not isinstance(node.tag, str):
            raise _denied("xml_has_comment")
    return root


def check_shape(root: etree._Element, *, decrypted: bool) -> None:
    """Refuse a response whose parts are not where they must be; raises `AuthenticationError`.

    INVARIANT: there is one assertion in the whole document, a child of the response; a signature is a child of what it signs, and
    signs all of it and nothing else. With that, what is signed and what is read cannot be two things (signature wrapping).
    """
    if root.tag != f"{SAMLP}Response":
        raise _denied("not_a_response")
    seen = [element.get(name) for element in root.iter(etree.Element) for name in _IDS if element.get(name) is not None]
    if len(seen) != len(set(seen)):
        raise _denied("xml_ids_repeated")
    named = [
        each for each in root.iter(etree.Element) if _local(each) in ("Assertion", "EncryptedAssertion", "Response")
    ]
    assertions = [each for each in named if each is not root]
    if len(assertions) != 1 or assertions[0].getparent() is not root:
        raise _denied("not_one_assertion")
    (assertion,) = assertions
    if assertion.tag == f"{SAML}EncryptedAssertion" and not decrypted:
        _check_encryption(assertion)
    elif assertion.tag != f"{SAML}Assertion" or any(
        _local(each).startswith("Encrypted") for each in root.iter(etree.Element)
    ):
        raise _denied("encryption_not_allowed")
    signatures = [each for each in root.iter(etree.Element) if _local(each) == "Signature"]
    owners = [each.getparent() for each in signatures]
    if any(owner is not root and owner is not assertion for owner in owners) or len(owners) != len(
        {id(o) for o in owners}
    ):
        raise _denied("signature_misplaced")
    for signature in signatures:
        _check_signature(signature)
    if assertion.tag == f"{SAML}Assertion" and not any(owner is assertion for owner in owners):
        raise _denied("assertion_unsigned")


def _check_signature(signature: etree._Element) -> None:
    """XML Signature has room for programs (XSLT, XPath) and for addresses to fetch: only what SAML needs is let through."""
    if signature.tag != f"{DS}Signature":
        raise _denied("signature_misplaced")
    owner = signature.getparent()
    assert owner is not None
    infos, references = signature.findall(f"{DS}SignedInfo"), list(signature.iter(f"{DS}Reference"))
    if len(infos) != 1 or len(references) != 1 or references[0].getparent() is not infos[0] or not owner.get("ID"):
        raise _denied("signature_reference_wrong")
    if references[0].get("URI") != f"#{owner.get('ID')}":
        raise _denied("signature_reference_wrong")
    transforms = [each.get("Algorithm") for each in signature.iter(f"{DS}Transform")]
    if sorted(map(str, transforms)) != sorted((ENVELOPED, EXCLUSIVE)):
        raise _denied("transform_not_allowed")
    if any(
        _local(each) in ("Object", "Manifest", "RetrievalMethod", "XPath", "stylesheet")
        for each in signature.iter(etree.Element)
    ):
        raise _denied("transform_not_allowed")
    for tag, allowed in (
        (f"{DS}CanonicalizationMethod", frozenset({EXCLUSIVE})),
        (f"{DS}SignatureMethod", SIGNATURE_METHODS),
        (f"{DS}DigestMethod", DIGEST_METHODS),
    ):
        found = [each.get("Algorithm") for each in signature.iter(tag)]
        if len(found) != 1 or found[0] not in allowed:
            raise _denied("algorithm_not_allowed")


def _check_encryption(encrypted: etree._Element) -> None:
    data = list(encrypted.iter(f"{XENC}EncryptedData"))
    if len(data) != 1 or data[0].getparent() is not encrypted:
        raise _denied("encryption_not_allowed")
    for element in encrypted.iter(etree.Element):
        if _local(element) == "CipherReference":
            raise _denied("encryption_not_allowed")
        if _local(element) == "RetrievalMethod" and not (element.get("URI") or "").startswith("#"):
            raise _denied("encryption_not_allowed")
    for method in encrypted.iter(f"{XENC}EncryptionMethod"):
        owner = method.getparent()
        allowed = CONTENT_CIPHERS if owner is data[0] else KEY_CIPHERS
        if method.get("Algorithm") not in allowed:
            raise _denied("algorithm_not_allowed")


def _walk(root: etree._Element) -> Iterator[tuple[int, etree._Element]]:
    waiting = [(1, root)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        waiting += [(depth + 1, child) for child in node]


def _local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError("authentication failed", detail=why)
