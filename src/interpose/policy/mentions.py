"""What a policy mentions: the attributes and facts it asks for, and the entities it names.

A fact or attribute that no policy mentions cannot change any decision, so it need not be sent to the evaluator; and a decision
under policies that never mention `now` or `source_ip` may be kept for another moment and another address.
INVARIANT: over-approximate. Whatever is not understood here counts as mentioning everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass

from cedarpy import pst

from interpose.policy.names import Uid


@dataclass(frozen=True, slots=True)
class Mentions:
    """`attributes` are all attribute names, of entities and of `context` alike. `whole_context` is true when `context` is used
    as a value, so that every fact counts. `entities` are the literal entities, heads included. `asked` are what `has` is asked of a
    variable itself, as ("principal", "team"); `tags` are the literal names of tags.
    """

    attributes: frozenset[str] = frozenset()
    whole_context: bool = False
    entities: frozenset[Uid] = frozenset()
    asked: frozenset[tuple[str, str]] = frozenset()
    tags: frozenset[str] = frozenset()

    def facts(self) -> frozenset[str] | None:
        """The names to send in `context`; None for all of them."""
        return None if self.whole_context else self.attributes

    def fact(self, name: str) -> bool:
        """Whether a decision may depend on this fact."""
        return self.whole_context or name in self.attributes


def mentions_of(policy: pst.Template) -> Mentions:
    """What one policy mentions."""
    attributes: set[str] = set()
    asked: set[tuple[str, str]] = set()
    tags: set[str] = set()
    whole = False
    stack: list[object] = [policy.clauses]
    while stack:
        node = stack.pop()
        if isinstance(node, pst.GetAttr):
            attributes.add(node.attr)
        elif isinstance(node, pst.HasAttr):
            attributes.update(node.attrs)
        elif isinstance(node, pst.Var) and node.name == "context":
            whole = True
        elif (
            isinstance(node, pst.BinaryOp)
            and node.op in ("has_tag", "get_tag")
            and isinstance(node.right, pst.StringLit)
        ):
            tags.add(node.right.value)
        if isinstance(node, (pst.GetAttr, pst.HasAttr)) and isinstance(node.base, pst.Var):
            if isinstance(node, pst.HasAttr):
                asked.add((node.base.name, node.attrs[0]))
            continue
        stack.extend(_children(node))
    entities = frozenset((str(uid.type), uid.id) for uid in pst.entity_uids(policy))
    return Mentions(frozenset(attributes), whole, entities, frozenset(asked), frozenset(tags))


def union(mentions: Iterable[Mentions]) -> Mentions:
    """What any of several policies mentions."""
    every = list(mentions)
    return Mentions(
        frozenset().union(*(one.attributes for one in every)),
        any(one.whole_context for one in every),
        frozenset().union(*(one.entities for one in every)),
        frozenset().union(*(one.asked for one in every)),
        frozenset().union(*(one.tags for one in every)),
    )


def may_concern(policy: pst.Template, action: str, groups: frozenset[str]) -> bool:
    """Whether the policy's head lets it match this action, which is in `groups` (all of them, not only the direct ones)."""
    scope = policy.action
    if isinstance(scope, pst.ActionEq):
        return scope.entity.id == action
    if isinstance(scope, pst.ActionIn):
        return any(entity.id == action or entity.id in groups for entity in scope.entities)
    return True


def may_speak_of(policy: pst.Template, principal: Uid, groups: frozenset[str]) -> bool:
    """Whether the policy's head lets it match this principal, which is in `groups` (groups are in no others)."""
    scope = policy.principal
    if isinstance(scope, (pst.ScopeIs, pst.ScopeIsIn)) and str(scope.entity_type) != principal[0]:
        return False
    if isinstance(scope, (pst.ScopeEq, pst.ScopeIn, pst.ScopeIsIn)) and isinstance(scope.entity, pst.EntityUid):
        named = (str(scope.entity.type), scope.entity.id)
        if isinstance(scope, pst.ScopeEq):
            return named == principal
        return named == principal or (named[0] == "Group" and named[1] in groups)
    return True


def tells_columns(policy: pst.Template) -> bool:
    """Whether this policy may treat two columns of one table with the same data classes differently.

    It can only do so by the attribute `name`, the one attribute in which they differ, or by naming a column.
    """
    scope = policy.resource
    if isinstance(scope, (pst.ScopeIs, pst.ScopeIsIn)) and str(scope.entity_type) != "Column":
        return False
    mentions = mentions_of(policy)
    return "name" in mentions.attributes or any(kind == "Column" for kind, _ in mentions.entities)


def _children(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, tuple):
        yield from node
    elif is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            yield getattr(node, field.name)
