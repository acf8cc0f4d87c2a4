"""Two answers as one: what an agent may do is what policy permits to it *and* to the person that it acts for.

INVARIANT: the answer is never milder than either of the two, and asking for one principal alone changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TypeVar

from interpose.model.decisions import Decision, Forbidden, Held, Obligations, Permitted
from interpose.model.masks import MaskRule, RevealTable
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.findings import shown

KeyT = TypeVar("KeyT")
ItemT = TypeVar("ItemT")


def together(own: Decision, persons: Decision, person: str) -> Decision:
    """The stricter of an agent's own decision and its person's: a refusal, else a hold for the approvals of both, else a permit.

    `person` is the name that a refusal gives, so that it is plain whose rights are missing.
    """
    observed = _distinct((*own.observed, *persons.observed))
    if isinstance(own, Forbidden):
        return dataclasses.replace(own, observed=observed)
    if isinstance(persons, Forbidden):
        return dataclasses.replace(
            persons,
            reason=f"`{shown(person)}`, for whom this acts, may not do it either: {persons.reason}",
            observed=observed,
        )
    if isinstance(own, Held) or isinstance(persons, Held):
        held = [each for each in (own, persons) if isinstance(each, Held)]
        return Held(
            _distinct(ident for each in held for ident in each.policies),
            own.snapshot,
            _distinct(rule for each in held for rule in each.approvals),
            "; ".join(_distinct(each.reason for each in held)),
            observed,
        )
    return _both_permit(own, persons)


def _both_permit(own: Permitted, persons: Permitted) -> Permitted:
    mine, theirs = own.obligations, persons.obligations
    caps = [cap for cap in (mine.max_rows, theirs.max_rows) if cap is not None]
    return Permitted(
        _distinct((*own.policies, *persons.policies)),
        own.snapshot,
        Obligations(
            mine.reveal,
            min(caps) if caps else None,
            {**theirs.annotations, **mine.annotations},
            mine.exact or theirs.exact,
        ),
        _distinct((*own.observed, *persons.observed)),
        _distinct((*own.lifted, *persons.lifted)),
    )


def hidden_from_either(one: RevealTable, other: RevealTable, masks: MaskVocabulary) -> RevealTable:
    """What is hidden from one of the two is hidden; what is hidden from both, in the stricter way."""
    return RevealTable(
        _rules(one.columns, other.columns, masks),
        _rules(one.content, other.content, masks),
        one.strict | other.strict,
        one.definitions or other.definitions,
    )


def _rules(one: Mapping[KeyT, MaskRule], other: Mapping[KeyT, MaskRule], masks: MaskVocabulary) -> dict[KeyT, MaskRule]:
    made = {**one, **other}
    for key in one.keys() & other.keys():
        first, second = one[key], other[key]
        made[key] = MaskRule(
            masks.strictest([first.transform, second.transform]), _distinct((*first.policies, *second.policies))
        )
    return made


def _distinct(items: Iterable[ItemT]) -> tuple[ItemT, ...]:
    return tuple(dict.fromkeys(items))
