"""The evaluator: which policies match each request. The one place that calls Cedar at judgement time.

Cedar answers a request with the forbids that match *or* the permits that match, never both, so it would not say whether a held
command is permitted at all once its forbids are lifted. So the policies are evaluated with the effect of each set to permit:
the answer then names every policy that matches, and `judgement` combines them by Cedar's own rule (some permit, no forbid) with
the remedies on top. A property test holds that this equals Cedar's own decision wherever no remedy is involved.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cedarpy
from cedarpy import pst

from interpose.model.actions import Action
from interpose.policy.entities import Entity
from interpose.policy.facts import Json
from interpose.policy.mentions import may_concern, may_speak_of
from interpose.policy.names import Uid
from interpose.policy.schema import groups_of

Request: TypeAlias = dict[str, Json]
"""One request: principal, action and resource as references, `context` as JSON text."""

_KEPT = 4096
"""Slices that are kept parsed: one an action and a principal, shared by principals whom the policies treat alike."""

_ERROR = re.compile(r"error while evaluating policy `([^`]+)`: (.*)", re.DOTALL)


class EvaluationError(ValueError):
    """The evaluator refused its input: the command is refused. The text is for operators."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The ids of the policies that match one request; `errors` are (policy id, text) of those whose condition failed.

    An error that belongs to no policy has the id "".
    """

    policies: tuple[str, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()


class Matcher:
    """All policies of a bundle, parsed once, and sliced by what their heads say of action and principal.

    A policy whose head cannot match an action or a principal need not be evaluated for it. INVARIANT: slicing leaves out only
    policies that cannot match; a property test holds that no answer changes by it.
    """

    def __init__(self, policies: Sequence[pst.Template], ids: Sequence[str]) -> None:
        """`ids` are the policies' own ids, unique, in the same order."""
        self._permits = {
            ident: dataclasses.replace(policy, id=ident, effect="permit")
            for ident, policy in zip(ids, policies, strict=True)
        }
        self._by_action = {
            action: tuple(
                ident for ident, policy in self._permits.items() if may_concern(policy, action.value, groups_of(action))
            )
            for action in Action
        }
        self._sets: dict[tuple[str, ...], cedarpy.PolicySet] = {}
        self._slices: OrderedDict[tuple[Action, Uid, frozenset[str]], cedarpy.PolicySet] = OrderedDict()

    def match(
        self,
        action: Action,
        principal: Uid,
        groups: frozenset[str],
        requests: list[Request],
        entities: cedarpy.Entities,
    ) -> list[Matches]:
        """What matches each request, in order; raises `EvaluationError`.

        INVARIANT: every request is of this action and this principal, which is in exactly these groups.
        """
        try:
            answers = cedarpy.is_authorized_batch(requests, self._slice(action, principal, groups), entities)
        except (ValueError, TypeError) as error:
            raise EvaluationError(str(error)) from error
        if len(answers) != len(requests):
            raise EvaluationError("the evaluator did not answer every request")
        return [_matches(answer) for answer in answers]

    def _slice(self, action: Action, principal: Uid, groups: frozenset[str]) -> cedarpy.PolicySet:
        key = (action, principal, groups)
        found = self._slices.get(key)
        if found is None:
            ids = tuple(
                ident for ident in self._by_action[action] if may_speak_of(self._permits[ident], principal, groups)
            )
            found = self._slices[key] = self._set(ids)
            if len(self._slices) > _KEPT:
                self._slices.popitem(last=False)
        return found

    def _set(self, ids: tuple[str, ...]) -> cedarpy.PolicySet:
        found = self._sets.get(ids)
        if found is None:
            if len(self._sets) >= _KEPT:
                self._sets.clear()
            policies = {ident: self._permits[ident] for ident in ids}
            found = self._sets[ids] = cedarpy.PolicySet.from_pst(
                pst.PolicySet(templates={}, static_policies=policies, template_links=())
            )
        return found


def _matches(answer: cedarpy.AuthzResult) -> Matches:
    diagnostics = answer.diagnostics
    errors = [_error(text) for text in diagnostics.errors]
    if answer.decision is cedarpy.Decision.NoDecision and not errors:
        errors.append(("", "the evaluator made no decision"))
    return Matches(tuple(diagnostics.reasons), tuple(errors))


def _error(text: str) -> tuple[str, str]:
    match = _ERROR.fullmatch(text)
    return (match[1], match[2]) if match else ("", text)


def parse_entities(entities: Sequence[Entity]) -> cedarpy.Entities:
    """Entities that are parsed once and used often; raises `EvaluationError`."""
    try:
        return cedarpy.Entities.from_json_str(json.dumps(entities))
    except ValueError as error:
        raise EvaluationError(str(error)) from error


def add_entities(base: cedarpy.Entities, entities: Sequence[Entity]) -> cedarpy.Entities:
    """The base with some more; the base stays as it is. Raises `EvaluationError`."""
    if not entities:
        return base
    try:
        return base.with_added_json_str(json.dumps(entities))
    except ValueError as error:
        raise EvaluationError(str(error)) from error
