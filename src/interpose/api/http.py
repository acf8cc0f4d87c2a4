"""Small HTTP pieces: JSON answers, errors in one form, and the bearer token of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from interpose.model.errors import AuthenticationError, ClientError, ConfigurationError, InterposeError, StoreError
from interpose.model.refusal import Refusal

BodyT = TypeVar("BodyT")
MAX_BODY = 64 * 1024
"""The largest request body that is read, in bytes."""

STATUS: Final = {
    "authentication_failed": 401,
    "bootstrap_refused": 401,
    "no_such_principal": 404,
    "too_many_attempts": 429,
    "no_such_approval": 404,
    "no_such_session": 404,
    "not_permitted": 403,
    "own_command": 403,
    "not_an_approver": 403,
    "act_for_not_permitted": 403,
    "not_a_person": 403,
    "acts_for_another": 403,
    "already_delegated": 403,
    "not_an_agent": 404,
    "invalid_target": 404,
    "invalid_request": 400,
    "not_pending": 409,
    "already_voted": 409,
    "store_unavailable": 503,
    "provider_unavailable": 503,
    "audit_unavailable": 503,
    "configuration_error": 422,
}
"""The HTTP status of each code. Any other code of a request that is wrong or refused has 400."""


def status_of(code: str) -> int:
    """The HTTP status of a request that is wrong or refused."""
    return STATUS.get(code, 400)


class Problem(msgspec.Struct, frozen=True):
    """How every error is told: a machine word, a sentence and what to do next."""

    code: str
    message: str
    hint: str = ""
    problems: list[str] = []


class RequestRefusedError(InterposeError):
    """A request that is refused, with its machine word."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        """`code` decides the HTTP status."""
        super().__init__(message, hint=hint)
        self.code = code


def refuse(refusal: Refusal) -> RequestRefusedError:
    """A refusal of the engine as an error of this request."""
    return RequestRefusedError(refusal.code, refusal.message, refusal.hint)


def answer(value: object, status: int = 200) -> Response:
    """A JSON answer that no browser caches or sniffs."""
    return Response(msgspec.json.encode(value), status, _HEADERS, "application/json")


_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def bearer_token(request: Request) -> str:
    """The token in `Authorization: Bearer …`; raises `AuthenticationError` without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationError("a bearer token is needed", hint="set INTERPOSE_TOKEN to an access token")
    return token.strip()


def read_body(request: Request, kind: type[BodyT]) -> BodyT:
    """The request's JSON body, checked; an empty body is `{}`; raises `ClientError`."""
    try:
        return msgspec.json.decode(request.state.body or b"{}", type=kind)
    except msgspec.MsgspecError as error:
        raise ClientError(f"the request's body is not understood: {error}") from error


async def _whole(request: Request) -> bytes:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise ClientError("the request's body is too large")
    return data


def guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint with its errors told as `Problem`s; anything unexpected stays an error of ours (500, no text)."""

    async def wrapped(request: Request) -> Response:
        try:
            # INVARIANT: who asks is proven when all of the request is here: a body that is held back does not outlive its token.
            request.state.body = await _whole(request)
            return await endpoint(request)
        except RequestRefusedError as error:
            return answer(Problem(error.code, error.public_message, error.hint), status_of(error.code))
        except ConfigurationError as error:
            lines = [str(problem) for problem in error.problems]
            return answer(Problem(error.code, error.public_message, error.hint, lines), 422)
        except ClientError as error:
            return answer(Problem(error.code, error.public_message, error.hint), status_of(error.code))
        except StoreError as error:
            return answer(Problem(error.code, error.public_message, error.hint), 503)
        except InterposeError as error:
            return answer(Problem(error.code, error.public_message, error.hint), STATUS.get(error.code, 500))

    return wrapped
