"""The providers that people sign in with, as the configuration has them now: a reload adds, removes and exchanges them.

Knows which object stands for which options; how a login goes is the pages' and the providers' own business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from interpose.app.providers import ProviderOptions
from interpose.identity.oidc import OidcProvider
from interpose.identity.oidc_options import OidcOptions
from interpose.identity.oidc_sign_in import OidcSignIn
from interpose.identity.renewal import Renewals
from interpose.identity.saml import SamlProvider
from interpose.identity.saml_keys import ServiceKey, load_or_make_key, read_key
from interpose.identity.saml_options import SamlOptions
from interpose.identity.saml_sign_in import SamlSignIn
from interpose.identity.sealing import Seal

if TYPE_CHECKING:
    from interpose.app.state import State
    from interpose.engine.directory import Directory
    from interpose.engine.logins import Logins
    from interpose.engine.signing_in import SignIn

Secret = Callable[[str], Awaitable[str]]
"""What is behind a reference; raises `SecretError`."""


class SignInProviders:
    """All of them, for the one worker that serves the pages."""

    def __init__(
        self,
        options: Sequence[object],
        state: State,
        directory: Directory,
        sign_in: SignIn,
        secret: Secret,
        logins: Logins,
    ) -> None:
        """`options` of all providers; every outcome of a login goes through `sign_in`, and `logins` is told what is over."""
        self._state = state
        self._sign_in = sign_in
        self._secret = secret
        self._logins = logins
        self._openid: dict[str, OidcProvider] = {}
        self._redirecting: dict[str, OidcSignIn] = {}
        self._posting: dict[str, SamlSignIn] = {}
        self._saml: dict[str, SamlProvider] = {}
        self._keys: dict[str | None, ServiceKey] = {}
        self._closing: set[asyncio.Task[None]] = set()
        seal = Seal(state.login_key)
        tokens, audit, clock, ids = state.tokens, state.record.chain, state.clock, state.ids
        self.renewals = Renewals(self._openid, state.renewals, seal, directory, sign_in, tokens, audit, clock, ids)
        self.use(options)

    @property
    def redirecting(self) -> Mapping[str, OidcSignIn]:
        """Those whose answer is a redirect, by name; the same mapping always, as it is now."""
        return self._redirecting

    @property
    def posting(self) -> Mapping[str, SamlSignIn]:
        """Those whose answer is posted, by name; the same mapping always, as it is now."""
        return self._posting

    def use(self, options: Sequence[object]) -> None:
        """From now on these are the providers. One whose options are what they were goes on as it is, logins under way included.

        INVARIANT: all in one step of the event loop: a request meets the providers of before or those of now. What is retired accepts
        nobody any more, not even who is on their way back to it.
        """
        wanted = {each.name: each for each in options if isinstance(each, OidcOptions | SamlOptions)}
        for name in [*self._redirecting, *self._posting]:
            before = self._options(name)
            if name not in wanted or _of_logins(wanted[name]) != _of_logins(before):
                self._retire(name)
        for name, each in wanted.items():
            if isinstance(each, OidcOptions):
                self._use_openid(name, each)
            else:
                self._use_saml(name, each)

    async def close(self) -> None:
        """Ask no provider any more."""
        for provider in self._openid.values():
            await provider.close()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _options(self, name: str) -> ProviderOptions:
        return self._openid[name].options if name in self._openid else self._saml[name].options

    def _use_openid(self, name: str, options: OidcOptions) -> None:
        if name in self._openid:
            return
        secret = None if options.client_secret is None else partial(self._secret, options.client_secret)
        provider = OidcProvider(options, secret, self._state.clock, self._state.ids)
        self._openid[name] = provider
        self._redirecting[name] = OidcSignIn(
            provider, self._sign_in, self.renewals, self._state.used_assertions, self._state.clock, self._logins
        )

    def _use_saml(self, name: str, options: SamlOptions) -> None:
        if name in self._saml:
            # A key that the provider rotates to: whoever is under way comes back to the same provider.
            self._saml[name].use(options)
            return
        state = self._state
        # A new provider, a new look at what is behind its reference.
        self._keys.pop(options.key, None)
        provider = SamlProvider(options, partial(self._key, options.key), state.clock, state.ids)
        self._saml[name] = provider
        self._posting[name] = SamlSignIn(provider, self._sign_in, state.used_assertions, state.clock)

    def _retire(self, name: str) -> None:
        openid = self._openid.pop(name, None)
        if openid is None:
            self._posting.pop(name).retire()
            del self._saml[name]
            return
        self._redirecting.pop(name).retire()
        self.renewals.start_anew(name)
        closing = asyncio.get_running_loop().create_task(openid.close(), name="closing a provider")
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _key(self, reference: str | None) -> ServiceKey:
        """The gateway's own key behind a reference, or the one of the state folder; read once."""
        key = self._keys.get(reference)
        if key is None:
            if reference is None:
                key = await asyncio.to_thread(load_or_make_key, self._state.settings.state)
            else:
                key = await asyncio.to_thread(read_key, await self._secret(reference))
            self._keys[reference] = key
        return key


def _of_logins(options: ProviderOptions) -> tuple[ProviderOptions, str]:
    """What a login is bound to: the options without who provisions the provider's people, and what a SAML provider calls itself."""
    described = options.described if isinstance(options, SamlOptions) else None
    kept = replace(options, scim=None) if isinstance(options, OidcOptions | SamlOptions) else options
    return kept, "" if described is None else described.entity
