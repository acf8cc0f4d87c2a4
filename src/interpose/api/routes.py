"""Every address of the admin API: the one table from which it is served, described (OpenAPI) and tested."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interpose import __version__
from interpose.api.admin import AdminApi
from interpose.api.bodies import BootstrapBody, CredentialBody, DelegationBody, EndBody, SayBody, VoteBody
from interpose.api.endpoint import Answer, Asks, Endpoint, Parameter
from interpose.api.http import Problem, answer, guarded
from interpose.api.openapi import Json, document
from interpose.api.views import (
    ApprovalsView,
    ApprovalView,
    BootstrapView,
    CredentialView,
    DelegationView,
    EndedView,
    FoundView,
    IdentityView,
    ReloadedView,
    SaidView,
    SessionView,
)
from interpose.model.actions import Action


async def describe(_api: AdminApi, _request: Request) -> Response:
    """This API as an OpenAPI 3.1 document."""
    return answer(description())


_TEXT: Final[Mapping[str, object]] = {"type": "string"}
_QUERY: Final = (
    Parameter(
        "live", "only sessions that live, or only those that ended", {"type": "string", "enum": ["true", "false"]}
    ),
    Parameter("principal", "only this principal's, e.g. `User:bob`", _TEXT),
    Parameter("connection", "only those on this connection", _TEXT),
    Parameter("since", "only those that were open at this time or later", {"type": "number"}),
    Parameter(
        "limit",
        "the most sessions that are looked at",
        {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 100},
    ),
)
_PLAIN: Final = "text/plain; charset=utf-8"
_VOTE_ERRORS: Final = (
    "no_such_approval", "own_command", "not_an_approver", "not_pending", "already_voted", "audit_unavailable",
)  # fmt: skip
_DELEGATION_ERRORS: Final = (
    "invalid_request", "act_for_not_permitted", "not_a_person", "not_an_agent", "acts_for_another", "already_delegated",
    "invalid_target", "audit_unavailable",
)  # fmt: skip

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        "GET", "/healthz", AdminApi.health, Asks.NOBODY, "anybody",
        (Answer("`ok` as long as the process lives", media=_PLAIN),),
    ),
    Endpoint(
        "GET", "/readyz", AdminApi.ready, Asks.NOBODY, "anybody",
        (Answer("clients are served", media=_PLAIN), Answer("a part is not well", status=503, media=_PLAIN)),
    ),
    Endpoint(
        "GET", "/metrics", AdminApi.metrics, Asks.NOBODY, "anybody",
        (Answer("Prometheus' text format", media="text/plain; version=0.0.4; charset=utf-8"),),
    ),
    Endpoint(
        "GET", "/v1/openapi.json", describe, Asks.NOBODY, "anybody",
        (Answer("the document, the same for every gateway of one version", dict[str, Any]),),
    ),
    Endpoint("GET", "/v1/whoami", AdminApi.whoami, Asks.OWN, "any valid token", (Answer("the caller", IdentityView),)),
    Endpoint(
        "POST", "/v1/credentials", AdminApi.issue, Asks.OWN, "any valid token; the certificate is the caller's own",
        (Answer("the certificate", CredentialView, 201),),
        body=CredentialBody, errors=("audit_unavailable",),
    ),
    Endpoint(
        "POST", "/v1/bootstrap", AdminApi.bootstrap, Asks.SECRET,
        "whoever has the one-time token of the first start, for a principal whom policy permits to `administer`",
        (Answer("the access token, shown once", BootstrapView, 201),),
        body=BootstrapBody,
        errors=(
            "bootstrap_refused", "no_such_principal", "not_permitted", "too_many_attempts",
            "store_unavailable", "audit_unavailable",
        ),
    ),
    Endpoint(
        "POST", "/v1/delegations", AdminApi.delegate, Asks.ENGINE,
        "`act_for` on the caller, asked of the agent; the caller is a person, and `connect` on each connection that is named",
        (Answer("the agent's token, shown once", DelegationView, 201),),
        body=DelegationBody, errors=_DELEGATION_ERRORS,
    ),
    Endpoint(
        "GET", "/v1/approvals", AdminApi.list_approvals, Asks.ENGINE,
        "any valid token; the answer holds what the caller may decide and the caller's own",
        (Answer("what waits", ApprovalsView),),
    ),
    Endpoint(
        "GET", "/v1/approvals/{id}", AdminApi.show_approval, frozenset({Action.AUDIT}),
        "a member of the approvers, the requester (or the person that it acts for), or `audit` on the connection",
        (Answer("the approval", ApprovalView),), errors=("no_such_approval",),
    ),
    Endpoint(
        "POST", "/v1/approvals/{id}/approve", AdminApi.approve, Asks.ENGINE,
        "`approve` on the connection, as a member of the approvers; never one's own",
        (Answer("the approval with the vote", ApprovalView),), body=VoteBody, errors=_VOTE_ERRORS,
    ),
    Endpoint(
        "POST", "/v1/approvals/{id}/deny", AdminApi.deny, Asks.ENGINE, "the same",
        (Answer("the approval with the vote", ApprovalView),), body=VoteBody, errors=_VOTE_ERRORS,
    ),
    Endpoint(
        "GET", "/v1/sessions", AdminApi.list_sessions, frozenset({Action.AUDIT}),
        "any valid token; the answer holds the caller's own and those on connections with `audit`",
        (Answer("sessions, newest first", list[SessionView]),), parameters=_QUERY,
    ),
    Endpoint(
        "GET", "/v1/sessions/{id}", AdminApi.show_session, frozenset({Action.AUDIT}),
        "one's own, else `audit` on the connection",
        (Answer("the session", SessionView),), errors=("no_such_session",),
    ),
    Endpoint(
        "GET", "/v1/sessions/{id}/recording", AdminApi.recording, frozenset({Action.AUDIT, Action.REPLAY}),
        "the same, and `replay` on the connection",
        (Answer("frames", media="application/vnd.interpose.recording"),),
        parameters=(Parameter("follow", "also what comes, until the session is over", {"type": "string", "enum": ["true", "false"]}),),
        errors=("no_such_session", "not_permitted", "audit_unavailable"),
    ),
    Endpoint(
        "POST", "/v1/sessions/{id}/end", AdminApi.end_session, frozenset({Action.AUDIT, Action.ADMINISTER}),
        "`administer` on the gateway, and sight of the session",
        (Answer("the session's worker is asked", EndedView, 202),),
        body=EndBody, errors=("no_such_session", "not_permitted", "audit_unavailable"),
    ),
    Endpoint(
        "POST", "/v1/sessions/{id}/say", AdminApi.say, frozenset({Action.AUDIT, Action.ADMINISTER}), "the same",
        (Answer("the session's worker is asked", SaidView, 202),),
        body=SayBody, errors=("no_such_session", "not_permitted", "audit_unavailable"),
    ),
    Endpoint(
        "GET", "/v1/search", AdminApi.search, frozenset({Action.REPLAY}),
        "any valid token; searches connections with `replay`",
        (Answer("one JSON object a line", media="application/x-ndjson", line=FoundView),),
        parameters=(Parameter("q", "the text", {"type": "string", "minLength": 1}, required=True), *_QUERY),
        errors=("audit_unavailable",),
    ),
    Endpoint(
        "POST", "/v1/reload", AdminApi.reload, frozenset({Action.ADMINISTER}), "`administer` on the gateway",
        (Answer("the new snapshot's digest", ReloadedView),),
        errors=("not_permitted", "configuration_error", "audit_unavailable"),
    ),
)  # fmt: skip
"""Every address, in the order in which it is told."""


@cache
def description() -> Json:
    """The OpenAPI document."""
    return document(ENDPOINTS, __version__)


def description_text() -> str:
    """The OpenAPI document as the file that is kept in the documentation."""
    return msgspec.json.format(msgspec.json.encode(description()), indent=2).decode() + "\n"


def application(api: AdminApi) -> Starlette:
    """The ASGI application that serves the table, and nothing else."""
    routes = [Route(each.path, guarded(partial(each.handler, api)), methods=[each.method]) for each in ENDPOINTS]
    return Starlette(routes=routes, exception_handlers={HTTPException: _not_there})


async def _not_there(_: Request, error: Exception) -> Response:
    """An address that is none, or not with this method, is told as every other error is."""
    assert isinstance(error, HTTPException)
    refused = answer(Problem("no_such_address", HTTPStatus(error.status_code).phrase.lower()), error.status_code)
    refused.headers.update(error.headers or {})
    return refused
