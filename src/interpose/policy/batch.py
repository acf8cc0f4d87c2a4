"""The requests of one judgement: equal ones are asked once, and what they act on is added to the standing entities once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import cedarpy

from interpose.model.actions import Action
from interpose.model.analysis import Effect
from interpose.model.ids import DataClassName
from interpose.model.resources import ColumnResource
from interpose.policy.entities import Entity, resource_entities, uid_json
from interpose.policy.matching import Matcher, Matches, Request, add_entities
from interpose.policy.names import Uid, resource_uid

_Key = tuple[object, ...]
_Asked = dict[Action, tuple[list[Request], list[_Key]]]


class Batch:
    """Requests of one principal on one connection."""

    def __init__(
        self,
        matcher: Matcher,
        attributes: frozenset[str],
        tells_columns: frozenset[Action],
        base: cedarpy.Entities,
        principal: Uid,
        groups: frozenset[str],
        connection: Uid,
        classes: Mapping[ColumnResource, frozenset[DataClassName]],
    ) -> None:
        """`base` has the actions, the principal, the connection and the data classes; `classes` are the columns' data classes.

        `attributes` are those that any policy mentions. `tells_columns` are the actions for which a policy may treat two columns of
        one table with the same data classes differently; for all others the first of them is asked for all.
        """
        self._matcher = matcher
        self._attributes = attributes
        self._tells_columns = tells_columns
        self._base = base
        self._principal = principal
        self._groups = groups
        self._connection = connection
        self._classes = classes
        self._places: list[_Key] = []
        self._asked: set[_Key] = set()
        self._rounds: list[tuple[dict[Uid, Entity], _Asked]] = []

    def ask(self, effect: Effect, context: str) -> None:
        """Add the request for an effect; `context` is JSON text."""
        resource = effect.resource
        classes: Iterable[DataClassName] = ()
        key: _Key = (effect.action, context, resource)
        if isinstance(resource, ColumnResource):
            classes = self._classes.get(resource, frozenset())
            if effect.action not in self._tells_columns:
                key = (effect.action, context, resource.schema, resource.table, classes)
        self._places.append(key)
        if key in self._asked:
            return
        self._asked.add(key)
        own, above = resource_entities(self._connection, resource, classes, self._attributes)
        uid = resource_uid(self._connection[1], resource)
        entities, asked = self._round(uid, own)
        if own is not None:
            entities[uid] = own
        for parent, entity in above:
            entities.setdefault(parent, entity)
        requests, keys = asked.setdefault(effect.action, ([], []))
        requests.append(request(self._principal, effect.action, uid, context))
        keys.append(key)

    def answers(self) -> list[Matches]:
        """What matches each effect, in the order of asking; raises `EvaluationError`."""
        found: dict[_Key, Matches] = {}
        for entities, asked in self._rounds:
            everything = add_entities(self._base, list(entities.values()))
            for action, (requests, keys) in asked.items():
                matches = self._matcher.match(action, self._principal, self._groups, requests, everything)
                found.update(zip(keys, matches, strict=True))
        return [found[key] for key in self._places]

    def _round(self, uid: Uid, own: Entity | None) -> tuple[dict[Uid, Entity], _Asked]:
        """Effects may give one entity different attributes (a table before and after it is created): each gets its own round.

        An entity without attributes is there only because something is in it; the full one may take its place.
        """
        for candidate in self._rounds:
            present = candidate[0].get(uid)
            if present is None or own is None or present == own or not present["attrs"]:
                return candidate
        self._rounds.append(({}, {}))
        return self._rounds[-1]


def request(principal: Uid, action: Action, resource: Uid, context: str) -> Request:
    """One request in the evaluator's form, all names as data."""
    return {
        "principal": uid_json(principal),
        "action": {"type": "Action", "id": action.value},
        "resource": uid_json(resource),
        "context": context,
    }
