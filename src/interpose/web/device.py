"""The pages on which somebody types the code that a terminal elsewhere shows (RFC 8628), and the address at which it gets that code.

The danger is a code that somebody else sent: the pages say what asks, from where and since when, and never answer by a link alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from interpose.engine.limits import FailureLimiter, address_group
from interpose.engine.user_code import read_user_code
from interpose.web.command_line import oauth_error
from interpose.web.grants import CLIENT_ID, POLL_SECONDS, REQUEST_SECONDS, Grants, asks_again, client_name
from interpose.web.pages import message, page
from interpose.web.requests import (
    RefusedRequestError,
    check_csrf,
    check_same_site,
    read_form,
    read_query,
    source_of,
)

if TYPE_CHECKING:
    from interpose.web.browsers import BrowserSession
    from interpose.web.ports import Desk
    from interpose.web.sign_in import SignInPages

_UNKNOWN: Final = "There is no such code, or it is older than ten minutes. Look at your terminal again."


class DevicePages:
    """The pages and the address."""

    def __init__(
        self,
        origin: str,
        sign_in: SignInPages,
        grants: Grants,
        desk: Desk,
        guesses: FailureLimiter,
        asked: FailureLimiter,
    ) -> None:
        """`guesses` bounds codes that are wrong, an address and a person; `asked` bounds codes that are made, an address."""
        self._origin = origin
        self._sign_in = sign_in
        self._grants = grants
        self._desk = desk
        self._guesses = guesses
        self._asked = asked

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/device_authorization", self.begin, methods=["POST"]),
            Route("/device", self.enter, methods=["GET"]),
            Route("/device", self.check, methods=["POST"]),
            Route("/device/answer", self.decide, methods=["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """A program asks for a code (RFC 8628 §3.1)."""
        address = address_group(source_of(request))
        if self._asked.blocked(address):
            return oauth_error("slow_down", 429)
        form = await read_form(request)
        if form.get("client_id") != CLIENT_ID:
            return oauth_error("invalid_client")
        self._asked.failed(address)
        device, asked = self._grants.ask_device(
            client_name(form.get("client_name", "")), source_of(request), again=asks_again(form)
        )
        return JSONResponse(
            {
                "device_code": device,
                "user_code": asked.code,
                "verification_uri": f"{self._origin}/device",
                "verification_uri_complete": f"{self._origin}/device?code={asked.code}",
                "expires_in": int(REQUEST_SECONDS),
                "interval": int(POLL_SECONDS),
            }
        )

    async def enter(self, request: Request) -> Response:
        """Where the code is typed. A code in the link is filled in, and does nothing by itself."""
        code = read_user_code(read_query(request).get("code", ""))
        session = self._sign_in.session(request)
        if session is None:
            return self._sign_in.ask_to_sign_in(
                "/device" if code is None else f"/device?code={code}", "A terminal elsewhere asks to act for you."
            )
        return page("device", code=code or "", csrf=session.csrf, problem="")

    async def check(self, request: Request) -> Response:
        """The code was typed: show what asks."""
        session, form = await self._form(request)
        code = read_user_code(form.get("code", ""))
        asked = None if code is None else self._grants.typed(code)
        if asked is None:
            self._guessed(session, source_of(request))
            return page("device", 404, code="", csrf=session.csrf, problem=_UNKNOWN)
        if self._sign_in.session(request, asked.anew_since) is None:
            return self._sign_in.ask_to_sign_in(
                f"/device?code={asked.code}", "The terminal needs you to sign in anew.", again=True
            )
        source = source_of(request)
        return page(
            "device_confirm",
            code=asked.code,
            client=asked.client,
            asked_from=asked.source,
            asked_at=asked.asked_at,
            source=source,
            elsewhere=asked.source != source,
            name=session.who.identity.principal.name,
            csrf=session.csrf,
        )

    async def decide(self, request: Request) -> Response:
        """The person answered."""
        session, form = await self._form(request)
        code = read_user_code(form.get("code", ""))
        asked = None if code is None else self._grants.typed(code)
        if code is None or asked is None:
            self._guessed(session, source_of(request))
            return page("device", 404, code="", csrf=session.csrf, problem=_UNKNOWN)
        if self._sign_in.session(request, asked.anew_since) is None:
            raise RefusedRequestError("Not signed in anew", "The terminal needs that.", "Open /device again.", 403)
        approved = form.get("answer") == "approve"
        self._desk.decided(session.who, approved, "device", asked.client, asked.source, source_of(request))
        self._grants.decide(code, session.who, approved=approved)
        if approved:
            return message("Done", "Your terminal goes on within a few seconds. You can close this page.", status=200)
        return message(
            "Refused",
            "The terminal was not let in.",
            "If you did not ask for this yourself, tell the gateway's operator: somebody tried to sign in as you.",
            200,
        )

    async def _form(self, request: Request) -> tuple[BrowserSession, dict[str, str]]:
        check_same_site(request, self._origin)
        session = self._sign_in.session(request)
        if session is None:
            raise RefusedRequestError("Not signed in", "Your login is over.", "Open /device again and sign in.", 403)
        form = await read_form(request)
        check_csrf(form, session.csrf)
        if any(self._guesses.blocked(key) for key in self._keys(session, source_of(request))):
            raise RefusedRequestError(
                "Too many attempts", "Too many codes were wrong.", "Wait a minute, then try again.", 429
            )
        return session, dict(form)

    def _guessed(self, session: BrowserSession, source: str) -> None:
        for key in self._keys(session, source):
            self._guesses.failed(key)
        self._desk.failed(session.who.proof.provider, "user_code_unknown", source)

    @staticmethod
    def _keys(session: BrowserSession, source: str) -> tuple[str, str]:
        return address_group(source), f"\0{session.who.identity.principal.name}"
