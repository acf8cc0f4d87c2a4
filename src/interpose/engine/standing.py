"""What a session's principal stands for on its connection under one snapshot: who it is now, what is hidden from it, what was decided.

Shared by all sessions that policy cannot tell apart. Knows policy; does not know commands' texts or how decisions are recorded.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from interpose.engine.exposure import Exposure, exposure_of
from interpose.engine.freshness import believes_temporary
from interpose.engine.holders import is_whose
from interpose.model.actions import Action
from interpose.model.connection import CatalogCheck
from interpose.model.decisions import Forbidden, Held, Obligations, Permitted
from interpose.model.masks import RevealTable
from interpose.model.refusal import Refusal
from interpose.policy.acting import Acting, person_named

if TYPE_CHECKING:
    from interpose.engine.sessions import Session
    from interpose.engine.snapshot import Snapshot
    from interpose.model.analysis import Analysis, Effect, FactValue
    from interpose.model.audit import AuditValue
    from interpose.model.connection import Connection
    from interpose.model.decisions import Decision
    from interpose.model.ids import PolicyId
    from interpose.model.principal import Identity, Principal

_ABOUT_VALUES = frozenset({Action.REVEAL, Action.INFER})
"""What policy is asked once for a whole standing, to say what is hidden."""

PRINCIPAL_GONE = Refusal(
    "principal_gone", "your principal does not exist any more or is disabled", "ask the gateway's operator"
)
KEY_GONE = Refusal(
    "ssh_key_gone",
    "your SSH key is not registered any more",
    "log in with another, or get a certificate with `interpose ssh login`",
)
CONNECTION_GONE = Refusal(
    "connection_gone", "this connection does not exist any more", "ask the gateway's operator which one to use"
)


class Judgement:
    """One analysis judged for one standing: the decision with everything that is the same for every command alike.

    `analysis` is kept so that its identity stays its own as long as this is cached under it. `second` is the wall-clock second it is
    true for when policy looked at the time, else None.
    """

    __slots__ = ("analysis", "decision", "describe", "exposure", "fields", "obligations", "second", "word")

    def __init__(
        self,
        analysis: Analysis,
        decision: Decision,
        exposure: Exposure,
        obligations: Obligations,
        fields: Mapping[str, AuditValue],
        describe: bool,
        second: int | None = None,
    ) -> None:
        """`fields` are the audit fields that do not change from command to command."""
        self.analysis = analysis
        self.decision = decision
        self.exposure = exposure
        self.obligations = obligations
        self.fields = fields
        self.describe = describe
        self.second = second
        self.word = decision_word(decision)


class Standing:
    """A principal on a connection under a snapshot, as policy sees it; with the person that it acts for, where it does.

    `second` is the wall-clock second it is true for when policy looks at the time to say what is hidden, else None: it is then the
    context's `now`, and nothing is cached past it. Where policy looks at the time for some commands only, their judgements alone are
    kept for a second.
    """

    __slots__ = (
        "_acting",
        "_judgements",
        "_reveals",
        "connection",
        "exact",
        "facts",
        "hides",
        "principal",
        "reveal",
        "second",
        "snapshot",
    )

    CAPACITY = 2048
    """Judgements kept for one standing."""

    def __init__(
        self,
        snapshot: Snapshot,
        acting: Acting,
        connection: Connection,
        facts: Mapping[str, FactValue],
        now: float,
    ) -> None:
        """Asks policy what is hidden; `now` is wall-clock seconds."""
        policy = snapshot.policy
        self.snapshot = snapshot
        self._acting = acting
        self.principal = acting.principal
        self.connection = connection
        self.facts = facts
        self.second = int(now) if policy.timed & _ABOUT_VALUES else None
        self._reveals = acting.reveals(policy, connection, facts, now)
        reveal = self._reveals.either
        # Content is looked for only where the connection asks for it; what nobody looks for is not an obligation.
        self.reveal: RevealTable = reveal if connection.detect_content else dataclasses.replace(reveal, content={})
        self.hides = bool(self.reveal)
        # INVARIANT: whom policy does not let infer gets no result by a catalog that is out of date.
        self.exact = bool(self.reveal.strict) or (
            bool(self.reveal.columns) and connection.catalog_check is CatalogCheck.EVERY_RESULT
        )
        self._judgements: OrderedDict[int, Judgement] = OrderedDict()

    def find(self, analysis: Analysis, now: float) -> Judgement | None:
        """The cached judgement of exactly this analysis, if it is true at `now` (wall clock)."""
        found = self._judgements.get(id(analysis))
        if found is None or (found.second is not None and found.second != int(now)):
            return None
        self._judgements.move_to_end(id(analysis))
        return found

    def judge(self, analysis: Analysis, now: float, lifted: frozenset[PolicyId] = frozenset()) -> Judgement:
        """Ask policy. Cached unless something was lifted or the analysis is this session's own."""
        asked = self._acting.asked(analysis, self._reveals)
        effects = asked.every
        timed = self.snapshot.policy.timed
        second = int(now) if timed and any(effect.action in timed for effect in effects) else self.second
        at = now if second is None else float(second)
        decision = self._acting.judge_asked(self.snapshot.policy, self.connection, asked, self.facts, at, lifted=lifted)
        exposure = exposure_of(analysis, self.reveal)
        exact = self.checks(analysis)
        obligations = Obligations(self.reveal, exact=exact)
        if isinstance(decision, Permitted):
            own = decision.obligations
            obligations = Obligations(self.reveal, own.max_rows, own.annotations, exact)
        judgement = Judgement(
            analysis, decision, exposure, obligations, self._fields(analysis, effects, decision), self.hides, second
        )
        if not lifted and not analysis.depends_on_session:
            self._judgements[id(analysis)] = judgement
            if len(self._judgements) > self.CAPACITY:
                self._judgements.popitem(last=False)
        return judgement

    def checks(self, analysis: Analysis) -> bool:
        """Whether what this was judged by is looked at again for each of its results."""
        return self.exact or (bool(self.reveal.columns) and believes_temporary(analysis))

    def _fields(self, analysis: Analysis, effects: tuple[Effect, ...], decision: Decision) -> Mapping[str, AuditValue]:
        fields: dict[str, AuditValue] = {
            "connection": self.connection.name,
            "decision": decision_word(decision),
            "policies": tuple(decision.policies),
            "observed": tuple(decision.observed),
            "snapshot": decision.snapshot,
            "actions": tuple(sorted({effect.action.value for effect in effects})),
            "tags": tuple(statement.tag for statement in analysis.statements),
            "fingerprint": analysis.fingerprint,
            "masks": self.hides,
        }
        if isinstance(decision, Permitted) and decision.lifted:
            fields["lifted"] = tuple(decision.lifted)
        if isinstance(decision, Forbidden):
            fields["reason"] = decision.code
        return fields


class Standings:
    """The standings of all sessions of this process, bounded; of the current snapshot only."""

    def __init__(self, capacity: int = 4096) -> None:
        """At most `capacity` standings; the least recently made go first."""
        self._capacity = capacity
        self._snapshot: Snapshot | None = None
        self._kept: OrderedDict[tuple[object, ...], Standing] = OrderedDict()

    def of(self, session: Session, snapshot: Snapshot, now: float) -> Standing | Refusal:
        """The standing of a session under a snapshot, or why the session may not go on at all."""
        current = session.standing
        if (
            current is not None
            and current.snapshot is snapshot
            and (current.second is None or current.second == int(now))
        ):
            return current
        if snapshot is not self._snapshot:
            self._kept.clear()
            self._snapshot = snapshot
        connection = snapshot.connections.get(session.connection.name)
        if connection is None:
            return CONNECTION_GONE
        principal = present_identity(snapshot, session.identity)
        acting = None if principal is None else Acting.of(snapshot.principals.find, principal)
        if principal is None or acting is None:
            return PRINCIPAL_GONE
        if key_is_gone(session.identity, principal):
            return KEY_GONE
        standing = self._shared(session, snapshot, acting, connection, now)
        session.standing = standing
        return standing

    def _shared(
        self, session: Session, snapshot: Snapshot, acting: Acting, connection: Connection, now: float
    ) -> Standing:
        policy = snapshot.policy
        # What no policy looks at does not tell two sessions apart, and is then not shown to policy either: the
        # cached decision of one is exactly the decision of the other.
        used = policy.facts_used
        facts = {name: value for name, value in session.facts.items() if used is None or name in used}
        second = int(now) if policy.timed & _ABOUT_VALUES else None
        key = (acting.key(), connection.name, tuple(sorted(facts.items())), second)
        standing = self._kept.get(key)
        if standing is None:
            standing = self._kept[key] = Standing(snapshot, acting, connection, facts, now)
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return standing


def present_identity(snapshot: Snapshot, proven: Identity) -> Principal | None:
    """As `present_principal`; None also when another has the name by now."""
    who = proven.principal
    same = is_whose(snapshot.principals, who.name, who.acting_for, proven.provider, proven.subject)
    return present_principal(snapshot, who) if same else None


def present_principal(snapshot: Snapshot, proven: Principal) -> Principal | None:
    """The principal as the snapshot knows it now, with whom and what its token says that it acts for.

    None when it is gone, when it has become another kind of principal, or when the person it acts for is gone.
    """
    found = snapshot.principals.find(proven.name)
    if found is None or found.kind is not proven.kind:
        return None
    acting_for = proven.acting_for or found.acting_for
    if acting_for is not None and person_named(snapshot.principals.find, acting_for) is None:
        return None
    return dataclasses.replace(found, acting_for=acting_for, task=proven.task or found.task)


def key_is_gone(proven: Identity, principal: Principal) -> bool:
    """Whether a login by a registered key has lost that key: `principal` is who it is now."""
    return proven.key is not None and proven.key not in principal.ssh_keys


def decision_word(decision: Decision) -> str:
    """`permit`, `forbid` or `hold`."""
    if isinstance(decision, Permitted):
        return "permit"
    return "hold" if isinstance(decision, Held) else "forbid"
