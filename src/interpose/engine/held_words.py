"""What somebody is told whose command is held: the notice, and why it is not run after all."""

from __future__ import annotations

from interpose.engine.ports import Approval
from interpose.model.refusal import HoldNotice, Refusal


def hold_notice(approval: Approval, now: float, named: tuple[str, ...]) -> HoldNotice:
    """What the client is told at once; `named` are the people whom rules name."""
    return HoldNotice(
        approval.id,
        approval.reason,
        tuple(sorted({rule.approvers for rule in approval.rules if rule.attribute is None})),
        max(rule.count for rule in approval.rules),
        approval.expires_at - now,
        tuple(rule.policy for rule in approval.rules),
        named,
    )


def hold_outcome(approval: Approval) -> Approval | Refusal:
    """The approval when it was given, else why the command is not run."""
    match approval.state:
        case "approved":
            return approval
        case "denied":
            comments = [vote.comment for vote in approval.votes if not vote.approve and vote.comment]
            said = f": {comments[0]}" if comments else ""
            return refused_hold("approval_denied", f"the approval was denied{said}", "talk to the approvers", approval)
        case "expired":
            return hold_expired(approval)
        case _:
            return refused_hold("cancelled", f"the approval is {approval.state}", "run the command again", approval)


def hold_expired(approval: Approval) -> Refusal:
    """Nobody approved in time."""
    return refused_hold(
        "approval_expired", "nobody approved in time", "run the command again when an approver is there", approval
    )


def refused_hold(code: str, message: str, hint: str, approval: Approval | None = None) -> Refusal:
    """A refusal of a command that was to be held, or was."""
    policies = () if approval is None else tuple(rule.policy for rule in approval.rules)
    return Refusal(code, message, hint, policies, None if approval is None else approval.id)
