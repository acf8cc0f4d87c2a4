"""Who asks when somebody asks: a principal, and the person that it acts for. Policy is asked for each of them, by itself.

INVARIANT: an agent never does more than the person it acts for. That holds here, for every question that is put to policy, and not in
the policies: a rule that is too wide for agents is still bounded by the person's own rights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, FactValue
from interpose.model.connection import Connection
from interpose.model.decisions import Decision, Permitted
from interpose.model.ids import PolicyId
from interpose.model.masks import NOTHING_HIDDEN, RevealTable
from interpose.model.principal import Principal, PrincipalKind
from interpose.policy.inference import inference_effects
from interpose.policy.together import together


class Judge(Protocol):
    """What policy answers of one principal: pure, and the answer depends on the arguments only."""

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
        """The decision over all effects, without exactly the forbids that were `lifted`."""
        ...

    def decide(
        self,
        principal: Principal,
        action: Action,
        connection: Connection | None,
        facts: Mapping[str, FactValue],
        now: float,
    ) -> Decision:
        """Whether a plain permission is given (`approve`, `replay` …); `connection` is None for the gateway as a whole."""
        ...

    def reveal_table(
        self, principal: Principal, connection: Connection, facts: Mapping[str, FactValue], now: float
    ) -> RevealTable:
        """Everything classified that is hidden from this principal on this connection."""
        ...

    def hidden_from_either(self, one: RevealTable, other: RevealTable) -> RevealTable:
        """What is hidden from one of two principals, in the stricter way where it is hidden from both."""
        ...


def person_named(find: Callable[[str], Principal | None], name: str | None) -> Principal | None:
    """The person of this name, None when there is none: nobody acts for a service or another agent."""
    found = None if name is None else find(name)
    return found if found is not None and found.kind is PrincipalKind.USER else None


class Acting:
    """A principal that acts for itself, or for a person; policy is asked for both, and both must be permitted.

    The person is judged as the person: without `context.agent`, `acting_for` and `task`, but with the session's facts, since it is
    from there that something is done.
    """

    __slots__ = ("person", "principal")

    def __init__(self, principal: Principal, person: Principal | None) -> None:
        """`person` is whom it acts for now, None for a principal that acts for itself."""
        if (principal.acting_for is None) is not (person is None):
            raise ValueError("a principal that acts for somebody is judged together with this person")
        self.principal = principal
        self.person = person

    @classmethod
    def of(cls, find: Callable[[str], Principal | None], principal: Principal) -> Acting | None:
        """By the names in `principal`; None when the person is gone: nothing is permitted then."""
        person = person_named(find, principal.acting_for)
        return None if principal.acting_for is not None and person is None else cls(principal, person)

    def key(self) -> tuple[object, ...]:
        """Everything that policy can see of those who ask: equal keys are judged alike."""
        return (self.principal.policy_key(), None if self.person is None else self.person.policy_key())

    def judge(
        self,
        policy: Judge,
        connection: Connection,
        effects: tuple[Effect, ...],
        facts: Mapping[str, FactValue],
        now: float,
        *,
        lifted: frozenset[PolicyId] = frozenset(),
    ) -> Decision:
        """The decision over effects that are the same for all who ask."""
        return self.judge_asked(policy, connection, Asked(effects, effects, effects), facts, now, lifted=lifted)

    def decide(
        self,
        policy: Judge,
        action: Action,
        connection: Connection | None,
        facts: Mapping[str, FactValue],
        now: float,
    ) -> Decision:
        """Whether a plain permission is given to all who ask: the first of their decisions that is none."""
        own = policy.decide(self.principal, action, connection, facts, now)
        if self.person is None or not isinstance(own, Permitted):
            return own
        return policy.decide(self.person, action, connection, facts, now)

    def may(
        self,
        policy: Judge,
        action: Action,
        connection: Connection | None,
        facts: Mapping[str, FactValue],
        now: float,
    ) -> bool:
        """Whether a plain permission is given to all who ask."""
        return isinstance(self.decide(policy, action, connection, facts, now), Permitted)

    def reveals(self, policy: Judge, connection: Connection, facts: Mapping[str, FactValue], now: float) -> Reveals:
        """What is hidden from each of those who ask."""
        own = policy.reveal_table(self.principal, connection, facts, now)
        if self.person is None:
            return Reveals(own, own, NOTHING_HIDDEN)
        persons = policy.reveal_table(self.person, connection, facts, now)
        return Reveals(policy.hidden_from_either(own, persons), own, persons)

    def asked(self, analysis: Analysis, reveals: Reveals) -> Asked:
        """What policy is asked about a command: of each about inference on what is hidden from it, since what only the agent does not
        see its person may compute with."""
        own = (*analysis.effects, *_inferred(analysis, reveals.own))
        inferred = _inferred(analysis, reveals.persons)
        return Asked(own, (*analysis.effects, *inferred), (*own, *inferred))

    def judge_asked(
        self,
        policy: Judge,
        connection: Connection,
        asked: Asked,
        facts: Mapping[str, FactValue],
        now: float,
        *,
        lifted: frozenset[PolicyId] = frozenset(),
    ) -> Decision:
        """The decision over a command."""
        own = policy.judge(self.principal, connection, asked.own, facts, now, lifted=lifted)
        if self.person is None:
            return own
        persons = policy.judge(self.person, connection, asked.persons, facts, now, lifted=lifted)
        return together(own, persons, self.person.name)


@dataclass(frozen=True, slots=True)
class Asked:
    """The effects of a command that policy is asked about: of the principal itself, of its person, and all of them."""

    own: tuple[Effect, ...]
    persons: tuple[Effect, ...]
    every: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Reveals:
    """What is hidden from those who ask: from `either` of them, which is what results are masked by, and from each.

    `persons` is empty where nobody is acted for.
    """

    either: RevealTable
    own: RevealTable
    persons: RevealTable


def _inferred(analysis: Analysis, reveal: RevealTable) -> tuple[Effect, ...]:
    return inference_effects(analysis, reveal) if reveal.strict else ()
