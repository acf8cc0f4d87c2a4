"""What the admin API asks of a running worker: rights, sessions, reload, health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from interpose.api.ports import Found, SessionQuery
from interpose.app.reading import read_recording, search_recordings
from interpose.app.reload import Reloader
from interpose.engine.ports import AuditChain, Bus, Clock, SessionRow
from interpose.engine.snapshot import SnapshotHolder
from interpose.model.actions import Action
from interpose.model.audit import AuditEvent
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.principal import Principal
from interpose.store.sessions import SqlSessions

END_TOPIC = "sessions.end"
"""The bus topic on which a session's id asks the worker that has it to end it."""


class PolicyRights:
    """Gateway rights by the current snapshot's policy."""

    def __init__(self, holder: SnapshotHolder, clock: Clock) -> None:
        """Asks anew each time: a reload counts at once."""
        self._holder = holder
        self._clock = clock

    def may(self, principal: Principal, action: Action, connection: ConnectionName | None, source: str) -> bool:
        """Whether policy permits; a connection that does not exist any more is judged as the gateway itself."""
        snapshot = self._holder.current
        on = None if connection is None else snapshot.connections.get(connection)
        if connection is not None and on is None and action is not Action.AUDIT:
            return False
        return snapshot.policy.may(principal, action, on, {"source_ip": source}, self._clock.wall())


class StoredSessions:
    """Sessions by the index and their recordings by the state folder."""

    def __init__(self, index: SqlSessions, state: Path, bus: Bus) -> None:
        """`state` is the folder of the whole gateway: recordings of all workers are there."""
        self._index = index
        self._state = state
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
        """The bytes of the recording; of a live session as far as it is written."""
        data = read_recording(self._state, session)
        return None if data is None else _aside(data)

    async def search(
        self, text: str, query: SessionQuery, connections: frozenset[str]
    ) -> AsyncIterator[Found]:
        """Search in a thread, one recording at a time, so that the event loop goes on."""
        for row in await self.list(query):
            if row.connection in connections:
                for found in await asyncio.to_thread(search_recordings, self._state, row, text):
                    yield found

    def end(self, session: SessionId, by: str) -> None:
        """Ask the worker that has it."""
        self._bus.publish(END_TOPIC, f"{session} {by}")


async def _aside(data: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in data:
        yield chunk


class WorkerOperations:
    """Reload, health, metrics and the audit chain of one worker."""

    def __init__(
        self,
        reloader: Reloader,
        audit: AuditChain,
        parts: Mapping[str, Callable[[], str]],
        metrics: Callable[[], bytes],
        told: Callable[[], None],
    ) -> None:
        """`parts` says of each part why it is not well (empty: it is); `told` lets the other workers reload as well."""
        self._reloader = reloader
        self._audit = audit
        self._parts = parts
        self._metrics = metrics
        self._told = told

    async def reload(self) -> str:
        """Reload here, and only when that went well everywhere."""
        digest = await self._reloader.reload("interpose reload")
        self._told()
        return digest

    def health(self) -> tuple[bool, dict[str, str]]:
        """Ready when no part has a complaint. A rejected reload is a complaint that does not stop service."""
        states = {name: look() for name, look in self._parts.items()}
        words = {name: trouble or "ok" for name, trouble in states.items()}
        failure = self._reloader.state.failure
        words["snapshot"] = f"rejected, the old one serves: {failure}" if failure else "ok"
        return not any(states.values()), words

    async def metrics(self) -> bytes:
        """Prometheus' text format."""
        return self._metrics()

    def append(self, event: AuditEvent) -> None:
        """Append to this worker's chain."""
        self._audit.append(event)
