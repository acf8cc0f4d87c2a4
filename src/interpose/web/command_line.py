"""The page on which somebody lets a command line act for them, and the addresses at which that command line fetches and ends its token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from interpose.engine.limits import FailureLimiter, address_group
from interpose.model.errors import ClientError
from interpose.web.grants import CLIENT_ID, DeviceRequest, Grants, LoopbackRequest, read_loopback_request
from interpose.web.pages import page
from interpose.web.protection import FORM_ACTION
from interpose.web.requests import (
    RefusedRequestError,
    check_csrf,
    check_same_site,
    read_form,
    read_query,
    source_of,
)

if TYPE_CHECKING:
    from interpose.engine.signing_in import SignedIn
    from interpose.web.ports import Desk
    from interpose.web.sign_in import SignInPages

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_GONE: Final = RefusedRequestError(
    "This request is over", "It was answered already, or is older than ten minutes.", "Run `interpose login` again."
)


class CommandLinePages:
    """The pages and addresses."""

    def __init__(self, origin: str, sign_in: SignInPages, grants: Grants, desk: Desk, failures: FailureLimiter) -> None:
        """`failures` bounds guesses of codes and tokens, an address."""
        self._origin = origin
        self._sign_in = sign_in
        self._grants = grants
        self._desk = desk
        self._failures = failures

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/authorize", self.ask, methods=["GET"]),
            Route("/authorize/{request}", self.show, methods=["GET"]),
            Route("/authorize/{request}", self.decide, methods=["POST"]),
            Route("/token", self.token, methods=["POST"]),
            Route("/revoke", self.revoke, methods=["POST"]),
        ]

    # --- for the person

    async def ask(self, request: Request) -> Response:
        """A command line opened this in the browser. INVARIANT: what is not exactly right is answered here, never by a redirect."""
        self._sign_in.check_begun(request)
        query = read_query(request)
        asked = read_loopback_request(query, source_of(request), self._grants.now())
        if asked is None:
            raise RefusedRequestError(
                "Not a request of ours",
                "This link does not come from `interpose login`.",
                "Run `interpose login` yourself.",
            )
        then = f"/authorize/{self._grants.ask(asked)}"
        wanted = query.get("provider", "")
        if wanted and self._sign_in.session(request, asked.anew_since) is None and self._sign_in.knows(wanted):
            more = {} if asked.anew_since is None else {"again": "1"}
            return RedirectResponse(f"/login/{wanted}?{urlencode({'then': then, **more})}", 303)
        return RedirectResponse(then, 303)

    async def show(self, request: Request) -> Response:
        """Who asks, for the person to answer."""
        asked = self._grants.request(request.path_params["request"])
        if asked is None:
            raise _GONE
        session = self._sign_in.session(request, asked.anew_since)
        if session is None:
            again = asked.anew_since is not None
            more = " It needs you to sign in anew." if again else ""
            why = f"A command line ({asked.client}) asks to act for you here.{more}"
            return self._sign_in.ask_to_sign_in(request.url.path, why, again=again)
        response = page(
            "authorize",
            client=asked.client,
            source=asked.source,
            name=session.who.identity.principal.name,
            csrf=session.csrf,
            action=request.url.path,
        )
        # The form's answer leads to the program's own address on this machine.
        response.headers[FORM_ACTION] = asked.redirect_uri.rpartition("/")[0]
        return response

    async def decide(self, request: Request) -> Response:
        """The person answered."""
        check_same_site(request, self._origin)
        session = self._sign_in.session(request)
        if session is None:
            raise _GONE
        form = await read_form(request)
        check_csrf(form, session.csrf)
        asked = self._grants.answer(request.path_params["request"])
        if asked is None or self._sign_in.session(request, asked.anew_since) is None:
            raise _GONE
        approved = form.get("answer") == "approve"
        self._desk.decided(session.who, approved, "browser", asked.client, asked.source, source_of(request))
        answer = {"code": self._grants.code(session.who, asked)} if approved else {"error": "access_denied"}
        return RedirectResponse(_back(asked, {**answer, "iss": self._origin}), 303)

    # --- for the program

    async def token(self, request: Request) -> Response:
        """Exchange a code for an access token (RFC 6749 §4.1.3, RFC 8628 §3.4)."""
        address = self._not_blocked(request)
        if isinstance(address, Response):
            return address
        form = await read_form(request)
        kind = form.get("grant_type", "")
        if form.get("client_id") != CLIENT_ID:
            return self._wrong(request, address, "invalid_client", "")
        if kind == "authorization_code":
            return await self._by_code(request, address, form)
        if kind == DEVICE_GRANT:
            return await self._by_device(request, address, form)
        return oauth_error("unsupported_grant_type")

    async def revoke(self, request: Request) -> Response:
        """End a token (RFC 7009): whoever has it may. The answer does not say whether there was one."""
        address = self._not_blocked(request)
        if isinstance(address, Response):
            return address
        form = await read_form(request)
        if not await self._desk.revoke(form.get("token", "")):
            self._failures.failed(address)
        return JSONResponse({})

    async def _by_code(self, request: Request, address: str, form: Mapping[str, str]) -> Response:
        code = form.get("code", "")
        found = self._grants.exchange(code, form.get("redirect_uri", ""), form.get("code_verifier", ""))
        if found is None:
            stolen = self._grants.was_spent(code)
            if stolen is not None:
                await self._desk.withdraw(stolen)
            return self._wrong(request, address, "invalid_grant", "code_used_twice" if stolen else "code_unknown")
        return await self._issue(found.who, found.request, code)

    async def _by_device(self, request: Request, address: str, form: Mapping[str, str]) -> Response:
        found = self._grants.poll(form.get("device_code", ""))
        if isinstance(found, DeviceRequest):
            assert found.who is not None
            return await self._issue(found.who, found, "")
        if found == "expired_token":
            return self._wrong(request, address, found, "device_code_unknown")
        return oauth_error(found)

    async def _issue(self, who: SignedIn, asked: LoopbackRequest | DeviceRequest, code: str) -> Response:
        try:
            issued = await self._desk.issue(who, f"{asked.client}, {asked.source}")
        except ClientError:
            return oauth_error("access_denied")
        if code:
            self._grants.spent(code, issued)
        return JSONResponse(
            {
                "access_token": issued.token,
                "token_type": "Bearer",
                "expires_at": issued.expires_at,
                "principal": issued.principal,
            },
            headers={"Pragma": "no-cache"},
        )

    def _not_blocked(self, request: Request) -> str | Response:
        address = address_group(source_of(request))
        return oauth_error("slow_down", 429) if self._failures.blocked(address) else address

    def _wrong(self, request: Request, address: str, error: str, reason: str) -> Response:
        self._failures.failed(address)
        if reason:
            self._desk.failed("", reason, source_of(request))
        return oauth_error(error)


def oauth_error(word: str, status: int = 400, description: str = "") -> Response:
    """An error for a program (RFC 6749 §5.2)."""
    return JSONResponse({"error": word, **({"error_description": description} if description else {})}, status)


def _back(asked: LoopbackRequest, answer: Mapping[str, str]) -> str:
    return f"{asked.redirect_uri}?{urlencode({**answer, 'state': asked.state})}"
