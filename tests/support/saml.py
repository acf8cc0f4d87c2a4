"""A SAML identity provider of a test's own making: good answers and hostile ones, really signed, and a reader that falls for them.

Signs and encrypts by xmlsec, so that anything can be signed. `lax_name` reads as careless service providers did: it proves that an
attack is one, and is not refused for another reason.
"""

from __future__ import annotations

import base64
import copy
import functools
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import xmlsec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

ISSUER: Final = "https://idp.example/metadata"
SIGN_IN: Final = "https://idp.example/sso"
ADDRESS: Final = "https://gateway.example:6443/saml/partner/acs"
ENTITY: Final = "https://gateway.example:6443/saml/partner/metadata"
SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
_NAMES: Final = {"saml": SAML[1:-1], "samlp": SAMLP[1:-1], "ds": DS[1:-1]}
Element = Any


@dataclass(frozen=True)
class Signer:
    """A key with its certificate, both PEM."""

    key: str = field(repr=False)
    certificate: str


@functools.cache
def signer(which: int = 0, bits: int = 2048) -> Signer:
    """The same for the same `which`; 0 is the provider's."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"provider {which}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(which + 1)
        .not_valid_before(now - timedelta(days=2))
        # Over already: a provider's metadata says which key counts, not until when.
        .not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    return Signer(key.private_bytes(pem, form, plain).decode(), certificate.public_bytes(pem).decode())


def metadata(path: Path, *signers: Signer, sign_in: str = SIGN_IN, more: str = "") -> Path:
    """A file that describes the provider."""
    keys = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{body(each.certificate)}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for each in signers or (signer(),)
    )
    path.write_text(
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="{DS[1:-1]}" entityID="{ISSUER}"{more}>'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAMLP[1:-1]}">{keys}'
        f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sign_in}"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    )
    return path


def body(pem: str) -> str:
    """What stands between the lines of a PEM text's frame."""
    return "".join(pem.splitlines()[1:-1])


def moment(seconds: float) -> str:
    """A time from now, as SAML writes it."""
    return datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Answer:
    """What an answer says; a text of None leaves that part out. Times in seconds from now."""

    request: str | None = "id-1"
    name_id: str = "zoe-1"
    format: str = PERSISTENT
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"uid": ("zoe",), "groups": ("support",)})
    issuer: str = ISSUER
    response_issuer: str | None = ISSUER
    destination: str | None = ADDRESS
    recipient: str | None = ADDRESS
    confirmed_request: str | None = "same"
    audience: str | None = ENTITY
    not_before: float | None = -30
    until: float = 300
    confirmed_until: float = 300
    session_until: float | None = 3600
    issued: float = 0
    id: str = "_assertion-1"
    response_id: str = "_response-1"
    version: str = "2.0"
    status: str = "urn:oasis:names:tc:SAML:2.0:status:Success"
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    condition: str = ""
    statement: str = ""

    def xml(self) -> Element:
        """The response, not signed."""

        def given(name: str, value: str | None) -> str:
            return "" if value is None else f' {name}="{value}"'

        confirmed = self.request if self.confirmed_request == "same" else self.confirmed_request
        audience = (
            ""
            if self.audience is None
            else f"<saml:AudienceRestriction><saml:Audience>{self.audience}</saml:Audience></saml:AudienceRestriction>"
        )
        attributes = "".join(
            f'<saml:Attribute Name="{name}">{"".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)}</saml:Attribute>'
            for name, values in self.attributes.items()
        )
        before = None if self.not_before is None else moment(self.not_before)
        session = None if self.session_until is None else moment(self.session_until)
        issuer = "" if self.response_issuer is None else f"<saml:Issuer>{self.response_issuer}</saml:Issuer>"
        return etree.fromstring(
            f'<samlp:Response xmlns:samlp="{SAMLP[1:-1]}" xmlns:saml="{SAML[1:-1]}" ID="{self.response_id}" Version="{self.version}"'
            f' IssueInstant="{moment(self.issued)}"{given("Destination", self.destination)}{given("InResponseTo", self.request)}>'
            f'{issuer}<samlp:Status><samlp:StatusCode Value="{self.status}"/></samlp:Status>'
            f'<saml:Assertion ID="{self.id}" Version="2.0" IssueInstant="{moment(self.issued)}"><saml:Issuer>{self.issuer}</saml:Issuer>'
            f'<saml:Subject><saml:NameID Format="{self.format}">{self.name_id}</saml:NameID>'
            f'<saml:SubjectConfirmation Method="{self.method}"><saml:SubjectConfirmationData NotOnOrAfter="{moment(self.confirmed_until)}"'
            f"{given('Recipient', self.recipient)}{given('InResponseTo', confirmed)}/></saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions{given("NotBefore", before)} NotOnOrAfter="{moment(self.until)}">{audience}{self.condition}</saml:Conditions>'
            f'<saml:AuthnStatement AuthnInstant="{moment(self.issued)}" SessionIndex="session-1"{given("SessionNotOnOrAfter", session)}><saml:AuthnContext>'
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef>"
            f"</saml:AuthnContext></saml:AuthnStatement>{self.statement}<saml:AttributeStatement>{attributes}</saml:AttributeStatement>"
            "</saml:Assertion></samlp:Response>"
        )


def assertion_of(root: Element) -> Element:
    """The first assertion."""
    return next(root.iter(f"{SAML}Assertion"))


def sign(
    element: Element,
    by: Signer | None = None,
    method: Any = xmlsec.Transform.RSA_SHA256,
    digest: Any = xmlsec.Transform.SHA256,
    *,
    carry_key: bool = False,
    transform: Any = None,
) -> Element:
    """Sign a response or an assertion in its place; `carry_key` puts the certificate into the signature."""
    by = by or signer()
    signature = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, method, ns="ds")
    reference = xmlsec.template.add_reference(signature, digest, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, transform or xmlsec.Transform.EXCL_C14N)
    if carry_key:
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    # After the issuer, as the schema has it.
    element.insert(1 if element[0].tag == f"{SAML}Issuer" else 0, signature)
    xmlsec.tree.add_ids(element, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(by.key, xmlsec.KeyFormat.PEM, None)
    context.key.load_cert_from_memory(by.certificate, xmlsec.KeyFormat.CERT_PEM)
    context.sign(signature)
    return signature


def signed(answer: Answer | None = None, by: Signer | None = None, *, response: bool = False, **more: Any) -> Element:
    """An answer with a signed assertion; `response`: the response is signed as well."""
    root = (answer or Answer()).xml()
    sign(assertion_of(root), by, **more)
    if response:
        sign(root, by, **more)
    return again(root)


def again(root: Element) -> Element:
    """The document parsed anew: what libxmlsec put into it cannot be looked up by name in the tree that it was put into."""
    return etree.fromstring(text(root))


def encrypted(
    root: Element,
    certificate: str,
    content: Any = xmlsec.Transform.AES256_GCM,
    key: Any = xmlsec.Transform.RSA_OAEP,
) -> Element:
    """The assertion encrypted for whoever has this certificate's key."""
    assertion = assertion_of(root)
    parent = assertion.getparent()
    holder = etree.SubElement(parent, f"{SAML}EncryptedAssertion")
    parent.replace(assertion, holder)
    holder.append(assertion)
    data = xmlsec.template.encrypted_data_create(holder, content, type=xmlsec.EncryptionType.ELEMENT, ns="xenc")
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    wrapped = xmlsec.template.add_encrypted_key(info, key)
    xmlsec.template.encrypted_data_ensure_cipher_value(wrapped)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(certificate, xmlsec.KeyFormat.CERT_PEM, None))
    context = xmlsec.EncryptionContext(manager)
    sizes = {xmlsec.Transform.AES256_GCM: 256, xmlsec.Transform.AES128: 128, xmlsec.Transform.AES256: 256}
    size = sizes.get(content, 192)
    kind = xmlsec.KeyData.DES if content == xmlsec.Transform.DES3 else xmlsec.KeyData.AES
    context.key = xmlsec.Key.generate(kind, size, xmlsec.KeyDataType.SESSION)
    done = context.encrypt_xml(data, assertion)
    if done.getparent() is not holder:
        holder.append(done)
    return again(root)


def text(root: Element) -> bytes:
    """The bytes of a document."""
    return bytes(etree.tostring(root))


def form(data: Element | bytes, state: str = "") -> dict[str, str]:
    """What the provider's page posts."""
    raw = data if isinstance(data, bytes) else text(data)
    return {"SAMLResponse": base64.b64encode(raw).decode(), "RelayState": state}


def lax_name(
    data: Element | bytes, *, anywhere: bool = False, first_text: bool = False, key_in_message: bool = False
) -> str | None:
    """Who an answer is about, to a careless reader: some signature in it holds, and some assertion in it has a name.

    None when no signature holds even so. It reads the response's first assertion, or the first one `anywhere`. `first_text`: the name ends at the first comment, as in libraries of 2018. `key_in_message`:
    believes the key that the message brings.
    """
    root = etree.fromstring(data if isinstance(data, bytes) else text(data))
    signature = next(root.iter(f"{DS}Signature"), None)
    if signature is None or not _holds(root, signature, key_in_message):
        return None
    assertion = assertion_of(root) if anywhere else root.find(f"{SAML}Assertion")
    name = assertion.find(f"{SAML}Subject/{SAML}NameID")
    return name.text if first_text else "".join(name.itertext())


def _holds(root: Element, signature: Element, key_in_message: bool) -> bool:
    """Whether what a signature refers to, wherever it stands, is what was signed: without asking whether anybody reads that."""
    info, reference = signature.find(f"{DS}SignedInfo"), signature.find(f"{DS}SignedInfo/{DS}Reference")
    found = root.xpath("//*[@ID=$id]", id=reference.get("URI")[1:])
    # An own signature is no part of what is signed.
    meant = copy.deepcopy(found[0])
    for each in meant.findall(f"{DS}Signature"):
        meant.remove(each)
    sha1 = reference.find(f"{DS}DigestMethod").get("Algorithm").endswith("sha1")
    digest = hashlib.new("sha1" if sha1 else "sha256", _canonical(meant)).digest()
    if base64.b64decode(reference.findtext(f"{DS}DigestValue")) != digest:
        return False
    certificate = signer().certificate
    if key_in_message:
        text_of_it = "".join(signature.find(f".//{DS}X509Certificate").itertext()).strip()
        certificate = f"-----BEGIN CERTIFICATE-----\n{text_of_it}\n-----END CERTIFICATE-----\n"
    public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    value = base64.b64decode(signature.findtext(f"{DS}SignatureValue"))
    by_sha1 = info.find(f"{DS}SignatureMethod").get("Algorithm").endswith("sha1")
    try:
        public.verify(value, _canonical(info), padding.PKCS1v15(), hashes.SHA1() if by_sha1 else hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _canonical(element: Element) -> bytes:
    alone = copy.deepcopy(element)
    alone.tail = None
    return bytes(etree.tostring(alone, method="c14n", exclusive=True, with_comments=False))


# Signature wrapping: Somorovsky et al., "On Breaking SAML" (USENIX Security 2012), figure 6. The signed element stays as it was, and
# another one stands where a careless reader looks.


def wrapped(form_number: int, evil: str = "eve") -> Element:
    """One of the eight forms (XSW1 to XSW8), whose first assertion is not the signed one."""
    if form_number <= 2:
        root = Answer().xml()
        sign(root)
        root = again(root)
    else:
        root = signed()
    original = copy.deepcopy(root if form_number <= 2 else assertion_of(root))
    forged = root if form_number <= 2 else copy.deepcopy(original)
    (signature,) = original.findall(f"{DS}Signature")
    for each in forged.findall(f"{DS}Signature"):
        forged.remove(each)
    next(forged.iter(f"{SAML}NameID")).text = evil
    forged.set("ID", "_evil")
    if form_number <= 2:
        assertion_of(forged).set("ID", "_evil-assertion")
    return {1: _xsw1, 2: _xsw2, 3: _xsw3, 4: _xsw4, 5: _xsw5, 6: _xsw6, 7: _xsw7, 8: _xsw8}[form_number](
        root, forged, original, signature
    )


def _xsw1(root: Element, forged: Element, original: Element, signature: Element) -> Element:
    # The forged response has the signature, and within it the original response without its own.
    original.remove(signature)
    forged.insert(1, signature)
    signature.append(original)
    return root


def _xsw2(root: Element, forged: Element, original: Element, signature: Element) -> Element:
    # The original response stands beside its signature, within the forged one.
    original.remove(signature)
    forged.insert(1, signature)
    forged.insert(1, original)
    # A careless reader takes the response's own assertion: put it first.
    assertion = forged.find(f"{SAML}Assertion")
    forged.insert(0, assertion)
    return root


def _xsw3(root: Element, forged: Element, original: Element, signature: Element) -> Element:
    root.insert(2, forged)
    return root


def _xsw4(root: Element, forged: Element, original: Element, signature: Element) -> Element:
    signed_one = assertion_of(root)
    root.replace(signed_one, forged)
    forged.append(original)
    return root


def _xsw5(root: Element, forged: Element, original: Element, signature: Element) -> Element:
    original.remove(signature)
    root.replace(assertion_of(root), forged)
    forged.insert(1, signature)
    root.append(original)
    return root


def _xsw6(root: Element, forged: Element, original: Element, signature: Element) -> Element:
    original.remove(signature)
    root.replace(assertion_of(root), forged)
    forged.insert(1, signature)
    signature.append(original)
    return root


def _xsw7(root: Element, forged: Element, original: Element, signature: Element) -> Element:
    extensions = etree.Element(f"{SAMLP}Extensions")
    root.insert(1, extensions)
    extensions.append(forged)
    return root


def _xsw8(root: Element, forged: Element, original: Element, signature: Element) -> Element:
    original.remove(signature)
    root.replace(assertion_of(root), forged)
    forged.insert(1, signature)
    holder = etree.SubElement(signature, f"{DS}Object")
    holder.append(original)
    return root
