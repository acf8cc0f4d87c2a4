"""An assertion as claims: texts as they are, typed where the mapping says so, and nobody named by a name that changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interpose.identity.mapping import ClaimMapping, ClaimPath, Mapped, map_claims
from interpose.identity.saml_assertion import EMAIL, TRANSIENT, Assertion
from interpose.identity.saml_claims import claims_of
from interpose.model.errors import AuthenticationError

NAMED = ClaimPath(("name_id",))
MAPPING = ClaimMapping(name=NAMED, subject=NAMED)
ASSERTION = Assertion("_1", "zoe", "", {}, 0.0, None, 0.0, "urn:password", "")


def mapped(mapping: ClaimMapping = MAPPING, **changes: object) -> Mapped:
    return map_claims(mapping, claims_of(replace(ASSERTION, **changes), mapping))  # type: ignore[arg-type]


def test_numbers_and_truths_are_what_the_mapping_says() -> None:
    attributes = {
        "level": (ClaimPath(("clearance",)), "long"),
        "senior": (ClaimPath(("senior",)), "bool"),
        "teams": (ClaimPath(("teams",)), "set"),
    }
    given = {"clearance": ("3",), "senior": ("true",), "teams": ("a", "b")}
    found = mapped(replace(MAPPING, attributes=attributes), attributes=given)
    assert found.principal.attributes == {"level": 3, "senior": True, "teams": ("a", "b")}


@pytest.mark.parametrize("given", [{"clearance": ("three",)}, {"clearance": ("03",)}, {"clearance": ("1", "2")}])
def test_what_is_no_number_refuses(given: dict[str, tuple[str, ...]]) -> None:
    mapping = replace(MAPPING, attributes={"level": (ClaimPath(("clearance",)), "long")})
    with pytest.raises(AuthenticationError) as caught:
        mapped(mapping, attributes=given)
    assert caught.value.detail == "attribute_not_understood"


def test_no_attribute_passes_for_the_name() -> None:
    assert mapped(attributes={"name_id": ("eve",), "authn_context": ("mfa",)}).subject == "zoe"
    with pytest.raises(AuthenticationError) as caught:
        mapped(replace(MAPPING, require={"authn_context": "mfa"}), attributes={"authn_context": ("mfa",)})
    assert caught.value.detail == "claim_required"
    assert mapped(replace(MAPPING, require={"authn_context": "urn:password"})).subject == "zoe"


def test_a_transient_name_is_nobodys() -> None:
    with pytest.raises(AuthenticationError) as caught:
        mapped(format=TRANSIENT)
    assert caught.value.detail == "name_id_is_transient"
    lasting = ClaimPath(("employee",))
    found = mapped(ClaimMapping(name=lasting, subject=lasting), format=TRANSIENT, attributes={"employee": ("e1",)})
    assert found.subject == "e1"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"format": EMAIL, "name_id": "zoe@example.com"}, ""),
        ({"attributes": {"email": ("zoe@example.com",)}}, ""),
        ({"attributes": {"email": ("zoe@example.com",), "email_verified": ("false",)}}, "email_not_verified"),
        ({"attributes": {"email": ("zoe@example.com",), "email_verified": ("true", "false")}}, "email_not_verified"),
        ({"attributes": {"email": ("zoe@example.com", "zoe@evil.example")}}, "email_not_verified"),
        ({"attributes": {"email": ("zoe@evil.example",)}}, "domain_not_allowed"),
        (
            {"format": EMAIL, "name_id": "zoe@example.com", "attributes": {"email": ("z@evil.example",)}},
            "domain_not_allowed",
        ),
        ({"name_id": "zoe@example.com"}, "email_not_verified"),
    ],
)
def test_domains(changes: dict[str, object], word: str) -> None:
    mapping = replace(MAPPING, domains=frozenset({"example.com"}))
    if not word:
        assert mapped(mapping, **changes).principal.name.startswith("zoe")
        return
    with pytest.raises(AuthenticationError) as caught:
        mapped(mapping, **changes)
    assert caught.value.detail == word
