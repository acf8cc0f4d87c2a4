"""The table of logins that wait: bounds and states hold over all processes."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from interpose.engine.pending_login import Bounds, Confirmation, PendingLogin
from interpose.model.errors import StoreError
from interpose.model.principal import AuthenticationContext
from interpose.store.database import Database
from interpose.store.pending_logins import SqlPendingLogins

CONTEXT = AuthenticationContext(50.0, frozenset({"pwd", "otp"}), "2", True, "sid-1")
ZOE = PendingLogin("id1", b"digest1", "zoe", "shop", "psql", "192.0.2.9", "192.0.2.9", 100.0, 220.0)
BY_ZOE = Confirmation("zoe", "corporate", "oidc", "https://idp.example", "sub-1", 9000.0, "198.51.100.4", CONTEXT)


def another(number: int, **more: object) -> PendingLogin:
    return dataclasses.replace(ZOE, id=f"id{number}", digest=b"digest%d" % number, **more)  # type: ignore[arg-type]


def test_a_login_is_answered_once_in_its_time(tmp_path: Path) -> None:
    first, second = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")

    async def work() -> None:
        store, other = SqlPendingLogins(first), SqlPendingLogins(second)
        assert await store.create(ZOE, Bounds())
        assert await other.get("id1") == await other.find(b"digest1") == ZOE
        assert await other.find(b"") is None
        assert not await other.answer("id1", "approved", BY_ZOE, 220.0)
        answers = await asyncio.gather(
            *(each.answer("id1", "approved", BY_ZOE, 219.0) for each in (store, other, store, other))
        )
        assert sorted(answers) == [False, False, False, True]
        found = await store.get("id1")
        assert found == dataclasses.replace(ZOE, state="approved", confirmation=BY_ZOE)
        used = await asyncio.gather(*(each.move("id1", "approved", "used") for each in (store, other, store)))
        assert sorted(used) == [False, False, True]
        assert not await store.move("id1", "pending", "expired")

    asyncio.run(work())
    first.close()
    second.close()


def test_no_two_logins_have_one_code(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        store = SqlPendingLogins(database)
        assert await store.create(ZOE, Bounds())
        with pytest.raises(StoreError):
            await store.create(dataclasses.replace(ZOE, id="id2", claimed_name="yan"), Bounds())
        assert await store.find(ZOE.digest) == ZOE

    asyncio.run(work())
    database.close()


def test_room_is_counted_over_all_processes(tmp_path: Path) -> None:
    first, second = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")

    async def work() -> None:
        store, other = SqlPendingLogins(first), SqlPendingLogins(second)
        bounds = Bounds(total=4, per_address=3, per_name=2)
        taken = await asyncio.gather(*((store, other)[n % 2].create(another(n), bounds) for n in range(6)))
        assert sorted(taken) == [False] * 4 + [True] * 2, "two of one name"
        assert await store.create(another(10, claimed_name="yan"), bounds)
        assert not await other.create(another(11, claimed_name="bea"), bounds), "three of one address"
        assert await store.create(another(12, claimed_name="bea", group="192.0.2.10"), bounds)
        assert not await other.create(another(13, claimed_name="eve", group="192.0.2.11"), bounds), "four in all"
        # Who is answered or over makes room.
        assert await store.move("id12", "pending", "client_left")
        assert await store.create(another(14, claimed_name="eve", group="192.0.2.11"), bounds)
        late = another(20, opened_at=300.0, expires_at=420.0)
        assert await store.create(late, bounds)
        # What is long over is forgotten.
        assert await store.create(another(21, opened_at=1000.0, expires_at=1120.0), bounds)
        assert await store.get("id10") is None
        assert await store.get("id20") is not None

    asyncio.run(work())
    first.close()
    second.close()
