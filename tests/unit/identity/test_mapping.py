"""A provider's claims become a principal, and no provider gives more than its mapping lets it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.identity.mapping import AttributeType, ClaimMapping, ClaimPath, GroupMapping, map_claims
from interpose.identity.names import is_canonical
from interpose.model.errors import AuthenticationError
from interpose.model.principal import Principal, PrincipalKind

_CLAIMS = {
    "sub": "f3a9",
    "preferred_username": "Ada",
    "email": "ada@Example.com",
    "email_verified": True,
    "realm_access": {"roles": ["Database Admins", "support", "offline_access"]},
    "https://example.com/groups": ["x"],
    "clearance": 3,
    "manager": ["bob"],
    "amr": ["pwd", "mfa"],
}


def _why(mapping: ClaimMapping, claims: dict[str, Any]) -> str:
    with pytest.raises(AuthenticationError) as refused:
        map_claims(mapping, claims)
    assert refused.value.public_message == "authentication failed"
    return refused.value.detail


def test_name_groups_and_attributes() -> None:
    mapping = ClaimMapping(
        name_prefix="corp-",
        groups=GroupMapping(
            ClaimPath(("realm_access", "roles")), frozenset({"dba", "support"}), "", {"Database Admins": "dba"}
        ),
        attributes={
            "clearance": (ClaimPath(("clearance",)), AttributeType.LONG),
            "manager": (ClaimPath(("manager",)), AttributeType.STRING),
            "ways": (ClaimPath(("amr",)), AttributeType.SET),
            "absent": (ClaimPath(("absent",)), AttributeType.STRING),
        },
    )
    mapped = map_claims(mapping, _CLAIMS)
    assert mapped.subject == "f3a9"
    assert mapped.principal == Principal(
        PrincipalKind.USER,
        "corp-ada",
        frozenset({"dba", "support"}),
        {"clearance": 3, "manager": "bob", "ways": ("pwd", "mfa")},
    )


def test_a_pattern_takes_a_part_and_refuses_the_rest() -> None:
    mapping = ClaimMapping(name=ClaimPath(("email",), re.compile(r"(?P<name>[^@]+)@example\.com", re.IGNORECASE)))
    assert map_claims(mapping, _CLAIMS).principal.name == "ada"
    assert _why(mapping, {**_CLAIMS, "email": "ada@example.com.evil.test"}) == "no_name"


def test_groups_that_are_not_allowed_are_dropped_and_others_get_their_prefix() -> None:
    path = ClaimPath(("https://example.com/groups",))
    assert map_claims(ClaimMapping(groups=GroupMapping(path, frozenset())), _CLAIMS).principal.groups == frozenset()
    assert map_claims(ClaimMapping(groups=GroupMapping(path, None, "corp:")), _CLAIMS).principal.groups == {"corp:x"}


@pytest.mark.parametrize(
    ("mapping", "change", "why"),
    [
        (ClaimMapping(), {"sub": None}, "no_subject"),
        (ClaimMapping(), {"sub": ""}, "no_subject"),
        (ClaimMapping(), {"preferred_username": "ada\nbob"}, "no_name"),
        (ClaimMapping(), {"preferred_username": "\u0430da"}, "no_name"),  # a Cyrillic letter
        (ClaimMapping(), {"preferred_username": ["ada", "root"]}, "no_name"),
        (ClaimMapping(), {"preferred_username": {"x": 1}}, "no_name"),
        (ClaimMapping(domains=frozenset({"example.com"})), {"email_verified": "true"}, "email_not_verified"),
        (ClaimMapping(domains=frozenset({"example.com"})), {"email": "ada@evil.test"}, "domain_not_allowed"),
        (
            ClaimMapping(domains=frozenset({"example.com"})),
            {"email": "ada@evil.test@example.com"},
            "domain_not_allowed",
        ),
        (ClaimMapping(require={"amr": "hwk"}), {}, "claim_required"),
        (ClaimMapping(require={"email_verified": True}), {"email_verified": 1}, "claim_required"),
        (ClaimMapping(require={"absent": "x"}), {}, "claim_required"),
        (
            ClaimMapping(attributes={"c": (ClaimPath(("clearance",)), AttributeType.LONG)}),
            {"clearance": "3"},
            "attribute_not_understood",
        ),
        (
            ClaimMapping(groups=GroupMapping(ClaimPath(("g",)), None, "x:")),
            {"g": [str(i) for i in range(2000)]},
            "too_many_groups",
        ),
    ],
)
def test_what_does_not_fit_refuses_the_login(mapping: ClaimMapping, change: dict[str, Any], why: str) -> None:
    assert _why(mapping, {**_CLAIMS, **change}) == why


def test_a_required_claim_may_be_one_of_a_list() -> None:
    assert map_claims(ClaimMapping(require={"amr": "mfa", "realm_access.roles": "support"}), _CLAIMS)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["sub", "preferred_username", "email", "email_verified", "groups"]), _JSON))
def test_whatever_is_claimed_gives_a_principal_of_the_mapping_or_a_refusal(claims: dict[str, Any]) -> None:
    mapping = ClaimMapping(groups=GroupMapping(ClaimPath(("groups",)), frozenset({"support"})))
    try:
        mapped = map_claims(mapping, claims)
    except AuthenticationError:
        return
    assert is_canonical(mapped.principal.name) and mapped.subject
    assert mapped.principal.groups <= {"support"}


def test_a_form_puts_parts_together() -> None:
    pattern = re.compile(r"system:serviceaccount:(?P<space>[^:]+):(?P<account>[^:]+)")
    mapping = ClaimMapping(name=ClaimPath(("sub",), pattern, "{space}.{account}"))
    claims = {"sub": "system:serviceaccount:shop:importer"}
    assert map_claims(mapping, claims).principal.name == "shop.importer"
    assert _why(mapping, {"sub": "system:serviceaccount:shop"}) == "no_name"
    # Braces of a claim are its own: nothing of them is filled in.
    assert _why(mapping, {"sub": "system:serviceaccount:{account}:x"}) == "no_name"


def test_for_whom_an_agent_acts_is_said_by_every_token_of_it() -> None:
    mapping = ClaimMapping(
        kind=PrincipalKind.AGENT, name=ClaimPath(("sub",)), acting_for=ClaimPath(("behalf",)), task=ClaimPath(("job",))
    )
    found = map_claims(mapping, {"sub": "fixer", "behalf": "Alice", "job": "tidy up"}).principal
    assert (found.acting_for, found.task) == ("alice", "tidy up")
    assert map_claims(mapping, {"sub": "fixer", "behalf": "alice"}).principal.task is None
    for behalf in (None, "", "a b", ["alice", "bob"], 3):
        assert _why(mapping, {"sub": "fixer", "behalf": behalf}) == "no_acting_for"
