"""Cedar files to parsed policies with their rules, each fault with its place.

All faults of all files are collected. The library's messages are kept in its own words, with the place and a suggestion added.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cedarpy
from cedarpy import pst

from interpose.model.actions import Action
from interpose.model.errors import Problem
from interpose.model.ids import PolicyId
from interpose.policy.annotations import MaskVocabulary, read_annotations
from interpose.policy.mentions import Mentions, may_concern, mentions_of
from interpose.policy.rules import Rule
from interpose.policy.source import PolicySource, split

_QUOTED = re.compile(r"`([^`]*)`")
_ACTION = re.compile(r'(?:Action::)?"(.*)"', re.DOTALL)
_PREFIX = re.compile(r"^(?:Policy parse error: |for policy `policy0`, )")


@dataclass(frozen=True, slots=True)
class ParsedPolicy:
    """One policy: what the house reads of it, its syntax tree, what it mentions, and its source."""

    rule: Rule
    tree: pst.Template
    mentions: Mentions
    source: PolicySource


def parse_policies(files: Mapping[str, str], masks: MaskVocabulary, problems: list[Problem]) -> list[ParsedPolicy]:
    """Every policy of these files (path to text), in order of path; faults go into `problems`."""
    parsed: list[ParsedPolicy] = []
    first: dict[PolicyId, Rule] = {}
    for file in sorted(files):
        for source in split(files[file], file):
            policy = _parse(source, masks, problems)
            if policy is None:
                continue
            earlier = first.setdefault(policy.rule.id, policy.rule)
            if earlier is not policy.rule:
                line, column = source.annotation("id")
                problems.append(
                    Problem(
                        f"`@id` `{policy.rule.id}` is used twice",
                        file=file,
                        line=line,
                        column=column,
                        hint=f"first used in {earlier.file}:{earlier.line}; ids name policies in the audit, so each needs its own",
                    )
                )
                continue
            parsed.append(policy)
    return parsed


def _parse(source: PolicySource, masks: MaskVocabulary, problems: list[Problem]) -> ParsedPolicy | None:
    if not source.complete:
        problems.append(
            Problem(
                "the file ends inside this policy",
                file=source.file,
                line=source.line,
                column=source.column,
                hint="end each policy with `;`",
            )
        )
        return None
    try:
        tree = cedarpy.policies_to_pst(source.text)
    except ValueError as error:
        problems.append(located(str(error), source, ()))
        return None
    if tree.templates or len(tree.static_policies) != 1:
        problems.append(
            Problem(
                "policy templates are not supported" if tree.templates else "this is not exactly one policy",
                file=source.file,
                line=source.line,
                column=source.column,
                hint="name the principal and the resource instead of `?principal` and `?resource`",
            )
        )
        return None
    (policy,) = tree.static_policies.values()
    rule = read_annotations(source, policy.annotations, policy.effect == "permit", masks, problems)
    if rule is None:
        return None
    if rule.mask is not None and not may_concern(policy, Action.REVEAL.value, frozenset()):
        line, column = source.annotation("mask")
        problems.append(
            Problem(
                "`@mask` means nothing here: this policy never concerns `reveal`",
                file=source.file,
                line=line,
                column=column,
                hint='write `action == Action::"reveal"` in the head',
            )
        )
        return None
    return ParsedPolicy(rule, policy, mentions_of(policy), source)


def located(message: str, source: PolicySource, known: Sequence[str]) -> Problem:
    """One of the library's messages at the place of the word that it names, with the nearest of the `known` words."""
    text = _PREFIX.sub("", message)
    line, column = source.line, source.column
    hint = ""
    quoted = _QUOTED.search(text)
    if quoted is not None:
        word = quoted[1]
        action = _ACTION.fullmatch(word)
        word = action[1] if action else word
        line, column = source.find(word)
        close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
        if "optional attribute" in text:
            hint = f"it may be absent: write `context has {word} &&` (or `principal has {word} &&`) before it"
        elif close and close[0] != word:
            hint = f"did you mean `{close[0]}`?"
        elif "not found" in text:
            hint = "constrain the head with `resource is …` or the action, or declare it in attributes.yaml"
    elif (last := re.search(r"invalid policy condition: (\w+)|invalid variable: (\w+)", text)) is not None:
        word = last[1] or last[2]
        line, column = source.find(word)
        close = difflib.get_close_matches(word, ("when", "unless", "principal", "action", "resource", "context"), n=1)
        hint = f"did you mean `{close[0]}`?" if close else ""
    return Problem(text, file=source.file, line=line, column=column, hint=hint)
