"""What somebody is told whose command is held, and why it is not run after all."""

from __future__ import annotations

import dataclasses

import pytest

from interpose.engine.callers import Vote
from interpose.engine.held_words import hold_expired, hold_notice, hold_outcome
from interpose.engine.ports import Approval
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import ApprovalId, ConnectionName, PolicyId, SessionId
from interpose.model.refusal import Refusal
from tests.support.memory import DIGEST, person

HELD = Approval(
    ApprovalId("ap-1"),
    SessionId("s"),
    person("bob"),
    ConnectionName("shop"),
    "update",
    "digest",
    (ApprovalRule(PolicyId("a"), "dba", 2), ApprovalRule(PolicyId("b"), "attribute:manager")),
    "risky",
    DIGEST,
    0.0,
    60.0,
)


def test_a_notice_tells_groups_and_people_apart() -> None:
    notice = hold_notice(HELD, 20.0, ("grace",))
    assert (notice.approvers, notice.named, notice.count, notice.expires_in) == (("dba",), ("grace",), 2, 40.0)
    assert notice.policies == ("a", "b")


@pytest.mark.parametrize(
    ("state", "code"), [("denied", "approval_denied"), ("expired", "approval_expired"), ("cancelled", "cancelled")]
)
def test_a_command_that_is_not_run_says_why(state: str, code: str) -> None:
    outcome = hold_outcome(dataclasses.replace(HELD, state=state))
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.approval, outcome.policies) == (code, "ap-1", ("a", "b"))


def test_a_denial_hands_on_its_comment() -> None:
    votes = (Vote("carol", False, 1.0, "not today"), Vote("erin", True, 1.0, "fine"))
    outcome = hold_outcome(dataclasses.replace(HELD, state="denied", votes=votes))
    assert isinstance(outcome, Refusal) and outcome.message == "the approval was denied: not today"


def test_what_was_approved_is_the_approval() -> None:
    approved = dataclasses.replace(HELD, state="approved")
    assert hold_outcome(approved) is approved
    assert hold_expired(HELD).code == "approval_expired"
