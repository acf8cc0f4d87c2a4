"""What the API says: engine values as plain structures, one for each thing that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    # Only for types: the command line reads these structures without loading the engine.
    from interpose.engine.delegation import Made
    from interpose.engine.ports import Approval, SessionRow
    from interpose.model.principal import Identity


class VoteView(msgspec.Struct, frozen=True):
    """One person's answer. `at` is seconds since the epoch."""

    principal: str
    approve: bool
    at: float
    comment: str = ""


class ApprovalView(msgspec.Struct, frozen=True):
    """A held command. Times are seconds since the epoch; `text` is empty once it is closed."""

    id: str
    state: str
    requester: str
    connection: str
    session: str
    text: str
    reason: str
    approvers: list[str]
    needed: int
    votes: list[VoteView]
    policies: list[str]
    created_at: float
    expires_at: float
    facts: dict[str, str]


def approval_view(approval: Approval) -> ApprovalView:
    """An approval as an approver sees it."""
    return ApprovalView(
        approval.id,
        approval.state,
        approval.requester.label,
        approval.connection,
        approval.session,
        approval.text,
        approval.reason,
        sorted({rule.approvers for rule in approval.rules}),
        max((rule.count for rule in approval.rules), default=1),
        [VoteView(vote.principal, vote.approve, vote.at, vote.comment) for vote in approval.votes],
        [rule.policy for rule in approval.rules],
        approval.created_at,
        approval.expires_at,
        dict(approval.facts),
    )


class ApprovalsView(msgspec.Struct, frozen=True):
    """What waits: what the caller may decide, and what the caller asked for."""

    to_decide: list[ApprovalView]
    own: list[ApprovalView]


class SessionView(msgspec.Struct, frozen=True):
    """One session. `closed_at` is null while it lives."""

    id: str
    principal: str
    connection: str
    protocol: str
    source: str
    opened_at: float
    closed_at: float | None
    close_reason: str
    worker: str
    commands: int
    refused: int
    details: dict[str, str]


def session_view(row: SessionRow) -> SessionView:
    """A session as the index knows it."""
    return SessionView(
        row.id,
        row.principal,
        row.connection,
        row.protocol,
        row.source,
        row.opened_at,
        row.closed_at,
        row.close_reason,
        row.worker,
        row.commands,
        row.refused,
        dict(row.details),
    )


class IdentityView(msgspec.Struct, frozen=True):
    """Who the caller is."""

    name: str
    kind: str
    groups: list[str]
    acting_for: str | None
    method: str
    task: str | None = None
    connections: list[str] | None = None


def identity_view(identity: Identity) -> IdentityView:
    """The caller's own identity."""
    principal = identity.principal
    return IdentityView(
        principal.name,
        principal.kind.value,
        sorted(principal.groups),
        principal.acting_for,
        identity.method,
        principal.task,
        None if identity.connections is None else sorted(identity.connections),
    )


class DelegationView(msgspec.Struct, frozen=True):
    """A new token of an agent, shown once. `connections` is null where the token is not narrowed; times are seconds since the epoch."""

    token: str
    id: str
    principal: str
    acting_for: str | None
    task: str | None
    connections: list[str] | None
    expires_at: float | None


def delegation_view(made: Made) -> DelegationView:
    """What was made for an agent."""
    record = made.record
    narrowed: list[str] | None = None if record.connections is None else sorted(record.connections)
    return DelegationView(
        made.token, record.id, record.principal, record.acting_for, record.task, narrowed, record.expires_at
    )


class BootstrapView(msgspec.Struct, frozen=True):
    """The first access token, shown once. `expires_at` is seconds since the epoch."""

    token: str
    id: str
    principal: str
    expires_at: float | None


class CredentialView(msgspec.Struct, frozen=True):
    """A client certificate (PEM). `expires_at` is seconds since the epoch."""

    certificate: str
    serial: str
    principal: str
    expires_at: float


class FoundView(msgspec.Struct, frozen=True):
    """One thing found by a search. `kind` is `command`, `detected` (a command line seen on a terminal) or `output`."""

    session: str
    principal: str
    connection: str
    at: float
    decision: str
    text: str
    kind: str = "command"


class EndedView(msgspec.Struct, frozen=True):
    """The session that is asked to end."""

    ended: str


class SaidView(msgspec.Struct, frozen=True):
    """The session whose user is told."""

    said: str


class ReloadedView(msgspec.Struct, frozen=True):
    """The digest of the snapshot that serves now."""

    snapshot: str
