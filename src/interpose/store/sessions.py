"""The index of sessions in the database: the port `SessionIndex`, written behind in batches, and what reads it.

An index, not evidence: the audit chain has every opening and closing. What does not fit into the queue while the disk is slow is
counted in `lost`, and is still in the chain.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from interpose.engine.ports import SessionRow
from interpose.model.errors import StoreError
from interpose.model.ids import ConnectionName, SessionId
from interpose.store.database import Database
from interpose.store.tables import sessions


class SqlSessions:
    """Who was connected when."""

    def __init__(self, database: Database, *, capacity: int = 20_000, interval: float = 0.2) -> None:
        """At most `capacity` changes wait; they are written every `interval` seconds by `run`."""
        self._database = database
        self._interval = interval
        self._capacity = capacity
        self._waiting: deque[SessionRow | tuple[SessionId, float, str, int, int]] = deque()
        self.lost = 0

    def opened(self, row: SessionRow) -> None:
        """A session began; never waits."""
        self._put(row)

    def closed(self, session: SessionId, at: float, reason: str, commands: int, refused: int) -> None:
        """A session ended; never waits."""
        self._put((session, at, reason, commands, refused))

    async def run(self) -> None:
        """Write what waits, until cancelled; what still waits then is written first. Raises `StoreError` never: it tries again."""
        try:
            while True:
                await asyncio.sleep(self._interval)
                await self._try_flush()
        finally:
            await self._try_flush()

    async def flush(self) -> None:
        """Write everything that waits; raises `StoreError`, and then everything still waits."""
        batch = list(self._waiting)
        if batch:
            await self._database.write(lambda connection: _write(connection, batch))
            for _ in batch:
                self._waiting.popleft()

    async def list(
        self,
        *,
        live: bool | None = None,
        principal: str | None = None,
        connection: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> Sequence[SessionRow]:
        """Sessions, newest first. `principal` is a label or a bare name, `since` bounds the opening."""
        query = select(sessions).order_by(sessions.c.opened_at.desc(), sessions.c.id.desc()).limit(limit)
        if live is not None:
            query = query.where(sessions.c.closed_at.is_(None) if live else sessions.c.closed_at.is_not(None))
        if principal is not None:
            name = sessions.c.principal
            labels = [f"{kind}:{principal}" for kind in ("User", "Service", "Agent")]
            acting = [name.startswith(f"{label} for ", autoescape=True) for label in labels]
            query = query.where(name.in_([principal, *labels]) | acting[0] | acting[1] | acting[2])
        if connection is not None:
            query = query.where(sessions.c.connection == connection)
        if since is not None:
            query = query.where(sessions.c.opened_at >= since)
        return await self._database.read(lambda on: [_row(row) for row in on.execute(query).mappings()])

    async def get(self, session: SessionId) -> SessionRow | None:
        """One session."""

        def work(connection: Connection) -> SessionRow | None:
            row = connection.execute(select(sessions).where(sessions.c.id == session)).mappings().first()
            return None if row is None else _row(row)

        return await self._database.read(work)

    async def close_orphans(self, alive: frozenset[str], at: float) -> int:
        """Close every session that was open at `at` and whose worker is not among `alive` (its process died); answers how many."""

        def work(connection: Connection) -> int:
            done = connection.execute(
                update(sessions)
                .where(
                    sessions.c.closed_at.is_(None),
                    sessions.c.opened_at < at,
                    sessions.c.worker.not_in(sorted(alive)),
                )
                .values(closed_at=at, close_reason="crash")
            )
            return int(done.rowcount)

        return await self._database.write(work)

    async def delete_before(self, at: float) -> int:
        """Forget sessions that were closed before `at` (retention); answers how many."""

        def work(connection: Connection) -> int:
            return int(connection.execute(delete(sessions).where(sessions.c.closed_at < at)).rowcount)

        return await self._database.write(work)

    def _put(self, change: SessionRow | tuple[SessionId, float, str, int, int]) -> None:
        if len(self._waiting) >= self._capacity:
            self.lost += 1
        else:
            self._waiting.append(change)

    async def _try_flush(self) -> None:
        try:
            await self.flush()
        except StoreError:
            return  # everything still waits, bounded, and the next turn tries again


def _write(connection: Connection, batch: Sequence[SessionRow | tuple[SessionId, float, str, int, int]]) -> None:
    for change in batch:
        if isinstance(change, SessionRow):
            connection.execute(
                insert(sessions)
                .prefix_with("OR IGNORE")
                .values(
                    id=change.id,
                    principal=change.principal,
                    connection=change.connection,
                    protocol=change.protocol,
                    source=change.source,
                    opened_at=change.opened_at,
                    closed_at=change.closed_at,
                    close_reason=change.close_reason,
                    worker=change.worker,
                    commands=change.commands,
                    refused=change.refused,
                    details=json.dumps(change.details),
                )
            )
        else:
            session, at, reason, commands, refused = change
            connection.execute(
                update(sessions)
                .where(sessions.c.id == session)
                .values(closed_at=at, close_reason=reason, commands=commands, refused=refused)
            )


def _row(row: RowMapping) -> SessionRow:
    return SessionRow(
        SessionId(str(row["id"])),
        str(row["principal"]),
        ConnectionName(str(row["connection"])),
        str(row["protocol"]),
        str(row["source"]),
        float(row["opened_at"]),
        None if row["closed_at"] is None else float(row["closed_at"]),
        str(row["close_reason"]),
        str(row["worker"]),
        int(row["commands"]),
        int(row["refused"]),
        tuple((str(name), str(value)) for name, value in json.loads(str(row["details"]))),
    )
