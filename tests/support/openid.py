"""An OpenID provider in the place of the network: it signs with real keys what it is told to, and remembers what it was asked."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from interpose.identity.fetching import Fetcher
from interpose.identity.oidc import OidcProvider
from interpose.identity.oidc_options import OidcOptions
from interpose.model.errors import ProviderError
from tests.support.gateway_core import Core
from tests.support.signing import private_key, public_jwk, signed

ISSUER = "https://idp.example"
REDIRECT = "https://gateway.example:6443/login/corporate/callback"
OPTIONS = OidcOptions("corporate", ISSUER, "interpose")


class ToldNetwork(Fetcher):
    """What the provider answers. `claims` are laid over good ones (None removes one); `answer` over the token endpoint's answer."""

    def __init__(self, core: Core) -> None:
        super().__init__()
        self.core = core
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
            "userinfo_endpoint": f"{ISSUER}/me",
            "end_session_endpoint": f"{ISSUER}/end?x=1",
        }
        self.algorithm = "RS256"
        self.key = private_key("RS256")
        self.claims: dict[str, object] = {}
        self.header: dict[str, object] = {}
        self.answer: dict[str, object] = {}
        self.status = 200
        self.userinfo: dict[str, object] = {"sub": "sub-1"}
        self.nonce = ""
        self.down = False
        self.asked: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = []
        self.id_token: str | None = None

    async def ask(
        self, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, object]]:
        self.asked.append((url, form or {}, headers or {}))
        if self.down:
            raise ProviderError("the identity provider does not answer as it should", detail="down")
        match urlsplit(url).path:
            case "/.well-known/openid-configuration":
                return 200, self.metadata
            case "/jwks":
                return 200, {"keys": [public_jwk(private_key("RS256"), kid="k", use="sig", alg="RS256")]}
            case "/me":
                return 200, self.userinfo
        if self.status != 200:
            return self.status, self.answer
        good: dict[str, object] = {"access_token": "at-1", "token_type": "Bearer", "id_token": self.made()}
        return 200, {name: value for name, value in {**good, **self.answer}.items() if value is not None}

    def made(self) -> str:
        """The ID token."""
        if self.id_token is not None:
            return self.id_token
        now = int(self.core.clock.wall())
        good: dict[str, object] = {
            "iss": ISSUER,
            "aud": "interpose",
            "sub": "sub-1",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "preferred_username": "zoe",
            "groups": ["support"],
        }
        claims = {name: value for name, value in {**good, **self.claims}.items() if value is not None}
        return signed(claims, self.key, self.algorithm, **{"kid": "k", **self.header})


class ProviderPlace:
    """One provider over such a network."""

    def __init__(self, options: OidcOptions = OPTIONS, secret: str | None = None) -> None:
        self.core = Core()
        self.network = ToldNetwork(self.core)

        async def fetch() -> str:
            return secret or ""

        self.provider = OidcProvider(
            options, None if secret is None else fetch, self.core.clock, self.core.ids, fetcher=self.network
        )

    async def sign_in(self, *, again: bool = False, **answer: str) -> Any:
        """There and back; the nonce is the login's own unless a claim says otherwise."""
        departure = await self.provider.depart(REDIRECT, again=again)
        query = parse_qs(urlsplit(departure.url).query)
        self.network.nonce = query["nonce"][0]
        return await self.provider.arrive(departure, REDIRECT, {"code": "c-1", **answer})


def half_hash(text: str) -> str:
    """`at_hash` for a token that is signed with SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()
