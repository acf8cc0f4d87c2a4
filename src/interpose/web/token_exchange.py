"""Token exchange (RFC 8693): an agent shows its own proof and a person's, and gets a token with which it acts for that person.

The form and the errors are the standard's; who may, and what the token does, is `engine.delegation`'s. Clients need no registration:
the two tokens are the proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from interpose.engine.delegation import DEFAULT_SECONDS, Delegation, Made, Wish
from interpose.model.errors import ClientError, RecordingError, StoreError
from interpose.protocols.intents import Refused
from interpose.web.command_line import oauth_error
from interpose.web.requests import RefusedRequestError, read_fields, single, source_of
from interpose.web.token_exchange_form import ACCESS_TOKEN, GRANT, JWT, PARAMETERS, PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interpose.model.principal import Identity
    from interpose.model.refusal import Refusal


class Bearer(Protocol):
    """Who holds a token; every failure is in the audit chain and counted an address."""

    async def bearer(self, token: str, peer: str) -> Identity | Refused:
        """The identity, or why not."""
        ...


class TokenExchange:
    """The address."""

    def __init__(self, bearer: Bearer, delegation: Delegation) -> None:
        """`bearer` takes access tokens, and the signed tokens of configured issuers."""
        self._bearer = bearer
        self._delegation = delegation

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route(PATH, self.exchange, methods=["POST"])]

    async def exchange(self, request: Request) -> Response:
        """Two tokens for one (RFC 8693 §2). Every error is told as RFC 6749 §5.2 says, in JSON."""
        try:
            return await self._exchange(request)
        except RefusedRequestError as error:
            return oauth_error("invalid_request", error.status, error.public_message)
        except ClientError as error:
            return oauth_error("invalid_request", description=error.public_message)
        except (StoreError, RecordingError):
            return oauth_error("temporarily_unavailable", 503)

    async def _exchange(self, request: Request) -> Response:
        fields = await read_fields(request)
        form = single([(name, value) for name, value in fields if name != "audience"])
        audiences = [value for name, value in fields if name == "audience"]
        if form.get("grant_type") != GRANT:
            return oauth_error("unsupported_grant_type")
        refused = _unusable(form)
        if refused is not None:
            return refused
        source = source_of(request)
        # The agent first: nobody learns anything of a person's token without a proof of an agent's.
        actor = await self._bearer.bearer(form["actor_token"], source)
        if isinstance(actor, Refused):
            return _not_proven(actor.refusal, "actor_token")
        person = await self._bearer.bearer(form["subject_token"], source)
        if isinstance(person, Refused):
            return _not_proven(person.refusal, "subject_token")
        wish = Wish(form.get("task"), frozenset(audiences) if audiences else None, _seconds(form))
        made = await self._delegation.exchange(actor, person, wish, source)
        return _issued(made) if isinstance(made, Made) else _not_given(made)


def _unusable(form: Mapping[str, str]) -> Response | None:
    """What is wrong with the parameters, whatever the tokens are."""
    if "resource" in form:
        return oauth_error("invalid_target", description="name connections with `audience`; `resource` is not known")
    if form.get("scope"):
        return oauth_error("invalid_scope", description="there are no scopes: policy decides, and `task` says what for")
    unknown = sorted(set(form) - set(PARAMETERS) - {"scope"})
    if unknown:
        return oauth_error("invalid_request", description=f"unknown parameter `{unknown[0][:40]}`")
    for name in ("subject_token", "actor_token"):
        if not form.get(name):
            return oauth_error("invalid_request", description=f"`{name}` is missing")
        if form.get(f"{name}_type") not in (ACCESS_TOKEN, JWT):
            return oauth_error("invalid_request", description=f"`{name}_type` must be {ACCESS_TOKEN} or {JWT}")
    if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        return oauth_error("invalid_request", description=f"only {ACCESS_TOKEN} is given")
    if _seconds(form) <= 0:
        return oauth_error("invalid_request", description="`requested_lifetime` must be whole seconds from 1")
    return None


def _seconds(form: Mapping[str, str]) -> float:
    text = form.get("requested_lifetime")
    if text is None:
        return DEFAULT_SECONDS
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0.0


def _not_proven(refusal: Refusal, which: str) -> Response:
    if refusal.code == "too_many_attempts":
        return oauth_error("slow_down", 429)
    if refusal.code == "authentication_failed":
        return oauth_error("invalid_request", description=f"`{which}` is not valid here")
    return oauth_error("temporarily_unavailable", 503)


def _not_given(refusal: Refusal) -> Response:
    """RFC 8693 §2.2.2: what policy does not accept is `invalid_request`, but for the target."""
    word = "invalid_target" if refusal.code == "invalid_target" else "invalid_request"
    return oauth_error(word, description=f"{refusal.message} ({refusal.code})")


def _issued(made: Made) -> Response:
    return JSONResponse(
        {
            "access_token": made.token,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": int(made.lifetime),
            "principal": made.record.principal,
            "acting_for": made.record.acting_for,
        },
        headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
    )
