"""The table of sealed refresh tokens."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from interpose.engine.ports import Renewal
from interpose.store.database import Database
from interpose.store.renewals import SqlRenewals

ZOE = Renewal("zoe", "corporate", "sub-1", b"\x00sealed", 10.5)


def test_what_is_put_is_found_as_it_was_until_it_is_forgotten(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        store = SqlRenewals(database)
        assert await store.get("zoe") is None
        await store.put(ZOE)
        assert await store.get("zoe") == ZOE
        later = dataclasses.replace(ZOE, sealed=b"other", due_at=20.0)
        await store.put(later)
        yan = Renewal("yan", "corporate", "sub-2", b"x", 15.0)
        await store.put(yan)
        assert await store.due(14.9) == []
        assert await store.due(20.0) == [yan, later]
        await store.forget("zoe")
        await store.forget("nobody")
        assert await store.due(99.0) == [yan]

    asyncio.run(work())
    database.close()


def test_the_token_is_not_shown() -> None:
    assert "sealed" not in repr(ZOE)
