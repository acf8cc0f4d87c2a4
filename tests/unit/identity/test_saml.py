"""A SAML login against real signatures: only an answer of this provider, to this gateway, for this login, of now, and once, proves anybody."""

from __future__ import annotations

import asyncio
import base64
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from interpose.engine.signing_in import Departure
from interpose.identity.saml_keys import ServiceKey
from interpose.identity.saml_xml import MAX_XML
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, ProviderError
from interpose.model.principal import Principal, PrincipalKind
from tests.support.saml import (
    ADDRESS,
    DS,
    ENTITY,
    ISSUER,
    SAML,
    SAMLP,
    SIGN_IN,
    Answer,
    again,
    assertion_of,
    encrypted,
    form,
    lax_name,
    metadata,
    sign,
    signed,
    signer,
    text,
    wrapped,
)
from tests.support.saml_place import SamlPlace


def denied(place: SamlPlace, data: Any, request: str = "id-1") -> str:
    """The machine word with which a login is refused, as the audit chain has it; nobody is learned."""

    async def work() -> None:
        with pytest.raises(AuthenticationError):
            await place.came(data, request)

    asyncio.run(work())
    event = place.core.audit.of(AuditKind.LOGIN_FAILED)[-1]
    assert event.fields["method"] == "saml"
    assert (event.fields["provider"], event.fields["source"]) == ("partner", "192.0.2.7")
    assert event.fields["issuer"] == ISSUER
    assert place.store.entries == {}
    return str(event.fields["reason"])


def test_a_request_goes_out_signed(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path, name_id_format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")
    departure = asyncio.run(place.provider.depart(ADDRESS))
    assert departure.url.startswith(f"{SIGN_IN}?SAMLRequest=")
    query = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
    assert query["RelayState"] == departure.state
    assert len(departure.state) == 43
    request = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15))
    assert request.tag == f"{SAMLP}AuthnRequest"
    assert request.get("ID") == departure.memory["request"]
    assert request.get("ID", "").startswith("id-")
    assert (request.get("Destination"), request.get("AssertionConsumerServiceURL")) == (SIGN_IN, ADDRESS)
    assert request.findtext(f"{SAML}Issuer") == ENTITY
    assert request.find(f"{SAMLP}NameIDPolicy").get("AllowCreate") == "true"
    plain, _, _ = urlsplit(departure.url).query.partition("&Signature=")
    public = x509.load_pem_x509_certificate(place.key.certificate.encode()).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(base64.b64decode(query["Signature"]), plain.encode(), padding.PKCS1v15(), hashes.SHA256())
    again = asyncio.run(place.provider.depart(ADDRESS))
    assert {again.state, again.memory["request"]}.isdisjoint({departure.state, departure.memory["request"]})


@pytest.mark.parametrize("response", [False, True])
def test_an_answer_becomes_a_proof(tmp_path: Path, response: bool) -> None:
    place = SamlPlace(tmp_path)
    answer = Answer(attributes={"uid": ("zoe",), "groups": ("support", "not-allowed")})
    who = asyncio.run(place.came(signed(answer, response=response)))
    assert who.identity.principal == Principal(PrincipalKind.USER, "zoe", frozenset({"support"}))
    assert (who.identity.method, who.proof.issuer, who.proof.subject) == ("saml", ISSUER, "zoe-1")
    # The provider's own end of the session is nearer than `lifetime`.
    assert 3500 < who.proof.valid_until - place.clock.wall() <= 3600
    (event,) = place.core.audit.of(AuditKind.LOGIN_SUCCEEDED)
    assert (event.fields["method"], event.fields["issuer"], event.fields["subject"]) == ("saml", ISSUER, "zoe-1")


def test_a_login_lives_for_lifetime_where_the_provider_says_no_end(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path, lifetime=600.0)
    who = asyncio.run(place.came(signed(Answer(session_until=None))))
    assert 590 < who.proof.valid_until - place.clock.wall() <= 600


def test_how_somebody_authenticated_is_kept(tmp_path: Path) -> None:
    urn = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    context = asyncio.run(SamlPlace(tmp_path).came(signed(Answer(issued=-20)))).identity.context
    assert (context.acr, context.amr, context.mfa, context.session) == (urn, frozenset(), False, "session-1")
    assert context.auth_time is not None
    assert -25 < context.auth_time - time.time() < -15
    place = SamlPlace(tmp_path, mfa_acr=(urn,))
    assert asyncio.run(place.came(signed())).identity.context.mfa


def test_a_provider_must_authenticate_anew_where_it_was_asked_to(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    query = parse_qs(urlsplit(asyncio.run(place.provider.depart(ADDRESS, again=True)).url).query)
    request = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))
    assert request.get("ForceAuthn") == "true"
    with pytest.raises(AuthenticationError) as caught:
        asyncio.run(place.came(signed(Answer(issued=-100)), again=time.time()))
    assert caught.value.detail == "authenticated_too_long_ago"
    asyncio.run(place.came(signed(), again=time.time()))


# Signature wrapping


@pytest.mark.parametrize("number", range(1, 9))
def test_signature_wrapping(tmp_path: Path, number: int) -> None:
    attack = text(wrapped(number))
    # It is an attack: the signature in it holds, and a careless reader takes the other assertion.
    assert "eve" in {lax_name(attack, anywhere=anywhere) for anywhere in (False, True)}
    assert denied(SamlPlace(tmp_path), attack) == "not_one_assertion"


def test_wrapping_with_one_assertion_in_sight(tmp_path: Path) -> None:
    # The signed assertion is renamed away after signing: what refers to it refers to nothing.
    root = signed()
    (signature,) = assertion_of(root).findall(f"{DS}Signature")
    forged = Answer(name_id="eve", id="_evil").xml()
    assertion_of(forged).insert(1, signature)
    assert denied(SamlPlace(tmp_path), forged) == "signature_reference_wrong"


def test_an_id_that_two_elements_have(tmp_path: Path) -> None:
    root = signed(Answer(response_id="_assertion-1"))
    assert denied(SamlPlace(tmp_path), root) == "xml_ids_repeated"


def test_a_signature_of_the_response_within_the_assertion(tmp_path: Path) -> None:
    root = Answer().xml()
    sign(root)
    root = again(root)
    signature = root.find(f"{DS}Signature")
    assertion_of(root).insert(1, signature)
    assert denied(SamlPlace(tmp_path), root) == "signature_reference_wrong"


# Signatures


def test_no_signature(tmp_path: Path) -> None:
    assert denied(SamlPlace(tmp_path), Answer().xml()) == "assertion_unsigned"


def test_a_signature_that_was_removed(tmp_path: Path) -> None:
    root = signed()
    assertion = assertion_of(root)
    assertion.remove(assertion.find(f"{DS}Signature"))
    assert denied(SamlPlace(tmp_path), root) == "assertion_unsigned"


def test_a_signed_response_with_an_assertion_that_is_not(tmp_path: Path) -> None:
    root = Answer().xml()
    sign(root)
    assert lax_name(root) == "zoe-1"
    assert denied(SamlPlace(tmp_path), root) == "assertion_unsigned"
    # And one that was put in the place of what was signed.
    root = signed(response=True)
    root.replace(assertion_of(root), assertion_of(Answer(name_id="eve").xml()))
    assert denied(SamlPlace(tmp_path), root) == "assertion_unsigned"


def test_a_signature_of_another_key(tmp_path: Path) -> None:
    assert denied(SamlPlace(tmp_path), signed(by=signer(1))) == "bad_signature"


def test_a_key_that_the_message_brings_itself(tmp_path: Path) -> None:
    root = signed(Answer(name_id="eve"), by=signer(1), carry_key=True)
    assert lax_name(root, key_in_message=True) == "eve"
    assert denied(SamlPlace(tmp_path), root) == "bad_signature"


def test_a_name_that_was_changed(tmp_path: Path) -> None:
    root = signed()
    next(root.iter(f"{SAML}NameID")).text = "eve"
    assert denied(SamlPlace(tmp_path), root) == "bad_signature"


def test_a_bad_signature_of_the_response_around_a_good_assertion(tmp_path: Path) -> None:
    root = signed(response=True)
    root.set("IssueInstant", "2026-01-01T00:00:00Z")
    assert denied(SamlPlace(tmp_path), root) == "bad_signature"


@pytest.mark.parametrize(
    ("method", "digest"),
    [
        (xmlsec.Transform.RSA_SHA1, xmlsec.Transform.SHA1),
        (xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA1),
        (xmlsec.Transform.RSA_SHA1, xmlsec.Transform.SHA256),
    ],
)
def test_sha1(tmp_path: Path, method: Any, digest: Any) -> None:
    root = signed(method=method, digest=digest)
    assert lax_name(root) == "zoe-1"
    assert denied(SamlPlace(tmp_path), root) == "algorithm_not_allowed"


@pytest.mark.parametrize("what", ["xslt", "xpath", "reference", "object"])
def test_a_signature_that_runs_or_fetches(tmp_path: Path, what: str) -> None:
    root = signed()
    signature = assertion_of(root).find(f"{DS}Signature")
    word = "transform_not_allowed"
    if what in ("xslt", "xpath"):
        algorithm = f"http://www.w3.org/TR/1999/REC-{'xslt' if what == 'xslt' else 'xpath'}-19991116"
        etree.SubElement(next(signature.iter(f"{DS}Transforms")), f"{DS}Transform", {"Algorithm": algorithm})
    elif what == "object":
        etree.SubElement(signature, f"{DS}Object")
    else:
        reference = etree.SubElement(signature[0], f"{DS}Reference", {"URI": "http://127.0.0.1:9/"})
        reference.tail = None
        word = "signature_reference_wrong"
    assert denied(SamlPlace(tmp_path), root) == word


def test_a_key_that_the_provider_rotated_to_counts_from_the_next_reload(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    root = signed(by=signer(2))
    assert denied(place, root) == "bad_signature"
    metadata(tmp_path / "partner.xml", signer(0), signer(2))
    place.read_again()
    assert asyncio.run(place.came(root)).identity.principal.name == "zoe"
    metadata(tmp_path / "partner.xml", signer(2))
    place.read_again()
    with pytest.raises(AuthenticationError):
        asyncio.run(place.came(signed(Answer(id="_assertion-2"))))
    assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == "bad_signature"


# XML


@pytest.mark.parametrize("where", ["name_id", "attribute"])
def test_a_comment_within_a_name(tmp_path: Path, where: str) -> None:
    comment = "zoe<!-- -->.evil.example"
    answer = Answer(name_id=comment) if where == "name_id" else Answer(attributes={"uid": (comment,)})
    root = signed(answer)
    # The signature does not see the comment, and a careless reader's name ends at it.
    assert lax_name(root, first_text=True) == ("zoe" if where == "name_id" else "zoe-1")
    assert denied(SamlPlace(tmp_path), root) == "xml_has_comment"
    assert denied(SamlPlace(tmp_path), text(root).replace(b"<!-- -->", b"<?x y?>")) == "xml_has_comment"


def test_a_comment_that_was_put_in_after_signing(tmp_path: Path) -> None:
    data = text(signed(Answer(name_id="zoe-1.evil.example"))).replace(b"zoe-1.evil", b"zoe-1<!---->.evil")
    assert lax_name(data, first_text=True) == "zoe-1"
    assert denied(SamlPlace(tmp_path), data) == "xml_has_comment"


def test_an_element_within_a_name(tmp_path: Path) -> None:
    answer = Answer(name_id="zoe-1<saml:x/>.evil.example")
    assert denied(SamlPlace(tmp_path), signed(answer)) == "no_subject"


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/evil.dtd">',
    ],
    ids=["external", "expansion", "external subset"],
)
def test_entities(tmp_path: Path, prolog: str) -> None:
    data = text(signed()).replace(b"zoe-1<", b"&x;<") if "ENTITY" in prolog else text(signed())
    assert denied(SamlPlace(tmp_path), prolog.encode() + data) == "xml_has_dtd"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "no_response"),
        (b"no xml", "xml_malformed"),
        (b"<a", "xml_malformed"),
        ("<a/>".encode("utf-16"), "xml_malformed"),
        (b"<?xml version='1.0' encoding='UTF-7'?><a/>", "xml_malformed"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?><a/>", "xml_malformed"),
        (b"<a>\xff</a>", "xml_malformed"),
        (b"<a>" + b" " * MAX_XML + b"</a>", "xml_too_large"),
        (b"<a>" + b"<b/>" * 6000 + b"</a>", "xml_too_large"),
        (b"<a>" * 40 + b"</a>" * 40, "xml_too_deep"),
        (b"<a>" * 30000 + b"</a>" * 30000, "xml_too_deep"),
        (b"<a/>", "not_a_response"),
    ],
)
def test_documents_that_are_no_answer(tmp_path: Path, data: bytes, word: str) -> None:
    assert denied(SamlPlace(tmp_path), data) == word


def test_what_is_no_base64(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    for value in ("%%%", "é", "PGEvPg==x"):
        with pytest.raises(AuthenticationError) as caught:
            asyncio.run(place.provider.arrive(Departure("", "", {"request": "id-1"}), ADDRESS, {"SAMLResponse": value}))
        assert caught.value.detail == "xml_malformed"


# What it says


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"issuer": "https://evil.example"}, "wrong_issuer"),
        ({"response_issuer": "https://evil.example"}, "wrong_issuer"),
        ({"audience": "https://other.example/saml"}, "wrong_audience"),
        ({"audience": f"{ENTITY}/x"}, "wrong_audience"),
        ({"audience": None}, "wrong_audience"),
        ({"destination": "https://other.example/saml/partner/acs"}, "wrong_destination"),
        ({"destination": f"{ADDRESS}x"}, "wrong_destination"),
        ({"destination": None}, "wrong_destination"),
        ({"recipient": "https://other.example/saml/partner/acs"}, "wrong_recipient"),
        ({"recipient": f"https://other.example/?{ADDRESS}"}, "wrong_recipient"),
        ({"recipient": None}, "wrong_recipient"),
        ({"request": "id-2"}, "wrong_request"),
        ({"request": None}, "wrong_request"),
        ({"confirmed_request": "id-2"}, "wrong_request"),
        ({"confirmed_request": None}, "wrong_request"),
        ({"until": -90}, "assertion_expired"),
        ({"confirmed_until": -90}, "assertion_expired"),
        ({"not_before": 90}, "not_yet_valid"),
        ({"issued": 90}, "not_yet_valid"),
        ({"session_until": -1}, "no_longer_valid"),
        ({"method": "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"}, "no_confirmation"),
        ({"condition": "<saml:Condition/>"}, "condition_not_understood"),
        ({"version": "1.1"}, "version_wrong"),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "provider_said_responder"),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:<x>".replace("<", "&lt;")}, "provider_said_something"),
        ({"name_id": ""}, "no_subject"),
        ({"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "name_id_is_transient"),
        ({"attributes": {"uid": ("zoe", "eve")}}, "no_name"),
        (
            {
                "statement": '<saml:AuthnStatement AuthnInstant="2026-01-01T00:00:00Z"><saml:AuthnContext/></saml:AuthnStatement>'
            },
            "no_authentication",
        ),
    ],
)
def test_what_an_assertion_must_say(tmp_path: Path, changes: dict[str, Any], word: str) -> None:
    # Signed by the provider, so that it is refused for what it says.
    assert denied(SamlPlace(tmp_path), signed(replace(Answer(), **changes), response=True)) == word


def test_clocks_may_differ_by_leeway_and_no_more(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    asyncio.run(place.came(signed(Answer(until=-30, not_before=-300))))
    assert denied(SamlPlace(tmp_path, leeway=0.0), signed(Answer(until=-30, not_before=-300))) == "assertion_expired"


def test_every_restriction_of_the_audience_must_name_us(tmp_path: Path) -> None:
    other = "<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>"
    assert denied(SamlPlace(tmp_path), signed(Answer(condition=other))) == "wrong_audience"


def test_the_schema_is_the_second_readers_to_check(tmp_path: Path) -> None:
    root = Answer().xml()
    assertion_of(root).set("surprise", "x")
    sign(assertion_of(root))
    assert denied(SamlPlace(tmp_path), root) == "xml_not_by_schema"


# Once


def test_an_assertion_counts_once(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    root = signed()
    asyncio.run(place.came(root))
    with pytest.raises(AuthenticationError) as caught:
        asyncio.run(place.came(root))
    assert caught.value.detail == "assertion_used"
    (until,) = place.used.until.values()
    # Kept for as long as it would otherwise count.
    assert until - place.clock.wall() > 300 + 50


def test_an_answer_that_nobody_asked_for(tmp_path: Path) -> None:
    async def come(place: SamlPlace, answer: Answer) -> Any:
        return await place.sign_in.unsolicited(ADDRESS, form(signed(answer)), "192.0.2.7")

    place = SamlPlace(tmp_path)
    for answer, word in ((Answer(request=None), "unsolicited_answer"), (Answer(), "state_unknown")):
        with pytest.raises(AuthenticationError):
            asyncio.run(come(place, answer))
        assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == word
    place = SamlPlace(tmp_path, idp_initiated=True)
    assert asyncio.run(come(place, Answer(request=None))).identity.principal.name == "zoe"
    # One that answers a request is never taken for one that nobody asked for, however it says so.
    for answer, word in (
        (Answer(), "state_unknown"),
        (Answer(request=None, confirmed_request="id-1", id="_a2"), "wrong_request"),
    ):
        with pytest.raises(AuthenticationError):
            asyncio.run(come(place, answer))
        assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == word


# Encryption


@pytest.mark.parametrize("content", [xmlsec.Transform.AES256_GCM, xmlsec.Transform.AES128])
@pytest.mark.parametrize("response", [False, True])
def test_an_encrypted_assertion(tmp_path: Path, content: Any, response: bool) -> None:
    place = SamlPlace(tmp_path, require_encryption=True)
    root = encrypted(signed(), place.key.certificate, content)
    if response:
        sign(root)
    who = asyncio.run(place.came(root))
    assert who.identity.principal.name == "zoe"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (xmlsec.Transform.DES3, xmlsec.Transform.RSA_OAEP),
        (xmlsec.Transform.AES256_GCM, xmlsec.Transform.RSA_PKCS1),
    ],
)
def test_weak_encryption(tmp_path: Path, content: Any, key: Any) -> None:
    place = SamlPlace(tmp_path)
    assert denied(place, encrypted(signed(), place.key.certificate, content, key)) == "algorithm_not_allowed"


def test_what_is_within_the_encryption_is_judged_as_well(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    certificate = place.key.certificate
    # Anybody can encrypt for the gateway: its certificate is public.
    assert denied(place, encrypted(Answer(name_id="eve").xml(), certificate)) == "assertion_unsigned"
    assert denied(place, encrypted(signed(by=signer(1)), certificate)) == "bad_signature"
    assert denied(place, encrypted(signed(Answer(name_id="zoe<!-- -->x")), certificate)) == "xml_has_comment"
    assert denied(place, encrypted(signed(Answer(audience="x")), certificate)) == "wrong_audience"
    assert denied(place, encrypted(signed(), signer(3).certificate)) == "not_decrypted"
    assert denied(SamlPlace(tmp_path, require_encryption=True), signed()) == "not_encrypted"


def test_an_assertion_beside_the_encrypted_one(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    root = encrypted(signed(), place.key.certificate)
    root.append(assertion_of(Answer(name_id="eve", id="_evil").xml()))
    assert denied(place, root) == "not_one_assertion"


def test_ciphertext_is_never_fetched(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    root = encrypted(signed(), place.key.certificate)
    xenc = "{http://www.w3.org/2001/04/xmlenc#}"
    value = list(root.iter(f"{xenc}CipherValue"))[-1]
    value.getparent().replace(value, etree.Element(f"{xenc}CipherReference", {"URI": "file:///etc/hostname"}))
    assert denied(place, root) == "encryption_not_allowed"


def test_metadata_that_cannot_be_used_lets_nobody_in(tmp_path: Path) -> None:
    place = SamlPlace(tmp_path)
    metadata(tmp_path / "partner.xml", more=' validUntil="2020-01-01T00:00:00Z"')
    place.read_again()
    with pytest.raises(ProviderError):
        asyncio.run(place.provider.depart(ADDRESS))
    with pytest.raises(ProviderError):
        asyncio.run(place.came(signed()))
    assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == "provider_unavailable"
    place.provider.use(replace(place.options, described=None))
    with pytest.raises(ProviderError):
        asyncio.run(place.provider.depart(ADDRESS))


# A reload


@pytest.mark.parametrize("when", ["before", "while it is judged"])
def test_nobody_comes_in_by_a_provider_that_was_exchanged(tmp_path: Path, when: str) -> None:
    place = SamlPlace(tmp_path)
    if when == "before":
        place.sign_in.retire()
    else:
        # The answer is being judged when the key is asked for.
        key = place.provider._key

        async def exchanged() -> ServiceKey:
            place.sign_in.retire()
            return await key()

        place.provider._key = exchanged
    assert denied(place, signed()) == "provider_changed"
    assert place.used.until == {}
    assert place.store.entries == {}
