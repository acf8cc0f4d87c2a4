"""ID tokens: the claims of one that is signed, meant for this gateway, of this login and of now (OpenID Connect Core 1.0 §3.1.3.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from interpose.identity.jwks import Keys
from interpose.identity.jws import check_signature, read_token
from interpose.model.errors import AuthenticationError

LEEWAY: Final = 60.0
"""Seconds that the provider's clock may be off."""
MAX_AGE: Final = 600.0
"""Seconds since a token was made at most: it was asked for a moment ago."""
_MAX_SUBJECT: Final = 255
_HASHES: Final = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512, "EdDSA": hashlib.sha512}


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say. `nonce` None: of a refresh, where it may be missing (§12.2); `subject` None: not known yet."""

    issuer: str
    client_id: str
    algorithms: tuple[str, ...]
    nonce: str | None
    subject: str | None
    access_token: str


async def check_id_token(text: str, expected: Expected, keys: Keys, now: float) -> Mapping[str, object]:
    """The token's claims. Raises `AuthenticationError`, whose `detail` is a machine word, or `ProviderError`."""
    token = read_token(text, expected.algorithms, ("jwt",))
    check_signature(token, await keys.find(token.key_id, token.algorithm))
    claims = token.claims
    if claims.get("iss") != expected.issuer:
        raise _denied("wrong_issuer")
    check_audience(claims, expected.client_id)
    check_times(claims, now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise _denied("no_subject")
    if expected.subject is not None and subject != expected.subject:
        raise _denied("other_subject")
    if expected.nonce is not None and not _same(claims.get("nonce"), expected.nonce):
        raise _denied("wrong_nonce")
    if "at_hash" in claims and not _same(claims["at_hash"], _half_hash(expected.access_token, token.algorithm)):
        raise _denied("wrong_access_token")
    return claims


def check_audience(claims: Mapping[str, object], client_id: str) -> None:
    """The token is for this client, and says so; raises `AuthenticationError`."""
    audience = claims.get("aud")
    listed = [audience] if isinstance(audience, str) else audience
    if not isinstance(listed, list) or client_id not in listed:
        raise _denied("wrong_audience")
    # A token for several must say to whom it was given; and what it says must be true in any case.
    if (len(listed) > 1 and "azp" not in claims) or claims.get("azp", client_id) != client_id:
        raise _denied("wrong_authorized_party")


def check_times(claims: Mapping[str, object], now: float) -> None:
    """The token was made a moment ago and has not expired; raises `AuthenticationError`."""
    expires, made, begins = (_seconds(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if expires is None or made is None:
        raise _denied("no_times")
    if now >= expires + LEEWAY:
        raise _denied("token_expired")
    if made > now + LEEWAY or (begins is not None and begins > now + LEEWAY):
        raise _denied("not_yet_valid")
    if now - made > MAX_AGE:
        raise _denied("token_too_old")


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e11:
        return None
    return float(value)


def _half_hash(text: str, algorithm: str) -> str:
    digest = (_HASHES.get(algorithm) or _HASHES[algorithm[-3:]])(text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _same(found: object, wanted: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(found.encode("utf-8", "surrogatepass"), wanted.encode())


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError("authentication failed", detail=why)
