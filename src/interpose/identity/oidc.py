"""An OpenID provider that people sign in with: authorization code with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9207, RFC 9700).

Proves and maps; what becomes of a proof is the engine's. No code, token or secret gets into an error, a log or an event.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from interpose.engine.signing_in import Departure, Proof
from interpose.identity.assurance import read_context
from interpose.identity.discovery import Discovery, Metadata
from interpose.identity.fetching import Fetcher
from interpose.identity.id_token import LEEWAY, Expected, check_id_token
from interpose.identity.jwks import Keys
from interpose.identity.logout_token import LogoutToken, check_logout_token
from interpose.identity.mapping import map_claims
from interpose.identity.oidc_options import OidcOptions
from interpose.model.errors import AuthenticationError, ProviderError

if TYPE_CHECKING:
    from interpose.engine.ports import Clock, Ids

METHOD: Final = "oidc"
_MAX_TOKEN: Final = 64 * 1024
_WORD: Final = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Answered:
    """What the provider said of somebody. `refresh` asks it again; empty when it gave nothing to ask with."""

    proof: Proof
    id_token: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)


class OidcProvider:
    """One provider; asks it when somebody signs in, and again when a refresh is due."""

    def __init__(
        self,
        options: OidcOptions,
        secret: Callable[[], Awaitable[str]] | None,
        clock: Clock,
        ids: Ids,
        *,
        fetcher: Fetcher | None = None,
    ) -> None:
        """`secret` answers the client's secret, or raises `SecretError`; None for a public client."""
        self.options = options
        self._secret = secret
        self._clock = clock
        self._ids = ids
        self._fetcher = fetcher or Fetcher(options.ca_file)
        self._discovery = Discovery(
            options.issuer, self._fetcher.json, clock, plaintext=options.allow_plaintext_on_loopback
        )
        self._keys = Keys(self._fetch_keys, clock, lambda: ids.secret_bytes(1)[0] / 255)

    async def close(self) -> None:
        """Ask nothing any more."""
        await self._keys.close()

    async def depart(self, redirect_uri: str, *, again: bool = False) -> Departure:
        """Where a browser signs in; `again` asks the provider to authenticate the person anew. Raises `ProviderError`."""
        metadata = await self._discovery.metadata()
        state, nonce, verifier = (_text(self._ids.secret_bytes(32)) for _ in range(3))
        query = {
            **(self.options.authorize or {}),
            "response_type": "code",
            "client_id": self.options.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.options.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **self._asked_of_authentication(again),
        }
        url = f"{metadata.authorization}{'&' if '?' in metadata.authorization else '?'}{urlencode(query)}"
        memory = {"nonce": nonce, "verifier": verifier}
        return Departure(url, state, {**memory, "again": str(self._clock.wall())} if again else memory)

    def _asked_of_authentication(self, again: bool) -> dict[str, str]:
        """OpenID Connect Core 1.0 §3.1.2.1."""
        asked: dict[str, str] = {}
        if self.options.acr_values:
            asked["acr_values"] = " ".join(self.options.acr_values)
        if again:
            prompts = (self.options.authorize or {}).get("prompt", "").split()
            asked |= {"max_age": "0", "prompt": " ".join(dict.fromkeys(["login", *prompts]))}
        elif self.options.max_age is not None:
            asked["max_age"] = str(int(self.options.max_age))
        return asked

    async def arrive(self, departure: Departure, redirect_uri: str, answer: Mapping[str, str]) -> Answered:
        """Who came back; `answer` is the query. Raises `AuthenticationError` with a machine word, `ProviderError`, `SecretError`."""
        metadata = await self._discovery.metadata()
        issuer = answer.get("iss")
        # An answer of another provider must never be taken to this one's token endpoint (RFC 9207 §2.4).
        if issuer != self.options.issuer and (issuer is not None or metadata.says_issuer):
            raise _denied("issuer_mixed_up")
        if "error" in answer:
            raise _denied(f"provider_said_{_word(answer['error'])}")
        code = answer.get("code", "")
        if not code or len(code) > _MAX_TOKEN:
            raise _denied("no_code")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": departure.memory["verifier"],
        }
        answered = await self._answered(metadata, form, nonce=departure.memory["nonce"], subject=None)
        self._check_age(answered.proof.context.auth_time, departure.memory.get("again"))
        return answered

    def _check_age(self, auth_time: float | None, again: str | None) -> None:
        """OpenID Connect Core 1.0 §3.1.3.7, 13: a provider may ignore what it was asked for, and then nobody is let in by it."""
        now, limit = self._clock.wall(), self.options.max_age
        if again is not None:
            limit = now - float(again)
        if limit is None:
            return
        if auth_time is None:
            raise _denied("no_auth_time")
        if now - auth_time > limit + LEEWAY:
            raise _denied("authenticated_too_long_ago")

    async def renew(self, refresh: str, proof: Proof) -> Answered:
        """What the provider says of somebody now. Raises `AuthenticationError` when it does not vouch for them any more, `ProviderError`."""
        metadata = await self._discovery.metadata()
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        answered = await self._answered(metadata, form, nonce=None, subject=proof)
        return answered if answered.refresh else Answered(answered.proof, answered.id_token, refresh)

    async def logout(self, text: str) -> LogoutToken:
        """What a logout token says; that each counts once is the caller's. Raises `AuthenticationError`, `ProviderError`."""
        options, now = self.options, self._clock.wall()
        return await check_logout_token(text, options.issuer, options.client_id, options.algorithms, self._keys, now)

    async def farewell(self, hint: str, return_to: str) -> str | None:
        """Where a browser signs out at the provider (OpenID Connect RP-Initiated Logout 1.0); None where it cannot."""
        try:
            metadata = await self._discovery.metadata()
        except ProviderError:
            return None
        if metadata.end_session is None:
            return None
        query = {"client_id": self.options.client_id, "post_logout_redirect_uri": return_to}
        if hint:
            query["id_token_hint"] = hint
        return f"{metadata.end_session}{'&' if '?' in metadata.end_session else '?'}{urlencode(query)}"

    async def _answered(
        self, metadata: Metadata, form: Mapping[str, str], *, nonce: str | None, subject: Proof | None
    ) -> Answered:
        answer = await self._ask_token(metadata, form)
        access, identity = answer.get("access_token"), answer.get("id_token")
        bearer = str(answer.get("token_type", "")).lower() == "bearer"
        if not isinstance(access, str) or not access.isascii() or not bearer:
            raise _wrong("the token endpoint gave no bearer token")
        expected_subject = None if subject is None else subject.subject
        claims: Mapping[str, object] = {}
        if isinstance(identity, str):
            expected = Expected(
                self.options.issuer, self.options.client_id, self.options.algorithms, nonce, None, access
            )
            try:
                claims = await check_id_token(identity, expected, self._keys, self._clock.wall())
            except AuthenticationError as error:
                if subject is None:
                    raise
                # Of a refresh: the provider's fault, which does not end what it vouched for.
                raise _wrong(f"its ID token does not count: {error.detail}") from error
        elif subject is None:
            raise _denied("no_id_token")
        # Of the ID token alone: what the userinfo endpoint says is of the person, not of this login.
        context = read_context(claims, self.options.mfa)
        if self.options.userinfo:
            claims = {**await self._userinfo(metadata, access, claims.get("sub")), **claims}
        refresh = answer.get("refresh_token")
        kept = refresh if isinstance(refresh, str) and refresh.isascii() and len(refresh) <= _MAX_TOKEN else ""
        hint = identity if isinstance(identity, str) else ""
        if not claims and subject is not None:
            # It gives a new access token and says nothing of groups: still vouched for, as before.
            return Answered(subject, hint, kept)
        mapped = map_claims(self.options.mapping, claims)
        if expected_subject is not None and mapped.subject != expected_subject:
            raise _denied("other_subject")
        until = self._clock.wall() + self.options.lifetime if subject is None else subject.valid_until
        proof = Proof(self.options.name, METHOD, self.options.issuer, mapped.subject, mapped.principal, until, context)
        return Answered(proof, hint, kept)

    async def _ask_token(self, metadata: Metadata, form: Mapping[str, str]) -> Mapping[str, object]:
        fields, headers = dict(form), {}
        secret = None if self._secret is None else await self._secret()
        if secret is None:
            fields["client_id"] = self.options.client_id
        elif metadata.basic:
            pair = f"{quote(self.options.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields |= {"client_id": self.options.client_id, "client_secret": secret}
        status, answer = await self._fetcher.ask(metadata.token, form=fields, headers=headers)
        if status == 200:
            return answer
        error = _word(str(answer.get("error", "")))
        # Only this error is about the person; any other one is about the gateway's client or the provider itself.
        if status in (400, 401) and error == "invalid_grant":
            raise _denied("grant_refused")
        raise _wrong(f"the token endpoint answered {status} {error}")

    async def _userinfo(self, metadata: Metadata, access: str, subject: object) -> Mapping[str, object]:
        if metadata.userinfo is None:
            raise _wrong("it has no userinfo endpoint")
        status, claims = await self._fetcher.ask(metadata.userinfo, headers={"Authorization": f"Bearer {access}"})
        if status != 200:
            raise _wrong(f"the userinfo endpoint answered {status}")
        # INVARIANT: an answer about somebody else is never used (OpenID Connect Core 1.0 §5.3.2).
        if not isinstance(claims.get("sub"), str) or (subject is not None and claims["sub"] != subject):
            raise _denied("other_subject")
        try:
            json.dumps(claims, ensure_ascii=False).encode()
        except ValueError:
            raise _wrong("the userinfo endpoint gave half of a character") from None
        return claims

    async def _fetch_keys(self) -> Mapping[str, object]:
        return await self._fetcher.json((await self._discovery.metadata()).keys)


def _text(random: bytes) -> str:
    return base64.urlsafe_b64encode(random).rstrip(b"=").decode()


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else "something"


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError("authentication failed", detail=why)


def _wrong(why: str) -> ProviderError:
    return ProviderError("the identity provider does not answer as it should", detail=why, hint="try again later")
