"""An OpenID login against real signatures: only an answer of this provider, to this gateway, for this login, of now, proves anybody."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from interpose.engine.signing_in import Proof
from interpose.identity.assurance import MfaRule
from interpose.identity.mapping import ClaimPath, GroupMapping
from interpose.model.errors import AuthenticationError, ProviderError
from interpose.model.principal import NOT_KNOWN, AuthenticationContext, Principal, PrincipalKind
from tests.support.openid import ISSUER, OPTIONS, REDIRECT, ProviderPlace, half_hash
from tests.support.signing import part, private_key, public_jwk, signed
from tests.support.virtual import run

GROUPS = replace(OPTIONS, mapping=replace(OPTIONS.mapping, groups=GroupMapping(ClaimPath(("groups",)), None, "corp:")))
NOW = 1_790_000_000


def denied(place: ProviderPlace, **answer: str) -> str:
    """The machine word with which a login is refused."""

    async def work() -> str:
        with pytest.raises(AuthenticationError) as caught:
            await place.sign_in(**answer)
        return caught.value.detail

    return run(work())


def test_a_login_goes_out_with_pkce_and_comes_back_as_a_proof() -> None:
    async def work() -> None:
        place = ProviderPlace(replace(GROUPS, authorize={"prompt": "consent"}), secret="s p")
        departure = await place.provider.depart(REDIRECT)
        assert departure.url.startswith(f"{ISSUER}/auth?")
        query = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
        assert query["state"] == departure.state
        assert len({query["state"], query["nonce"], departure.memory["verifier"]}) == 3
        challenge = hashlib.sha256(departure.memory["verifier"].encode()).digest()
        assert query["code_challenge"] == base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        assert (query["code_challenge_method"], query["prompt"]) == ("S256", "consent")
        assert departure.memory["verifier"] not in departure.url
        answered = await place.sign_in(state="x", iss=ISSUER)
        proof = answered.proof
        assert proof.principal == Principal(PrincipalKind.USER, "zoe", frozenset({"corp:support"}))
        assert (proof.provider, proof.method, proof.issuer, proof.subject) == ("corporate", "oidc", ISSUER, "sub-1")
        assert proof.valid_until == place.core.clock.wall() + 8 * 3600
        _, form, headers = next(each for each in place.network.asked if each[0].endswith("/token"))
        assert (form["grant_type"], form["code"], form["redirect_uri"]) == ("authorization_code", "c-1", REDIRECT)
        assert headers["Authorization"] == "Basic " + base64.b64encode(b"interpose:s%20p").decode()
        assert "client_secret" not in form

    run(work())


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({"iss": "https://evil.example"}, "wrong_issuer"),
        ({"iss": ISSUER + "/"}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"aud": "other"}, "wrong_audience"),
        ({"aud": []}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"aud": ["interpose", "other"]}, "wrong_authorized_party"),
        ({"aud": ["interpose", "other"], "azp": "other"}, "wrong_authorized_party"),
        ({"azp": "other"}, "wrong_authorized_party"),
        ({"nonce": "another"}, "wrong_nonce"),
        ({"nonce": None}, "wrong_nonce"),
        ({"nonce": ["x"]}, "wrong_nonce"),
        ({"exp": 1}, "token_expired"),
        ({"exp": None}, "no_times"),
        ({"exp": True}, "no_times"),
        ({"iat": None}, "no_times"),
        ({"iat": 1e12}, "no_times"),
        ({"iat": 9e10}, "not_yet_valid"),
        ({"nbf": 9e10}, "not_yet_valid"),
        ({"iat": 1000}, "token_too_old"),
        ({"sub": None}, "no_subject"),
        ({"sub": ""}, "no_subject"),
        ({"sub": "x" * 256}, "no_subject"),
        ({"sub": 7}, "no_subject"),
        ({"at_hash": half_hash("another")}, "wrong_access_token"),
        ({"at_hash": 5}, "wrong_access_token"),
        ({"preferred_username": None}, "no_name"),
        ({"preferred_username": "<script>"}, "no_name"),
    ],
)
def test_a_claim_that_is_wrong_refuses(claims: dict[str, object], word: str) -> None:
    place = ProviderPlace()
    place.network.claims = claims
    assert denied(place) == word


def test_at_hash_is_checked_when_it_is_there() -> None:
    async def work() -> None:
        place = ProviderPlace()
        place.network.claims = {"at_hash": half_hash("at-1"), "aud": ["interpose", "other"], "azp": "interpose"}
        assert (await place.sign_in()).proof.subject == "sub-1"

    run(work())


def test_signatures() -> None:
    claims = {"iss": ISSUER, "aud": "interpose", "sub": "sub-1"}
    place = ProviderPlace()
    for token, word in (
        (signed(claims, private_key("RS256", 1), kid="k"), "bad_signature"),
        (f"{part({'alg': 'none'})}.{part(claims)}.", "algorithm_not_allowed"),
        (signed(claims, b"key", "HS256", kid="k"), "algorithm_not_allowed"),
        (signed(claims, private_key("ES384"), "ES384", kid="k"), "algorithm_not_allowed"),
        (signed(claims, private_key("ES256"), "ES256", kid="k"), "unknown_key"),
        (signed(claims, private_key("RS256"), kid="other"), "unknown_key"),
        (signed(claims, private_key("RS256", 1), jwk=public_jwk(private_key("RS256", 1))), "token_carries_key"),
        (signed(claims, private_key("RS256"), kid="k", typ="logout+jwt"), "wrong_type"),
        ("x", "token_malformed"),
    ):
        place.network.id_token = token
        assert denied(place) == word, token


@pytest.mark.parametrize(
    ("answer", "says", "word"),
    [
        ({"iss": "https://evil.example"}, False, "issuer_mixed_up"),
        ({"iss": ""}, False, "issuer_mixed_up"),
        ({}, True, "issuer_mixed_up"),
        ({"error": "access_denied"}, False, "provider_said_access_denied"),
        ({"error": "<script>alert(1)</script>"}, False, "provider_said_something"),
        ({"code": ""}, False, "no_code"),
        ({"code": "x" * 70_000}, False, "no_code"),
    ],
)
def test_an_answer_that_does_not_fit_is_not_exchanged(answer: dict[str, str], says: bool, word: str) -> None:
    place = ProviderPlace()
    place.network.metadata["authorization_response_iss_parameter_supported"] = says
    assert denied(place, **answer) == word
    assert not [each for each in place.network.asked if each[0].endswith("/token")], "the code went out"


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (400, {"error": "invalid_grant"}, AuthenticationError),
        (400, {"error": "invalid_request"}, ProviderError),
        (401, {"error": "invalid_client"}, ProviderError),
        (500, {}, ProviderError),
        (200, {"access_token": None}, ProviderError),
        (200, {"token_type": "mac"}, ProviderError),
        (200, {"access_token": "\ud800"}, ProviderError),
        (200, {"id_token": None}, AuthenticationError),
    ],
)
def test_the_token_endpoint_s_errors_are_told_apart(
    status: int, answer: dict[str, object], error: type[Exception]
) -> None:
    async def work() -> None:
        place = ProviderPlace()
        place.network.status, place.network.answer = status, answer
        with pytest.raises(error):
            await place.sign_in()

    run(work())


def test_userinfo_is_of_the_same_person_or_nobody_s() -> None:
    async def work() -> None:
        place = ProviderPlace(replace(GROUPS, userinfo=True))
        place.network.claims = {"groups": None}
        place.network.userinfo = {"sub": "sub-1", "groups": ["dba"], "preferred_username": "mallory"}
        principal = (await place.sign_in()).proof.principal
        # What is signed wins over what is not.
        assert (principal.name, principal.groups) == ("zoe", frozenset({"corp:dba"}))
        for other in ({"sub": "sub-2"}, {}, {"sub": ["sub-1"]}):
            place.network.userinfo = other
            with pytest.raises(AuthenticationError, match="other_subject"):
                await place.sign_in()

    run(work())


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": ISSUER + "/"},
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://idp.example/token"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"end_session_endpoint": 5},
    ],
)
def test_metadata_that_does_not_fit_lets_nobody_sign_in(change: dict[str, object]) -> None:
    async def work() -> None:
        place = ProviderPlace()
        place.network.metadata |= change
        with pytest.raises(ProviderError):
            await place.provider.depart(REDIRECT)

    run(work())


def test_a_provider_that_is_down_is_not_asked_by_everybody() -> None:
    async def work() -> None:
        place = ProviderPlace()
        place.network.down = True
        for _ in range(20):
            with pytest.raises(ProviderError):
                await place.provider.depart(REDIRECT)
        assert len(place.network.asked) == 1

    run(work())


def test_half_of_a_character_does_not_get_into_a_name_or_a_group() -> None:
    async def work() -> None:
        place = ProviderPlace(replace(GROUPS, userinfo=True))
        place.network.claims = {"groups": None}
        place.network.userinfo = {"sub": "sub-1", "groups": ["\ud800"]}
        with pytest.raises(ProviderError):
            await place.sign_in()

    run(work())


def test_renewals() -> None:
    async def work() -> None:
        place = ProviderPlace(GROUPS)
        proof: Proof = (await place.sign_in()).proof
        place.network.nonce = "whatever"
        place.network.claims = {"groups": ["dba"]}
        answered = await place.provider.renew("r-1", proof)
        assert answered.proof.principal.groups == frozenset({"corp:dba"})
        assert (answered.refresh, answered.proof.valid_until) == ("r-1", proof.valid_until)
        assert place.network.asked[-1][1]["refresh_token"] == "r-1"
        place.network.answer = {"refresh_token": "r-2"}
        assert (await place.provider.renew("r-1", proof)).refresh == "r-2"
        # A provider that says nothing of groups still vouches.
        place.network.answer = {"id_token": None}
        assert (await place.provider.renew("r-1", proof)).proof == proof
        place.network.answer = {}
        place.network.claims = {"sub": "sub-2"}
        with pytest.raises(AuthenticationError, match="other_subject"):
            await place.provider.renew("r-1", proof)
        # A token that does not count is the provider's fault: it ends nobody.
        place.network.claims = {"aud": "other"}
        with pytest.raises(ProviderError):
            await place.provider.renew("r-1", proof)
        place.network.status, place.network.answer = 400, {"error": "invalid_grant"}
        with pytest.raises(AuthenticationError, match="grant_refused"):
            await place.provider.renew("r-1", proof)

    run(work())


def test_the_way_out() -> None:
    async def work() -> None:
        place = ProviderPlace()
        url = await place.provider.farewell("hint", "https://gateway.example/signed-out")
        assert url == (
            f"{ISSUER}/end?x=1&client_id=interpose"
            "&post_logout_redirect_uri=https%3A%2F%2Fgateway.example%2Fsigned-out&id_token_hint=hint"
        )
        other = ProviderPlace()
        del other.network.metadata["end_session_endpoint"]
        assert await other.provider.farewell("", "https://gateway.example/") is None

    run(work())


def test_how_somebody_authenticated_goes_with_the_proof() -> None:
    async def work() -> None:
        place = ProviderPlace(replace(OPTIONS, mfa=MfaRule(acr=frozenset({"gold"})), userinfo=True))
        now = int(place.core.clock.wall())
        place.network.claims = {"auth_time": now - 30, "amr": ["pwd"], "acr": "gold", "sid": "s-1"}
        context = (await place.sign_in()).proof.context
        assert context == AuthenticationContext(now - 30.0, frozenset({"pwd"}), "gold", True, "s-1")
        # The userinfo endpoint speaks of the person, and not of this login.
        place.network.claims = {}
        place.network.userinfo = {"sub": "sub-1", "amr": ["mfa"], "auth_time": now, "acr": "gold"}
        assert (await place.sign_in()).proof.context == NOT_KNOWN

    run(work())


def test_what_is_asked_of_the_authentication() -> None:
    async def work() -> None:
        options = replace(OPTIONS, max_age=3600.0, acr_values=("gold", "silver"), authorize={"prompt": "consent"})
        place = ProviderPlace(options)

        async def query(again: bool) -> dict[str, str]:
            url = (await place.provider.depart(REDIRECT, again=again)).url
            return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

        usual, forced = await query(False), await query(True)
        assert (usual["max_age"], usual["acr_values"], usual["prompt"]) == ("3600", "gold silver", "consent")
        assert (forced["max_age"], forced["acr_values"], forced["prompt"]) == ("0", "gold silver", "login consent")

    run(work())


@pytest.mark.parametrize("again", [False, True])
def test_a_provider_that_did_not_ask_the_person_lets_nobody_in(again: bool) -> None:
    async def work() -> None:
        place = ProviderPlace(replace(OPTIONS, max_age=None if again else 600.0))
        now = int(place.core.clock.wall())
        limit = 0 if again else 600
        for auth_time, word in (
            (now - limit, ""),
            (now - limit - 59, ""),
            (now - limit - 62, "authenticated_too_long_ago"),
            (None, "no_auth_time"),
        ):
            place.network.claims = {"auth_time": auth_time}
            if not word:
                await place.sign_in(again=again)
                continue
            with pytest.raises(AuthenticationError) as caught:
                await place.sign_in(again=again)
            assert caught.value.detail == word

    run(work())
