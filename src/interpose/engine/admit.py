"""Admission: may this principal use this connection, now? A grant to dial is minted here and nowhere else.

Knows policy's `connect`, limits, the recording that must exist before the grant, and the audit chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interpose.engine.authenticate import loggable
from interpose.engine.callers import CallerProof
from interpose.engine.ports import SessionHeader, SessionRow
from interpose.engine.sessions import RECORD_LOST, Session, SessionRegistry
from interpose.model.actions import Action
from interpose.model.analysis import Effect, FactValue
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.connection import Connection, Durability
from interpose.model.decisions import Permitted
from interpose.model.errors import RecordingError
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.proofs import Clearance, Grant, seal_of_the_engine
from interpose.model.refusal import Refusal
from interpose.model.resources import ConnectionResource
from interpose.policy.acting import Acting
from interpose.protocols.contract import Evidence, Refused

if TYPE_CHECKING:
    from interpose.engine.limits import Limits
    from interpose.engine.ports import AuditChain, Clock, Ids, Recordings, SessionIndex
    from interpose.engine.snapshot import SnapshotHolder
    from interpose.model.principal import Identity

_CONNECT = (Effect(Action.CONNECT, ConnectionResource()),)
CANCEL_KEY_BYTES = 36
"""Length of a session's cancel key: 4 bytes in the place of a process id and 32 of secret, the most that PostgreSQL's
protocol 3.2 uses as a rule. A relay whose protocol has room for 8 bytes only uses the first 8."""

DRAINING = Refusal("draining", "the gateway is shutting down", "connect again: another gateway will answer")


@dataclass(frozen=True, slots=True)
class Admitted:
    """An admitted session: its grant is good for one dial to `connection`."""

    session: Session
    grant: Grant
    connection: Connection


class Admission:
    """The use case: open a session, or say why not."""

    def __init__(
        self,
        holder: SnapshotHolder,
        registry: SessionRegistry,
        recordings: Recordings,
        audit: AuditChain,
        index: SessionIndex,
        clock: Clock,
        ids: Ids,
        *,
        worker: str = "",
    ) -> None:
        """`worker` names this process in the index of sessions."""
        self._holder = holder
        self._registry = registry
        self._recordings = recordings
        self._audit = audit
        self._index = index
        self._clock = clock
        self._ids = ids
        self._worker = worker
        self._seal = seal_of_the_engine()
        self._draining = False

    def drain(self) -> None:
        """Admit nobody from now on."""
        self._draining = True

    async def admit(self, identity: Identity, evidence: Evidence, peer: str) -> Admitted | Refused:
        """Open a session for a proven identity. `peer` is the client's address without its port.

        A connection that does not exist and one that may not be used are answered alike; the audit chain says which.
        """
        if self._draining:
            return self._refuse(identity, evidence, peer, "draining", DRAINING)
        snapshot = self._holder.current
        connection = snapshot.connections.get(ConnectionName(evidence.connection))
        facts = session_facts(identity, evidence, peer)
        unavailable = Refusal(
            "connection_unavailable",
            f"there is no connection `{loggable(evidence.connection)}` that you may use",
            "check its name (in psql, the database); who may connect where is decided by policy",
        )
        if connection is None:
            return self._refuse(identity, evidence, peer, "unknown_connection", unavailable)
        if identity.connections is not None and connection.name not in identity.connections:
            return self._refuse(identity, evidence, peer, "narrowed", unavailable)
        principal = snapshot.principals.find(identity.principal.name)
        if principal is None:
            return self._refuse(identity, evidence, peer, "principal_gone", unavailable)
        acting = Acting.of(snapshot.principals.find, identity.principal)
        if acting is None:
            return self._refuse(identity, evidence, peer, "principal_gone", unavailable)
        decision = acting.judge(snapshot.policy, connection, _CONNECT, facts, self._clock.wall())
        if not isinstance(decision, Permitted):
            # A hold of `connect` is a refusal: there is no session yet that could wait.
            return self._refuse(identity, evidence, peer, "not_permitted", unavailable, decision.policies)
        full = self._over_limits(identity, snapshot.limits)
        if full is not None:
            return self._refuse(identity, evidence, peer, full.code, full)
        return await self._open(identity, evidence, connection, peer, facts, decision)

    def choices(self, identity: Identity, peer: str, protocol: str) -> list[str]:
        """The connections of a protocol that this identity may use now, by name; for a client that has named none."""
        snapshot = self._holder.current
        facts = session_facts(identity, Evidence("", "", ""), peer)
        now = self._clock.wall()
        acting = Acting.of(snapshot.principals.find, identity.principal)
        if acting is None:
            return []
        return sorted(
            name
            for name, connection in snapshot.connections.items()
            if connection.protocol == protocol
            and (identity.connections is None or name in identity.connections)
            and isinstance(acting.judge(snapshot.policy, connection, _CONNECT, facts, now), Permitted)
        )

    def _over_limits(self, identity: Identity, limits: Limits) -> Refusal | None:
        if len(self._registry) >= limits.sessions:
            return Refusal("too_many_sessions", "the gateway has no room for another session", "try again later")
        if self._registry.count_of(identity.principal.name) >= limits.sessions_per_principal:
            return Refusal(
                "too_many_sessions",
                f"you have {limits.sessions_per_principal} sessions already",
                "close some of them, or use a connection pool with fewer connections",
            )
        return None

    async def _open(
        self,
        identity: Identity,
        evidence: Evidence,
        connection: Connection,
        peer: str,
        facts: Mapping[str, FactValue],
        decision: Permitted,
    ) -> Admitted | Refused:
        session_id = self._ids.session()
        now = self._clock.wall()
        header = SessionHeader(
            session_id,
            identity.principal.label,
            connection.name,
            connection.protocol,
            peer,
            now,
            _details(identity, evidence),
            durable=connection.durability is Durability.STRICT,
        )
        try:
            recorder = self._recordings.open(header)
        except RecordingError:
            return self._refuse(identity, evidence, peer, "audit_unavailable", RECORD_LOST)
        session = Session(
            session_id,
            identity,
            connection,
            source=peer,
            facts=facts,
            recorder=recorder,
            clearance=Clearance(self._seal, session_id, False),
            cancel_key=self._ids.secret_bytes(CANCEL_KEY_BYTES),
            salt=self._ids.secret_bytes(32),
            audit=self._audit,
            index=self._index,
            clock=self._clock,
        )
        principal = identity.principal
        fields: dict[str, AuditValue] = {
            "connection": connection.name,
            "protocol": connection.protocol,
            "source": peer,
            "method": identity.method,
            "token": identity.token,
            **_vouched(identity),
            "acting_for": principal.acting_for,
            "task": None if principal.task is None else loggable(principal.task, 256),
            "policies": tuple(decision.policies),
            "observed": tuple(decision.observed),
            "snapshot": decision.snapshot,
        }
        # INVARIANT: the session counts against the limits before the first await, so that two logins at once cannot
        # both take the last place.
        self._registry.add(session)
        try:
            self._audit.append(AuditEvent(AuditKind.SESSION_OPENED, session_id, principal.label, fields))
            if connection.durability is Durability.STRICT:
                await self._audit.sync()
        except BaseException as error:
            self._registry.remove(session)
            self._discard(session)
            if isinstance(error, RecordingError):
                return Refused(RECORD_LOST)
            raise
        self._index.opened(
            SessionRow(
                session_id,
                principal.label,
                connection.name,
                connection.protocol,
                peer,
                now,
                worker=self._worker,
                details=header.details,
            )
        )
        return Admitted(session, Grant(self._seal, session_id, connection.name), connection)

    @staticmethod
    def _discard(session: Session) -> None:
        """Seal what was opened; that the record is lost is known already and is what the client is told."""
        try:
            session.close("audit_unavailable")
        except RecordingError:
            return

    def _refuse(
        self,
        identity: Identity,
        evidence: Evidence,
        peer: str,
        reason: str,
        refusal: Refusal,
        policies: tuple[str, ...] = (),
    ) -> Refused:
        fields: dict[str, AuditValue] = {
            "reason": reason,
            "claimed_name": loggable(evidence.claimed_name),
            "connection": loggable(evidence.connection),
            "source": peer,
            "token": identity.token,
            "policies": tuple(policies),
        }
        try:
            self._audit.append(AuditEvent(AuditKind.LOGIN_FAILED, None, identity.principal.label, fields))
        except RecordingError:
            return Refused(RECORD_LOST)
        return Refused(refusal)


GATEWAY_SESSION = SessionId("gateway")
"""What stands in the place of a session where the gateway dials on its own account."""


def gateway_grant(connection: Connection) -> Grant:
    """The grant for the gateway's own connection to an upstream, on which it reads the catalog and nothing else."""
    return Grant(seal_of_the_engine(), GATEWAY_SESSION, connection.name)


def _vouched(identity: Identity) -> dict[str, AuditValue]:
    """Who vouched for whom, where a provider did."""
    if identity.provider is None:
        return {}
    vouched: dict[str, AuditValue] = {
        "provider": identity.provider,
        "subject": loggable(identity.subject or "", 256),
        "mfa": identity.context.mfa,
    }
    if identity.context.auth_time is not None:
        vouched["auth_time"] = int(identity.context.auth_time)
    return vouched


def _details(identity: Identity, evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """What sessions and recordings tell besides names: the client's own words, and what the principal does here and for whom."""
    principal = identity.principal
    own = {"acting_for": principal.acting_for, "task": principal.task}
    details = {**evidence.details, **{name: value for name, value in own.items() if value is not None}}
    return tuple(sorted((key, loggable(value, 256)) for key, value in details.items()))


def session_facts(identity: Identity, evidence: Evidence, peer: str) -> dict[str, FactValue]:
    """What policy may see of a session. What the client says of itself is named so: it proves nothing."""
    facts = CallerProof.of(identity, peer).facts()
    application = evidence.details.get("application_name", "")
    if application:
        facts["application_name"] = loggable(application)
    return facts
