"""The check of parsed policies: against the schema, and for what the schema's own check lets through.

Cedar takes a condition that can never be true as it is: `context has has_wher && …` is well typed, and never matches. In a forbid
that is a hole, so names that do not exist are faults here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

import cedarpy

from interpose.model.actions import Action
from interpose.model.errors import Problem
from interpose.policy.facts import CedarType, fact_names
from interpose.policy.mentions import may_concern
from interpose.policy.names import connection_part, example_id
from interpose.policy.parsing import ParsedPolicy, located
from interpose.policy.schema import (
    ENTITY_TYPES,
    RESOURCE_ATTRIBUTES,
    action_parents,
    attribute_names,
    facts_of,
    groups_of,
)

_QUOTED = re.compile(r"`([^`]*)`")


def check_policies(
    policies: Sequence[ParsedPolicy],
    schema: cedarpy.Schema,
    attributes: Mapping[str, CedarType],
    known: Mapping[str, frozenset[str]],
    problems: list[Problem],
) -> None:
    """Validate each policy against the schema, and the entities that it names against their form and `known`.

    `known` maps an entity type to all ids that exist (`DataClass`, and `Connection` and `Label` where connections are known): a
    literal of that type with another id could never match, which for a forbid means that it silently permits. Of a label only
    the key must exist, so that one policy set can serve several gateways.
    """
    words = (*ENTITY_TYPES, *attribute_names(attributes), *fact_names(), *action_parents())
    # Cedar checks each policy by itself, and each call costs as much as many policies: only when there is a fault is every one asked alone.
    faulty = bool(cedarpy.validate_policies("\n".join(policy.source.text for policy in policies), schema).errors)
    for policy in policies:
        found = {
            error.error.removeprefix("for policy `policy0`, ")
            for error in (cedarpy.validate_policies(policy.source.text, schema).errors if faulty else ())
        }
        # A wrong name in the head also makes "no applicable action": one fault is enough.
        primary = sorted(text for text in found if not text.startswith("unable to find an applicable action"))
        problems.extend(located(text, policy.source, words) for text in _one_each(primary or sorted(found)))
        problems.extend(_name_problems(policy, attributes))
        problems.extend(_entity_problems(policy, known))
        problems.extend(_approver_problems(policy, attributes))
        problems.extend(_tag_problems(policy, known))


def _one_each(texts: Iterable[str]) -> list[str]:
    """One text of those that name the same word: a missing attribute is reported once, not once an entity type."""
    by_words: dict[str, str] = {}
    for text in texts:
        by_words.setdefault(next(iter(_QUOTED.findall(text)), text), text)
    return list(by_words.values())


def _name_problems(policy: ParsedPolicy, attributes: Mapping[str, CedarType]) -> Iterable[Problem]:
    """Attributes and facts that are asked for by `has` and can never be there."""
    facts = {
        fact.name
        for action in Action
        if may_concern(policy.tree, action.value, groups_of(action))
        for fact in facts_of(action)
    }
    exist = {"principal": {"name", *attributes}, "resource": set(RESOURCE_ATTRIBUTES), "context": facts}
    if may_concern(policy.tree, Action.ACT_FOR.value, groups_of(Action.ACT_FOR)):
        exist["resource"] |= exist["principal"]  # on a person
    for variable, name in sorted(policy.mentions.asked):
        if name not in exist.get(variable, ()):
            kind = "fact of these actions" if variable == "context" else f"attribute of a {variable}"
            hint = _nearest(name, exist.get(variable, ()))
            if variable == "principal":
                hint += "; attributes are declared in attributes.yaml"
            yield _problem(policy, name, f"`{name}` is no {kind}, so `{variable} has {name}` is never true", hint)


def _approver_problems(policy: ParsedPolicy, attributes: Mapping[str, CedarType]) -> Iterable[Problem]:
    """Approvers who are named by an attribute that nobody has, or that holds no names."""
    approval = policy.rule.approval
    name = None if approval is None else approval.attribute
    if name is not None and attributes.get(name) not in (CedarType.STRING, CedarType.STRINGS):
        word = f"attribute:{name}"
        hint = "declare it in attributes.yaml as `string` or `set`; it holds the names of principals"
        yield _problem(policy, word, f"`{name}` is no attribute that could name approvers", hint)


def _tag_problems(policy: ParsedPolicy, known: Mapping[str, frozenset[str]]) -> Iterable[Problem]:
    """Labels that are asked for as tags and that no connection has."""
    if "Label" in known:
        keys = {_key(label) for label in known["Label"]}
        for tag in sorted(policy.mentions.tags - keys):
            yield _problem(policy, tag, f"no connection has a label `{tag}`", _nearest(tag, keys))


def _entity_problems(policy: ParsedPolicy, known: Mapping[str, frozenset[str]]) -> Iterable[Problem]:
    for uid in sorted(policy.mentions.entities):
        message, hint = "", ""
        example = example_id(uid)
        connection = connection_part(uid)
        if example is not None:
            message = f'`{uid[0]}::"{uid[1]}"` can never match: ids of this type look otherwise'
            hint = f'write it like `{uid[0]}::"{example}"`'
        elif uid[0] == "Label" and "Label" in known and not any(_key(uid[1]) == _key(each) for each in known["Label"]):
            message = f"no connection has a label `{_key(uid[1])}`"
            hint = _nearest(uid[1], known["Label"])
        elif uid[0] in known and uid[0] != "Label" and uid[1] not in known[uid[0]]:
            message = f'`{uid[0]}::"{uid[1]}"` does not exist'
            hint = _nearest(uid[1], known[uid[0]])
        elif connection is not None and "Connection" in known and connection not in known["Connection"]:
            message = f"there is no connection `{connection}`"
            hint = _nearest(connection, known["Connection"])
        if message:
            yield _problem(policy, uid[1], message, hint)


def _problem(policy: ParsedPolicy, word: str, message: str, hint: str) -> Problem:
    line, column = policy.source.find(word)
    return Problem(message, file=policy.source.file, line=line, column=column, hint=hint)


def _nearest(word: str, known: Iterable[str]) -> str:
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1)
    return f"did you mean `{close[0]}`?" if close else "known: " + ", ".join(choices or ["none"])


def _key(label: str) -> str:
    return label.partition("=")[0]
