"""Where a provider says that a login is over (OpenID Connect Back-Channel Logout 1.0 §2.5): one address a provider, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from interpose.engine.limits import FailureLimiter, address_group
from interpose.model.errors import AuthenticationError, InterposeError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY: Final = 64 * 1024
_HEADERS: Final = {"Cache-Control": "no-store"}


PATH: Final = "/oidc/{provider}/backchannel-logout"
_ANSWERS: Final = {
    400: "no logout token of this provider",
    404: "no such provider",
    429: "too many that did not count",
    503: "not done: say it again",
}


class LogoutReceiver(Protocol):
    """One provider that can say that a login is over."""

    async def logged_out(self, token: str, source: str) -> None:
        """Obey a logout token. Raises `AuthenticationError` (in the audit already), `ProviderError`, `StoreError`, `RecordingError`."""
        ...


class BackChannelLogout:
    """The addresses."""

    def __init__(self, providers: Mapping[str, LogoutReceiver], failures: FailureLimiter) -> None:
        """`failures` bounds tokens that do not count, an address."""
        self._providers = providers
        self._failures = failures

    def routes(self) -> list[Route]:
        """Where they are."""
        return [Route(PATH, self.receive, methods=["POST"])]

    async def receive(self, request: Request) -> Response:
        """A provider speaks. 200: done; 400: not a token of this provider; anything else: it may try again."""
        source = request.client.host if request.client else ""
        address = address_group(source)
        if self._failures.blocked(address):
            return _error("slow_down", 429)
        provider = self._providers.get(request.path_params["provider"])
        token = await _token(request)
        if provider is None or token is None:
            self._failures.failed(address)
            return _error("invalid_request", 404 if provider is None else 400)
        try:
            await provider.logged_out(token, source)
        except AuthenticationError:
            self._failures.failed(address)
            return _error("invalid_request", 400)
        except InterposeError:
            return _error("temporarily_unavailable", 503)
        return Response(status_code=200, headers=_HEADERS)


def operations() -> dict[str, dict[str, object]]:
    """The address as OpenAPI has it."""
    form = {
        "type": "object",
        "required": ["logout_token"],
        "properties": {"logout_token": {"type": "string", "minLength": 1}},
    }
    error = {"application/json": {"schema": {"type": "object", "required": ["error"]}}}
    return {
        PATH: {
            "post": {
                "operationId": "back_channel_logout",
                "summary": "A provider says that a login is over (OpenID Connect Back-Channel Logout 1.0).",
                "security": [],
                "parameters": [{"name": "provider", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/x-www-form-urlencoded": {"schema": form}},
                },
                "responses": {
                    "200": {"description": "obeyed"},
                    **{str(status): {"description": words, "content": error} for status, words in _ANSWERS.items()},
                },
            }
        }
    }


async def _token(request: Request) -> str | None:
    """The one `logout_token` of the form."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            return None
    try:
        fields = parse_qsl(data.decode("ascii"), keep_blank_values=True, max_num_fields=16)
    except (UnicodeDecodeError, ValueError):
        return None
    found = [value for name, value in fields if name == "logout_token"]
    return found[0] if len(found) == 1 else None


def _error(word: str, status: int) -> Response:
    return JSONResponse({"error": word}, status, _HEADERS)
