"""Signed tokens are read without goodwill, and only the key that is asked for makes one true."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.identity.jwks import KeySet
from interpose.identity.jws import MAX_TOKEN, check_signature, looks_like_jws, read_token
from interpose.identity.workload_options import ALGORITHMS
from interpose.model.errors import AuthenticationError
from tests.support.signing import part, private_key, public_jwk, signature, signed

KEY = private_key()
CLAIMS = {"iss": "https://issuer.example", "sub": "importer"}


def checked(token: str, *, key_of: str = "RS256", which: int = 0) -> None:
    """Read and check with the public key of this algorithm."""
    read = read_token(token, ALGORITHMS)
    key = KeySet({"keys": [public_jwk(private_key(key_of, which), kid="k")]}).find(None, key_of)
    assert key is not None
    check_signature(read, key)


def denied(token: str) -> str:
    with pytest.raises(AuthenticationError) as caught:
        checked(token)
    assert caught.value.public_message == "authentication failed"
    return caught.value.detail


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_that_can_be_allowed(algorithm: str) -> None:
    token = signed(CLAIMS, private_key(algorithm), algorithm, kid="k")
    read = read_token(token, ALGORITHMS)
    assert (read.algorithm, read.key_id, read.claims) == (algorithm, "k", CLAIMS)
    checked(token, key_of=algorithm)
    with pytest.raises(AuthenticationError, match="bad_signature"):
        checked(token, key_of=algorithm, which=1)


def test_what_has_the_form_of_a_signed_token() -> None:
    token = signed(CLAIMS, KEY)
    assert looks_like_jws(token)
    for other in (
        "",
        "eyJ",
        "a.b.c",
        f"{token}.x",
        f" {token}",
        token + "\n",
        "ip_0123456789_" + "a" * 49,
        "é" + token,
    ):
        assert not looks_like_jws(other)
    assert not looks_like_jws(signed({"x": "y" * MAX_TOKEN}, KEY))


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"alg": "none"}, "algorithm_not_allowed"),
        ({"alg": "None"}, "algorithm_not_allowed"),
        ({"alg": "HS256"}, "algorithm_not_allowed"),
        ({"alg": "rs256"}, "algorithm_not_allowed"),
        ({"alg": ["RS256"]}, "algorithm_not_allowed"),
        ({"alg": None}, "algorithm_not_allowed"),
        ({"alg": "ES256"}, "bad_signature"),
        ({"alg": "RS512"}, "bad_signature"),
        ({"jku": "https://evil.example/jwks"}, "token_carries_key"),
        ({"x5u": "https://evil.example/x"}, "token_carries_key"),
        ({"x5c": ["AA"]}, "token_carries_key"),
        ({"jwk": public_jwk(KEY)}, "token_carries_key"),
        ({"crit": ["exp"]}, "header_not_understood"),
        ({"b64": False}, "header_not_understood"),
        ({"zip": "DEF"}, "header_not_understood"),
        ({"enc": "A128GCM"}, "header_not_understood"),
        ({"typ": "logout+jwt"}, "wrong_type"),
        ({"typ": "dpop+jwt"}, "wrong_type"),
        ({"typ": 1}, "wrong_type"),
        ({"kid": 1}, "token_malformed"),
        ({"kid": "k" * 513}, "token_malformed"),
    ],
)
def test_headers_that_are_refused(header: dict[str, object], why: str) -> None:
    assert denied(signed(CLAIMS, KEY, **header)) == why


def test_types_that_are_taken() -> None:
    for type_ in ("JWT", "jwt", "at+jwt", "application/at+jwt", None):
        checked(signed(CLAIMS, KEY, typ=type_))


def test_the_public_key_is_no_shared_secret() -> None:
    public = json.dumps(public_jwk(KEY)).encode()
    assert denied(signed(CLAIMS, public, "HS256")) == "algorithm_not_allowed"


def test_signatures_that_are_none() -> None:
    token = signed(CLAIMS, KEY)
    body, _, sign = token.rpartition(".")
    assert denied(f"{body}.") == "bad_signature"
    assert denied(f"{body}.{part(b'x' * 256)}") == "bad_signature"
    assert denied(f"{body}.{sign[:-4]}") == "bad_signature"
    head, _, _ = body.partition(".")
    assert denied(f"{head}.{part({**CLAIMS, 'sub': 'admin'})}.{sign}") == "bad_signature"
    assert denied(f"{token}.{sign}") == "token_malformed"
    assert denied(f"{body}.{sign}=") == "token_malformed"


@pytest.mark.parametrize(
    "claims",
    [
        b'{"sub": "a", "sub": "b"}',
        b'{"sub": {"a": 1, "a": 2}}',
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b'{"sub": "\\ud800"}',
        b'{"sub": "\xff"}',
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 4000 + b"]" * 4000 + b"}",
        b'{"sub": "a"',
    ],
)
def test_claims_that_are_no_plain_json(claims: bytes) -> None:
    assert denied(signed(claims, KEY)) == "token_malformed"


def test_only_one_way_to_write_a_token() -> None:
    token = signed(CLAIMS, KEY)
    head, claims, sign = token.split(".")
    # The last character's unused bits: the same bytes, another text.
    loose = next(
        text for last in "BCDEFGHIJKLMNOPQRSTUVWXYZ" if (text := f"{head}.{claims[:-1]}{last}.{sign}") != token
    )
    assert denied(loose) in ("token_malformed", "bad_signature")
    assert denied(json.dumps({"payload": claims, "protected": head, "signature": sign})) == "token_malformed"
    general = {"payload": claims, "signatures": [{"protected": head, "signature": sign}] * 2}
    assert denied(json.dumps(general)) == "token_malformed"


def test_an_array_is_no_header() -> None:
    body = f"{part([1])}.{part(CLAIMS)}"
    assert denied(f"{body}.{part(signature(KEY, 'RS256', body.encode()))}") == "token_malformed"


def test_a_long_token_is_not_read() -> None:
    assert denied(signed({"x": "y" * MAX_TOKEN}, KEY)) == "token_too_long"


_TEXTS = st.text(st.sampled_from('eyJ.-_=AQ{}"\x00é\ud800'), max_size=60)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(_TEXTS | st.text(max_size=200))
def test_whatever_is_shown_is_read_or_denied(text: str) -> None:
    for shown in (text, f"eyJ{text}.eyJ{text}.x"):
        looks_like_jws(shown)
        with pytest.raises(AuthenticationError) as caught:
            read_token(shown, ALGORITHMS)
        assert caught.value.detail


@given(st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jku", "crit", "x"]), _VALUES), _VALUES)
def test_whatever_is_signed_is_read_or_denied(header: dict[str, object], claims: object) -> None:
    try:
        checked(signed(claims, KEY, **{"alg": "RS256", "typ": "JWT", **header}))
    except AuthenticationError as error:
        assert error.detail
    else:
        assert header.get("alg", "RS256") == "RS256" and isinstance(claims, dict)
        assert not {"jku", "crit"} & {name for name, value in header.items() if value is not None}
