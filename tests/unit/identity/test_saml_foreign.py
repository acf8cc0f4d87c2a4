"""Answers of another implementation (pysaml2) as the provider: good ones prove somebody, and what it signs for somebody else, late or in parts does not.

pysaml2 reads the gateway's own metadata and requests, too. It signs and encrypts by the program `xmlsec1`.
"""

from __future__ import annotations

import asyncio
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from interpose.identity.mapping import ClaimPath
from interpose.identity.saml_metadata import own_metadata
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError
from tests.support.saml import ADDRESS, DS, ENTITY, ISSUER, SIGN_IN, moment, signer
from tests.support.saml_place import SamlPlace

with warnings.catch_warnings():
    # pysaml2 looks for a cipher where cryptography had it; it is not used here.
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_REDIRECT
    from saml2.config import IdPConfig
    from saml2.metadata import entity_descriptor
    from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
    from saml2.server import Server

pytestmark = pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="no xmlsec1: pysaml2 signs with it")

OTHER = "https://other.example/metadata"


class Foreign:
    """The provider `partner` as pysaml2 is one, and a gateway that was given its metadata."""

    def __init__(self, folder: Path) -> None:
        place = SamlPlace(folder)
        own = folder / "gateway.xml"
        own.write_bytes(own_metadata(ENTITY, ADDRESS, place.key))
        other = folder / "other.xml"
        other.write_bytes(own_metadata(OTHER, "https://other.example/acs", place.key))
        key, certificate = folder / "idp.key", folder / "idp.crt"
        key.write_text(signer().key)
        certificate.write_text(signer().certificate)
        config = IdPConfig()
        config.load(
            {
                "entityid": ISSUER,
                "xmlsec_binary": shutil.which("xmlsec1"),
                "key_file": str(key),
                "cert_file": str(certificate),
                "metadata": {"local": [str(own), str(other)]},
                "service": {
                    "idp": {
                        "endpoints": {"single_sign_on_service": [(SIGN_IN, BINDING_HTTP_REDIRECT)]},
                        "want_authn_requests_signed": True,
                        "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                        "policy": {
                            "default": {
                                "lifetime": {"minutes": 5},
                                "attribute_restrictions": None,
                                "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
                                "fail_on_missing_requested": False,
                            }
                        },
                    }
                },
            }
        )
        self.server = Server(config=config)
        (folder / "partner.xml").write_text(str(entity_descriptor(config)))
        # As pysaml2 calls what others call uid, where names are of the form `basic`.
        mapping = replace(place.options.mapping, name=ClaimPath(("urn:mace:dir:attribute-def:uid",)))
        self.place = SamlPlace(folder, mapping=mapping)

    def answer(self, request: str, **more: Any) -> bytes:
        """What it answers to a request; `more` wins over what a good answer has."""
        given = {
            "identity": {"uid": ["zoe"], "groups": ["support", "not-allowed"]},
            "in_response_to": request,
            "destination": ADDRESS,
            "sp_entity_id": ENTITY,
            "name_id": NameID(format=NAMEID_FORMAT_PERSISTENT, text="zoe-1"),
            "authn": {"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"},
            "sign_assertion": True,
            "sign_response": False,
            "sign_alg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "digest_alg": "http://www.w3.org/2001/04/xmlenc#sha256",
            **more,
        }
        return str(self.server.create_authn_response(**given)).encode()

    def asked(self) -> Any:
        """A login begins: the request as pysaml2 reads it, which must be signed by the key of the gateway's metadata."""
        departure = asyncio.run(self.place.provider.depart(ADDRESS))
        query = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
        return self.server.parse_authn_request(
            query["SAMLRequest"], BINDING_HTTP_REDIRECT, query["RelayState"], query["SigAlg"], query["Signature"]
        )

    def refused(self, answer: bytes, request: str) -> str:
        """Why it is refused, as the audit chain has it."""

        async def work() -> None:
            with pytest.raises(AuthenticationError):
                await self.place.came(answer, request)

        asyncio.run(work())
        assert self.place.store.entries == {}
        return str(self.place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"])


@pytest.fixture
def foreign(tmp_path: Path) -> Foreign:
    return Foreign(tmp_path)


@pytest.mark.parametrize("both", [False, True])
def test_it_reads_the_request_and_its_answer_proves_somebody(foreign: Foreign, both: bool) -> None:
    asked = foreign.asked()
    assert (asked.message.issuer.text, asked.message.assertion_consumer_service_url) == (ENTITY, ADDRESS)
    answer = foreign.answer(asked.message.id, sign_response=both)
    who = asyncio.run(foreign.place.came(answer, asked.message.id))
    assert (who.identity.principal.name, who.identity.principal.groups) == ("zoe", {"support"})
    assert (who.proof.issuer, who.proof.subject) == (ISSUER, "zoe-1")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("not signed at all", {"sign_assertion": False}, "assertion_unsigned"),
    ("only the response signed", {"sign_assertion": False, "sign_response": True}, "assertion_unsigned"),
    ("SHA-1", {"sign_alg": f"{DS[1:-1]}rsa-sha1", "digest_alg": f"{DS[1:-1]}sha1"}, "algorithm_not_allowed"),
    ("encrypted by three times DES, as pysaml2 does", {"encrypt_assertion": True}, "algorithm_not_allowed"),
    ("for another gateway", {"sp_entity_id": OTHER}, "wrong_audience"),
    ("sent elsewhere", {"destination": "https://other.example/acs"}, "wrong_destination"),
    ("to another request", {"in_response_to": "id-another"}, "wrong_request"),
    ("over", {"session_not_on_or_after": moment(-600)}, "no_longer_valid"),
    ("another entity in its name", {"issuer": "https://evil.example/metadata"}, "wrong_issuer"),
]


@pytest.mark.parametrize(("more", "reason"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_what_it_signs_for_somebody_else_late_or_weakly_proves_nobody(
    foreign: Foreign, more: dict[str, Any], reason: str
) -> None:
    assert foreign.refused(foreign.answer(**{"request": "id-1", **more}), "id-1") == reason


def test_a_name_with_a_comment_that_it_signs_is_the_whole_name_or_nobody(foreign: Foreign) -> None:
    # What a careless reader cuts at the comment: zoe-1 instead of zoe-1.evil.
    answer = foreign.answer("id-1", name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text="zoe-1.evil"))
    commented = answer.replace(b"zoe-1.evil", b"zoe-1<!-- -->.evil")
    assert commented != answer
    foreign.refused(commented, "id-1")


def test_what_was_changed_after_it_signed_proves_nobody(foreign: Foreign) -> None:
    answer = foreign.answer("id-1")
    for before, after in ((b">zoe<", b">eve<"), (b">zoe-1<", b">eve-1<"), (b">support<", b">dba<")):
        assert before in answer
        foreign.refused(answer.replace(before, after), "id-1")


def test_an_answer_counts_once(foreign: Foreign) -> None:
    answer = foreign.answer("id-1")
    asyncio.run(foreign.place.came(answer))
    foreign.place.store.entries.clear()
    assert foreign.refused(answer, "id-1") == "assertion_used"
