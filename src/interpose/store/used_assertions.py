"""Assertions that were used, in the database: the port `UsedAssertions`. Only digests are kept, and none longer than it matters."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from interpose.store.database import Database
from interpose.store.tables import used_assertions


class SqlUsedAssertions:
    """Used assertions, shared by everybody who has the database open."""

    def __init__(self, database: Database) -> None:
        """On an open database."""
        self._database = database

    async def first_use(self, digest: bytes, until: float, now: float) -> bool:
        """Remember one until `until` (wall clock); False when it was used before. INVARIANT: of two at once, one is the first."""

        def work(connection: Connection) -> bool:
            connection.execute(delete(used_assertions).where(used_assertions.c.until <= now))
            done = connection.execute(
                insert(used_assertions).values(digest=digest, until=until).on_conflict_do_nothing()
            )
            return done.rowcount == 1

        return await self._database.write(work)

    async def used(self, digest: bytes) -> bool:
        """Whether one is remembered."""
        asked = select(used_assertions.c.digest).where(used_assertions.c.digest == digest)
        return await self._database.read(lambda connection: connection.execute(asked).first() is not None)
