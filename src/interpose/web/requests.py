"""Small pieces of a request: a form that is bounded, where it came from, and the cookies that no other host can set or read."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from interpose.model.errors import ClientError

SESSION_COOKIE: Final = "__Host-interpose"
LOGIN_COOKIE: Final = "__Host-interpose-login"
POSTED_LOGIN_COOKIE: Final = "__Host-interpose-posted-login"
"""As `LOGIN_COOKIE`, for providers whose own page posts the answer: the one cookie that comes with another site's form.

A cookie of SameSite=Lax does not come with such a form. This one names nobody and opens nothing: it says only which browser began a
login, and counts only together with the login's own unguessable state.
"""
CONFIRM_COOKIE: Final = "__Host-interpose-confirm"
"""Of the browser in which somebody is asked whether it is them whom a provider sent."""
MAX_FORM: Final = 16 * 1024
"""Bytes of a form that are read."""
_MAX_FIELDS: Final = 48


class RefusedRequestError(ClientError):
    """A request of a browser that is refused: a page in words, with a status."""

    code = "refused_request"

    def __init__(self, title: str, text: str, hint: str = "", status: int = 400) -> None:
        """`title` and `text` are read by people."""
        super().__init__(text, hint=hint)
        self.title = title
        self.status = status


async def read_form(request: Request, limit: int = MAX_FORM) -> Mapping[str, str]:
    """The fields of a URL-encoded form of at most `limit` bytes; raises `RefusedRequestError`. A field given twice is refused: which one counts?"""
    return single(await read_fields(request, limit))


async def read_fields(request: Request, limit: int = MAX_FORM) -> list[tuple[str, str]]:
    """The fields of a URL-encoded form in their order; raises `RefusedRequestError`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RefusedRequestError("Not a form", "This address takes a form only.", status=415)
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise RefusedRequestError("Too large", "The form is larger than any of ours.", status=413)
    try:
        return parse_qsl(data.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except (UnicodeDecodeError, ValueError):
        raise RefusedRequestError("Not understood", "The form could not be read.") from None


def read_query(request: Request) -> Mapping[str, str]:
    """The query's fields; raises `RefusedRequestError` when one is given twice."""
    return single(request.query_params.multi_items())


def single(items: list[tuple[str, str]]) -> Mapping[str, str]:
    """Fields by name, each given once; raises `RefusedRequestError`."""
    fields = dict(items)
    if len(fields) != len(items):
        raise RefusedRequestError("Not understood", "A field was given twice.")
    return fields


def source_of(request: Request) -> str:
    """The client's address, without its port."""
    return request.client.host if request.client else ""


def check_same_site(request: Request, origin: str) -> None:
    """Refuse a form that another site sent; raises `RefusedRequestError`. The token in the form is the second lock."""
    sent = request.headers.get("origin")
    fetched = request.headers.get("sec-fetch-site")
    if (sent is not None and sent != origin) or (fetched is not None and fetched not in ("same-origin", "none")):
        raise RefusedRequestError(
            "Sent from elsewhere",
            "This form was sent by another site, so nothing was done.",
            "Open this gateway's page yourself and try again.",
            403,
        )


def check_csrf(form: Mapping[str, str], expected: str) -> None:
    """Refuse a form without this browser session's own token; raises `RefusedRequestError`."""
    if not hmac.compare_digest(form.get("csrf", "").encode("utf-8", "surrogatepass"), expected.encode()):
        raise RefusedRequestError(
            "This page is too old",
            "The form belongs to another session, so nothing was done.",
            "Go back, reload the page and try again.",
            403,
        )


def set_cookie(response: Response, name: str, value: str) -> None:
    """A cookie of this host alone, which no script reads and, but for one, no other site's form carries; it ends with the browser."""
    same_site = "None" if name == POSTED_LOGIN_COOKIE else "Lax"
    response.headers.append("set-cookie", f"{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}")


def drop_cookie(response: Response, name: str) -> None:
    """Make the browser forget a cookie."""
    response.headers.append("set-cookie", f"{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
