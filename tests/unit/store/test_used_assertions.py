"""The table of used assertions: of any number of uses one is the first, and what is over is forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import func, select

from interpose.store.database import Database
from interpose.store.tables import used_assertions
from interpose.store.used_assertions import SqlUsedAssertions


def test_an_assertion_is_used_once_also_by_another_process(tmp_path: Path) -> None:
    one, other = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")

    async def work() -> None:
        first, second = SqlUsedAssertions(one), SqlUsedAssertions(other)
        uses = await asyncio.gather(*(store.first_use(b"a", 100.0, 10.0) for store in (first, second, first, second)))
        assert sorted(uses) == [False, False, False, True]
        assert await second.first_use(b"b", 50.0, 10.0)
        assert not await first.first_use(b"a", 100.0, 99.9)
        assert [await first.used(each) for each in (b"a", b"b", b"never")] == [True, False, False]
        # The time of both is over: they are worth nothing to whoever has them, and are not kept.
        assert await first.first_use(b"c", 300.0, 200.0)
        count = select(func.count()).select_from(used_assertions)
        assert await one.read(lambda connection: connection.execute(count).scalar()) == 1

    asyncio.run(work())
    one.close()
    other.close()
