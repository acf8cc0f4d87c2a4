"""Logout tokens: a provider says, server to server, that a login there is over (OpenID Connect Back-Channel Logout 1.0 §2.4 and §2.6)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from interpose.identity.id_token import LEEWAY, MAX_AGE, check_audience, check_times
from interpose.identity.jwks import Keys
from interpose.identity.jws import check_signature, read_token
from interpose.model.errors import AuthenticationError

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
REPLAYABLE: Final = MAX_AGE + 2 * LEEWAY
"""Seconds after which no logout token counts any more that counts now."""
_TYPES: Final = ("logout+jwt", "application/logout+jwt", "jwt")
_MAX_TEXT: Final = 255


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """What is over: every login of `subject` (None: whoever it was), or that of the provider's `session` alone (None: all).

    `issued_at` is wall clock: what began later is not meant.
    """

    id: str
    subject: str | None
    session: str | None
    issued_at: float


async def check_logout_token(
    text: str, issuer: str, client_id: str, algorithms: tuple[str, ...], keys: Keys, now: float
) -> LogoutToken:
    """What the token says, each rule of §2.6 held. Raises `AuthenticationError`, whose `detail` is a machine word, or `ProviderError`."""
    token = read_token(text, algorithms, _TYPES)
    check_signature(token, await keys.find(token.key_id, token.algorithm))
    claims = token.claims
    if claims.get("iss") != issuer:
        raise _denied("wrong_issuer")
    check_audience(claims, client_id)
    check_times(claims, now)
    events = claims.get("events")
    if not isinstance(events, Mapping) or not isinstance(events.get(EVENT), Mapping):
        raise _denied("no_logout_event")
    # INVARIANT: no ID token is ever a logout token (§2.4): those of a login have a nonce, and no event.
    if "nonce" in claims:
        raise _denied("logout_with_nonce")
    subject, session, ident = (_text(claims, name) for name in ("sub", "sid", "jti"))
    if ident is None:
        raise _denied("no_token_id")
    if subject is None and session is None:
        raise _denied("no_subject")
    return LogoutToken(ident, subject, session, float(str(claims["iat"])))


def digest_of(token: LogoutToken, issuer: str, client_id: str) -> bytes:
    """What is kept of a token that was obeyed: its id, which is one of its issuer's for this client (§2.6)."""
    return hashlib.sha256("\0".join(("logout", issuer, client_id, token.id)).encode("utf-8", "surrogatepass")).digest()


def _text(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise _denied("token_malformed")
    return value


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError("authentication failed", detail=why)
