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


def test_a_name_is_learned_by_one_subject_only_and_not_while_disabled(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        store = SqlDirectory(database)
        assert await store.put_learned(ENTRY, 10.0)
        assert await store.put_learned(dataclasses.replace(ENTRY, valid_until=500.0), 11.0)
        for other in (dataclasses.replace(ENTRY, subject="sub-2"), dataclasses.replace(ENTRY, provider="partner")):
            assert not await store.put_learned(other, 12.0)
        await store.put(dataclasses.replace(ENTRY, disabled="left"), 13.0)
        assert not await store.put_learned(ENTRY, 14.0)
        found = await store.get("zoe")
        assert found is not None
        assert (found.subject, found.disabled) == ("sub-1", "left")

    asyncio.run(work())
    database.close()


def test_a_name_that_was_forgotten_is_learned_by_whoever_comes_first(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        store = SqlDirectory(database)
        await store.put(ENTRY, 10.0)
        await store.put(dataclasses.replace(ENTRY, provider="", subject="", disabled="left"), 11.0)
        assert not await store.put_learned(ENTRY, 12.0)
        await store.put(dataclasses.replace(ENTRY, provider="", subject=""), 13.0)
        assert await store.put_learned(dataclasses.replace(ENTRY, subject="sub-2"), 14.0)
        assert not await store.put_learned(ENTRY, 15.0)

    asyncio.run(work())
    database.close()
