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
from interpose.app.token_desk import TokenDesk
from interpose.engine.directory import Directory
from interpose.engine.limits import FailureLimiter, Limits
from interpose.engine.ports import Clock, Ids
from interpose.web.browsers import Browsers
from interpose.web.command_line import CommandLinePages
from interpose.web.confirm import ConfirmPages
from interpose.web.device import DevicePages
from interpose.web.grants import Grants
from interpose.web.ports import Confirmations, PostingProvider, Provider
from interpose.web.saml import SamlPages
from interpose.web.sign_in import SignInPages
from interpose.web.site import Site

_GUESSES: Final = (10, 60.0)
"""Wrong codes in so many seconds, from one address or by one person: to try all codes takes thousands of years, and one lives ten minutes."""
_BEGUN: Final = (300, 60.0)
"""Logins that are begun in so many seconds from one address: a whole office may be behind one."""
_NEW_CODES: Final = (30, 600.0)
"""Codes that are made in so many seconds for one address."""


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
        """The server of the public address, bound; raises `ConfigurationError`."""
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
