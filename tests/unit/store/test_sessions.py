"""The index of sessions, written behind."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.engine.ports import SessionRow
from interpose.model.errors import StoreError
from interpose.model.ids import ConnectionName, SessionId
from interpose.store.database import Database
from interpose.store.sessions import SqlSessions

ROW = SessionRow(
    SessionId("s_1"),
    "User:alice",
    ConnectionName("shop"),
    "postgres",
    "192.0.2.1",
    100.0,
    worker="w1",
    details=(("application_name", "psql"),),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An open database."""
    opened = Database(tmp_path / "state.db")
    yield opened
    opened.close()


def _row(number: int, **changes: object) -> SessionRow:
    return dataclasses.replace(ROW, id=SessionId(f"s_{number}"), opened_at=100.0 + number, **changes)  # type: ignore[arg-type]


def test_an_opening_and_its_closing_are_one_row(database: Database) -> None:
    async def work() -> None:
        index = SqlSessions(database)
        index.opened(ROW)
        assert await index.get(ROW.id) is None
        index.closed(ROW.id, 160.0, "client_closed", 12, 1)
        await index.flush()
        await index.flush()
        expected = dataclasses.replace(ROW, closed_at=160.0, close_reason="client_closed", commands=12, refused=1)
        assert await index.get(ROW.id) == expected

    asyncio.run(work())


def test_what_waits_is_written_soon_and_at_the_end(database: Database) -> None:
    async def work() -> None:
        index = SqlSessions(database, interval=0.01)
        running = asyncio.ensure_future(index.run())
        index.opened(ROW)
        for _ in range(200):
            await asyncio.sleep(0.01)
            if await index.get(ROW.id) is not None:
                break
        assert await index.get(ROW.id) == ROW
        index.opened(_row(2))
        running.cancel()
        await asyncio.wait({running})
        assert await index.get(SessionId("s_2")) is not None

    asyncio.run(work())


def test_a_store_that_fails_loses_nothing_and_memory_is_bounded(database: Database) -> None:
    async def work() -> None:
        index = SqlSessions(database, capacity=3)
        writing = database.write

        async def failing(work: object) -> object:
            raise StoreError("down")

        database.write = failing  # type: ignore[assignment, method-assign]
        for number in range(5):
            index.opened(_row(number))
        with pytest.raises(StoreError):
            await index.flush()
        assert index.lost == 2
        database.write = writing  # type: ignore[method-assign]
        await index.flush()
        assert len(await index.list()) == 3

    asyncio.run(work())


def test_a_batch_that_is_written_twice_is_one(database: Database) -> None:
    async def work() -> None:
        index = SqlSessions(database)
        for _ in range(2):
            index.opened(ROW)
            await index.flush()
        assert await index.list() == [ROW]

    asyncio.run(work())


def test_sessions_are_listed_newest_first_and_by_what_is_asked(database: Database) -> None:
    async def work() -> None:
        index = SqlSessions(database)
        index.opened(_row(1))
        index.opened(_row(2, principal="User:bob", connection=ConnectionName("stock")))
        index.opened(_row(3, principal="Agent:fixer for alice"))
        index.opened(_row(4, principal="User:alice2"))
        index.closed(SessionId("s_1"), 200.0, "client_closed", 0, 0)
        await index.flush()

        async def ids(**asked: object) -> list[str]:
            return [row.id for row in await index.list(**asked)]  # type: ignore[arg-type]

        assert await ids() == ["s_4", "s_3", "s_2", "s_1"]
        assert await ids(limit=2) == ["s_4", "s_3"]
        assert await ids(live=True) == ["s_4", "s_3", "s_2"]
        assert await ids(live=False) == ["s_1"]
        assert await ids(principal="alice") == ["s_1"]
        assert await ids(principal="User:bob") == ["s_2"]
        assert await ids(principal="fixer") == ["s_3"]
        assert await ids(connection="stock") == ["s_2"]
        assert await ids(since=102.5) == ["s_4", "s_3"]

    asyncio.run(work())


def test_sessions_of_dead_workers_are_closed_and_old_ones_forgotten(database: Database) -> None:
    async def work() -> None:
        index = SqlSessions(database)
        index.opened(_row(1, worker="dead"))
        index.opened(_row(2, worker="alive"))
        await index.flush()
        assert await index.close_orphans(frozenset({"alive"}), 500.0) == 1
        crashed = await index.get(SessionId("s_1"))
        assert crashed is not None
        assert (crashed.closed_at, crashed.close_reason) == (500.0, "crash")
        assert await index.delete_before(499.0) == 0
        assert await index.delete_before(501.0) == 1
        assert [row.id for row in await index.list()] == ["s_2"]

    asyncio.run(work())
