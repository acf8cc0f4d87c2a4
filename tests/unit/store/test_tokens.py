"""The token store."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from interpose.engine.logins import EndedLogin
from interpose.engine.ports import TokenRecord
from interpose.model.errors import AuthenticationError, StoreError
from interpose.model.ids import ConnectionName, TokenId
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
    frozenset({ConnectionName("shop"), ConnectionName("open")}),
    TokenId("bots"),
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
        assert await tokens.ended_since(50.0) == [("t1", 50.0, True)]
        assert await tokens.ended_since(50.5) == []

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
        assert [each[0] for each in await tokens.ended_since(50.0)] == ["c1", "t1"]
        assert await tokens.find(b"2" * 32) == TWO

    asyncio.run(work())
    database.close()


def test_whatever_is_behind_a_token_revokes_it_however_far(tmp_path: Path) -> None:
    """A certificate that was got with a token that was got with a person's and an agent's."""
    database = Database(tmp_path / "state.db")

    def record(name: str, parent: str | None = None, actor: str | None = None) -> TokenRecord:
        return dataclasses.replace(
            ONE,
            id=TokenId(name),
            parent=None if parent is None else TokenId(parent),
            actor=None if actor is None else TokenId(actor),
        )

    async def work() -> None:
        tokens = SqlTokens(database)
        every = [
            record("bobs"),
            record("bots"),
            record("made", "bobs", "bots"),
            record("certificate", "made"),
            record("other", "bobs"),
            record("circle", "circle"),
        ]
        for each in every:
            await tokens.add(each.id.encode(), each)
        assert await tokens.revoke(TokenId("bots"), 50.0)
        assert {each[0] for each in await tokens.ended_since(0.0)} == {"bots", "made", "certificate"}
        assert await tokens.revoke(TokenId("bobs"), 60.0)
        assert {each[0] for each in await tokens.ended_since(55.0)} == {"bobs", "other"}, (
            "what was revoked keeps its first time"
        )
        assert await tokens.revoke(TokenId("circle"), 70.0)

    asyncio.run(work())
    database.close()


@pytest.mark.parametrize("behind", ["parent", "actor"])
def test_nothing_is_got_with_a_token_that_ended_meanwhile(tmp_path: Path, behind: str) -> None:
    one, other = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")

    def got(name: str, until: float | None, of: str) -> TokenRecord:
        return TokenRecord(TokenId(name), "alice", 11.0, until, None, "", **{behind: TokenId(of)})  # type: ignore[arg-type]

    async def work() -> None:
        tokens = SqlTokens(one)
        for name in ("t1", "t2", "t3"):
            await tokens.add(name.encode(), dataclasses.replace(ONE, id=TokenId(name)))
        await SqlTokens(other).revoke(TokenId("t1"), 50.0)
        await SqlTokens(other).shorten([TokenId("t2")], 60.0, 50.0)
        await tokens.add(b"a", got("a", 99.5, "t3"))
        await tokens.add(b"b", got("b", 60.4, "t2"))
        for each in (got("c", 99.0, "t1"), got("d", 99.0, "t2"), got("e", None, "t3")):
            with pytest.raises(AuthenticationError):
                await tokens.add(each.id.encode(), each)
        assert {each.id for each in await tokens.all()} == {"t1", "t2", "t3", "a", "b"}

    asyncio.run(work())
    one.close()
    other.close()


def test_a_login_that_is_over_takes_along_what_was_got_however_far_and_however_late(tmp_path: Path) -> None:
    """A provider says it late: what was got with the login's token since then comes from the same login."""
    database = Database(tmp_path / "state.db")

    def record(name: str, at: float, parent: str | None = None) -> TokenRecord:
        behind = None if parent is None else TokenId(parent)
        return dataclasses.replace(TWO, id=TokenId(name), created_at=at, parent=behind, actor=None)

    async def work() -> None:
        tokens = SqlTokens(database)
        for each in (record("login", 20.0), record("agents", 300.0, "login"), record("certificate", 310.0, "agents")):
            await tokens.add(each.id.encode(), each)
        await tokens.add(b"later", record("later", 320.0))
        assert await tokens.revoke_login("corporate", "sub-1", "s-1", 400.0, 100.0) == ["login"]
        assert {each[0] for each in await tokens.ended_since(400.0)} == {"login", "agents", "certificate"}

    asyncio.run(work())
    database.close()


def test_logins_that_are_over_are_remembered_for_every_process_and_not_for_ever(tmp_path: Path) -> None:
    one, other = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")

    async def work() -> None:
        store = SqlTokens(one)
        assert await store.logins_over_since(0.0) == []
        await store.revoke_login("corporate", "zoe-1", None, 100.0, 90.0)
        await store.revoke_login("corporate", None, "sid-1", 200.0, 200.0)
        found = await SqlTokens(other).logins_over_since(0.0)
        assert found == [(EndedLogin("corporate", "zoe-1"), 90.0), (EndedLogin("corporate", None, "sid-1"), 200.0)]
        assert await SqlTokens(other).logins_over_since(90.1) == found[1:]
        month = 41 * 86400.0
        await store.revoke_login("corporate", "yan-2", None, month, month)
        assert [login.subject for login, _ in await store.logins_over_since(0.0)] == ["yan-2"]

    asyncio.run(work())
    one.close()
    other.close()


def test_tokens_cut_short_take_what_was_got_with_them_along(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        tokens = SqlTokens(database)
        old = TokenRecord(TokenId("old"), "ci", 10.0, None, None)
        child = dataclasses.replace(old, id=TokenId("child"), parent=TokenId("old"), expires_at=900.0)
        grandchild = dataclasses.replace(
            old, id=TokenId("grandchild"), actor=TokenId("child"), principal="bot", expires_at=800.0
        )
        short = dataclasses.replace(old, id=TokenId("short"), parent=TokenId("old"), expires_at=60.0)
        revoked = dataclasses.replace(old, id=TokenId("revoked"), parent=TokenId("old"), revoked_at=20.0)
        other = dataclasses.replace(old, id=TokenId("other"))
        for each in (old, child, grandchild, short, revoked, other):
            await tokens.add(each.id.encode(), each)
        await tokens.shorten([TokenId("old")], 100.0, 50.0)
        ends = {each.id: each.expires_at for each in await tokens.all()}
        assert ends == {
            "old": 100.0, "child": 100.0, "grandchild": 100.0, "short": 60.0, "revoked": None, "other": None
        }  # fmt: skip
        told = {name: (end, revoked) for name, end, revoked in await tokens.ended_since(50.0)}
        assert told == {"old": (100.0, False), "child": (100.0, False), "grandchild": (100.0, False)}
        assert await tokens.ended_since(50.5) == []
        await tokens.shorten([TokenId("old")], 200.0, 70.0)
        assert {each.expires_at for each in await tokens.all()} == {100.0, 60.0, None}, "nothing lives longer"

    asyncio.run(work())
    database.close()
