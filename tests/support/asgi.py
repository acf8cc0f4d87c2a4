"""Calling an ASGI application without a server: one request, its status and its body."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]


async def call(
    application: ASGIApp,
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: bytes = b"",
    content_type: str = "",
    meanwhile: Callable[[], None] = lambda: None,
) -> Answer:
    """Send one request from 192.0.2.1 and wait for the whole answer; `meanwhile` happens when the body is waited for."""
    path, _, query = path.partition("?")
    headers = [(b"host", b"gateway")]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    if content_type:
        headers.append((b"content-type", content_type.encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("192.0.2.1", 1),
        "server": ("gateway", 80),
    }
    sent: list[MutableMapping[str, Any]] = []
    asked = False

    async def receive() -> MutableMapping[str, Any]:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        meanwhile()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    begun = next(message for message in sent if message["type"] == "http.response.start")
    got = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Answer(begun["status"], got, {name.decode(): value.decode() for name, value in begun["headers"]})
