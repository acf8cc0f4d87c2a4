"""Provisioned users and groups in the database."""

from __future__ import annotations

import asyncio
from pathlib import Path

from interpose.engine.provisioned import ProvisionedGroup, ProvisionedUser
from interpose.store.database import Database
from interpose.store.provisioning import SqlProvisioning

ZOE = ProvisionedUser("u1", "corporate", "Zoe@example.com", "sub-1", "Zoe", True, 1.0, 2.0)
YAN = ProvisionedUser("u2", "corporate", "yan@example.com", "sub-2", "", False, 1.0, 2.0)
SAME = ProvisionedUser("u1", "partner", "zoe@example.com", "sub-1")


def test_users_and_groups(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")

    async def work() -> None:
        store = SqlProvisioning(database)
        for user in (ZOE, YAN, SAME):
            await store.put_user(user)
        assert await store.users("corporate", {}, 0, 10) == (2, [ZOE, YAN])
        assert await store.users("corporate", {}, 1, 10) == (2, [YAN])
        assert await store.users("corporate", {}, 0, 0) == (2, [])
        # Names have no case, subjects have.
        assert await store.users("corporate", {"user_name": "zoe@EXAMPLE.com"}) == (1, [ZOE])
        assert await store.users("corporate", {"user_name": "zoe@example.com", "exact": True}) == (0, [])
        assert await store.users("corporate", {"external_id": "SUB-1"}) == (0, [])
        assert await store.users("corporate", {"active": False}, 0, 5) == (1, [YAN])
        assert await store.users("partner", {"external_id": "sub-1"}) == (1, [SAME])
        group = ProvisionedGroup("g1", "corporate", "DBA", "x", frozenset({"u1", "u2"}), 1.0, 2.0)
        other = ProvisionedGroup("g1", "partner", "DBA", "", frozenset({"u1"}))
        for each in (group, other):
            await store.put_group(each)
        assert await store.groups("corporate", {"display_name": "dba"}) == (1, [group])
        assert await store.groups("corporate", {"member": "u2"}) == (1, [group])
        assert await store.groups("partner", {"member": "u2"}) == (0, [])
        assert await store.group_names("corporate", "u1") == ["DBA"]
        assert await store.delete_user("corporate", "u2")
        assert not await store.delete_user("corporate", "u2")
        assert (await store.groups("corporate", {}))[1][0].members == {"u1"}
        assert await store.delete_group("corporate", "g1")
        assert not await store.delete_group("corporate", "g1")
        assert await store.group_names("corporate", "u1") == []
        assert await store.groups("partner", {}) == (1, [other])

    asyncio.run(work())
    database.close()
