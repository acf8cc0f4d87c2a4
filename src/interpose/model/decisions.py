"""The answer of policy to a command: a closed sum in which nothing starts as allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from interpose.model.analysis import Effect
from interpose.model.ids import PolicyId, SnapshotDigest
from interpose.model.masks import NOTHING_HIDDEN, RevealTable


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """What lifts a forbid: `@approval("dba")` with `@count`, `@ttl` (seconds) and `@reason`.

    `approvers` is the group whose members may approve, or `attribute:NAME` for the people whom this attribute of the requester names
    (policy's `approve` action judges each one on top).
    """

    policy: PolicyId
    approvers: str
    count: int = 1
    ttl: float = 900.0
    reason: str = ""

    @staticmethod
    def attribute_in(approvers: str) -> str | None:
        """The attribute that these approvers are named by, None for a group."""
        head, found, name = approvers.partition(":")
        return name if found and head == "attribute" else None

    @property
    def attribute(self) -> str | None:
        """The requester's attribute that names the approvers, None where they are a group."""
        return self.attribute_in(self.approvers)


@dataclass(frozen=True, slots=True)
class Obligations:
    """What must be done with a permitted command's result.

    `max_rows` caps the rows (None: no cap). `annotations` are other obligations of the permitting policies, by name.
    `exact` says that no result is shown before the upstream's catalog was found to be what the command was judged by.
    """

    reveal: RevealTable = NOTHING_HIDDEN
    max_rows: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Permitted:
    """Every effect is permitted. `policies` made the decision; `observed` would have forbidden it but only observe.

    `lifted` are the forbids that an approval took away.
    """

    policies: tuple[PolicyId, ...]
    snapshot: SnapshotDigest
    obligations: Obligations = Obligations()
    observed: tuple[PolicyId, ...] = ()
    lifted: tuple[PolicyId, ...] = ()


@dataclass(frozen=True, slots=True)
class Forbidden:
    """At least one effect is refused.

    `reason` is one sentence, safe to show; `hint` says what to do instead; `code` is a machine word (`forbidden`,
    `not_permitted`, `unknown_effect`, `policy_error`, `unanalysable`, `masked_value_would_escape`, `inference`, `approval_denied`,
    `approval_expired`, `cancelled`, `audit_unavailable`, `draining` …). `effect` is the effect that decided, when one did.
    """

    policies: tuple[PolicyId, ...]
    snapshot: SnapshotDigest
    code: str
    reason: str
    hint: str = ""
    effect: Effect | None = None
    observed: tuple[PolicyId, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Only forbids that an approval lifts stand in the way: the command waits for `approvals`, all of them."""

    policies: tuple[PolicyId, ...]
    snapshot: SnapshotDigest
    approvals: tuple[ApprovalRule, ...]
    reason: str
    observed: tuple[PolicyId, ...] = ()


Decision = Permitted | Forbidden | Held
