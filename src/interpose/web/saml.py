"""The addresses of SAML providers: where their answers are posted to, and where they read what the gateway is.

An answer comes as a form of another site (SAML 2.0 Bindings §3.5). It counts in the browser alone that left for it, by that browser's
cookie and the state that came back. One that nobody left for, where a provider may begin, is shown to the person before it counts:
else a page of somebody else could sign them in as that somebody.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from interpose.engine.limits import FailureLimiter, address_group
from interpose.engine.signing_in import SignedIn
from interpose.model.errors import AuthenticationError
from interpose.web.browsers import Browsers, Kept
from interpose.web.pages import page
from interpose.web.requests import (
    CONFIRM_COOKIE,
    POSTED_LOGIN_COOKIE,
    RefusedRequestError,
    check_same_site,
    read_form,
    set_cookie,
    source_of,
)
from interpose.web.secret_texts import secret_text
from interpose.web.sign_in import HOME, SignInPages, changed_meanwhile, not_known, posted_to

if TYPE_CHECKING:
    from interpose.engine.ports import Clock, Ids
    from interpose.web.ports import PostingProvider

MAX_ANSWER: Final = 512 * 1024
"""Bytes of a posted answer."""
_CONFIRM_SECONDS: Final = 600.0


class SamlPages:
    """The pages."""

    def __init__(
        self,
        origin: str,
        providers: Mapping[str, PostingProvider],
        sign_in: SignInPages,
        browsers: Browsers,
        failures: FailureLimiter,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """`providers` by name, looked into at every request; `failures` bounds answers that are refused, an address."""
        self._origin = origin
        self._providers = providers
        self._sign_in = sign_in
        self._browsers = browsers
        self._failures = failures
        self._ids = ids
        self._unconfirmed: Kept[tuple[SignedIn, bytes, PostingProvider]] = Kept(clock, 1000)

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/saml/{provider}/metadata", self.metadata, methods=["GET"]),
            Route("/saml/{provider}/acs", self.arrive, methods=["POST"]),
            Route("/saml/{provider}/confirm", self.confirm, methods=["POST"]),
        ]

    async def metadata(self, request: Request) -> Response:
        """What the gateway is to this provider."""
        provider = self._provider(request)
        told = await provider.metadata(posted_to(self._origin, provider.name))
        return Response(told, 200, media_type="application/samlmetadata+xml")

    async def arrive(self, request: Request) -> Response:
        """The browser is back, with the provider's answer."""
        self._sign_in.check_failures(request)
        name = str(request.path_params["provider"])
        source, address = source_of(request), posted_to(self._origin, name)
        answer = await read_form(request, MAX_ANSWER)
        state, cookie = answer.get("RelayState", ""), request.cookies.get(POSTED_LOGIN_COOKIE)
        journey = self._browsers.returns(name, state, cookie, posted=True)
        try:
            if journey is not None:
                # The one that it left for, which knows whether it counts still.
                who = await journey.provider.arrive(journey.departure, address, answer, source)
                return self._sign_in.signed_in(request, who, journey.then, again=journey.again)
            provider = self._provider(request)
            return self._ask(provider, await provider.unsolicited(address, answer, source))
        except AuthenticationError as error:
            if error.detail == "provider_changed":
                raise changed_meanwhile() from None
            self._failures.failed(address_group(source))
            if error.detail == "state_unknown":
                raise not_known() from None
            raise

    async def confirm(self, request: Request) -> Response:
        """The person says that it is them whom the provider sent."""
        check_same_site(request, self._origin)
        name = str(request.path_params["provider"])
        form = await read_form(request)
        kept = self._unconfirmed.take(form.get("ticket", ""))
        cookie = _digest(request.cookies.get(CONFIRM_COOKIE, ""))
        same = kept is not None and hmac.compare_digest(kept[1], cookie)
        if kept is None or not same or kept[2].name != name:
            raise not_known()
        if self._providers.get(name) is not kept[2]:
            raise changed_meanwhile()
        if form.get("answer") != "approve":
            return RedirectResponse(HOME, 303)
        return self._sign_in.signed_in(request, kept[0], HOME)

    def _ask(self, provider: PostingProvider, who: SignedIn) -> Response:
        ticket, cookie = (secret_text(self._ids.secret_bytes(32)) for _ in range(2))
        self._unconfirmed.put(ticket, (who, _digest(cookie), provider), _CONFIRM_SECONDS)
        response = page(
            "arrived",
            name=who.identity.principal.name,
            provider=provider.title,
            ticket=ticket,
            action=f"/saml/{provider.name}/confirm",
        )
        set_cookie(response, CONFIRM_COOKIE, cookie)
        return response

    def _provider(self, request: Request) -> PostingProvider:
        provider = self._providers.get(request.path_params["provider"])
        if provider is None:
            raise RefusedRequestError("Not found", "There is no such identity provider here.", status=404)
        return provider


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
