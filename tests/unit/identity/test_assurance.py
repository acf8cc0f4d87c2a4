"""How somebody authenticated: what is said is read, what is not said is not assumed, and one factor is one factor."""

from __future__ import annotations

import pytest

from interpose.identity.assurance import MAX_METHODS, MfaRule, read_context
from interpose.model.principal import NOT_KNOWN, AuthenticationContext


def test_what_the_claims_say() -> None:
    claims = {"auth_time": 1_790_000_000, "amr": ["pwd", "otp"], "acr": "urn:gold", "sid": "s-1", "sub": "x"}
    expected = AuthenticationContext(1_790_000_000.0, frozenset({"pwd", "otp"}), "urn:gold", True, "s-1")
    assert read_context(claims, MfaRule()) == expected
    assert read_context({}, MfaRule()) == NOT_KNOWN


@pytest.mark.parametrize(
    ("amr", "acr", "mfa"),
    [
        (["mfa"], "", True),
        (["pwd", "mfa"], "", True),
        (["pwd", "otp"], "", True),
        (["pwd", "sms"], "", True),
        (["pin", "hwk"], "", True),
        (["face", "swk"], "", True),
        # One method is one factor, and two of one kind are one.
        (["pwd"], "", False),
        (["otp"], "", False),
        (["hwk"], "", False),
        (["pwd", "pin", "kba"], "", False),
        (["otp", "sms"], "", False),
        # These prove no factor by themselves.
        (["pwd", "user", "rba", "geo", "wia", "mca", "MFA", "own"], "", False),
        (["duo"], "", True),
        ([], "urn:gold", True),
        ([], "urn:silver", False),
        ("mfa", "", True),
    ],
)
def test_more_than_one_factor(amr: object, acr: str, mfa: bool) -> None:
    rule = MfaRule(frozenset({"duo"}), frozenset({"urn:gold"}))
    assert read_context({"amr": amr, "acr": acr}, rule).mfa is mfa


def test_nothing_declared_is_not_what_was_not_said() -> None:
    assert not read_context({"acr": ""}, MfaRule(acr=frozenset({"urn:gold"}))).mfa
    assert not MfaRule().holds(frozenset(), "")


@pytest.mark.parametrize(
    "claims",
    [
        {"auth_time": True, "amr": {"mfa": 1}, "acr": 1, "sid": ["s"]},
        {"auth_time": "1790000000", "amr": [1, None, ["mfa"], "x" * 257], "acr": "x" * 257, "sid": None},
        {"auth_time": -1},
        {"auth_time": 1e12},
        {"amr": ["x"] * MAX_METHODS + ["mfa"]},
    ],
)
def test_a_claim_of_another_form_counts_as_not_said(claims: dict[str, object]) -> None:
    found = read_context(claims, MfaRule())
    assert (found.auth_time, found.acr, found.mfa, found.session) == (None, "", False, "")
