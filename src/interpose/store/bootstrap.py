"""Bootstrap tokens in the database, by the SHA-256 of the whole token: the port `BootstrapStore`."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from interpose.engine.bootstrap import BootstrapRecord
from interpose.store.database import Database
from interpose.store.tables import bootstrap, directory, tokens


class SqlBootstrap:
    """Bootstrap tokens, shared by everybody who has the database open."""

    def __init__(self, database: Database) -> None:
        """On an open database."""
        self._database = database

    async def untouched(self) -> bool:
        """Whether nothing was ever stored."""
        return await self._database.read(_untouched)

    async def first(self, digest: bytes, record: BootstrapRecord) -> bool:
        """Store one where nothing was ever stored; False otherwise. INVARIANT: of several workers, one gets True."""

        def work(connection: Connection) -> bool:
            if not _untouched(connection):
                return False
            _add(connection, digest, record)
            return True

        return await self._database.write(work)

    async def replace(self, digest: bytes, record: BootstrapRecord) -> None:
        """Store one, and end all others."""

        def work(connection: Connection) -> None:
            open_ones = update(bootstrap).where(bootstrap.c.ended_at.is_(None))
            connection.execute(open_ones.values(ended_at=record.created_at))
            _add(connection, digest, record)

        await self._database.write(work)

    async def find(self, digest: bytes) -> BootstrapRecord | None:
        """The one with this digest."""

        def work(connection: Connection) -> BootstrapRecord | None:
            row = connection.execute(select(bootstrap).where(bootstrap.c.digest == digest)).mappings().first()
            if row is None:
                return None
            return BootstrapRecord(row["id"], row["created_at"], row["expires_at"], row["ended_at"])

        return await self._database.read(work)

    async def use(self, identifier: str, at: float) -> bool:
        """End it; False when it was ended already."""

        def work(connection: Connection) -> bool:
            still = update(bootstrap).where(bootstrap.c.id == identifier, bootstrap.c.ended_at.is_(None))
            return connection.execute(still.values(ended_at=at)).rowcount == 1

        return await self._database.write(work)


def _untouched(connection: Connection) -> bool:
    return all(connection.execute(select(each).limit(1)).first() is None for each in (bootstrap, tokens, directory))


def _add(connection: Connection, digest: bytes, record: BootstrapRecord) -> None:
    connection.execute(
        insert(bootstrap).values(
            id=record.id,
            digest=digest,
            created_at=record.created_at,
            expires_at=record.expires_at,
            ended_at=record.ended,
        )
    )
