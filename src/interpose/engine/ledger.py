"""The ledger of approvals: every change of an approval's state, with its audit event and its notification.

The store is the truth and moves states atomically; nothing here waits for anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from interpose.engine.approvers import all_named, electorate
from interpose.engine.votes import Eligible, satisfied, valid_voters
from interpose.model.actions import Action
from interpose.model.analysis import FactValue
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.decisions import Forbidden, Permitted
from interpose.model.refusal import Refusal

if TYPE_CHECKING:
    from interpose.engine.callers import Vote
    from interpose.engine.ports import Approval, ApprovalStore, AuditChain, Clock, Notifier
    from interpose.engine.snapshot import SnapshotHolder
    from interpose.model.decisions import Decision
    from interpose.model.principal import Principal


class ApprovalLedger:
    """Approvals in the store, in the audit chain and before the approvers' eyes."""

    def __init__(
        self, store: ApprovalStore, holder: SnapshotHolder, audit: AuditChain, notifier: Notifier, clock: Clock
    ) -> None:
        """All sides that a change of state has."""
        self._store = store
        self._holder = holder
        self._audit = audit
        self._notifier = notifier
        self._clock = clock
        self._moving: set[asyncio.Task[bool]] = set()

    async def open(self, approval: Approval) -> None:
        """Audit, store, announce; raises `RecordingError` or `StoreError`."""
        self._record_opened(approval)
        await self._store.create(approval)
        self._notifier.approval_opened(approval)

    async def decide(self, approval: Approval) -> Approval:
        """Close a pending approval that its votes decide; answers it as it then is."""
        voters, denied = self.count(approval)
        if denied:
            await self.close(approval, "pending", "denied", "denied")
        elif satisfied(approval.rules, voters, self.eligible(approval)):
            await self._store.close(approval.id, "pending", "approved")
        else:
            return approval
        current = await self._store.get(approval.id)
        return approval if current is None else current

    def count(self, approval: Approval) -> tuple[list[Principal], bool]:
        """Whose approval counts under the current snapshot, and whether anybody whose vote counts has denied."""
        return valid_voters(approval, self._holder.current.principals, self.barred(approval), self.eligible(approval))

    def eligible(self, approval: Approval) -> Eligible:
        """Who is meant by the approval's rules, under the current snapshot."""
        return electorate(approval.requester, self._holder.current.principals.find)

    def barred(self, approval: Approval) -> Callable[[Vote, Principal], Refusal | None]:
        """Policy's answer to `approve` on the approval's connection, under the current snapshot: None when it permits.

        It is asked with what proved the voter when the vote was cast: a login that was a moment old then is so for this vote.
        """
        snapshot = self._holder.current
        connection = snapshot.connections.get(approval.connection)
        if connection is None:
            return lambda _vote, _voter: _not_permitted(approval)
        now = self._clock.wall()
        facts: dict[str, FactValue] = {
            "requester": approval.requester.name,
            "requester_groups": tuple(sorted(approval.requester.groups)),
            "policies": tuple(rule.policy for rule in approval.rules),
        }
        named = all_named(approval.rules, approval.requester, snapshot.principals.find)
        if named is not None:
            facts["named_approvers"] = named

        def barred(vote: Vote, voter: Principal) -> Refusal | None:
            asked = {**vote.proof.facts(age=int(now) - int(vote.at)), **facts}
            decision = snapshot.policy.decide(voter, Action.APPROVE, connection, asked, now)
            return None if isinstance(decision, Permitted) else _not_permitted(approval, decision)

        return barred

    async def close(
        self, approval: Approval, expected: str, state: str, reason: str, approved_by: tuple[str, ...] = ()
    ) -> bool:
        """Move to a final state; False when it was not in state `expected` any more (then nothing is recorded).

        INVARIANT: a state that has moved is recorded. So this goes on to its end when its caller is cancelled half-way.
        """
        moving = asyncio.ensure_future(self._close(approval, expected, state, reason, approved_by))
        self._moving.add(moving)
        moving.add_done_callback(self._moving.discard)
        return await asyncio.shield(moving)

    async def _close(
        self, approval: Approval, expected: str, state: str, reason: str, approved_by: tuple[str, ...]
    ) -> bool:
        closed = await self._store.close(approval.id, expected, state)
        if closed:
            self.record_closed(approval, state, reason, approved_by)
        return closed

    def _record_opened(self, approval: Approval) -> None:
        fields: dict[str, AuditValue] = {
            "approval": approval.id,
            "connection": approval.connection,
            "digest": approval.digest,
            "snapshot": approval.snapshot,
            "policies": tuple(rule.policy for rule in approval.rules),
            "approvers": tuple(sorted({rule.approvers for rule in approval.rules})),
            "expires_at": int(approval.expires_at),
        }
        self._append(AuditKind.APPROVAL_OPENED, approval, approval.requester.label, fields)

    def record_vote(self, approval: Approval, voter: Principal, vote: Vote, outcome: str) -> None:
        """Append APPROVAL_VOTED; raises `RecordingError`. The comment stays in the store: it may quote the command."""
        context = vote.proof.context
        fields: dict[str, AuditValue] = {
            "approval": approval.id,
            "digest": approval.digest,
            "approve": vote.approve,
            "outcome": outcome,
            "method": vote.proof.method,
            "source": vote.proof.source,
            "mfa": context.mfa,
            "auth_time": None if context.auth_time is None else int(context.auth_time),
        }
        self._append(AuditKind.APPROVAL_VOTED, approval, voter.label, fields)

    def record_closed(self, approval: Approval, state: str, reason: str, approved_by: tuple[str, ...] = ()) -> None:
        """Append APPROVAL_CLOSED and tell the notifier; raises `RecordingError`."""
        fields: dict[str, AuditValue] = {
            "approval": approval.id,
            "digest": approval.digest,
            "state": state,
            "reason": reason,
            "approved_by": approved_by,
        }
        self._append(AuditKind.APPROVAL_CLOSED, approval, approval.requester.label, fields)
        self._notifier.approval_closed(approval)

    def _append(self, kind: AuditKind, approval: Approval, actor: str, fields: dict[str, AuditValue]) -> None:
        self._audit.append(AuditEvent(kind, approval.session, actor, fields))


def _not_permitted(approval: Approval, decision: Decision | None = None) -> Refusal:
    """The refusal in the words of the policy that forbids; where none permits there are none of its own."""
    told, hint = "policy does not permit you to approve on this connection", "ask another approver"
    if isinstance(decision, Forbidden) and decision.policies and decision.reason:
        told, hint = f"{told}: {decision.reason}", decision.hint or hint
    return Refusal("not_an_approver", told, hint, approval=approval.id)
