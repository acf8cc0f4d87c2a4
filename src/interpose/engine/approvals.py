"""Holds: a command waits for people. Opening, voting, waiting, and the one use of an approval.

The store is the truth and every change of state in it is atomic; wake-ups are only hints. Knows nothing of analysis or of how
a command is sent. States: `pending` → `approved` → `used`; `pending` → `denied`, `expired`, `cancelled`; `approved` → `cancelled`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from interpose.engine.approvers import all_named, unanswerable
from interpose.engine.callers import NO_PROOF, CallerProof, Vote
from interpose.engine.held_words import hold_expired, hold_notice, hold_outcome, refused_hold
from interpose.engine.ledger import ApprovalLedger
from interpose.engine.ports import Approval
from interpose.engine.votes import may_vote, satisfied, voted
from interpose.model.errors import RecordingError, StoreError
from interpose.model.ids import ApprovalId
from interpose.model.refusal import HoldNotice, Refusal

if TYPE_CHECKING:
    from interpose.engine.ports import ApprovalStore, AuditChain, Bus, Clock, Ids, Notifier
    from interpose.engine.sessions import Session
    from interpose.engine.snapshot import SnapshotHolder
    from interpose.model.decisions import ApprovalRule, Held
    from interpose.model.principal import Principal

AnswerT = TypeVar("AnswerT")

TOPIC = "approvals"
"""The bus topic on which an approval's id is published whenever it changes."""

POLL_SECONDS = 1.0
"""How long a lost wake-up can delay a waiting command."""

STORE_DOWN = Refusal(
    "store_unavailable", "approvals cannot be stored at the moment", "try again later, or ask the gateway's operator"
)
_RECORD_LOST = Refusal(
    "audit_unavailable", "the record of this approval cannot be written", "ask the gateway's operator"
)


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """A command to be held: what the approver reads, and the digest that binds the approval to it.

    `bind` makes the digest from the words that the approval adds (its id, rules, expiry).
    """

    session: Session
    requester: Principal
    held: Held
    text: str
    bind: Callable[[tuple[str, ...]], str]
    facts: tuple[tuple[str, str], ...] = ()


class Approvals:
    """The use cases of approval, for the waiting command and for those who vote."""

    def __init__(
        self,
        store: ApprovalStore,
        holder: SnapshotHolder,
        audit: AuditChain,
        notifier: Notifier,
        bus: Bus,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """Run `run` as a task, so that votes in other processes are heard of at once."""
        self._store = store
        self._holder = holder
        self._ledger = ApprovalLedger(store, holder, audit, notifier, clock)
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._waiting: dict[ApprovalId, asyncio.Event] = {}
        self._holds_of: dict[str, int] = {}
        self._draining = False
        self._closing: set[asyncio.Task[None]] = set()

    # --- the waiting side

    async def open(self, request: HoldRequest, on_hold: Callable[[HoldNotice], None]) -> Approval | Refusal:
        """Store, audit and announce a hold, then wait until it is decided.

        Answers the approval in state `approved` (nothing is used yet: call `use`), or why the command is not run. When this
        coroutine is cancelled (client gone, cancel request) the approval is closed as cancelled.
        """
        limits = self._holder.current.limits
        name = request.requester.name
        if self._draining:
            return refused_hold("draining", "the gateway is shutting down", "connect again and repeat the command")
        if (
            len(self._waiting) >= limits.pending_holds
            or self._holds_of.get(name, 0) >= limits.pending_holds_per_principal
        ):
            return refused_hold("too_many_holds", "too many commands wait for approval", "wait until some are decided")
        find = self._holder.current.principals.find
        missing = unanswerable(request.held.approvals, request.requester, find)
        if missing:
            return refused_hold(
                "no_approver",
                f"nobody could approve this: your attribute `{missing}` names nobody who can",
                "ask whoever keeps the identity source",
            )
        approval = self._approval(request)
        changed = self._waiting[approval.id] = asyncio.Event()
        self._holds_of[name] = self._holds_of.get(name, 0) + 1
        try:
            return await self._hold(approval, changed, on_hold)
        finally:
            del self._waiting[approval.id]
            self._holds_of[name] -= 1
            if not self._holds_of[name]:
                del self._holds_of[name]

    async def use(self, approval: Approval, rules: tuple[ApprovalRule, ...]) -> Refusal | None:
        """Spend an approved approval for a command that policy now holds by `rules`; None when it is spent.

        Votes are counted again under the current snapshot. INVARIANT: for one approval this answers None at most once, in all
        processes together, because the store moves `approved` to `used` at most once.
        """
        try:
            current = await self._own(approval)
            if current is None or current.state != "approved":
                return refused_hold(
                    "approval_denied", "the approval is not valid any more", "run the command again", approval
                )
            if self._clock.wall() >= current.expires_at:
                await self._ledger.close(current, "approved", "cancelled", "expired")
                return hold_expired(approval)
            voters, denied = self._ledger.count(current)
            if denied or not satisfied(rules, voters, self._ledger.eligible(current)):
                await self._ledger.close(current, "approved", "cancelled", "votes_not_valid")
                return refused_hold(
                    "approval_denied",
                    "those who approved may not approve this any more",
                    "run the command again",
                    approval,
                )
            names = tuple(voter.name for voter in voters)
            if not await self._ledger.close(current, "approved", "used", "used", names):
                return refused_hold(
                    "approval_denied", "the approval is not valid any more", "run the command again", approval
                )
        except StoreError:
            return STORE_DOWN
        except RecordingError:
            # It is spent in the store and the command is not run: an approval without a record is worth nothing.
            return _RECORD_LOST
        return None

    async def cancel(self, approval: Approval, reason: str) -> None:
        """Close an approval whose command will not run after all, as far as store and audit chain let it.

        Nothing depends on it: its only waiter is gone, so an approval that cannot be closed here just expires.
        """
        try:
            if not await self._ledger.close(approval, "pending", "cancelled", reason):
                await self._ledger.close(approval, "approved", "cancelled", reason)
        except StoreError:
            with contextlib.suppress(RecordingError):
                self._ledger.record_closed(approval, "cancelled", reason)
        except RecordingError:
            return

    async def _hold(
        self, approval: Approval, changed: asyncio.Event, on_hold: Callable[[HoldNotice], None]
    ) -> Approval | Refusal:
        try:
            await self._ledger.open(approval)
            self._bus.publish(TOPIC, approval.id)
            find = self._holder.current.principals.find
            on_hold(
                hold_notice(approval, self._clock.wall(), all_named(approval.rules, approval.requester, find) or ())
            )
            return await self._wait(approval, changed)
        except RecordingError:
            await self.cancel(approval, "audit_unavailable")
            return _RECORD_LOST
        except StoreError:
            await self.cancel(approval, "store_unavailable")
            return STORE_DOWN
        except BaseException:
            # INVARIANT: whatever ends the wait, nothing stays pending.
            await self._cancel_surely(approval)
            raise

    async def closing(self, approval: Approval, work: Awaitable[AnswerT]) -> AnswerT:
        """Do the work that an approval is for; the approval is cancelled when that is cancelled or fails."""
        try:
            return await work
        except BaseException:
            await self._cancel_surely(approval)
            raise

    async def _cancel_surely(self, approval: Approval) -> None:
        # A task of its own, since the one that waits here may be cancelled once more.
        task = asyncio.ensure_future(self.cancel(approval, "client_left"))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        await asyncio.shield(task)

    async def _wait(self, approval: Approval, changed: asyncio.Event) -> Approval | Refusal:
        while True:
            changed.clear()
            outcome = await self._look(approval)
            if outcome is not None:
                return outcome
            left = approval.expires_at - self._clock.wall()
            try:
                # Not `asyncio.wait_for`: before Python 3.12 it swallows a cancellation that comes just when the event is set,
                # and a client's cancel request would be lost.
                async with asyncio.timeout(max(0.0, min(POLL_SECONDS, left))):
                    await changed.wait()
            except TimeoutError:
                continue

    async def _look(self, approval: Approval) -> Approval | Refusal | None:
        """One look at the store: the outcome, or None while it is pending."""
        if self._draining:
            await self.cancel(approval, "draining")
            return refused_hold(
                "draining", "the gateway is shutting down", "connect again and repeat the command", approval
            )
        expired = self._clock.wall() >= approval.expires_at
        try:
            current = await self._own(approval)
            if current is not None and current.state == "pending":
                if expired:
                    await self._ledger.close(current, "pending", "expired", "expired")
                    current = await self._own(approval)
                else:
                    decided = await self._ledger.decide(current)
                    current = current if decided.state == "pending" else await self._own(approval)
        except StoreError:
            # A store that is down for a moment loses nothing; one that stays down until the expiry refuses.
            return hold_expired(approval) if expired else None
        if current is None:
            return refused_hold("approval_denied", "the approval is gone", "run the command again", approval)
        return None if current.state == "pending" else hold_outcome(current)

    async def _own(self, approval: Approval) -> Approval | None:
        """The approval as it is in the store now: state and votes are the store's, everything else is what was asked for.

        None when it is gone or is bound to another command: a store that was tampered with lifts nothing.
        """
        current = await self._store.get(approval.id)
        if current is None or current.digest != approval.digest:
            return None
        return dataclasses.replace(approval, state=current.state, votes=current.votes)

    # --- the voting side

    async def pending_for(self, principal: Principal, proof: CallerProof = NO_PROOF) -> list[Approval]:
        """What this principal, proven so, may vote on and has not voted on, oldest first; raises `StoreError`."""
        now = self._clock.wall()
        return [
            approval
            for approval in await self._store.pending()
            if approval.expires_at > now
            and voted(approval, principal.name) is None
            and self._barred(approval, principal, Vote(principal.name, True, now, "", proof)) is None
        ]

    def concerns(self, approval: Approval, principal: Principal) -> bool:
        """Whether somebody is among those whom this approval's rules mean, be it that policy permits them or not."""
        eligible = self._ledger.eligible(approval)
        return any(eligible(rule.approvers, principal) for rule in approval.rules)

    def _barred(self, approval: Approval, voter: Principal, vote: Vote) -> Refusal | None:
        barred = partial(self._ledger.barred(approval), vote)
        return may_vote(approval, voter, barred, self._ledger.eligible(approval))

    async def vote(
        self,
        approval_id: ApprovalId,
        voter: Principal,
        approve: bool,
        comment: str = "",
        proof: CallerProof = NO_PROOF,
    ) -> Approval | Refusal:
        """Cast one person's vote, who proved themselves so. Answers the approval as it then is, or why the vote does not count.

        The vote is in the audit chain before it is in the store: an approval never rests on a vote without a record.
        """
        try:
            approval = await self._store.get(approval_id)
            if approval is None:
                return Refusal(
                    "no_such_approval", f"there is no approval `{approval_id}`", "see `interpose approvals list`"
                )
            now = self._clock.wall()
            vote = Vote(voter.name, approve, now, comment, proof)
            refusal = self._barred(approval, voter, vote)
            if refusal is not None:
                self._ledger.record_vote(approval, voter, vote, refusal.code)
                return refusal
            if approval.state != "pending":
                return refused_hold("not_pending", f"this approval is {approval.state} already", "", approval)
            if now >= approval.expires_at:
                await self._ledger.close(approval, "pending", "expired", "expired")
                return refused_hold(
                    "not_pending", "this approval has expired", "ask for the command to be run again", approval
                )
            self._ledger.record_vote(approval, voter, vote, "counted")
            try:
                approval = await self._store.vote(approval_id, vote)
            except StoreError as error:
                self._ledger.record_vote(approval, voter, vote, "not_counted")
                return Refusal(error.code, error.public_message, error.hint, approval=approval_id)
            decided = await self._ledger.decide(approval)
        except StoreError:
            return STORE_DOWN
        except RecordingError:
            return _RECORD_LOST
        self.wake(approval_id)
        self._bus.publish(TOPIC, approval_id)
        return decided

    # --- wake-ups and the end

    async def run(self) -> None:
        """Hear of changes in other processes, until cancelled."""
        async for payload in self._bus.listen(TOPIC):
            self.wake(ApprovalId(payload))

    def wake(self, approval: ApprovalId) -> None:
        """Make the command that waits for this approval look at the store, when it waits in this process."""
        event = self._waiting.get(approval)
        if event is not None:
            event.set()

    def drain(self) -> None:
        """Refuse what waits and whatever comes: the gateway is shutting down."""
        self._draining = True
        for event in self._waiting.values():
            event.set()

    @property
    def waiting(self) -> int:
        """How many commands wait in this process."""
        return len(self._waiting)

    def _approval(self, request: HoldRequest) -> Approval:
        held = request.held
        now = self._clock.wall()
        expires = now + min(rule.ttl for rule in held.approvals)
        approval_id = self._ids.approval()
        rules = tuple(f"{rule.policy}:{rule.approvers}:{rule.count}" for rule in held.approvals)
        session = request.session
        digest = request.bind(
            (
                approval_id,
                session.id,
                session.connection.name,
                request.requester.label,
                held.snapshot,
                repr(expires),
                *sorted(rules),
            )
        )
        return Approval(
            approval_id,
            session.id,
            request.requester,
            session.connection.name,
            request.text,
            digest,
            held.approvals,
            held.reason,
            held.snapshot,
            now,
            expires,
            facts=request.facts,
        )
