"""What the admin API asks of a running worker: rights, sessions, reload, health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from interpose.api.ports import Found, SessionQuery
from interpose.app.interventions import END_TOPIC, SAY_TOPIC, Intervention, publish
from interpose.app.reload import Reloader
from interpose.app.served_certificates import ServedCertificates
from interpose.engine.callers import CallerProof
from interpose.engine.ports import AuditChain, Bus, Clock, SessionRow
from interpose.engine.snapshot import SnapshotHolder
from interpose.model.actions import Action
from interpose.model.audit import AuditEvent
from interpose.model.decisions import Forbidden, Permitted
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.principal import Identity
from interpose.model.refusal import Refusal
from interpose.policy.acting import Acting
from interpose.recording.frames import Frame, encode_frame
from interpose.recording.search import SearchHit, SearchQuery, search
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.tailing import RecordingTail
from interpose.store.sessions import SqlSessions

ItemT = TypeVar("ItemT")
_BATCH = 64
_POLL = 0.25


class PolicyRights:
    """Gateway rights by the current snapshot's policy."""

    def __init__(self, holder: SnapshotHolder, clock: Clock) -> None:
        """Asks anew each time: a reload counts at once."""
        self._holder = holder
        self._clock = clock

    def barred(
        self, caller: Identity, action: Action, connection: ConnectionName | None, source: str
    ) -> Refusal | None:
        """Why policy does not permit it; a connection that does not exist any more is judged as the gateway itself."""
        snapshot = self._holder.current
        on = None if connection is None else snapshot.connections.get(connection)
        where = "this gateway" if connection is None else "this connection"
        told = f"policy does not permit you to `{action.value}` {where}"
        refused = Refusal("not_permitted", told, "ask whoever keeps the policies")
        if connection is not None and on is None and action is not Action.AUDIT:
            return refused
        acting = Acting.of(snapshot.principals.find, caller.principal)
        if acting is None:
            return refused
        facts = CallerProof.of(caller, source).facts()
        decision = acting.decide(snapshot.policy, action, on, facts, self._clock.wall())
        if isinstance(decision, Permitted):
            return None
        if isinstance(decision, Forbidden) and decision.policies and decision.reason:
            return Refusal("not_permitted", f"{told}: {decision.reason}", decision.hint or refused.hint)
        return refused


class StoredSessions:
    """Sessions by the index and their recordings by the files of all workers."""

    def __init__(self, index: SqlSessions, recordings: RecordedSessions, bus: Bus) -> None:
        """Reads only; the one thing that it asks of others is to end a session."""
        self._index = index
        self._recordings = recordings
        self._bus = bus

    async def list(self, query: SessionQuery) -> Sequence[SessionRow]:
        """Sessions, newest first."""
        return await self._index.list(
            live=query.live,
            principal=query.principal,
            connection=query.connection,
            since=query.since,
            limit=query.limit,
        )

    async def get(self, session: SessionId) -> SessionRow | None:
        """One session."""
        return await self._index.get(session)

    def recording(self, session: SessionId) -> AsyncIterator[bytes] | None:
        """The recording's frames one after another, uncompressed; of a live session as far as they are written."""
        if self._recordings.find(session) is None:
            return None
        frames = self._recordings.frames(session)
        return _aside(map(_encoded, frames))

    async def search(self, text: str, query: SessionQuery, connections: frozenset[str]) -> AsyncIterator[Found]:
        """Commands and lines of terminals that hold the text, session by session, newest first."""
        for row in await self.list(query):
            if row.connection in connections and self._recordings.find(row.id) is not None:
                hits = search(self._recordings.timeline(row.id), SearchQuery(text=text))
                async for hit in _aside(hits):
                    yield _found(row, hit)

    def follow(self, session: SessionId) -> AsyncIterator[bytes] | None:
        """The recording's frames, and then those that come, until the session is over."""
        if self._recordings.find(session) is None:
            return None
        return _followed(RecordingTail(self._recordings, session))

    def end(self, session: SessionId, by: str, reason: str) -> None:
        """Ask the worker that has it."""
        publish(self._bus, END_TOPIC, Intervention(session, by, reason))

    def say(self, session: SessionId, by: str, text: str) -> None:
        """Ask the worker that has it."""
        publish(self._bus, SAY_TOPIC, Intervention(session, by, text))


def _found(row: SessionRow, hit: SearchHit) -> Found:
    return Found(row.id, row.principal, row.connection, hit.wall, hit.decision, hit.text, hit.kind.value)


def _encoded(frame: Frame) -> bytes:
    return encode_frame(frame.type, frame.time, frame.sequence, frame.payload, frame.flags)


async def _followed(tail: RecordingTail) -> AsyncIterator[bytes]:
    """What a tail finds, as fast as whoever reads takes it; an empty piece each time that there is nothing new."""
    while True:
        frames = await asyncio.to_thread(tail.poll)
        yield b"".join(map(_encoded, frames))
        if not frames:
            if tail.over:
                return
            await asyncio.sleep(_POLL)


async def _aside(items: Iterator[ItemT]) -> AsyncIterator[ItemT]:
    """Items that are read from disk, a batch at a time in a thread, so that the event loop goes on."""
    while batch := await asyncio.to_thread(lambda: list(islice(items, _BATCH))):
        for item in batch:
            yield item


class WorkerOperations:
    """Reload, health, metrics and the audit chain of one worker."""

    def __init__(
        self,
        reloader: Reloader,
        certificates: ServedCertificates,
        audit: AuditChain,
        parts: Mapping[str, Callable[[], str]],
        metrics: Callable[[], bytes],
        told: Callable[[], None],
    ) -> None:
        """`parts` says of each part why it is not well (empty: it is); `told` lets the other workers reload as well."""
        self._reloader = reloader
        self._certificates = certificates
        self._audit = audit
        self._parts = parts
        self._metrics = metrics
        self._told = told

    async def reload(self) -> str:
        """Reload here, and only when that went well everywhere; a certificate that cannot be used is told after that."""
        digest = await self._reloader.reload("interpose reload")
        self._told()
        await self._certificates.check()
        return digest

    def health(self) -> tuple[bool, dict[str, str]]:
        """Ready when no part has a complaint. What was rejected while the old serves is a complaint that does not stop service."""
        states = {name: look() for name, look in self._parts.items()}
        words = {name: trouble or "ok" for name, trouble in states.items()}
        failure = self._reloader.state.failure
        words["snapshot"] = f"rejected, the old one serves: {failure}" if failure else "ok"
        if faults := self._certificates.faults():
            words["certificates"] = f"rejected, the old one serves: {'; '.join(faults)}"
        return not any(states.values()), words

    async def metrics(self) -> bytes:
        """Prometheus' text format."""
        return self._metrics()

    def append(self, event: AuditEvent) -> None:
        """Append to this worker's chain."""
        self._audit.append(event)
