"""Signed tokens in the compact form (RFC 7515, RFC 7519): read strictly, then checked with one public key.

Reading proves nothing: what is read only says which key to ask for. Sources: RFC 8725 for what is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from interpose.model.errors import AuthenticationError

MAX_TOKEN: Final = 16 * 1024
"""Characters of a token. A Kubernetes token has about a thousand, one of GitHub Actions two thousand."""

PublicKey = RSAKey | ECKey | OKPKey

_WRONG: Final = "authentication failed"
_FORM: Final = re.compile(r"(eyJ[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_KEYS_IN_THE_TOKEN: Final = ("jku", "jwk", "x5u", "x5c")
_NOT_UNDERSTOOD: Final = ("crit", "b64", "zip", "enc")
_TYPES: Final = ("jwt", "at+jwt", "application/at+jwt")
_MAX_KEY_ID: Final = 512


@dataclass(frozen=True, slots=True)
class ReadToken:
    """A token as it says it is, unproven. `key_id` is None when the header has no `kid`."""

    text: str
    algorithm: str
    key_id: str | None
    claims: Mapping[str, object]


class _Registry(jws.JWSRegistry):
    """joserfc's, with our bounds; which algorithms are allowed was decided before."""

    max_header_length = MAX_TOKEN
    max_payload_length = MAX_TOKEN

    def get_alg(self, name: str) -> Any:
        """The algorithm, when it is the one that was allowed. joserfc's own warns of `EdDSA`, whose only fault is its name."""
        if not self.allowed or name not in self.allowed or name.startswith("HS") or name == "none":
            raise JoseError(f"`{name}` is not allowed")
        return self.algorithms[name]


def looks_like_jws(text: str) -> bool:
    """Whether a text has the form of a signed token; an access token of the gateway never has."""
    return len(text) <= MAX_TOKEN and _FORM.fullmatch(text) is not None


def read_token(text: str, algorithms: frozenset[str] | tuple[str, ...], types: tuple[str, ...] = _TYPES) -> ReadToken:
    """What a token says of itself; `algorithms` are those that are ever taken, `types` the values of `typ`, in lower case.

    Raises `AuthenticationError`: `token_too_long`, `token_malformed`, `token_carries_key`, `header_not_understood`,
    `algorithm_not_allowed`, `wrong_type`.
    """
    if len(text) > MAX_TOKEN:
        raise _denied("token_too_long")
    match = _FORM.fullmatch(text)
    if match is None:
        raise _denied("token_malformed")
    header, claims = _object(match[1]), _object(match[2])
    # INVARIANT: the key comes from the provider that is configured, never from the token.
    if any(name in header for name in _KEYS_IN_THE_TOKEN):
        raise _denied("token_carries_key")
    if any(name in header for name in _NOT_UNDERSTOOD):
        raise _denied("header_not_understood")
    algorithm, key_id, type_ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise _denied("algorithm_not_allowed")
    if key_id is not None and (not isinstance(key_id, str) or len(key_id) > _MAX_KEY_ID):
        raise _denied("token_malformed")
    if type_ is not None and (not isinstance(type_, str) or type_.lower() not in types):
        raise _denied("wrong_type")
    return ReadToken(text, algorithm, key_id, claims)


def check_signature(token: ReadToken, key: PublicKey) -> None:
    """Raises `AuthenticationError` (`bad_signature`) unless this key signed the token by the algorithm that it names."""
    try:
        jws.deserialize_compact(
            token.text, key, registry=_Registry(algorithms=[token.algorithm], strict_check_header=False)
        )
    except (JoseError, ValueError) as error:
        raise _denied("bad_signature") from error


def _object(part: str) -> dict[str, object]:
    """A part as a JSON object without surprises: each key once, no NaN, no half of a character."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if base64.urlsafe_b64encode(data).rstrip(b"=") != part.encode():
            raise _denied("token_malformed")
        found = json.loads(data.decode(), object_pairs_hook=_each_once, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _denied("token_malformed") from error
    if not isinstance(found, dict):
        raise _denied("token_malformed")
    return found


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError(_WRONG, detail=why)
