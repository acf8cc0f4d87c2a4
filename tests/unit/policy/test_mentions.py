"""Mentions: what a policy asks for, never less than it does."""

from __future__ import annotations

import cedarpy
import pytest
from cedarpy import pst

from interpose.policy.mentions import Mentions, may_concern, may_speak_of, mentions_of, tells_columns, union


def _parse(text: str) -> pst.Template:
    (policy,) = cedarpy.policies_to_pst(text).static_policies.values()
    return policy


def _when(condition: str) -> pst.Template:
    return _parse(f"permit (principal, action, resource) when {{ {condition} }};")


@pytest.mark.parametrize(
    ("condition", "attributes", "whole"),
    [
        ("context.now > context.later", {"now", "later"}, False),
        ("context has a && context.a.b == 1", {"a", "b"}, False),
        ("context has a.b", {"a", "b"}, False),
        ('{"x": resource.deep} == {"x": context.y}', {"deep", "y"}, False),
        ('if principal.p then [context.q].contains(1) else resource like "*"', {"p", "q"}, False),
        ("context == {}", set(), True),
        ("[context].contains({})", set(), True),
        ("resource.tags.hasTag(context.k)", {"tags", "k"}, False),
    ],
)
def test_conditions(condition: str, attributes: set[str], whole: bool) -> None:
    found = mentions_of(_when(condition))
    assert (found.attributes, found.whole_context) == (attributes, whole)
    assert found.facts() == (None if whole else attributes)
    assert found.fact("now") == (whole or "now" in attributes)


def test_what_is_asked_by_has_and_tag() -> None:
    found = mentions_of(
        _when('context has a.b && principal has c && resource.d has e && resource.d.hasTag("t") && context.x')
    )
    assert found.asked == {("context", "a"), ("principal", "c")}
    assert found.tags == {"t"}


def test_entities_of_head_and_conditions() -> None:
    policy = _parse(
        'permit (principal in Group::"a", action, resource is Table in Label::"b=c") unless { principal == User::"d" };'
    )
    assert mentions_of(policy).entities == {("Group", "a"), ("Label", "b=c"), ("User", "d")}


def test_union() -> None:
    one = Mentions(frozenset({"a"}), False, frozenset({("T", "1")}))
    other = Mentions(frozenset({"b"}), True, frozenset())
    assert union([one, other]) == Mentions(frozenset({"a", "b"}), True, frozenset({("T", "1")}))
    assert union([]) == Mentions()


@pytest.mark.parametrize(
    ("scope", "concerns"),
    [
        ("action", True),
        ('action == Action::"drop"', True),
        ('action == Action::"create"', False),
        ('action == Action::"ddl"', False),
        ('action in Action::"ddl"', True),
        ('action in Action::"any_command"', True),
        ('action in Action::"write"', False),
        ('action in [Action::"write", Action::"drop"]', True),
        ("action in []", False),
    ],
)
def test_actions_of_heads(scope: str, concerns: bool) -> None:
    policy = _parse(f"permit (principal, {scope}, resource);")
    assert may_concern(policy, "drop", frozenset({"ddl", "any_command"})) == concerns


@pytest.mark.parametrize(
    ("scope", "speaks"),
    [
        ("principal", True),
        ('principal == User::"alice"', True),
        ('principal == User::"bob"', False),
        ('principal == Agent::"alice"', False),
        ('principal in User::"alice"', True),
        ('principal in Group::"support"', True),
        ('principal in Group::"dba"', False),
        ("principal is User", True),
        ("principal is Agent", False),
        ('principal is User in Group::"support"', True),
        ('principal is Agent in Group::"support"', False),
        ('principal is User in Group::"dba"', False),
    ],
)
def test_principals_of_heads(scope: str, speaks: bool) -> None:
    policy = _parse(f"permit ({scope}, action, resource);")
    assert may_speak_of(policy, ("User", "alice"), frozenset({"support"})) == speaks


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("permit (principal, action, resource);", False),
        ('permit (principal, action, resource) when { resource.schema == "x" };', False),
        ('permit (principal, action, resource) when { resource.name == "x" };', True),
        ('permit (principal, action, resource is Setting) when { resource.name == "x" };', False),
        ('permit (principal, action, resource is Setting in Label::"a=b") when { resource.name == "x" };', False),
        ('permit (principal, action, resource == Column::"c/s.t.c");', True),
        ('permit (principal, action, resource) when { [Column::"c/s.t.c"].contains(resource) };', True),
    ],
)
def test_what_tells_columns_apart(text: str, tells: bool) -> None:
    assert tells_columns(_parse(text)) == tells
