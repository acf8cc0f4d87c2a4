"""The policy bundle: everything that judges, immutable, made once a snapshot.

Builds requests from effects, asks the matcher and hands the findings to `findings.combine`. Pure: the answer depends on the
arguments only; what it keeps between calls are parsed entities, never answers.
"""

from __future__ import annotations

import dataclasses
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import cedarpy

from interpose.model.actions import Action
from interpose.model.analysis import Effect, FactValue
from interpose.model.connection import Connection
from interpose.model.decisions import Decision, Permitted
from interpose.model.ids import DataClassName, PolicyId, SnapshotDigest
from interpose.model.masks import RevealTable
from interpose.model.principal import Principal
from interpose.model.resources import ColumnResource, ConnectionResource
from interpose.policy import builtin
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.batch import Batch, request
from interpose.policy.classifications import Classifications
from interpose.policy.entities import (
    Entity,
    action_entities,
    ancestors,
    class_entities,
    connection_entity,
    principal_entity,
    principal_uid,
)
from interpose.policy.facts import (
    AUTH_TIME,
    EFFECT_FACTS,
    OF_THE_MOMENT,
    CedarType,
    FactError,
    Json,
    effect_context,
    session_context,
)
from interpose.policy.findings import Finding, combine, policy_error
from interpose.policy.matching import EvaluationError, Matcher, Matches, add_entities, parse_entities
from interpose.policy.mentions import Mentions, may_concern, tells_columns, union
from interpose.policy.names import GATEWAY, Uid, connection_uid
from interpose.policy.parsing import ParsedPolicy
from interpose.policy.reveal import RevealAnswers, mask_rule, reveal_table
from interpose.policy.rules import Rule
from interpose.policy.schema import COMMAND_ACTIONS, GATEWAY_ACTIONS, groups_of
from interpose.policy.together import hidden_from_either

_ABOUT_COMMANDS = frozenset(fact.name for fact in EFFECT_FACTS)
_KEPT = 256
"""Principals on connections whose entities are kept parsed."""


class PolicyBundle:
    """Policies with classifications and declared attributes at one version."""

    def __init__(
        self,
        policies: Sequence[ParsedPolicy],
        classifications: Classifications,
        attributes: Mapping[str, CedarType],
        masks: MaskVocabulary,
        detector_classes: frozenset[DataClassName],
        digest: str,
        snapshot: SnapshotDigest | None = None,
    ) -> None:
        """`digest` is SHA-256 (hex) over everything that was loaded; `snapshot` is what decisions carry, `digest` when None."""
        self._policies = tuple(policies)
        self._rules: Mapping[str, Rule] = {policy.rule.id: policy.rule for policy in policies}
        self._classifications = classifications
        self._attributes = attributes
        self._masks = masks
        self._detector_classes = detector_classes
        self._digest = digest
        self._snapshot = snapshot or SnapshotDigest(digest)
        self._attributes_used = union(policy.mentions for policy in policies).attributes
        self._mentions = {action: self._mentions_of({action}) for action in Action}
        self._timed = frozenset(
            action for action, found in self._mentions.items() if any(found.fact(name) for name in OF_THE_MOMENT)
        )
        # Questions about these actions are asked again and again; `connect` and the gateway's are asked once each.
        self._repeated = self._mentions_of({*COMMAND_ACTIONS, Action.REVEAL})
        telling = [policy.tree for policy in policies if tells_columns(policy.tree)]
        self._tells_columns = frozenset(
            action for action in Action if any(may_concern(tree, action.value, groups_of(action)) for tree in telling)
        )
        self._matcher = Matcher([policy.tree for policy in policies], [policy.rule.id for policy in policies])
        self._actions = parse_entities(action_entities())
        self._standing: OrderedDict[tuple[object, ...], cedarpy.Entities] = OrderedDict()

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over policies, classifications and declared attributes."""
        return self._digest

    @property
    def timed(self) -> frozenset[Action]:
        """The actions about which a policy looks at what changes by itself (`now`, `auth_age`): an answer is true for its second only."""
        return self._timed

    @property
    def uses_source(self) -> bool:
        """Whether a policy about commands or `reveal` looks at `context.source_ip`."""
        return self._repeated.fact("source_ip")

    @property
    def facts_used(self) -> frozenset[str] | None:
        """The facts that policies about commands or `reveal` look at; None for all of them.

        Sessions that differ in other facts only are judged alike. (There may be more names in it than facts.)
        """
        used = self._repeated.facts()
        return used if used is None or "auth_age" not in used else used | {AUTH_TIME}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every policy, in order of file and place."""
        return tuple(policy.rule for policy in self._policies)

    @property
    def classifications(self) -> Classifications:
        """Which columns carry which data classes."""
        return self._classifications

    @property
    def data_classes(self) -> frozenset[DataClassName]:
        """Every data class that is declared, carried by a column, or found by a detector."""
        return (
            self._classifications.classes
            | self._detector_classes
            | {builtin.DEFINITIONS, *ancestors(builtin.DEFINITIONS)}
        )

    def stamped(self, snapshot: SnapshotDigest) -> PolicyBundle:
        """The same policies, whose decisions carry this snapshot's digest."""
        return PolicyBundle(
            self._policies,
            self._classifications,
            self._attributes,
            self._masks,
            self._detector_classes,
            self._digest,
            snapshot,
        )

    def judge(
        self,
        principal: Principal,
        connection: Connection,
        effects: tuple[Effect, ...],
        facts: Mapping[str, FactValue],
        now: float,
        *,
        lifted: frozenset[PolicyId] = frozenset(),
    ) -> Decision:
        """The decision over all effects, without exactly the forbids that were `lifted`; never raises on its input.

        `facts` are the session's (`facts.SESSION_FACTS`), `now` wall-clock seconds. The obligations have the row cap only: what
        is hidden is the same for every command and stands in `reveal_table`.
        """
        try:
            findings = self.findings(principal, connection, effects, facts, now)
        except FactError as error:
            return policy_error(self._snapshot, str(error))
        except EvaluationError:
            return policy_error(self._snapshot, "a name or a fact in this command cannot be judged")
        return combine(findings, self._snapshot, lifted)

    def findings(
        self,
        principal: Principal,
        connection: Connection,
        effects: tuple[Effect, ...],
        facts: Mapping[str, FactValue],
        now: float,
    ) -> tuple[Finding, ...]:
        """Which policies match each effect; raises `FactError` and `EvaluationError`."""
        session_facts: dict[Action, dict[str, Json]] = {}
        batch = self._batch(principal, connection)
        contexts: dict[tuple[Action, int], str] = {}
        for effect in effects:
            if effect.action not in COMMAND_ACTIONS and effect.action is not Action.CONNECT:
                raise FactError(f"`{effect.action.value}` is nothing that a command does")
            # Effects of one statement share their facts, as one object: encoded once.
            key = (effect.action, id(effect.facts))
            context = contexts.get(key)
            if context is None:
                wanted = self._mentions[effect.action].facts()
                session = session_facts.get(effect.action)
                if session is None:
                    session = session_facts[effect.action] = session_context(principal, facts, now, wanted)
                own = effect_context(effect.action, effect.facts, wanted)
                context = contexts[key] = json.dumps({**session, **own})
            batch.ask(effect, context)
        matches = batch.answers()
        return tuple(self._finding(effect, found) for effect, found in zip(effects, matches, strict=True))

    def may(
        self,
        principal: Principal,
        action: Action,
        connection: Connection | None,
        facts: Mapping[str, FactValue],
        now: float,
    ) -> bool:
        """Whether a plain permission is given: `connect`, `approve`, `replay`, `audit`, `administer`.

        `connection` is None for the gateway as a whole. A forbid with a remedy is a forbid here: nothing waits.
        """
        return isinstance(self.decide(principal, action, connection, facts, now), Permitted)

    def decide(
        self,
        principal: Principal,
        action: Action,
        connection: Connection | None,
        facts: Mapping[str, FactValue],
        now: float,
    ) -> Decision:
        """The decision behind `may`, with its policies."""
        if action is not Action.CONNECT and action not in GATEWAY_ACTIONS:
            return policy_error(self._snapshot, f"`{action.value}` is nothing that a gateway does")
        uid = GATEWAY if connection is None else connection_uid(connection.name)
        return self._plain(principal, action, uid, facts, now, lambda: self._base(principal, connection))

    def may_act_for(self, principal: Principal, person: Principal, facts: Mapping[str, FactValue], now: float) -> bool:
        """Whether this principal may act for this person: the action `act_for` on the person."""

        def entities() -> cedarpy.Entities:
            return add_entities(self._base(principal, None), [principal_entity(person, self._attributes)])

        return isinstance(
            self._plain(principal, Action.ACT_FOR, principal_uid(person), facts, now, entities), Permitted
        )

    def _plain(
        self,
        principal: Principal,
        action: Action,
        resource: Uid,
        facts: Mapping[str, FactValue],
        now: float,
        entities: Callable[[], cedarpy.Entities],
    ) -> Decision:
        try:
            context = json.dumps(session_context(principal, facts, now, self._mentions[action].facts()))
            who = principal_uid(principal)
            asked = [request(who, action, resource, context)]
            (found,) = self._matcher.match(action, who, principal.groups, asked, entities())
        except FactError as error:
            return policy_error(self._snapshot, str(error))
        except EvaluationError:
            return policy_error(self._snapshot, "a name in this cannot be judged")
        return combine((self._finding(Effect(action, ConnectionResource()), found),), self._snapshot, frozenset())

    def reveal_table(
        self, principal: Principal, connection: Connection, facts: Mapping[str, FactValue], now: float
    ) -> RevealTable:
        """Everything classified that is hidden from this principal on this connection; what cannot be judged is hidden."""
        answers = self.reveal_answers(principal, connection, facts, now)
        table = reveal_table(answers, self._classifications, self._masks)
        if not table.columns:
            return table
        return dataclasses.replace(
            table,
            strict=self._strict(principal, connection, list(table.columns), facts, now),
            definitions=mask_rule(answers.definitions, (builtin.DEFINITIONS,), self._classifications, self._masks)
            is not None,
        )

    def hidden_from_either(self, one: RevealTable, other: RevealTable) -> RevealTable:
        """What is hidden from one of two principals, in the stricter way where it is hidden from both."""
        return hidden_from_either(one, other, self._masks)

    def _strict(
        self,
        principal: Principal,
        connection: Connection,
        hidden: list[ColumnResource],
        facts: Mapping[str, FactValue],
        now: float,
    ) -> frozenset[ColumnResource]:
        """Those of these columns on which `infer` is not permitted whatever the command is: policy is asked when one is inferred."""
        wanted = self._mentions[Action.INFER].facts()
        if wanted is None or wanted & _ABOUT_COMMANDS:
            return frozenset(hidden)
        effects = tuple(Effect(Action.INFER, column) for column in hidden)
        try:
            findings = self.findings(principal, connection, effects, facts, now)
        except (FactError, EvaluationError):
            return frozenset(hidden)
        return frozenset(
            column
            for column, found in zip(hidden, findings, strict=True)
            if not found.permits or found.forbids or found.observing or found.errors
        )

    def reveal_answers(
        self, principal: Principal, connection: Connection, facts: Mapping[str, FactValue], now: float
    ) -> RevealAnswers:
        """What policy says of `reveal` on each classified column and each data class; None where it cannot be judged."""
        columns = self._classifications.for_connection(connection)
        classes = self._detectable()
        try:
            wanted = self._mentions[Action.REVEAL].facts()
            context = json.dumps(session_context(principal, facts, now, wanted))
            batch = self._batch(principal, connection)
            for column in columns:
                batch.ask(Effect(Action.REVEAL, column), context)
            answers = batch.answers()
            base = self._base(principal, connection)
            who = principal_uid(principal)
            asked = (*classes, builtin.DEFINITIONS)
            requests = [request(who, Action.REVEAL, ("DataClass", name), context) for name in asked]
            *content, definitions = self._matcher.match(Action.REVEAL, who, principal.groups, requests, base)
        except (FactError, EvaluationError):
            return RevealAnswers({column: (names, None) for column, names in columns.items()}, dict.fromkeys(classes))
        return RevealAnswers(
            {
                column: (names, self._finding(Effect(Action.REVEAL, column), found))
                for (column, names), found in zip(columns.items(), answers, strict=True)
            },
            {
                name: self._finding(Effect(Action.REVEAL, ConnectionResource()), found)
                for name, found in zip(classes, content, strict=True)
            },
            self._finding(Effect(Action.REVEAL, ConnectionResource()), definitions),
        )

    def _detectable(self) -> list[DataClassName]:
        """The data classes that content is asked for: those of detectors, and those that no other is in.

        A rule for `pii` would stand for every class in it, so a class that others are in is not asked: `pii.phone` may be
        permitted where `pii.email` is not.
        """
        every = self._classifications.classes | self._detector_classes
        above = {name for each in every for name in ancestors(each)}
        return sorted(self._detector_classes | (every - above))

    def _mentions_of(self, actions: set[Action]) -> Mentions:
        return union(
            policy.mentions
            for policy in self._policies
            if any(may_concern(policy.tree, action.value, groups_of(action)) for action in actions)
        )

    def _finding(self, effect: Effect, found: Matches) -> Finding:
        rules = [self._rules[ident] for ident in found.policies]
        rules.sort(key=lambda rule: (rule.file, rule.line))
        errors = [(ident, text) for ident, text in found.errors if not self._only_observes(ident)]
        # An observing policy whose condition fails would have refused; it is recorded and changes nothing.
        observing = [self._rules[ident] for ident, _ in found.errors if self._only_observes(ident)]
        return Finding(
            effect,
            tuple(rule for rule in rules if rule.permits and not rule.observes),
            tuple(rule for rule in rules if not rule.permits and not rule.observes),
            (*(rule for rule in rules if rule.observes), *observing),
            tuple(errors),
        )

    def _only_observes(self, ident: str) -> bool:
        rule = self._rules.get(ident)
        return rule is not None and rule.observes

    def _batch(self, principal: Principal, connection: Connection) -> Batch:
        return Batch(
            self._matcher,
            self._attributes_used,
            self._tells_columns,
            self._base(principal, connection),
            principal_uid(principal),
            principal.groups,
            connection_uid(connection.name),
            self._classifications.for_connection(connection),
        )

    def _base(self, principal: Principal, connection: Connection | None) -> cedarpy.Entities:
        """Actions, principal, connection and data classes, parsed once for all that policy cannot tell apart."""
        where = None if connection is None else (connection.name, tuple(sorted(connection.labels.items())))
        key = (principal.policy_key(), where)
        found = self._standing.get(key)
        if found is not None:
            return found
        entities: list[Entity] = [principal_entity(principal, self._attributes)]
        if connection is not None:
            entities += [connection_entity(connection), *class_entities(connection, sorted(self.data_classes))]
        made = self._standing[key] = add_entities(self._actions, entities)
        if len(self._standing) > _KEPT:
            self._standing.popitem(last=False)
        return made
