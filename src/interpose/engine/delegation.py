"""The use case of delegation: an agent gets a short-lived token with which it acts for a person (RFC 8693 §1.1), narrowed if it asks.

Two ways lead here: the agent shows its own proof and the person's token, or the person starts an agent. Either way policy is asked
whether this agent may act for this person. What it may then do is decided at every command, for both of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from interpose.engine.authenticate import loggable
from interpose.engine.callers import authentication_facts
from interpose.engine.ports import TokenRecord
from interpose.model.actions import Action
from interpose.model.analysis import Effect, FactValue
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.decisions import Permitted
from interpose.model.ids import ConnectionName, TokenId
from interpose.model.principal import Identity, Principal, PrincipalKind
from interpose.model.refusal import Refusal
from interpose.model.resources import ConnectionResource
from interpose.policy.acting import Acting

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain, Clock
    from interpose.engine.snapshot import Snapshot, SnapshotHolder

DEFAULT_SECONDS: Final = 3600.0
"""How long a token lives when nothing is said; it ends earlier where either proof does."""
LONGEST_SECONDS: Final = 8 * 3600.0
"""The longest that a token of an agent lives."""
MOST_CONNECTIONS: Final = 32
MOST_TASK: Final = 256
"""Characters of a task."""

BY_PERSON: Final = "person"
"""The `session_method` of an agent that its person started: the agent has proven nothing itself."""

_CONNECT: Final = (Effect(Action.CONNECT, ConnectionResource()),)


@dataclass(frozen=True, slots=True)
class Delegated:
    """How an agent came to its token: the tokens behind it, with either of which it is revoked, and what it is narrowed to."""

    parent: TokenId | None
    actor: TokenId | None
    connections: frozenset[ConnectionName] | None
    fields: Mapping[str, AuditValue] = field(default_factory=dict, hash=False)


class TokenMaker(Protocol):
    """Makes access tokens."""

    async def create(
        self,
        name: str,
        *,
        by: str,
        ttl: float | None,
        description: str = "",
        acting_for: str | None = None,
        task: str | None = None,
        proven: Identity | None = None,
        delegated: Delegated | None = None,
    ) -> tuple[TokenRecord, str]:
        """The record and the token. Raises `ClientError`, `RecordingError`, `StoreError`."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: what the agent is to do, where (None: wherever both may), and for how many seconds."""

    task: str | None = None
    connections: frozenset[str] | None = None
    ttl: float = DEFAULT_SECONDS


@dataclass(frozen=True, slots=True)
class Made:
    """A new token of an agent, shown once; `lifetime` in seconds."""

    record: TokenRecord
    token: str = field(repr=False)
    lifetime: float


class Delegation:
    """Judges wishes and has tokens made."""

    def __init__(self, holder: SnapshotHolder, maker: TokenMaker, audit: AuditChain, clock: Clock) -> None:
        """Asks the current snapshot anew each time."""
        self._holder = holder
        self._maker = maker
        self._audit = audit
        self._clock = clock

    async def exchange(self, actor: Identity, person: Identity, wish: Wish, source: str) -> Made | Refusal:
        """A token for an agent that has proven itself and shows a person's proof. Raises `RecordingError`, `StoreError`."""
        return await self._delegate(actor.principal, actor, person, wish, source)

    async def start(self, person: Identity, agent: str, wish: Wish, source: str) -> Made | Refusal:
        """A token for an agent that the person starts. Raises `RecordingError`, `StoreError`.

        The agent has proven nothing, and gains nothing by it: the token does no more than the person could.
        """
        found = self._holder.current.principals.find(agent)
        return await self._delegate(found, None, person, wish, source)

    async def _delegate(
        self, agent: Principal | None, actor: Identity | None, person: Identity, wish: Wish, source: str
    ) -> Made | Refusal:
        snapshot, now = self._holder.current, self._clock.wall()
        found = None if agent is None else snapshot.principals.find(agent.name)
        method = BY_PERSON if actor is None else actor.method
        refusal = _misfit(found, actor, person, wish) or self._judged(snapshot, found, person, wish, method, source)
        ends = [now + min(wish.ttl, LONGEST_SECONDS)]
        ends += [each.expires_at for each in (actor, person) if each is not None and each.expires_at is not None]
        if refusal is None and min(ends) <= now:
            refusal = Refusal("invalid_request", "the token would live no longer than nothing", "ask for more seconds")
        if refusal is not None or found is None:
            return self._refuse(refusal or _NO_AGENT, found, person, wish, method, source)
        connections = None if wish.connections is None else frozenset(map(ConnectionName, wish.connections))
        parent = person.principal
        fields: dict[str, AuditValue] = {
            "method": "exchange" if actor is not None else "delegate",
            "actor_method": method,
            "source": source,
            "parent": person.token,
            "actor": None if actor is None else actor.token,
            "connections": None if connections is None else tuple(sorted(connections)),
            "provider": person.provider,
            "subject": None if person.subject is None else loggable(person.subject, 256),
        }
        record, token = await self._maker.create(
            found.name,
            by=parent.label if actor is None else found.label,
            ttl=min(ends) - now,
            description=f"acts for {parent.name}",
            acting_for=parent.name,
            task=wish.task,
            proven=person,
            delegated=Delegated(person.token, None if actor is None else actor.token, connections, fields),
        )
        return Made(record, token, min(ends) - now)

    def _judged(
        self,
        snapshot: Snapshot,
        agent: Principal | None,
        person: Identity,
        wish: Wish,
        method: str,
        source: str,
    ) -> Refusal | None:
        """What policy says; it is asked with the person and the task in `context`, as at every command later."""
        now = self._clock.wall()
        if agent is None:
            return _NO_AGENT
        present = snapshot.principals.find(person.principal.name)
        if present is None:
            return _NO_PERSON
        asking = dataclasses.replace(agent, acting_for=present.name, task=wish.task)
        # How the person authenticated: the token that is made carries it on, and is judged by it at every command.
        facts: dict[str, FactValue] = {
            "source_ip": source,
            "session_method": method,
            **authentication_facts(person.context),
        }
        asked = dict(facts)
        if wish.connections is not None:
            asked["connections"] = tuple(sorted(wish.connections))
        if not snapshot.policy.may_act_for(asking, present, asked, now):
            return Refusal(
                "act_for_not_permitted",
                f"policy does not permit `{agent.name}` to act for `{present.name}`",
                "ask whoever keeps the policies about `act_for`",
            )
        acting = Acting(asking, present)
        for name in sorted(wish.connections or ()):
            connection = snapshot.connections.get(ConnectionName(name))
            # One that does not exist and one that may not be used are answered alike.
            if connection is None or not isinstance(
                acting.judge(snapshot.policy, connection, _CONNECT, facts, now), Permitted
            ):
                return Refusal(
                    "invalid_target",
                    f"there is no connection `{loggable(name)}` that both may use",
                    "check its name; who may connect where is decided by policy",
                )
        return None

    def _refuse(
        self, refusal: Refusal, agent: Principal | None, person: Identity, wish: Wish, method: str, source: str
    ) -> Refusal:
        fields: dict[str, AuditValue] = {
            "reason": refusal.code,
            "agent": "" if agent is None else agent.name,
            "person": person.principal.name,
            "task": None if wish.task is None else loggable(wish.task, MOST_TASK),
            "connections": None if wish.connections is None else tuple(sorted(map(loggable, wish.connections))),
            "actor_method": method,
            "method": person.method,
            "token": person.token,
            "source": source,
        }
        self._audit.append(AuditEvent(AuditKind.DELEGATION_REFUSED, None, person.principal.label, fields))
        return refusal


_NO_AGENT: Final = Refusal(
    "not_an_agent", "only an agent or a service acts for somebody", "give the agent's own proof, or an agent's name"
)
_NO_PERSON: Final = Refusal("not_a_person", "an agent acts for a person", "give a person's own token")


def _misfit(agent: Principal | None, actor: Identity | None, person: Identity, wish: Wish) -> Refusal | None:
    """What is wrong before policy is asked."""
    if agent is None or agent.kind is PrincipalKind.USER:
        return _NO_AGENT
    if person.principal.kind is not PrincipalKind.USER or person.connections is not None:
        return _NO_PERSON
    proven = None if actor is None else actor.principal.acting_for
    # INVARIANT: a narrowed token never gives a wider one. What a workload's issuer says of it is its own proof.
    if actor is not None and (
        actor.connections is not None or (actor.method != "jwt" and proven is not None and agent.acting_for is None)
    ):
        return Refusal(
            "already_delegated",
            "the agent's proof is itself a token with which it acts for somebody",
            "give the agent's own credential",
        )
    if {agent.acting_for, proven} - {None, person.principal.name}:
        return Refusal(
            "acts_for_another", "this agent acts for somebody else", "use an agent that acts for nobody by itself"
        )
    if wish.task is not None and not (wish.task.isprintable() and 0 < len(wish.task.strip()) <= MOST_TASK):
        return Refusal(
            "invalid_request", f"a task is one line of at most {MOST_TASK} characters", "write what the agent does"
        )
    if wish.connections is not None and not 0 < len(wish.connections) <= MOST_CONNECTIONS:
        return Refusal(
            "invalid_request", f"a token is narrowed to one connection at least and {MOST_CONNECTIONS} at most", ""
        )
    return None
