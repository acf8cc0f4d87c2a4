"""Signing in and out with a browser: the list of providers, the way there and back, and the page of somebody who is signed in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from interpose.engine.limits import FailureLimiter, address_group
from interpose.model.errors import AuthenticationError
from interpose.web.browsers import Browsers, BrowserSession
from interpose.web.pages import page
from interpose.web.requests import (
    LOGIN_COOKIE,
    POSTED_LOGIN_COOKIE,
    SESSION_COOKIE,
    RefusedRequestError,
    check_csrf,
    check_same_site,
    drop_cookie,
    read_form,
    read_query,
    set_cookie,
    source_of,
)

if TYPE_CHECKING:
    from interpose.engine.signing_in import SignedIn
    from interpose.web.ports import Desk, Provider

HOME: Final = "/"
_THEN: Final = re.compile(r"/(?:authorize/[A-Za-z0-9_-]{43}|confirm|device(?:\?code=[A-Z]{4}-[A-Z]{4})?)?")
"""Where a browser may go after it has signed in: pages of ours and nothing else."""


def safe_then(text: str) -> str:
    """The page to go on with: one of ours, or home."""
    return text if _THEN.fullmatch(text) else HOME


def not_known() -> RefusedRequestError:
    """Of a browser that comes back from a login that is not this browser's, or is over."""
    return RefusedRequestError(
        "This login is not known",
        "It was begun in another browser, took longer than ten minutes, or was used already.",
        "Begin again from the gateway's own page.",
    )


def changed_meanwhile() -> RefusedRequestError:
    """Of a browser that comes back from a provider that is not configured as it was when it left."""
    return RefusedRequestError(
        "The identity provider has changed",
        "While you were signing in, the gateway's operator changed or removed this identity provider.",
        "Begin again from the gateway's own page.",
        409,
    )


def posted_to(origin: str, name: str) -> str:
    """The address to which a provider of this name posts its answers."""
    return f"{origin}/saml/{name}/acs"


class SignInPages:
    """The pages."""

    def __init__(
        self,
        origin: str,
        providers: Sequence[Mapping[str, Provider]],
        browsers: Browsers,
        desk: Desk,
        failures: FailureLimiter,
        begun: FailureLimiter,
    ) -> None:
        """`providers` by name, looked into at every request; `failures` bounds logins that fail, `begun` those that are begun, an address."""
        self._begun = begun
        self._origin = origin
        self._providers = providers
        self._browsers = browsers
        self._desk = desk
        self._failures = failures

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/", self.home, methods=["GET"]),
            Route("/login/{provider}", self.depart, methods=["GET"]),
            Route("/login/{provider}/callback", self.arrive, methods=["GET"]),
            Route("/logout", self.sign_out, methods=["POST"]),
            Route("/signed-out", self.signed_out, methods=["GET"]),
        ]

    def session(self, request: Request, anew_since: float | None = None) -> BrowserSession | None:
        """The session of this browser; None when its principal is not vouched for any more, too.

        With `anew_since` (wall clock) only one in which the person was authenticated anew since then.
        """
        session = self._browsers.find(request.cookies.get(SESSION_COOKIE))
        if session is None or not self._desk.present(session.who):
            return None
        if anew_since is not None and (session.anew_at is None or session.anew_at < anew_since):
            return None
        return session

    def knows(self, name: str) -> bool:
        """Whether there is a provider with this name."""
        return self._found(name) is not None

    def ask_to_sign_in(self, then: str, why: str = "", *, again: bool = False) -> Response:
        """The list of providers; afterwards the browser goes on with `then`. `again`: they must authenticate the person anew."""
        listed = [{"name": each.name, "title": each.title} for some in self._providers for each in some.values()]
        return page("sign_in", providers=listed, then=safe_then(then), why=why, again=again)

    async def home(self, request: Request) -> Response:
        """Who is signed in, or the list of providers."""
        session = self.session(request)
        if session is None:
            return self.ask_to_sign_in(HOME)
        proof, principal = session.who.proof, session.who.identity.principal
        return page(
            "home",
            name=principal.name,
            groups=sorted(principal.groups),
            provider=self._title(proof.provider),
            until=proof.valid_until,
            csrf=session.csrf,
        )

    async def depart(self, request: Request) -> Response:
        """Send the browser to its provider."""
        provider = self._provider(request)
        self.check_failures(request)
        self.check_begun(request)
        query = read_query(request)
        # Whoever adds or drops it in a link changes nothing that counts: what asked for it looks at the session that comes of it.
        again = query.get("again") == "1"
        departure = await provider.depart(self._callback(provider), again=again)
        then = safe_then(query.get("then", HOME))
        name = POSTED_LOGIN_COOKIE if provider.posts else LOGIN_COOKIE
        cookie = self._browsers.leaves(provider, departure, then, request.cookies.get(name), again=again)
        response = RedirectResponse(departure.url, 303)
        set_cookie(response, name, cookie)
        return response

    async def arrive(self, request: Request) -> Response:
        """The browser is back from its provider."""
        self.check_failures(request)
        source = source_of(request)
        answer = read_query(request)
        name, cookie = str(request.path_params["provider"]), request.cookies.get(LOGIN_COOKIE)
        journey = self._browsers.returns(name, answer.get("state", ""), cookie)
        if journey is None:
            provider = self._provider(request)
            if provider.posts:
                raise RefusedRequestError("Not found", "This identity provider answers in another way.", status=404)
            self._failures.failed(address_group(source))
            self._desk.failed(provider.name, "state_unknown", source)
            raise not_known()
        # The one that it left for, which knows whether it counts still.
        provider = journey.provider
        try:
            who = await provider.arrive(journey.departure, self._callback(provider), answer, source)
        except AuthenticationError as error:
            if error.detail == "provider_changed":
                raise changed_meanwhile() from None
            self._failures.failed(address_group(source))
            raise
        return self.signed_in(request, who, journey.then, again=journey.again)

    def signed_in(self, request: Request, who: SignedIn, then: str, *, again: bool = False) -> Response:
        """Somebody has proven who they are, `again` where that was asked for: their session in this browser, and on with `then`."""
        # Whoever was signed in before in this browser is not any more.
        self._browsers.sign_out(request.cookies.get(SESSION_COOKIE))
        response = RedirectResponse(then, 303)
        set_cookie(response, SESSION_COOKIE, self._browsers.sign_in(who, source_of(request), again=again))
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session here, and send the browser to end it at the provider as well."""
        check_same_site(request, self._origin)
        session = self._browsers.find(request.cookies.get(SESSION_COOKIE))
        target = "/signed-out"
        if session is not None:
            check_csrf(await read_form(request), session.csrf)
            self._desk.signed_out(session.who, source_of(request))
            self._browsers.sign_out(request.cookies.get(SESSION_COOKIE))
            provider = self._found(session.who.proof.provider)
            farewell = None
            if provider is not None:
                farewell = await provider.farewell(session.who.hint, f"{self._origin}/signed-out")
            target = "/signed-out" if farewell is None else farewell
        # A page and not a redirect: a form may lead to this gateway only, wherever the provider stands.
        response = page("leaving", target=target) if target != "/signed-out" else RedirectResponse(target, 303)
        drop_cookie(response, SESSION_COOKIE)
        return response

    async def signed_out(self, _: Request) -> Response:
        """The last page."""
        return page("message", title="Signed out", text="You are signed out of this gateway.", hint="", bad=False)

    def _provider(self, request: Request) -> Provider:
        provider = self._found(request.path_params["provider"])
        if provider is None:
            raise RefusedRequestError("Not found", "There is no such identity provider here.", status=404)
        return provider

    def _found(self, name: str) -> Provider | None:
        return next((some[name] for some in self._providers if name in some), None)

    def _title(self, name: str) -> str:
        provider = self._found(name)
        return name if provider is None else provider.title

    def _callback(self, provider: Provider) -> str:
        # One address a provider: an answer of one can never be taken for an answer of another (RFC 9700 §4.4.2.2).
        if provider.posts:
            return posted_to(self._origin, provider.name)
        return f"{self._origin}/login/{provider.name}/callback"

    def check_begun(self, request: Request) -> None:
        """INVARIANT: no address makes the gateway forget the logins of others by beginning many of its own."""
        address = address_group(source_of(request))
        if self._begun.blocked(address):
            raise RefusedRequestError(
                "Too many logins",
                "Too many logins have been begun from your address.",
                "Wait a minute, then try again.",
                429,
            )
        self._begun.failed(address)

    def check_failures(self, request: Request) -> None:
        """Refuse whoever has failed too often; raises `RefusedRequestError`."""
        if self._failures.blocked(address_group(source_of(request))):
            raise RefusedRequestError(
                "Too many attempts",
                "Too many logins from your address have failed.",
                "Wait a minute, then try again.",
                429,
            )
