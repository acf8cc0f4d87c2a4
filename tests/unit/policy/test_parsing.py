"""Parsing and checking: every fault with its place and a suggestion."""

from __future__ import annotations

import pytest

from interpose.policy.load import load_policy
from tests.unit.policy.shop import problems, surroundings


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('@id("a") permit (principal action, resource);', "policy.cedar:1:28: unexpected token `action`"),
        (
            '@id("a")\npermit (principal, action, resource)\nwen { true };',
            "policy.cedar:3:1: invalid policy condition: wen (did you mean `when`?)",
        ),
        (
            '@id("a") permit (principal, action, resource)',
            "policy.cedar:1:1: the file ends inside this policy (end each policy with `;`)",
        ),
        ('@id("a") permit (principal == ?principal, action, resource);', "policy templates are not supported"),
        (";", "unexpected"),
    ],
)
def test_faults(text: str, complaint: str) -> None:
    found = problems(text)
    assert any(complaint in each for each in found), found


def test_ids_are_unique_over_all_files() -> None:
    one = '@id("a") permit (principal, action, resource);'
    with pytest.raises(Exception, match=r"b/c\.cedar:2:1: `@id` `a` is used twice \(first used in a\.cedar:1;"):
        load_policy({"a.cedar": one, "b/c.cedar": "\n" + one}, surroundings())
