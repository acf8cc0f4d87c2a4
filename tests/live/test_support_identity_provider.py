"""The OpenID provider that tests are run against does what tests ask of it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.identity_provider.process import IdentityProvider

SECRET = "a secret of a test's client, long enough"
CLIENT = {
    "client_id": "importer",
    "client_secret": SECRET,
    "grant_types": ["client_credentials"],
    "redirect_uris": [],
    "response_types": [],
    "token_endpoint_auth_method": "client_secret_post",
}


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider(clients=[CLIENT], resources={"urn:gateway": "interpose"}) as running:
        yield running


def parts(token: str) -> list[dict[str, Any]]:
    return [json.loads(urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def published(provider: IdentityProvider) -> set[str]:
    with urllib.request.urlopen(f"{provider.issuer}/jwks", timeout=10) as response:
        return {key["kid"] for key in json.loads(response.read())["keys"]}


def test_it_issues_access_tokens_with_claims_of_ones_own(provider: IdentityProvider) -> None:
    provider.change(token_claims={"importer": {"team": "orders"}})
    header, claims = parts(provider.client_token("importer", SECRET, "urn:gateway"))
    assert header["kid"] == provider.keys()[0]["kid"]
    assert (claims["iss"], claims["sub"], claims["aud"]) == (provider.issuer, "importer", "interpose")
    assert claims["team"] == "orders"


def test_it_rotates_its_keys(provider: IdentityProvider) -> None:
    old = provider.keys()[0]["kid"]
    new = provider.rotate(keep=1, algorithm="ES256")
    assert published(provider) == {old, new}
    header, _ = parts(provider.client_token("importer", SECRET, "urn:gateway"))
    assert (header["kid"], header["alg"]) == (new, "ES256")
    assert provider.rotate() not in (old, new)
    assert not published(provider) & {old, new}


def test_it_breaks_and_is_mended(provider: IdentityProvider) -> None:
    provider.requests(forget=True)
    provider.mode("down")
    with pytest.raises(urllib.error.URLError):
        published(provider)
    provider.mode("error")
    with pytest.raises(urllib.error.HTTPError):
        published(provider)
    provider.mode("up")
    assert published(provider)
    assert provider.requests() == {"/jwks": 2}
