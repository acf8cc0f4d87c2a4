"""Principals that identity providers vouch for, and who is disabled, in the database: the port `DirectoryStore`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, and_, or_, select
from sqlalchemy.dialects.sqlite import insert

from interpose.engine.ports import DirectoryEntry
from interpose.model.principal import AttributeValue, Principal, PrincipalKind
from interpose.store.database import Database
from interpose.store.tables import directory


class SqlDirectory:
    """Entries, shared by everybody who has the database open."""

    def __init__(self, database: Database) -> None:
        """On an open database."""
        self._database = database

    async def get(self, name: str) -> DirectoryEntry | None:
        """The entry with this canonical name."""

        def work(connection: Connection) -> DirectoryEntry | None:
            row = connection.execute(select(directory).where(directory.c.name == name)).mappings().first()
            return None if row is None else _entry(row)

        return await self._database.read(work)

    async def changed_since(self, at: float) -> Sequence[DirectoryEntry]:
        """Entries that were put at or after `at` (wall clock)."""

        def work(connection: Connection) -> list[DirectoryEntry]:
            rows = connection.execute(select(directory).where(directory.c.changed_at >= at)).mappings()
            return [_entry(row) for row in rows]

        return await self._database.read(work)

    async def put(self, entry: DirectoryEntry, at: float) -> None:
        """Store an entry in the place of the one with its name."""
        await self._put(entry, at, same_subject=False)

    async def put_learned(self, entry: DirectoryEntry, at: float) -> bool:
        """Store an entry where its name is free, or is this subject's and not disabled; False where it is not."""
        return await self._put(entry, at, same_subject=True)

    async def _put(self, entry: DirectoryEntry, at: float, *, same_subject: bool) -> bool:
        principal = entry.principal
        values = {
            "kind": principal.kind.value,
            "groups": json.dumps(sorted(principal.groups)),
            "attributes": json.dumps(dict(principal.attributes), sort_keys=True),
            "acting_for": principal.acting_for,
            "task": principal.task,
            "provider": entry.provider,
            "subject": entry.subject,
            "learned_at": entry.learned_at,
            "valid_until": entry.valid_until,
            "disabled": entry.disabled,
            "changed_at": at,
        }

        whose = and_(directory.c.provider == entry.provider, directory.c.subject == entry.subject)
        # What names no provider is nobody's: it was forgotten.
        ours = and_(or_(whose, directory.c.provider == ""), directory.c.disabled == "")

        def work(connection: Connection) -> bool:
            done = connection.execute(
                insert(directory)
                .values(name=principal.name, **values)
                .on_conflict_do_update(
                    index_elements=[directory.c.name], set_=values, where=ours if same_subject else None
                )
            )
            return done.rowcount == 1

        return await self._database.write(work)


def _entry(row: RowMapping) -> DirectoryEntry:
    principal = Principal(
        PrincipalKind(row["kind"]),
        str(row["name"]),
        frozenset(json.loads(row["groups"])),
        _attributes(json.loads(row["attributes"])),
        row["acting_for"],
        row["task"],
    )
    return DirectoryEntry(
        principal,
        str(row["provider"]),
        str(row["subject"]),
        float(row["learned_at"]),
        None if row["valid_until"] is None else float(row["valid_until"]),
        str(row["disabled"]),
    )


def _attributes(stored: Mapping[str, str | int | bool | list[str]]) -> dict[str, AttributeValue]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
