"""The programs that policies name, for whom they may speak of."""

from __future__ import annotations

from interpose.model.ids import PolicyId
from interpose.policy.programs import programs_named
from interpose.policy.rules import Rule

LISTED = """permit (principal in Group::"ops", action == Action::"exec", resource is Program)
when { ["ls", "cat"].contains(resource.name) || resource.basename == "rm" && context.arguments.contains("x") };"""
NAMED = 'permit (principal == User::"bob", action == Action::"exec", resource == Program::"web-1//opt/run");'
FORBIDS = 'forbid (principal, action == Action::"exec", resource is Program) when { resource.name == "dd" };'


def _rules(*texts: str) -> list[Rule]:
    return [Rule(PolicyId(f"p{number}"), text.startswith("permit"), "f", 1, text) for number, text in enumerate(texts)]


def test_names_in_permits_for_this_principal() -> None:
    rules = _rules(LISTED, NAMED, FORBIDS)
    assert programs_named(rules, ("User", "alice"), frozenset({"ops"})) == {"ls", "cat", "rm"}
    assert programs_named(rules, ("User", "bob"), frozenset()) == {"/opt/run"}
    assert programs_named([], ("User", "bob"), frozenset()) == frozenset()
