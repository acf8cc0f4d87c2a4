"""Only a logout token of this provider, for this gateway, of now and for the first time ends anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interpose.identity.logout_token import EVENT, LogoutToken, digest_of
from interpose.model.errors import AuthenticationError
from tests.support.openid import ISSUER, OPTIONS, ProviderPlace
from tests.support.signing import part, private_key, signed
from tests.support.virtual import run


class Place:
    """A provider that says that a login is over."""

    def __init__(self) -> None:
        self.place = ProviderPlace(replace(OPTIONS, algorithms=("RS256",)))
        self.now = int(self.place.core.clock.wall())

    def claims(self, **more: object) -> dict[str, object]:
        good: dict[str, object] = {
            "iss": ISSUER,
            "aud": "interpose",
            "iat": self.now,
            "exp": self.now + 120,
            "jti": "j-1",
            "sub": "sub-1",
            "sid": "s-1",
            "events": {EVENT: {}},
        }
        return {name: value for name, value in {**good, **more}.items() if value is not None}

    def token(self, type_: str = "logout+jwt", **more: object) -> str:
        return signed(self.claims(**more), private_key("RS256"), kid="k", typ=type_)

    def denied(self, token: str) -> str:
        async def work() -> str:
            with pytest.raises(AuthenticationError) as caught:
                await self.place.provider.logout(token)
            return caught.value.detail

        return run(work())


def test_what_a_token_says() -> None:
    async def work() -> None:
        place = Place()
        said = await place.place.provider.logout(place.token())
        assert said == LogoutToken("j-1", "sub-1", "s-1", float(place.now))
        said = await place.place.provider.logout(place.token("JWT", sid=None, aud=["interpose", "x"], azp="interpose"))
        assert (said.subject, said.session) == ("sub-1", None)
        said = await place.place.provider.logout(place.token("application/logout+jwt", sub=None))
        assert (said.subject, said.session) == (None, "s-1")

    run(work())


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({"iss": "https://evil.example"}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"aud": "other"}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"aud": ["interpose", "other"]}, "wrong_authorized_party"),
        ({"iat": None}, "no_times"),
        ({"exp": None}, "no_times"),
        ({"exp": 1}, "token_expired"),
        ({"iat": 1000}, "token_too_old"),
        ({"iat": 9e10}, "not_yet_valid"),
        ({"events": None}, "no_logout_event"),
        ({"events": {}}, "no_logout_event"),
        ({"events": {EVENT: True}}, "no_logout_event"),
        ({"events": [EVENT]}, "no_logout_event"),
        ({"events": {"other": {}}}, "no_logout_event"),
        ({"nonce": "n"}, "logout_with_nonce"),
        ({"nonce": ""}, "logout_with_nonce"),
        ({"jti": None}, "no_token_id"),
        ({"jti": 5}, "token_malformed"),
        ({"sub": None, "sid": None}, "no_subject"),
        ({"sub": ""}, "token_malformed"),
        ({"sid": ["s-1"]}, "token_malformed"),
        ({"sub": "x" * 256}, "token_malformed"),
    ],
)
def test_a_claim_that_is_wrong_refuses(claims: dict[str, object], word: str) -> None:
    place = Place()
    assert place.denied(place.token(**claims)) == word


def test_signatures() -> None:
    place = Place()
    claims = place.claims()
    for token, word in (
        (f"{part({'alg': 'none'})}.{part(claims)}.", "algorithm_not_allowed"),
        (signed(claims, b"key", "HS256", kid="k"), "algorithm_not_allowed"),
        (signed(claims, private_key("RS256", 1), kid="k"), "bad_signature"),
        (signed(claims, private_key("RS256"), kid="other"), "unknown_key"),
        (signed(claims, private_key("RS256"), kid="k", typ="at+jwt"), "wrong_type"),
        (signed(claims, private_key("RS256"), kid="k", typ="id+jwt"), "wrong_type"),
        ("x", "token_malformed"),
    ):
        assert place.denied(token) == word


def test_what_is_kept_of_one_names_the_token_of_this_issuer_for_this_client() -> None:
    token = LogoutToken("j-1", "s", None, 0.0)
    kept = digest_of(token, ISSUER, "interpose")
    assert digest_of(replace(token, subject="t", issued_at=9.0), ISSUER, "interpose") == kept
    others = {
        digest_of(replace(token, id="j-2"), ISSUER, "interpose"),
        digest_of(token, "https://other.example", "interpose"),
        digest_of(token, ISSUER, "other"),
        kept,
    }
    assert len(others) == 4
