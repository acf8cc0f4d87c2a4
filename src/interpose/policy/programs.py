"""The programs that policies name, for help and completion. What may be run is never decided here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache

import cedarpy
from cedarpy import pst

from interpose.policy.mentions import may_speak_of
from interpose.policy.names import Uid
from interpose.policy.rules import Rule

_COMPARISONS = frozenset({"==", "eq", "contains", "in"})


def programs_named(rules: Iterable[Rule], principal: Uid, groups: frozenset[str]) -> frozenset[str]:
    """The words for programs in policies that permit, and may speak of this principal."""
    found: set[str] = set()
    for rule in rules:
        if rule.permits and not rule.observes:
            for tree, words in _named(rule.text):
                if may_speak_of(tree, principal, groups):
                    found |= words
    return frozenset(found)


@lru_cache(maxsize=1024)
def _named(text: str) -> tuple[tuple[pst.Template, frozenset[str]], ...]:
    """Each policy of a text, with the words for programs in it."""
    found = []
    for tree in cedarpy.policies_to_pst(text).static_policies.values():
        words = {uid.id.partition("/")[2] for uid in pst.entity_uids(tree) if str(uid.type) == "Program"}
        for node in _nodes(tree.clauses):
            if isinstance(node, pst.BinaryOp) and node.op in _COMPARISONS and _asks_for_the_name(node):
                words |= {each.value for each in _nodes(node) if isinstance(each, pst.StringLit)}
        found.append((tree, frozenset(words)))
    return tuple(found)


def _asks_for_the_name(node: pst.BinaryOp) -> bool:
    return any(isinstance(side, pst.GetAttr) and side.attr in ("name", "basename") for side in (node.left, node.right))


def _nodes(node: object) -> Iterator[object]:
    yield node
    if isinstance(node, dict):
        below: Iterable[object] = node.values()
    elif isinstance(node, tuple):
        below = node
    elif is_dataclass(node) and not isinstance(node, type):
        below = [getattr(node, field.name) for field in fields(node)]
    else:
        return
    for each in below:
        yield from _nodes(each)
