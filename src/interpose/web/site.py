"""The public address as one application: its routes, its errors told as pages, and what is the same for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from interpose.model.errors import AuthenticationError, InterposeError, ProviderError, RecordingError, StoreError
from interpose.web.pages import STYLE, message
from interpose.web.protection import Protection
from interpose.web.requests import RefusedRequestError

_WORDS = {
    404: ("Not found", "There is no such page on this gateway."),
    405: ("Not possible", "This address cannot be asked in this way."),
}


class Site:
    """Puts together the pages that are given."""

    def __init__(self, origin: str, routes: Sequence[Route]) -> None:
        """`origin` is the one address under which browsers come."""
        self._origin = origin
        self._routes = routes

    def application(self) -> ASGIApp:
        """The ASGI application."""
        routes = [
            Route("/healthz", _health, methods=["GET"]),
            Route("/static/style.css", _style, methods=["GET"]),
            *self._routes,
        ]
        inner = Starlette(
            routes=routes,
            exception_handlers={HTTPException: _http_error, InterposeError: _known_error, Exception: _our_error},
        )
        inner.router.redirect_slashes = False
        return Protection(inner, self._origin)


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _style(_: Request) -> Response:
    return Response(STYLE, 200, {"Cache-Control": "public, max-age=3600"}, "text/css")


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title, text = _WORDS.get(status, ("Not possible", "The request could not be answered."))
    answer = message(title, text, status=status)
    if isinstance(error, HTTPException) and "Allow" in (error.headers or {}):
        # RFC 9110 §15.5.6: 405 says which methods there are.
        answer.headers["Allow"] = (error.headers or {})["Allow"]
    return answer


async def _known_error(_: Request, error: Exception) -> Response:
    """INVARIANT: a page never tells why a login failed in more words than the person needs, and never an error's `detail`."""
    if isinstance(error, RefusedRequestError):
        return message(error.title, error.public_message, error.hint, error.status)
    if isinstance(error, AuthenticationError):
        return message(
            "Not signed in",
            "The identity provider's answer does not let you in here.",
            "Try once more; if it stays like this, ask the gateway's operator: the audit log says why.",
            403,
        )
    if isinstance(error, ProviderError):
        return message(
            "Provider not available",
            "The identity provider does not answer as it should, so nobody can sign in with it at the moment.",
            "Try again in a minute. Sessions that are open go on.",
            503,
        )
    if isinstance(error, (StoreError, RecordingError)):
        return message(
            "Not available",
            "The gateway cannot keep its records at the moment, so nobody is let in.",
            "Try again later.",
            503,
        )
    return message("Not possible", "The request was refused.", "Go back and try again.", 400)


async def _our_error(_: Request, __: Exception) -> Response:
    return message(
        "Something broke", "The gateway made a mistake. It is in its log.", "Ask the gateway's operator.", 500
    )
