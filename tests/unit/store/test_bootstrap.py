"""The store of bootstrap tokens: the first is made once whatever starts at the same time, and each is used once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from interpose.engine.bootstrap import BootstrapRecord
from interpose.engine.ports import TokenRecord
from interpose.model.ids import TokenId
from interpose.store.bootstrap import SqlBootstrap
from interpose.store.database import Database
from interpose.store.tokens import SqlTokens


def record(name: str, at: float = 10.0) -> BootstrapRecord:
    """One that is good for an hour."""
    return BootstrapRecord(name, at, at + 3600)


def test_the_first_is_made_once_and_used_once(tmp_path: Path) -> None:
    one, other = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")

    async def work() -> None:
        stores = SqlBootstrap(one), SqlBootstrap(other)
        assert await stores[0].untouched()
        made = await asyncio.gather(*(store.first(bytes([n]), record(f"b{n}")) for n, store in enumerate(stores)))
        assert sorted(made) == [False, True]
        assert not await stores[1].untouched()
        (kept,) = [each for n in (0, 1) if (each := await stores[0].find(bytes([n]))) is not None]
        used = await asyncio.gather(*(store.use(kept.id, 20.0) for store in stores))
        assert sorted(used) == [False, True]
        assert not await stores[0].use("unknown", 20.0)

    asyncio.run(work())
    one.close()
    other.close()


def test_where_there_is_an_access_token_there_is_no_first(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        await SqlTokens(database).add(b"t", TokenRecord(TokenId("t1"), "alice", 1.0, None, None))
        store = SqlBootstrap(database)
        assert not await store.untouched()
        assert not await store.first(b"d", record("b1"))
        assert await store.find(b"d") is None

    asyncio.run(work())
    database.close()


def test_a_new_one_ends_those_before(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        store = SqlBootstrap(database)
        await store.first(b"1", record("b1"))
        await store.replace(b"2", record("b2", 50.0))
        assert await store.find(b"1") == BootstrapRecord("b1", 10.0, 3610.0, 50.0)
        assert await store.find(b"2") == record("b2", 50.0)

    asyncio.run(work())
    database.close()
