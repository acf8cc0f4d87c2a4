"""The pages on which somebody confirms that a client which waits (psql, ssh) is theirs.

The danger is a code that somebody else sent. So no link holds a code; who signed in must be who the client claims to be; the page
says from where it came and what will be opened; and a client at another address than the browser's needs one more yes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interpose.engine.limits import FailureLimiter, address_group
from interpose.engine.pending_login import APPROVED, DENIED, WRONG_PERSON
from interpose.web.pages import message, page
from interpose.web.requests import (
    RefusedRequestError,
    check_csrf,
    check_same_site,
    read_form,
    source_of,
)

if TYPE_CHECKING:
    from interpose.engine.pending_login import PendingLogin
    from interpose.web.browsers import BrowserSession
    from interpose.web.ports import Confirmations, Desk
    from interpose.web.sign_in import SignInPages

PAGE: Final = "/confirm"
_NOT_CHOSEN: Final = "to be chosen"
"""What a client opens that has named no connection: whatever it asks for next and policy permits."""

_UNKNOWN: Final = (
    "No login waits with this code: it is mistyped, was answered already, or is over. Look at your terminal again."
)
_ELSEWHERE: Final = (
    "Nothing was done: the client is at another address than this browser, so tick the box if that is right."
)


class ConfirmPages:
    """The pages."""

    def __init__(
        self, origin: str, sign_in: SignInPages, confirmations: Confirmations, desk: Desk, guesses: FailureLimiter
    ) -> None:
        """`guesses` bounds codes that are wrong, an address and a person."""
        self._origin = origin
        self._sign_in = sign_in
        self._confirmations = confirmations
        self._desk = desk
        self._guesses = guesses

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(PAGE, self.enter, methods=["GET"]),
            Route(PAGE, self.check, methods=["POST"]),
            Route(f"{PAGE}/answer", self.decide, methods=["POST"]),
        ]

    async def enter(self, request: Request) -> Response:
        """Where the code is typed. INVARIANT: nothing of the address fills it in."""
        session = self._sign_in.session(request)
        if session is None:
            return self._sign_in.ask_to_sign_in(PAGE, "A client waits for you.")
        return self._form_page(session)

    async def check(self, request: Request) -> Response:
        """The code was typed: show what waits."""
        session, form = await self._form(request)
        login = await self._confirmations.typed(form.get("code", ""))
        if login is None:
            return self._guessed(session, source_of(request))
        if login.claimed_name != session.who.identity.principal.name:
            return await self._answer(request, session, login, approved=False)
        return self._shown(request, session, login, form.get("code", ""))

    async def decide(self, request: Request) -> Response:
        """The person answered."""
        session, form = await self._form(request)
        login = await self._confirmations.typed(form.get("code", ""))
        if login is None:
            return self._guessed(session, source_of(request))
        approved = form.get("answer") == "approve"
        if approved and _elsewhere(request, login) and form.get("elsewhere") != "yes":
            return self._shown(request, session, login, form.get("code", ""), _ELSEWHERE)
        return await self._answer(request, session, login, approved=approved)

    async def _answer(
        self, request: Request, session: BrowserSession, login: PendingLogin, *, approved: bool
    ) -> Response:
        state = await self._confirmations.answer(login, session.who, approved, source_of(request))
        if state == APPROVED:
            return message(
                "Done",
                "Your client goes on by itself; if it asks for Enter, press it there. You can close this page.",
                status=200,
            )
        if state == DENIED:
            return message(
                "Denied",
                "The client was not let in.",
                "If you did not start it yourself, tell the gateway's operator: somebody tried to log in as you.",
                200,
            )
        if state == WRONG_PERSON:
            return message(
                "Not yours",
                f"The client says that it is {login.claimed_name}, and you are signed in as "
                f"{session.who.identity.principal.name}. It was not let in.",
                "If it is yours, connect again with your name here as the user. If somebody sent you the code, tell the gateway's operator.",
                403,
            )
        return self._form_page(session, _UNKNOWN, 404)

    def _shown(
        self, request: Request, session: BrowserSession, login: PendingLogin, code: str, problem: str = ""
    ) -> Response:
        return page(
            "confirm",
            400 if problem else 200,
            code=code,
            client=login.client or "gives no name",
            connection=login.connection or _NOT_CHOSEN,
            asked_from=login.source,
            asked_at=login.opened_at,
            source=source_of(request),
            elsewhere=_elsewhere(request, login),
            name=session.who.identity.principal.name,
            csrf=session.csrf,
            problem=problem,
        )

    @staticmethod
    def _form_page(session: BrowserSession, problem: str = "", status: int = 200) -> Response:
        return page(
            "confirm_code", status, name=session.who.identity.principal.name, csrf=session.csrf, problem=problem
        )

    async def _form(self, request: Request) -> tuple[BrowserSession, dict[str, str]]:
        check_same_site(request, self._origin)
        session = self._sign_in.session(request)
        if session is None:
            raise RefusedRequestError("Not signed in", "Your login is over.", f"Open {PAGE} again and sign in.", 403)
        form = await read_form(request)
        check_csrf(form, session.csrf)
        if any(self._guesses.blocked(key) for key in self._keys(session, source_of(request))):
            raise RefusedRequestError(
                "Too many attempts", "Too many codes were wrong.", "Wait a minute, then try again.", 429
            )
        return session, dict(form)

    def _guessed(self, session: BrowserSession, source: str) -> Response:
        for key in self._keys(session, source):
            self._guesses.failed(key)
        self._desk.failed(session.who.proof.provider, "user_code_unknown", source)
        return self._form_page(session, _UNKNOWN, 404)

    @staticmethod
    def _keys(session: BrowserSession, source: str) -> tuple[str, str]:
        return address_group(source), f"\0{session.who.identity.principal.name}"


def _elsewhere(request: Request, login: PendingLogin) -> bool:
    return address_group(source_of(request)) != login.group
