"""Sealed refresh tokens by principal, in the database: the port `RenewalStore`. What is sealed cannot be read here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.dialects.sqlite import insert

from interpose.engine.ports import Renewal
from interpose.store.database import Database
from interpose.store.tables import renewals


class SqlRenewals:
    """Renewals, shared by everybody who has the database open."""

    def __init__(self, database: Database) -> None:
        """On an open database."""
        self._database = database

    async def get(self, name: str) -> Renewal | None:
        """The renewal of this principal."""

        def work(connection: Connection) -> Renewal | None:
            row = connection.execute(select(renewals).where(renewals.c.name == name)).mappings().first()
            return None if row is None else _renewal(row)

        return await self._database.read(work)

    async def due(self, at: float) -> Sequence[Renewal]:
        """Those that are due at `at` (wall clock), the longest overdue first."""

        def work(connection: Connection) -> list[Renewal]:
            rows = connection.execute(select(renewals).where(renewals.c.due_at <= at).order_by(renewals.c.due_at))
            return [_renewal(row) for row in rows.mappings()]

        return await self._database.read(work)

    async def put(self, renewal: Renewal) -> None:
        """Store a renewal in the place of the one of its principal."""
        values = {
            "provider": renewal.provider,
            "subject": renewal.subject,
            "sealed": renewal.sealed,
            "due_at": renewal.due_at,
        }

        def work(connection: Connection) -> None:
            connection.execute(
                insert(renewals)
                .values(name=renewal.name, **values)
                .on_conflict_do_update(index_elements=[renewals.c.name], set_=values)
            )

        await self._database.write(work)

    async def forget(self, name: str) -> None:
        """Delete the renewal of this principal, if there is one."""

        def work(connection: Connection) -> None:
            connection.execute(delete(renewals).where(renewals.c.name == name))

        await self._database.write(work)


def _renewal(row: RowMapping) -> Renewal:
    return Renewal(
        str(row["name"]), str(row["provider"]), str(row["subject"]), bytes(row["sealed"]), float(row["due_at"])
    )
