"""Notifications name what waits and never what it says."""

from __future__ import annotations

from collections.abc import Mapping

from interpose.engine.ports import Approval
from interpose.model.ids import ApprovalId, ConnectionName, SessionId
from interpose.notify.lines import LineNotifier
from tests.support.gateway_core import UPDATE_RULE
from tests.support.memory import DIGEST, person

APPROVAL = Approval(
    ApprovalId("ap-1"),
    SessionId("s_1"),
    person("alice"),
    ConnectionName("shop"),
    "UPDATE t SET x = 'canary-2c7a'",
    "digest",
    (UPDATE_RULE,),
    "updates need a second pair of eyes",
    DIGEST,
    100.0,
    160.0,
)


def test_one_line_for_the_opening_and_one_for_the_end() -> None:
    lines: list[tuple[str, Mapping[str, str | int]]] = []
    notifier = LineNotifier(lambda event, fields: lines.append((event, fields)))
    notifier.approval_opened(APPROVAL)
    notifier.approval_closed(APPROVAL)
    assert [event for event, _ in lines] == ["approval opened", "approval closed"]
    assert lines[0][1]["approvers"] == "dba"
    assert lines[0][1]["expires_in"] == 60
    assert lines[1][1]["approval"] == "ap-1"
    assert "canary-2c7a" not in repr(lines)
