"""The token store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from interpose.engine.ports import TokenRecord
from interpose.model.errors import StoreError
from interpose.model.ids import TokenId
from interpose.model.principal import AuthenticationContext
from interpose.store.database import Database
from interpose.store.tokens import SqlTokens

ONE = TokenRecord(TokenId("t1"), "alice", 10.0, 99.5, None, "laptop")
TWO = TokenRecord(
    TokenId("t2"),
    "fixer",
    20.0,
    None,
    None,
    "",
    "alice",
    "nightly",
    None,
    "corporate",
    "sub-1",
    AuthenticationContext(15.0, frozenset({"pwd", "otp"}), "gold", True, "s-1"),
)


def test_tokens_are_found_by_digest_listed_and_revoked(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        tokens = SqlTokens(database)
        await tokens.add(b"1" * 32, ONE)
        await tokens.add(b"2" * 32, TWO)
        assert await tokens.find(b"1" * 32) == ONE
        assert await tokens.find(b"3" * 32) is None
        assert await tokens.all() == [TWO, ONE]
        for digest, record in ((b"1" * 32, TWO), (b"3" * 32, ONE)):
            with pytest.raises(StoreError):
                await tokens.add(digest, record)
        assert await tokens.revoke(TokenId("t1"), 50.0)
        assert await tokens.revoke(TokenId("t1"), 60.0)  # again: the first time counts
        assert not await tokens.revoke(TokenId("none"), 50.0)
        found = await tokens.find(b"1" * 32)
        assert found is not None
        assert found.revoked_at == 50.0
        assert await tokens.revoked_since(50.0) == ["t1"]
        assert await tokens.revoked_since(50.5) == []

    asyncio.run(work())
    database.close()


def test_what_was_got_with_a_token_is_revoked_with_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    child = TokenRecord(TokenId("c1"), "alice", 11.0, 99.0, None, "client certificate", parent=TokenId("t1"))

    async def work() -> None:
        tokens = SqlTokens(database)
        await tokens.add(b"1" * 32, ONE)
        await tokens.add(b"2" * 32, TWO)
        await tokens.add(b"3" * 32, child)
        assert await tokens.find(b"3" * 32) == child
        assert await tokens.revoke(TokenId("t1"), 50.0)
        assert await tokens.revoked_since(50.0) == ["c1", "t1"]
        assert await tokens.find(b"2" * 32) == TWO

    asyncio.run(work())
    database.close()
