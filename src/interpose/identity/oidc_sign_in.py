"""One OpenID provider as the pages use it: proof, record and refresh token in one step each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from interpose.engine.logins import EndedLogin
from interpose.identity.logout_token import REPLAYABLE, LogoutToken, digest_of
from interpose.identity.oidc import METHOD, OidcProvider
from interpose.model.errors import AuthenticationError, ProviderError, SecretError

if TYPE_CHECKING:
    from interpose.engine.logins import Logins
    from interpose.engine.ports import Clock
    from interpose.engine.signing_in import Departure, SignedIn, SignIn, UsedAssertions
    from interpose.identity.renewal import Renewals


class OidcSignIn:
    """Signs people in with one provider."""

    def __init__(
        self,
        provider: OidcProvider,
        sign_in: SignIn,
        renewals: Renewals,
        used: UsedAssertions,
        clock: Clock,
        logins: Logins | None = None,
    ) -> None:
        """Every outcome goes through `sign_in`, and so into the audit chain; `used` remembers logout tokens, and `logins` is told what
        is over.
        """
        self._provider = provider
        self._sign_in = sign_in
        self._renewals = renewals
        self._used = used
        self._clock = clock
        self._logins = logins
        self._retired = False

    def retire(self) -> None:
        """Another stands in its place, or none: from now on nobody comes in by it, not even who is on their way."""
        self._retired = True

    @property
    def name(self) -> str:
        """The provider's name in the configuration."""
        return self._provider.options.name

    @property
    def title(self) -> str:
        """What people read."""
        return self._provider.options.title or self.name

    @property
    def posts(self) -> bool:
        """Its answer is the query of a redirect."""
        return False

    async def depart(self, redirect_uri: str, *, again: bool = False) -> Departure:
        """Where a browser signs in; raises `ProviderError`."""
        return await self._provider.depart(redirect_uri, again=again)

    async def arrive(self, departure: Departure, redirect_uri: str, answer: Mapping[str, str], source: str) -> SignedIn:
        """Who came back. Raises `AuthenticationError` (in the audit already), `ProviderError`, `StoreError`, `RecordingError`."""
        try:
            self._check_current()
            answered = await self._provider.arrive(departure, redirect_uri, answer)
            # What it was asked took a while.
            self._check_current()
        except AuthenticationError as error:
            self._failed(error.detail, source)
            raise
        except (ProviderError, SecretError) as error:
            self._failed(error.code, source)
            raise ProviderError("the identity provider does not answer as it should", detail=error.detail) from error
        who = await self._sign_in.accept(answered.proof, source, answered.id_token)
        await self._renewals.keep(answered.proof, answered.refresh, self._provider.options)
        return who

    async def farewell(self, hint: str, return_to: str) -> str | None:
        """Where a browser signs out at the provider."""
        return await self._provider.farewell(hint, return_to)

    async def logged_out(self, token: str, source: str) -> None:
        """Obey a logout token. Raises `AuthenticationError` (in the audit already), `ProviderError`, `StoreError`, `RecordingError`."""
        try:
            said = await self._provider.logout(token)
            over = self._over(said)
            spent = digest_of(said, self._provider.options.issuer, self._provider.options.client_id)
            if await self._used.used(spent):
                raise AuthenticationError("authentication failed", detail="logout_replayed")
        except AuthenticationError as error:
            self._failed(error.detail, source)
            raise
        if self._logins is not None:
            await self._logins.end(over, self._provider.options.issuer, source, said.issued_at)
        # Only now: one that could not be obeyed comes again. Of two at once both are, to the same effect.
        now = self._clock.wall()
        await self._used.first_use(spent, now + REPLAYABLE, now)

    def _over(self, said: LogoutToken) -> EndedLogin:
        """Which logins are meant. People are known by what the mapping takes, which need not be the token's `sub`: then by the session."""
        subject = self._provider.options.mapping.subject
        whose = None if said.subject is None or subject.steps != ("sub",) else subject.taken(said.subject)
        # INVARIANT: what would end nobody is not told to be done.
        if whose is None and said.session is None:
            raise AuthenticationError("authentication failed", detail="logout_of_nobody_known")
        return EndedLogin(self.name, whose, said.session)

    def _check_current(self) -> None:
        if self._retired:
            raise AuthenticationError("authentication failed", detail="provider_changed")

    def _failed(self, reason: str, source: str) -> None:
        self._sign_in.failed(self.name, METHOD, self._provider.options.issuer, reason, source)
