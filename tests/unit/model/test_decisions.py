"""Whom an approval's rule means: a group, or an attribute of the requester."""

from __future__ import annotations

import pytest

from interpose.model.decisions import ApprovalRule
from interpose.model.ids import PolicyId


@pytest.mark.parametrize(
    ("approvers", "attribute"),
    [
        ("dba", None),
        ("attribute:manager", "manager"),
        ("corp:dba", None),
        ("attribute", None),
        ("my attribute:manager", None),
    ],
)
def test_an_attribute_is_told_from_a_group(approvers: str, attribute: str | None) -> None:
    assert ApprovalRule(PolicyId("p"), approvers).attribute == attribute
