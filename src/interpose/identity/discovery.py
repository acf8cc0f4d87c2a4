"""What an OpenID provider publishes of itself (OpenID Connect Discovery 1.0), asked for when it is needed and believed for an hour.

A provider that is down is asked at most once in `SPACING` seconds, however many people want to sign in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from interpose.identity.workload_options import fault_of_url
from interpose.model.errors import ProviderError

if TYPE_CHECKING:
    from interpose.engine.ports import Clock

BELIEVED: Final = 3600.0
SPACING: Final = 10.0


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where a provider is asked what. `says_issuer`: its answers to browsers carry `iss` (RFC 9207). `basic`: how the client proves itself."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    end_session: str | None
    says_issuer: bool
    basic: bool


class Discovery:
    """One provider's metadata as it is now."""

    def __init__(
        self, issuer: str, fetch: Callable[[str], Awaitable[Mapping[str, object]]], clock: Clock, *, plaintext: bool
    ) -> None:
        """`fetch` answers the JSON object at a URL or raises `ProviderError`; `plaintext` allows `http` on loopback."""
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._plaintext = plaintext
        self._metadata: Metadata | None = None
        self._fetched_at = 0.0
        self._next_at = 0.0
        self._lock = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Raises `ProviderError`."""
        found = self._known()
        if found is not None:
            return found
        async with self._lock:
            found = self._known()
            if found is not None:
                return found
            now = self._clock.monotonic()
            if now < self._next_at:
                raise _wrong("it was asked a moment ago and did not answer")
            self._next_at = now + SPACING
            document = await self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            self._metadata = read_metadata(document, self._issuer, plaintext=self._plaintext)
            self._fetched_at, self._next_at = self._clock.monotonic(), 0.0
            return self._metadata

    def _known(self) -> Metadata | None:
        fresh = self._clock.monotonic() - self._fetched_at < BELIEVED
        return self._metadata if fresh else None


def read_metadata(document: Mapping[str, object], issuer: str, *, plaintext: bool) -> Metadata:
    """The parts that are used, checked; raises `ProviderError`."""
    # INVARIANT: character by character (OpenID Connect Discovery 1.0 §4.3), or one issuer could speak for another.
    if document.get("issuer") != issuer:
        raise _wrong("it names another issuer")
    methods = document.get("token_endpoint_auth_methods_supported")
    return Metadata(
        _url(document, "authorization_endpoint", plaintext),
        _url(document, "token_endpoint", plaintext),
        _url(document, "jwks_uri", plaintext),
        _optional_url(document, "userinfo_endpoint", plaintext),
        _optional_url(document, "end_session_endpoint", plaintext),
        document.get("authorization_response_iss_parameter_supported") is True,
        not isinstance(methods, list) or "client_secret_basic" in methods or "client_secret_post" not in methods,
    )


def _optional_url(document: Mapping[str, object], key: str, plaintext: bool) -> str | None:
    return None if document.get(key) is None else _url(document, key, plaintext)


def _url(document: Mapping[str, object], key: str, plaintext: bool) -> str:
    value = document.get(key)
    if not isinstance(value, str) or len(value) > 2048:
        raise _wrong(f"`{key}` is missing")
    fault = fault_of_url(value, plaintext, query=True)
    if fault:
        raise _wrong(f"`{key}` {fault}")
    return value


def _wrong(why: str) -> ProviderError:
    return ProviderError("the identity provider does not answer as it should", detail=why, hint="try again later")
