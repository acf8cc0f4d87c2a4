"""One audit event: an appended, chained fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from interpose.model.ids import SessionId

AuditValue = str | int | bool | None | tuple[str, ...]
"""A field's value: JSON-representable, canonical (no floats)."""


class AuditKind(Enum):
    """What happened."""

    GATEWAY_STARTED = "gateway.started"
    GATEWAY_STOPPED = "gateway.stopped"
    SNAPSHOT_LOADED = "snapshot.loaded"
    SNAPSHOT_REJECTED = "snapshot.rejected"
    LOGIN_OPENED = "login.opened"
    LOGIN_FAILED = "login.failed"
    LOGIN_SUCCEEDED = "login.succeeded"
    LOGIN_DECIDED = "login.decided"
    LOGIN_ENDED = "login.ended"
    SESSION_OPENED = "session.opened"
    SESSION_CLOSED = "session.closed"
    SESSION_SEALED = "session.sealed"
    CHANNEL_OPENED = "channel.opened"
    COMMAND_DECIDED = "command.decided"
    COMMAND_ENDED = "command.ended"
    CONTROL = "control"
    APPROVAL_OPENED = "approval.opened"
    APPROVAL_VOTED = "approval.voted"
    APPROVAL_CLOSED = "approval.closed"
    RECORDING_CHUNK = "recording.chunk"
    RECORDING_READ = "recording.read"
    TOKEN_CREATED = "token.created"  # noqa: S105
    DELEGATION_REFUSED = "delegation.refused"
    TOKEN_SHORTENED = "token.shortened"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    BOOTSTRAP_ISSUED = "bootstrap.issued"
    BOOTSTRAP_REDEEMED = "bootstrap.redeemed"
    BOOTSTRAP_REFUSED = "bootstrap.refused"
    TLS_RENEWED = "tls.renewed"
    TLS_REJECTED = "tls.rejected"
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_REVOKED = "certificate.revoked"
    PRINCIPAL_LEARNED = "principal.learned"
    PRINCIPAL_DISABLED = "principal.disabled"
    PRINCIPAL_ENABLED = "principal.enabled"
    PRINCIPAL_FORGOTTEN = "principal.forgotten"
    PROVISIONED = "provisioned"
    SECRET_READ = "secret.read"  # noqa: S105
    SECRET_CHANGED = "secret.changed"  # noqa: S105
    ADMINISTERED = "administered"


@dataclass(slots=True)
class AuditEvent:
    """What is appended; sequence number, times and chain values are added by the one writer of the chain.

    Made for every command, so it is slotted but not frozen (that would cost as much as the rest of it); nobody changes one.

    `fields` never holds a statement's text, a value or a credential: the command appears as a digest.
    """

    kind: AuditKind
    session: SessionId | None = None
    actor: str = ""
    fields: Mapping[str, AuditValue] = field(default_factory=dict, hash=False)
