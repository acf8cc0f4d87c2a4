"""The admin API's endpoints. Every one but health and metrics proves its caller and asks policy.

`approve` is judged by the engine on each vote; `audit` (on a connection) lists sessions and searches them; `replay` (on a
connection) reads a recording; `administer` (on the gateway) reloads and ends sessions. Reading a recording is itself an
audit event.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from interpose.api.bodies import BootstrapBody, CredentialBody, DelegationBody, EndBody, SayBody, VoteBody
from interpose.api.http import RequestRefusedError, answer, bearer_token, read_body, refuse
from interpose.api.ports import Bearer, IssuedCertificate, Issuer, Operations, Rights, SessionQuery, Sessions, SshIssuer
from interpose.api.views import (
    ApprovalsView,
    BootstrapView,
    CredentialView,
    EndedView,
    FoundView,
    ReloadedView,
    SaidView,
    approval_view,
    delegation_view,
    identity_view,
    session_view,
)
from interpose.engine.approvals import Approvals
from interpose.engine.bootstrap import Bootstrap
from interpose.engine.callers import CallerProof
from interpose.engine.delegation import Delegation, Wish
from interpose.engine.ports import Approval, ApprovalStore, SessionRow
from interpose.engine.sessions import LONGEST_SAYING
from interpose.model.actions import Action
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import ClientError
from interpose.model.ids import ApprovalId, ConnectionName, SessionId
from interpose.model.principal import Identity
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Refused
from interpose.recording.sanitize import sanitize

ASK_AGAIN = 10.0
"""Seconds after which somebody who watches a session is proven and asked of policy again."""
MOST_SESSIONS = 10_000
_NO_SESSION = RequestRefusedError("no_such_session", "there is no such session", "see `interpose sessions list`")


class AdminApi:
    """The endpoints over the engine's approvals and the ports."""

    def __init__(
        self,
        bearer: Bearer,
        rights: Rights,
        approvals: Approvals,
        approval_store: ApprovalStore,
        sessions: Sessions,
        operations: Operations,
        connections: Callable[[], Iterable[str]],
        issuer: Issuer | None = None,
        ssh_issuer: SshIssuer | None = None,
        delegation: Delegation | None = None,
        bootstrap: Bootstrap | None = None,
    ) -> None:
        """`connections` names the connections of the current snapshot; `issuer` is None where nobody takes client certificates."""
        self._issuer = issuer
        self._ssh_issuer = ssh_issuer
        self._delegation = delegation
        self._bootstrap = bootstrap
        self._bearer = bearer
        self._rights = rights
        self._approvals = approvals
        self._approval_store = approval_store
        self._sessions = sessions
        self._operations = operations
        self._connections = connections

    # --- for machines, without a token

    async def health(self, _: Request) -> Response:
        """Whether this process lives."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Whether clients are served, with a line for each part."""
        ready, parts = self._operations.health()
        text = "".join(f"{name}: {state}\n" for name, state in parts.items())
        return PlainTextResponse(text, 200 if ready else 503)

    async def metrics(self, _: Request) -> Response:
        """Prometheus metrics of all workers."""
        return Response(await self._operations.metrics(), media_type="text/plain; version=0.0.4")

    # --- approvals

    async def whoami(self, request: Request) -> Response:
        """The caller."""
        return answer(identity_view(await self._caller(request)))

    async def issue(self, request: Request) -> Response:
        """A short-lived client certificate for the caller, for the key of a signing request."""
        caller = await self._caller(request)
        body = read_body(request, CredentialBody)
        source = _source(request)
        if bool(body.request) == bool(body.ssh_public_key) or (body.request and body.source_addresses):
            raise ClientError(
                "give one of `request` and `ssh_public_key`", hint="`source_addresses` are for SSH certificates only"
            )
        if body.ssh_public_key:
            if self._ssh_issuer is None:
                raise ClientError("this gateway issues no SSH certificates", hint="an operator adds an SSH listener")
            key, addresses = body.ssh_public_key, body.source_addresses
            return _credential(await self._ssh_issuer.issue(caller, key, body.ttl, source, addresses))
        if self._issuer is None:
            raise ClientError(
                "no listener of this gateway takes client certificates",
                hint="an operator turns them on with `client_certificates: true` on a listener",
            )
        return _credential(await self._issuer.issue(caller, body.request, body.ttl, source))

    async def delegate(self, request: Request) -> Response:
        """A short-lived token with which an agent acts for the caller."""
        caller = await self._caller(request)
        body = read_body(request, DelegationBody)
        assert self._delegation is not None
        connections = None if body.connections is None else frozenset(body.connections)
        source = _source(request)
        made = await self._delegation.start(caller, body.agent, Wish(body.task, connections, body.ttl), source)
        if isinstance(made, Refusal):
            raise refuse(made)
        return answer(delegation_view(made), 201)

    async def bootstrap(self, request: Request) -> Response:
        """A short-lived access token for an administrator, for the one-time token that the gateway showed at its first start."""
        body = read_body(request, BootstrapBody)
        assert self._bootstrap is not None
        source = request.client.host if request.client else ""
        made = await self._bootstrap.redeem(body.token, body.principal, source)
        if isinstance(made, Refusal):
            raise refuse(made)
        return answer(BootstrapView(made.token, made.record.id, made.record.principal, made.record.expires_at), 201)

    async def list_approvals(self, request: Request) -> Response:
        """What the caller may vote on, and what the caller waits for."""
        caller = await self._caller(request)
        votable = await self._approvals.pending_for(caller.principal, CallerProof.of(caller, _source(request)))
        known = {approval.id for approval in votable}
        mine = [
            approval
            for approval in await self._approval_store.pending()
            if _asked_by(caller, approval) and approval.id not in known
        ]
        views = [approval_view(approval) for approval in votable]
        own = [approval_view(approval) for approval in mine]
        return answer(ApprovalsView(views, own))

    async def show_approval(self, request: Request) -> Response:
        """One approval, for those who may vote on it, who asked for it, or who may audit its connection."""
        caller = await self._caller(request)
        approval = await self._approval_store.get(ApprovalId(request.path_params["id"]))
        seen = approval is not None and (
            _asked_by(caller, approval)
            or (_is_for(caller, approval.connection) and self._approvals.concerns(approval, caller.principal))
            or self._may(request, caller, Action.AUDIT, approval.connection)
        )
        if approval is None or not seen:
            raise RequestRefusedError("no_such_approval", "there is no such approval", "see `interpose approvals list`")
        return answer(approval_view(approval))

    async def approve(self, request: Request) -> Response:
        """Vote for."""
        return await self._vote(request, approve=True)

    async def deny(self, request: Request) -> Response:
        """Vote against."""
        return await self._vote(request, approve=False)

    async def _vote(self, request: Request, *, approve: bool) -> Response:
        caller = await self._caller(request)
        body = read_body(request, VoteBody)
        approval = ApprovalId(request.path_params["id"])
        proof = CallerProof.of(caller, _source(request))
        outcome = await self._approvals.vote(approval, caller.principal, approve, body.comment[:1000], proof)
        if isinstance(outcome, Refusal):
            raise refuse(outcome)
        return answer(approval_view(outcome))

    # --- sessions and recordings

    async def list_sessions(self, request: Request) -> Response:
        """Sessions on connections that the caller may audit, and the caller's own."""
        caller = await self._caller(request)
        rows = await self._sessions.list(_query(request))
        return answer([session_view(row) for row in rows if self._may_see(request, caller, row)])

    async def show_session(self, request: Request) -> Response:
        """One session."""
        caller = await self._caller(request)
        return answer(session_view(await self._session(request, caller)))

    async def recording(self, request: Request) -> Response:
        """A session's recording as it is stored; with `follow=true` also what comes, until the session is over.

        The reading is an audit event before the first byte.
        """
        caller = await self._caller(request)
        row = await self._session(request, caller)
        refusal = self._barred(request, caller, Action.REPLAY, row.connection)
        if refusal is not None:
            raise refuse(refusal)
        follow = _flag(request, "follow") is True
        data = self._sessions.follow(row.id) if follow else self._sessions.recording(row.id)
        if data is None:
            raise RequestRefusedError(
                "no_such_session", "this session has no recording any more", "see the retention setting"
            )
        fields = {"connection": row.connection, "how": "watch" if follow else "replay"}
        self._operations.append(AuditEvent(AuditKind.RECORDING_READ, row.id, caller.principal.label, fields))
        if follow:
            data = self._while_permitted(request, row, data)
        return StreamingResponse(data, media_type="application/vnd.interpose.recording")

    async def _while_permitted(
        self, request: Request, row: SessionRow, data: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        """Whoever watches for long is asked for again: a token that was revoked or a right that was taken ends it."""
        asked = asyncio.get_running_loop().time()
        async for piece in data:
            if asyncio.get_running_loop().time() - asked > ASK_AGAIN:
                asked = asyncio.get_running_loop().time()
                try:
                    caller = await self._caller(request)
                except RequestRefusedError:
                    return
                if not self._may(request, caller, Action.REPLAY, row.connection):
                    return
            if piece:
                yield piece

    async def search(self, request: Request) -> Response:
        """Commands and lines of terminals that hold a text, one JSON line each, in recordings that the caller may replay."""
        caller = await self._caller(request)
        text = request.query_params.get("q", "")
        if not text:
            raise ClientError("give the text to search for", hint="`?q=TEXT`")
        permitted = frozenset(
            name for name in self._connections() if self._may(request, caller, Action.REPLAY, ConnectionName(name))
        )
        fields = {"connection": ",".join(sorted(permitted)), "how": "search"}
        self._operations.append(AuditEvent(AuditKind.RECORDING_READ, None, caller.principal.label, fields))
        return StreamingResponse(self._found(text, _query(request), permitted), media_type="application/x-ndjson")

    async def _found(self, text: str, query: SessionQuery, connections: frozenset[str]) -> AsyncIterator[bytes]:
        async for found in self._sessions.search(text, query, connections):
            view = FoundView(
                found.session, found.principal, found.connection, found.at, found.decision, found.text, found.kind
            )
            yield msgspec.json.encode(view) + b"\n"
            await asyncio.sleep(0)

    async def end_session(self, request: Request) -> Response:
        """End a live session."""
        caller = await self._caller(request)
        row = await self._session(request, caller)
        self._must_administer(request, caller)
        body = read_body(request, EndBody)
        reason = sanitize(body.reason)[:LONGEST_SAYING]
        fields = {"what": "end_session", "reason": reason}
        self._operations.append(AuditEvent(AuditKind.ADMINISTERED, row.id, caller.principal.label, fields))
        self._sessions.end(row.id, caller.principal.label, reason)
        return answer(EndedView(row.id), 202)

    async def say(self, request: Request) -> Response:
        """Show a message to the user of a live session."""
        caller = await self._caller(request)
        row = await self._session(request, caller)
        self._must_administer(request, caller)
        text = sanitize(read_body(request, SayBody).text.strip())[:LONGEST_SAYING]
        if not text:
            raise ClientError("give the text to say", hint='a JSON body `{"text": "…"}`')
        if row.closed_at is not None:
            raise ClientError("this session is over", hint="`interpose sessions list --live` shows who is there")
        fields = {"what": "say", "text": text}
        self._operations.append(AuditEvent(AuditKind.ADMINISTERED, row.id, caller.principal.label, fields))
        self._sessions.say(row.id, caller.principal.label, text)
        return answer(SaidView(row.id), 202)

    # --- operations

    async def reload(self, request: Request) -> Response:
        """Load configuration and policy anew; a bad one leaves the old serving and says why."""
        caller = await self._caller(request)
        self._must_administer(request, caller)
        fields = {"what": "reload"}
        self._operations.append(AuditEvent(AuditKind.ADMINISTERED, None, caller.principal.label, fields))
        return answer(ReloadedView(await self._operations.reload()))

    # --- who may

    async def _caller(self, request: Request) -> Identity:
        answer = await self._bearer.bearer(bearer_token(request), _source(request))
        if isinstance(answer, Refused):
            raise refuse(answer.refusal)
        return answer

    def _may(self, request: Request, caller: Identity, action: Action, on: ConnectionName | None) -> bool:
        return self._barred(request, caller, action, on) is None

    def _barred(self, request: Request, caller: Identity, action: Action, on: ConnectionName | None) -> Refusal | None:
        if not _is_for(caller, on):
            return Refusal("not_permitted", "your token is not for this", "use one that is not narrowed")
        return self._rights.barred(caller, action, on, _source(request))

    def _must_administer(self, request: Request, caller: Identity) -> None:
        refusal = self._barred(request, caller, Action.ADMINISTER, None)
        if refusal is not None:
            raise refuse(refusal)

    def _may_see(self, request: Request, caller: Identity, row: SessionRow) -> bool:
        own = row.principal == caller.principal.label and _is_for(caller, row.connection)
        return own or self._may(request, caller, Action.AUDIT, row.connection)

    async def _session(self, request: Request, caller: Identity) -> SessionRow:
        row = await self._sessions.get(SessionId(request.path_params["id"]))
        # INVARIANT: a session that may not be seen and one that does not exist are answered alike.
        if row is None or not self._may_see(request, caller, row):
            raise _NO_SESSION
        return row


def _source(request: Request) -> str:
    return request.client.host if request.client else ""


def _credential(issued: IssuedCertificate) -> Response:
    return answer(CredentialView(issued.certificate, issued.serial, issued.principal, issued.expires_at), 201)


def _is_for(caller: Identity, on: ConnectionName | None) -> bool:
    """Whether what the caller has shown opens this connection (None: the gateway itself); what is narrowed opens nothing else."""
    return caller.connections is None or on in caller.connections


def _asked_by(caller: Identity, approval: Approval) -> bool:
    """Whether the caller asked for this, or an agent that acts for the caller. An agent sees what it asked for the same person."""
    who, requester = caller.principal, approval.requester
    if not _is_for(caller, approval.connection):
        return False
    if who.acting_for is not None:
        return (who.name, who.acting_for) == (requester.name, requester.acting_for)
    return who.name in (requester.name, requester.acting_for)


def _query(request: Request) -> SessionQuery:
    params = request.query_params
    try:
        limit = int(params.get("limit", "100"))
        since = float(params["since"]) if "since" in params else None
    except ValueError as error:
        raise ClientError("`limit` and `since` must be numbers") from error
    if not 1 <= limit <= MOST_SESSIONS or (since is not None and not math.isfinite(since)):
        raise ClientError("`limit` is 1 to 10000, and `since` a time in seconds")
    return SessionQuery(_flag(request, "live"), params.get("principal"), params.get("connection"), since, limit)


def _flag(request: Request, name: str) -> bool | None:
    """A parameter of the query that is `true` or `false`; None when it is not given."""
    given = request.query_params.get(name)
    if given not in (None, "true", "false"):
        raise ClientError(f"`{name}` is `true` or `false`")
    return None if given is None else given == "true"
