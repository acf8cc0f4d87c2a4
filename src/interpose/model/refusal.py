"""A refusal: what the client is told, as a value. Refusals are answers, not exceptions."""

from __future__ import annotations

from dataclasses import dataclass

from interpose.model.ids import ApprovalId, PolicyId


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused command (or login), in words that are safe to show.

    `code` as in `decisions.Forbidden`; `message` is one lower-case sentence without a full stop; `hint` says what to do
    instead; `reference` is the audit sequence number under which an operator finds it (None when it could not be written).
    """

    code: str
    message: str
    hint: str = ""
    policies: tuple[PolicyId, ...] = ()
    approval: ApprovalId | None = None
    reference: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class HoldNotice:
    """What a client is told while its command is held. `expires_in` is in seconds; `approvers` are groups, `named` people by name."""

    approval: ApprovalId
    reason: str
    approvers: tuple[str, ...]
    count: int
    expires_in: float
    policies: tuple[PolicyId, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """Who can approve, in words: `group dba and grace`."""
        return " and ".join((*(f"group {group}" for group in self.approvers), *self.named)) or "an approver"


@dataclass(frozen=True, slots=True)
class ConfirmationNotice:
    """What a client is told while its login waits for a person: where to go and which code to type there.

    `name`, `connection` and `source` are what the page will show; `expires_in` is in seconds.
    """

    url: str
    code: str
    name: str
    connection: str
    source: str
    expires_in: float
