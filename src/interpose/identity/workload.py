"""Workload tokens: a signed token of a configured issuer, checked and mapped to a service or an agent.

INVARIANT: nobody is asked for the keys of an issuer that is not configured, and a token names no place to ask.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from interpose.engine.ports import DirectoryEntry
from interpose.identity.fetching import Fetcher
from interpose.identity.jwks import Keys
from interpose.identity.jws import ReadToken, check_signature, read_token
from interpose.identity.mapping import Mapped, map_claims
from interpose.identity.names import canonical_name
from interpose.identity.workload_options import ALGORITHMS, WorkloadOptions, fault_of_url
from interpose.model.errors import AuthenticationError, ProviderError
from interpose.model.principal import Identity, Principal, PrincipalKind

if TYPE_CHECKING:
    from interpose.engine.directory import Directory
    from interpose.engine.ports import Clock, PrincipalSource

METHOD: Final = "jwt"
"""How such an identity proved itself, in policy's `session_method` and in the audit chain."""

_WRONG: Final = "authentication failed"
_LATEST: Final = 1e11
"""A time beyond it (the year 5138) is milliseconds, or nonsense."""

Warn = Callable[[str, Mapping[str, str]], None]


class _Issuer:
    """One provider with its keys."""

    def __init__(self, options: WorkloadOptions, clock: Clock, warn: Warn) -> None:
        self.options = options
        self._fetcher = Fetcher(options.ca_file)
        self._warn = warn
        self.keys = Keys(self._fetch, clock, random.random)

    def has_keys_of(self, options: WorkloadOptions) -> bool:
        """Whether these options lead to the very keys that are here."""
        return _place_of_keys(self.options) == _place_of_keys(options)

    async def _fetch(self) -> Mapping[str, object]:
        try:
            return await self._fetcher.json(self.options.jwks_url or await self._discovered())
        except ProviderError as error:
            self._warn("an identity provider's keys cannot be had", {"provider": self.options.name, "why": str(error)})
            raise

    async def _discovered(self) -> str:
        """Where the issuer says that its keys are (OpenID Connect Discovery 1.0 §4)."""
        issuer = self.options.issuer
        found = await self._fetcher.json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        url = found.get("jwks_uri")
        if found.get("issuer") != issuer:
            raise _odd(f"{issuer}: discovery names another issuer")
        if not isinstance(url, str) or fault_of_url(url, self.options.allow_plaintext_keys_on_loopback, query=True):
            raise _odd(f"{issuer}: discovery names no place for keys")
        return url


class WorkloadTokens:
    """Who a workload is by the token that its platform gave it: the port `Authenticators`."""

    def __init__(
        self,
        providers: Iterable[WorkloadOptions],
        directory: Directory,
        principals: Callable[[], PrincipalSource],
        clock: Clock,
        warn: Warn,
    ) -> None:
        """`principals` gives the current snapshot's; `warn` tells the operator of a provider that does not answer."""
        self._issuers: dict[str, list[_Issuer]] = {}
        self._directory = directory
        self._principals = principals
        self._clock = clock
        self._warn = warn
        self.use(providers)

    def use(self, providers: Iterable[WorkloadOptions]) -> None:
        """From now on these are the providers; keys that are known of one are kept.

        What a provider that is gone has proven lives to the end of its tokens; nothing is proven by it any more.
        """
        known = [issuer for listed in self._issuers.values() for issuer in listed]
        issuers: dict[str, list[_Issuer]] = {}
        for options in providers:
            made = _Issuer(options, self._clock, self._warn)
            same = next((each for each in known if each.has_keys_of(options)), None)
            made.keys = made.keys if same is None else same.keys
            issuers.setdefault(options.issuer, []).append(made)
        # One assignment: a login meets the providers of before or those of now.
        self._issuers = issuers

    async def identify(self, claimed_name: str, token: str) -> Identity:
        """Who this is; the name must be that of the token's principal."""
        return await self._prove(token, canonical_name(claimed_name) or "")

    async def bearer(self, token: str) -> Identity:
        """Who holds this token, where no name is claimed."""
        return await self._prove(token, None)

    async def close(self) -> None:
        """Stop asking for keys."""
        await asyncio.gather(*(issuer.keys.close() for listed in self._issuers.values() for issuer in listed))

    async def _prove(self, text: str, name: str | None) -> Identity:
        """Raises `AuthenticationError`, whose `detail` tells the audit chain what was wrong, `ProviderError` and `StoreError`."""
        token = read_token(text, ALGORITHMS)
        issuer = self._issuer_of(token)
        try:
            return await self._proven_by(issuer, token, name)
        except AuthenticationError as error:
            raise AuthenticationError(_WRONG, detail=error.detail, provider=issuer.options.name) from error

    def _issuer_of(self, token: ReadToken) -> _Issuer:
        issuer, audience = token.claims.get("iss"), token.claims.get("aud")
        found = self._issuers.get(issuer, []) if isinstance(issuer, str) else []
        if not found:
            raise AuthenticationError(_WRONG, detail="unknown_issuer")
        named = audience if isinstance(audience, list) else [audience]
        for each in found:
            if any(text in named for text in each.options.audience):
                return each
        raise AuthenticationError(_WRONG, detail="wrong_audience", provider=found[0].options.name)

    async def _proven_by(self, issuer: _Issuer, token: ReadToken, name: str | None) -> Identity:
        options = issuer.options
        if token.algorithm not in options.algorithms:
            raise _denied("algorithm_not_allowed")
        check_signature(token, await issuer.keys.find(token.key_id, token.algorithm))
        # From here on the issuer said what the claims say.
        expires_at = _valid_until(token.claims, self._clock.wall(), options)
        mapped = map_claims(options.mapping, token.claims)
        if name is not None and name != mapped.principal.name:
            raise _denied("other_name")
        self._check_person(mapped.principal)
        await self._learn(options.name, mapped, expires_at)
        return Identity(mapped.principal, METHOD, None, expires_at, options.name, mapped.subject)

    def _check_person(self, principal: Principal) -> None:
        """INVARIANT: an agent acts for a user who exists now."""
        if principal.acting_for is not None:
            person = self._principals().find(principal.acting_for)
            if person is None or person.kind is not PrincipalKind.USER:
                raise _denied("acting_for_nobody")

    async def _learn(self, provider: str, mapped: Mapped, expires_at: float) -> None:
        # For whom and what an agent acts is this token's alone; what is learned holds for all of its tokens.
        lasting = dataclasses.replace(mapped.principal, acting_for=None, task=None)
        await self._directory.learn(
            DirectoryEntry(lasting, provider, mapped.subject, self._clock.wall(), valid_until=expires_at)
        )


def _place_of_keys(options: WorkloadOptions) -> tuple[object, ...]:
    return (
        options.name,
        options.issuer,
        options.jwks_url,
        options.ca_file,
        options.allow_plaintext_keys_on_loopback,
    )


def _valid_until(claims: Mapping[str, object], now: float, options: WorkloadOptions) -> float:
    """When the token ends, if it is valid now (RFC 7519 §4.1.4 to §4.1.6).

    `leeway` is for an issuer whose clock is ahead. It never makes a token live longer.
    """
    if "cnf" in claims:
        # Bound to a key that this protocol cannot ask for (RFC 7800): whoever holds only the token is not who it is for.
        raise _denied("token_is_bound")
    expires = _time(claims, "exp")
    if expires is None:
        raise _denied("no_expiry")
    issued, begins = _time(claims, "iat"), _time(claims, "nbf")
    if issued is None:
        raise _denied("no_issue_time")
    ends = min(expires, issued + options.max_age)
    if now >= ends:
        raise _denied("token_expired" if now >= expires else "token_too_old")
    if max(issued, issued if begins is None else begins) > now + options.leeway:
        raise _denied("not_yet_valid")
    return ends


def _time(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LATEST:
        raise _denied("token_malformed")
    return float(value)


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError(_WRONG, detail=why)


def _odd(detail: str) -> ProviderError:
    return ProviderError("the identity provider does not answer as it should", detail=detail)
