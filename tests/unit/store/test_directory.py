"""The directory's table."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from interpose.engine.ports import DirectoryEntry
from interpose.model.principal import Principal, PrincipalKind
from interpose.store.database import Database
from interpose.store.directory import SqlDirectory

ZOE = Principal(
    PrincipalKind.AGENT,
    "zoe",
    frozenset({"b", "a"}),
    {"n": 3, "yes": True, "t": "x", "l": ("p", "q")},
    "alice",
    "nightly",
)
ENTRY = DirectoryEntry(ZOE, "corporate", "sub-1", 5.0, 99.5)


def test_what_is_put_is_found_as_it_was(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        store = SqlDirectory(database)
        assert await store.get("zoe") is None
        await store.put(ENTRY, 10.0)
        assert await store.get("zoe") == ENTRY
        gone = dataclasses.replace(ENTRY, valid_until=None, disabled="left")
        await store.put(gone, 20.0)
        assert await store.get("zoe") == gone
        assert await store.changed_since(20.0) == [gone]
        assert await store.changed_since(20.5) == []

    asyncio.run(work())
    database.close()
