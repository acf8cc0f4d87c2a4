"""What holds for every request of the public address, whatever page it is for: the host that was asked, and what browsers are told.

INVARIANT: no answer leaves without these headers, an unexpected error's included: this wraps the whole application.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interpose.web.pages import message

FORM_ACTION: Final = "x-interpose-form-action"
"""An answer's own header: one more origin to which this page's form may lead. It is taken out of the answer."""

_HEADERS: Final = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}
_HSTS: Final = "max-age=31536000"


class Protection:
    """The outermost layer of the public address."""

    def __init__(self, application: ASGIApp, origin: str) -> None:
        """`origin` is the one under which browsers come."""
        self._application = application
        self._host = urlsplit(origin).netloc
        self._secure = origin.startswith("https:")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def guarded(event: Message) -> None:
            if event["type"] == "http.response.start":
                self._seal(MutableHeaders(scope=event))
            await send(event)

        # A page under another name could be anybody's: DNS that was rebound, or a certificate for several names.
        if scope["path"] != "/healthz" and Headers(scope=scope).get("host", "").lower() != self._host:
            refused = message(
                "Wrong address", "This gateway is not reached under this name.", "Check the address.", 421
            )
            await refused(scope, receive, guarded)
            return
        await self._application(scope, receive, guarded)

    def _seal(self, headers: MutableHeaders) -> None:
        form_action = headers.get(FORM_ACTION)
        if form_action is not None:
            del headers[FORM_ACTION]
        extra = "" if form_action is None else f" {form_action}"
        headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self'{extra}"
        )
        for name, value in _HEADERS.items():
            headers[name] = value
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"
        if self._secure:
            headers["Strict-Transport-Security"] = _HSTS
