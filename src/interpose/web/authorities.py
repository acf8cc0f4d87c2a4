"""The gateway's authorities as the public address shows them, and the address at which an SSH certificate is got for an access token."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from interpose.model.errors import AuthenticationError, ClientError
from interpose.protocols.intents import Refused
from interpose.web.requests import read_form, source_of

if TYPE_CHECKING:
    from interpose.model.principal import Identity

_CACHE: Final = {"Cache-Control": "public, max-age=300"}


class SshIssued(Protocol):
    """An SSH certificate that was just made; nothing in it is secret."""

    @property
    def certificate(self) -> str:
        """One line, as OpenSSH's files have it."""
        ...

    @property
    def serial(self) -> str:
        """What it is revoked by."""
        ...

    @property
    def principal(self) -> str:
        """Whose it is."""
        ...

    @property
    def expires_at(self) -> float:
        """Wall-clock seconds."""
        ...


class SshDesk(Protocol):
    """Proves who holds a token, and makes SSH certificates."""

    async def bearer(self, token: str, peer: str) -> Identity | Refused:
        """The identity, or why not; every failure is in the audit chain."""
        ...

    async def issue(self, identity: Identity, public_key: str, ttl: float, source: str) -> SshIssued:
        """A certificate for a public key. Raises `ClientError`, `RecordingError`, `StoreError`."""
        ...


@dataclass(frozen=True, slots=True)
class Authorities:
    """Texts that are published; made anew at every request, empty where there is no such authority yet. Blocking."""

    x509: Callable[[], str]
    ssh_hosts: Callable[[], str]
    ssh_upstreams: Callable[[], str]


class AuthorityPages:
    """The addresses. None of them is for a browser: nothing here reads a cookie."""

    def __init__(self, authorities: Authorities, desk: SshDesk) -> None:
        """What is shown, and who makes certificates."""
        self._authorities = authorities
        self._desk = desk

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/ca.pem", self.x509, methods=["GET"]),
            Route("/ca/ssh", self.ssh_hosts, methods=["GET"]),
            Route("/ca/ssh/upstream", self.ssh_upstreams, methods=["GET"]),
            Route("/ssh/certificate", self.certificate, methods=["POST"]),
        ]

    async def x509(self, _: Request) -> Response:
        """The roots of client certificates, as PEM."""
        return await _text(self._authorities.x509, "application/x-pem-file")

    async def ssh_hosts(self, _: Request) -> Response:
        """Lines of known_hosts that make clients believe the gateway's host certificates."""
        return await _text(self._authorities.ssh_hosts, "text/plain")

    async def ssh_upstreams(self, _: Request) -> Response:
        """Lines of a `TrustedUserCAKeys` file of an upstream."""
        return await _text(self._authorities.ssh_upstreams, "text/plain")

    async def certificate(self, request: Request) -> Response:
        """A certificate for `public_key`, for the holder of `token`. Errors are OAuth's words, in JSON."""
        form = await read_form(request)
        caller = await self._desk.bearer(form.get("token", ""), source_of(request))
        if isinstance(caller, Refused):
            busy = caller.refusal.code == "too_many_attempts"
            return JSONResponse({"error": "slow_down" if busy else "invalid_token"}, 429 if busy else 401)
        try:
            ttl = float(form.get("ttl", "28800"))
            if not math.isfinite(ttl):
                raise ValueError
            made = await self._desk.issue(caller, form.get("public_key", ""), ttl, source_of(request))
        except AuthenticationError:
            return JSONResponse({"error": "invalid_token"}, 401)
        except (ClientError, ValueError):
            return JSONResponse({"error": "invalid_request"}, 400)
        return JSONResponse(
            {
                "certificate": made.certificate,
                "serial": made.serial,
                "principal": made.principal,
                "expires_at": made.expires_at,
            },
            201,
        )


async def _text(make: Callable[[], str], kind: str) -> Response:
    text = await asyncio.to_thread(make)
    if not text:
        return PlainTextResponse("there is no such authority here yet\n", 404)
    return Response(text, 200, _CACHE, kind)
