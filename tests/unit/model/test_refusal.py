"""Who can approve, in words."""

from __future__ import annotations

import pytest

from interpose.model.ids import ApprovalId
from interpose.model.refusal import HoldNotice


@pytest.mark.parametrize(
    ("groups", "people", "words"),
    [
        (("dba",), (), "group dba"),
        (("dba", "sec"), (), "group dba and group sec"),
        ((), ("grace",), "grace"),
        (("dba",), ("grace", "heidi"), "group dba and grace and heidi"),
        ((), (), "an approver"),
    ],
)
def test_groups_and_people_are_told(groups: tuple[str, ...], people: tuple[str, ...], words: str) -> None:
    assert HoldNotice(ApprovalId("ap-1"), "risky", groups, 1, 60.0, named=people).who == words
