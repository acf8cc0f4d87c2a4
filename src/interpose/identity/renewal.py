"""Asking providers again, while a login lives, what they say of somebody: a group that was taken away, a person who is gone.

One process of a gateway does this. A provider that is down is asked more and more seldom, for one person at a time, and nobody's
session ends by it; a provider that refuses ends what it vouched for.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from interpose.engine.ports import DirectoryEntry, Renewal
from interpose.engine.signing_in import Proof, SignIn
from interpose.identity.oidc import METHOD, OidcProvider
from interpose.identity.sealing import NONCE_BYTES, Seal
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import AuthenticationError, ProviderError, RecordingError, SecretError, StoreError

if TYPE_CHECKING:
    from interpose.engine.directory import Directory
    from interpose.engine.logins import LoginTokens
    from interpose.engine.ports import AuditChain, Clock, Ids, RenewalStore
    from interpose.identity.oidc_options import OidcOptions

TICK: Final = 1.0
"""Seconds between two looks at what is due."""
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 300.0
"""Seconds for which a provider that failed is left alone: the first time, doubled each time, and at most."""


class Renewals:
    """The refresh tokens of everybody who has signed in, and their use."""

    def __init__(
        self,
        providers: Mapping[str, OidcProvider],
        store: RenewalStore,
        seal: Seal,
        directory: Directory,
        sign_in: SignIn,
        tokens: LoginTokens,
        audit: AuditChain,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """`providers` by name, looked into whenever somebody is due; `tokens` end with what a provider does not vouch for any more."""
        self._providers = providers
        self._store = store
        self._seal = seal
        self._directory = directory
        self._sign_in = sign_in
        self._tokens = tokens
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._pauses: dict[str, tuple[float, float]] = {}

    async def keep(self, proof: Proof, refresh: str, options: OidcOptions) -> None:
        """Remember with what to ask again; without anything, forget what an earlier login gave. `options` are of the provider that
        gave it. Raises `StoreError`."""
        name = proof.principal.name
        if not refresh:
            await self._store.forget(name)
            return
        nonce = self._ids.secret_bytes(NONCE_BYTES)
        sealed = self._seal.seal(refresh, _bound(options, proof.subject, name), nonce)
        await self._store.put(Renewal(name, proof.provider, proof.subject, sealed, self._next(options)))

    def start_anew(self, provider: str) -> None:
        """This provider is another now, or gone: how the one before it failed says nothing of it."""
        self._pauses.pop(provider, None)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.look()
            except StoreError:
                continue  # the directory's own loop tells of a store that is down

    async def look(self) -> int:
        """Ask about everybody who is due; answers how many were asked about. Raises `StoreError`."""
        by_provider: dict[str, list[Renewal]] = {}
        for renewal in await self._store.due(self._clock.wall()):
            by_provider.setdefault(renewal.provider, []).append(renewal)
        asked = await asyncio.gather(*(self._ask(name, listed) for name, listed in by_provider.items()))
        return sum(asked)

    async def _ask(self, name: str, listed: list[Renewal]) -> int:
        """One provider's, one after another; the first failure leaves the rest for later."""
        provider = self._providers.get(name)
        asked = 0
        for renewal in listed:
            proof = self._vouched(renewal)
            if provider is None or proof is None:
                await self._store.forget(renewal.name)
                continue
            pause, until = self._pauses.get(name, (0.0, 0.0))
            if self._clock.monotonic() < until:
                return asked
            asked += 1
            try:
                await self._renew(provider, renewal, proof)
            except (ProviderError, SecretError, RecordingError):
                if self._providers.get(name) is not provider:
                    return asked  # exchanged while it was asked: the next look asks the new one
                pause = min(LONGEST_PAUSE, 2 * pause or FIRST_PAUSE)
                self._pauses[name] = (pause, self._clock.monotonic() + pause)
                # To the end of the line: one person about whom it cannot answer must not hide all others.
                if await self._is_current(renewal):
                    await self._store.put(dataclasses.replace(renewal, due_at=self._clock.wall() + pause))
                return asked
            self._pauses.pop(name, None)
        return asked

    async def _renew(self, provider: OidcProvider, renewal: Renewal, proof: Proof) -> None:
        try:
            refresh = self._seal.open(renewal.sealed, _bound(provider.options, renewal.subject, renewal.name))
        except SecretError:
            # Sealed with a key that is gone, or given by what had this name before: it can never be used. The login lives to its end,
            # and is not asked about.
            await self._store.forget(renewal.name)
            return
        try:
            answered = await provider.renew(refresh, proof)
            if answered.proof.principal.name != renewal.name:
                raise AuthenticationError("authentication failed", detail="other_name")
        except AuthenticationError as error:
            if await self._is_current(renewal) and self._providers.get(renewal.provider) is provider:
                await self._end(renewal, proof, error.detail)
            return
        if not await self._is_current(renewal):
            return
        # First what it will be asked with next: a provider that rotates has already forgotten the old one.
        await self.keep(answered.proof, answered.refresh, provider.options)
        if self._providers.get(renewal.provider) is not provider:
            return  # exchanged while it was asked: what its mapping made of the answer does not count any more
        try:
            found = answered.proof
            now, until = self._clock.wall(), proof.valid_until
            await self._directory.learn(DirectoryEntry(found.principal, found.provider, found.subject, now, until))
        except AuthenticationError:
            await self._store.forget(renewal.name)  # disabled, or of the principals file, meanwhile

    async def _end(self, renewal: Renewal, proof: Proof, reason: str) -> None:
        """INVARIANT: what was given to somebody before the provider refused is worth nothing when they sign in again."""
        self._sign_in.ended(proof, reason, "")
        now, by = self._clock.wall(), f"provider:{renewal.provider}"
        # First, since whom the directory does not vouch for is not asked about again: a store that fails in between is asked once more.
        for token in await self._tokens.revoke_login(renewal.provider, renewal.subject, None, now, now):
            self._audit.append(AuditEvent(AuditKind.TOKEN_REVOKED, None, by, {"token": token}))
        await self._directory.withdraw(renewal.name, renewal.provider, renewal.subject)
        await self._store.forget(renewal.name)

    async def _is_current(self, renewal: Renewal) -> bool:
        """Whether nobody has signed in anew while the provider was asked."""
        found = await self._store.get(renewal.name)
        return found is not None and found.sealed == renewal.sealed

    def _vouched(self, renewal: Renewal) -> Proof | None:
        """What was proven, as the directory has it; None when the login is over."""
        entry = self._directory.entry(renewal.name)
        provider = self._providers.get(renewal.provider)
        if entry is None or provider is None or entry.disabled or entry.valid_until is None:
            return None
        same = (entry.provider, entry.subject) == (renewal.provider, renewal.subject)
        if not same or self._clock.wall() >= entry.valid_until:
            return None
        issuer = provider.options.issuer
        return Proof(entry.provider, METHOD, issuer, entry.subject, entry.principal, entry.valid_until)

    def _next(self, options: OidcOptions) -> float:
        """When to ask again: a tenth earlier or later by chance, so that people who came together are not asked about together."""
        return self._clock.wall() + options.refresh * (0.9 + 0.2 * self._ids.secret_bytes(1)[0] / 255)


def _bound(options: OidcOptions, subject: str, name: str) -> str:
    """INVARIANT: what one issuer gave to one client of its own is never sent to another, whatever the configuration calls it now."""
    return "\0".join((options.name, options.issuer, options.client_id, subject, name))
