"""The pages for people, wired: who may sign in and how, and the desk that hands them access tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.routing import Route
from starlette.types import ASGIApp

from interpose.app.http_server import HttpServer
from interpose.app.lifecycle import Lifecycle
from interpose.app.settings import PublicSettings
from interpose.app.sign_in_providers import Secret, SignInProviders
from interpose.app.state import State
from interpose.engine.delegation import Delegation
from interpose.engine.directory import Directory
from interpose.engine.limits import FailureLimiter, Limits
from interpose.engine.logins import Logins
from interpose.engine.ports import AuditChain, Clock, Ids, TokenStore
from interpose.engine.signing_in import SignedIn, SignIn
from interpose.engine.snapshot import SnapshotHolder
from interpose.engine.standing import present_principal
from interpose.identity.tokens import TokenIssuer, looks_like_token, token_digest
from interpose.model.errors import ClientError
from interpose.model.ids import TokenId
from interpose.web.browsers import Browsers
from interpose.web.command_line import CommandLinePages
from interpose.web.confirm import ConfirmPages
from interpose.web.device import DevicePages
from interpose.web.grants import Grants
from interpose.web.ports import Confirmations, Issued, PostingProvider, Provider
from interpose.web.saml import SamlPages
from interpose.web.sign_in import SignInPages
from interpose.web.site import Site

TOKEN_SECONDS: Final = 8 * 3600.0
"""The longest that a token of `interpose login` lives; it ends earlier where the provider's word does."""

_GUESSES: Final = (10, 60.0)
"""Wrong codes in so many seconds, from one address or by one person: to try all codes takes thousands of years, and one lives ten minutes."""
_BEGUN: Final = (300, 60.0)
"""Logins that are begun in so many seconds from one address: a whole office may be behind one."""
_NEW_CODES: Final = (30, 600.0)
"""Codes that are made in so many seconds for one address."""


class TokenDesk:
    """The port `Desk` of the pages, over the directory and the token store."""

    def __init__(
        self,
        holder: SnapshotHolder,
        directory: Directory,
        tokens: TokenStore,
        audit: AuditChain,
        clock: Clock,
        ids: Ids,
        logins: Logins | None = None,
    ) -> None:
        """`sign_in` is for the providers: every outcome goes through it. `logins` knows which are over by their provider's word."""
        self._logins = logins
        self._holder = holder
        self._directory = directory
        self._tokens = tokens
        self._issuer = TokenIssuer(tokens, lambda: holder.current.principals, audit, clock, ids)
        self._clock = clock
        self.sign_in = SignIn(directory, audit, clock)

    def present(self, who: SignedIn) -> bool:
        """Whether the principal of this login is known now; one that another subject has taken over is not."""
        name = who.identity.principal.name
        entry = self._directory.entry(name)
        if self._logins is not None and self._logins.over(who.identity, who.at):
            return False
        return (
            present_principal(self._holder.current, who.identity.principal) is not None
            and entry is not None
            and (entry.provider, entry.subject) == (who.proof.provider, who.proof.subject)
        )

    async def issue(self, who: SignedIn, client: str) -> Issued:
        """A token, never past what the provider vouched for."""
        name = who.identity.principal.name
        entry = self._directory.entry(name) if self.present(who) else None
        if entry is None:
            raise ClientError("your login is over", hint="sign in again")
        now = self._clock.wall()
        until = min(
            who.proof.valid_until, now + TOKEN_SECONDS, *([] if entry.valid_until is None else [entry.valid_until])
        )
        record, token = await self._issuer.create(
            name,
            by=who.identity.principal.label,
            ttl=until - now,
            description=f"interpose login: {client}"[:200],
            proven=who.identity,
        )
        return Issued(token, record.id, name, until)

    async def revoke(self, token: str) -> bool:
        """Take back a token by its text; whoever has it may end it."""
        record = await self._tokens.find(token_digest(token)) if looks_like_token(token) else None
        if record is None or record.revoked_at is not None:
            return False
        return await self._issuer.revoke(record.id, by=f"the holder of {record.principal}'s token")

    async def withdraw(self, issued: Issued) -> None:
        """Take back a token whose code was used twice."""
        await self._issuer.revoke(TokenId(issued.id), by="the gateway: its code was used twice")

    def decided(self, who: SignedIn, approved: bool, how: str, client: str, asked_from: str, source: str) -> None:
        """Into the audit chain."""
        self.sign_in.decided(who, approved, how, client, asked_from, source)

    def signed_out(self, who: SignedIn, source: str) -> None:
        """Into the audit chain."""
        self.sign_in.ended(who.proof, "signed_out", source)

    def failed(self, provider: str, reason: str, source: str) -> None:
        """Into the audit chain."""
        self.sign_in.failed(provider, "", "", reason, source)


def delegation(holder: SnapshotHolder, state: State, audit: AuditChain) -> Delegation:
    """The use case of delegation, with the store's tokens."""
    issuer = TokenIssuer(state.tokens, lambda: holder.current.principals, audit, state.clock, state.ids)
    return Delegation(holder, issuer, audit, state.clock)


def people_site(
    origin: str,
    providers: Mapping[str, Provider],
    desk: TokenDesk,
    failures: FailureLimiter,
    clock: Clock,
    ids: Ids,
    more: Sequence[Route] = (),
    confirmations: Confirmations | None = None,
    posting: Mapping[str, PostingProvider] | None = None,
) -> ASGIApp:
    """The whole public address. `more` are addresses for programs that need no browser; `confirmations` None: no client waits for one.

    `posting` are the providers whose answers are posted; both mappings are looked into at every request.
    """
    browsers, begun = Browsers(clock, ids), FailureLimiter(clock, *_BEGUN)
    posted = posting or {}
    sign_in = SignInPages(origin, [providers, posted], browsers, desk, failures, begun)
    saml = SamlPages(origin, posted, sign_in, browsers, failures, clock, ids)
    grants = Grants(clock, ids)
    command_line = CommandLinePages(origin, sign_in, grants, desk, FailureLimiter(clock, *_GUESSES))
    device = DevicePages(
        origin, sign_in, grants, desk, FailureLimiter(clock, *_GUESSES), FailureLimiter(clock, *_NEW_CODES)
    )
    routes = [*sign_in.routes(), *saml.routes(), *command_line.routes(), *device.routes(), *more]
    if confirmations is not None:
        routes += ConfirmPages(origin, sign_in, confirmations, desk, FailureLimiter(clock, *_GUESSES)).routes()
    return Site(origin, routes).application()


class People:
    """Everything that people sign in with, for the one worker that serves the pages."""

    def __init__(
        self,
        public: PublicSettings,
        options: Sequence[object],
        state: State,
        desk: TokenDesk,
        directory: Directory,
        limits: Limits,
        secret: Secret,
        lifecycle: Lifecycle,
        more: Sequence[Route] = (),
        confirmations: Confirmations | None = None,
    ) -> None:
        """`options` of all providers; `secret` answers what is behind a reference, or raises `SecretError`; `lifecycle` is told what ends;
        `more` is at the public address beside the pages.
        """
        self._secret = secret
        self._lifecycle = lifecycle
        self._more = more
        self._confirmations = confirmations
        self._public = public
        self._state = state
        self._desk = desk
        self._limits = limits
        self.providers = SignInProviders(options, state, directory, desk.sign_in, secret, lifecycle.logins)

    def server(self) -> HttpServer:
        """The server of the public address, bound; raises `OSError`."""
        failures = FailureLimiter(self._state.clock, self._limits.login_failures * 3, self._limits.login_window)
        lifecycle, origin, providers = self._lifecycle, self._public.url, self.providers
        ends = lifecycle.routes(origin, providers.redirecting, self._desk.sign_in, self._limits, self._secret)
        clock, ids, more = self._state.clock, self._state.ids, [*self._more, *ends]
        site = people_site(
            origin,
            providers.redirecting,
            self._desk,
            failures,
            clock,
            ids,
            more,
            self._confirmations,
            providers.posting,
        )
        return HttpServer("public", site, self._public.address, self._public.certificate, self._public.key)

    async def close(self) -> None:
        """Ask no provider any more."""
        await self.providers.close()
