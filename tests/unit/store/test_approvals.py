"""The approval store keeps everything, forgets texts, and does once what may be done once."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.engine.callers import CallerProof, Vote
from interpose.engine.ports import Approval
from interpose.model.decisions import ApprovalRule
from interpose.model.errors import StoreError
from interpose.model.ids import ApprovalId, ConnectionName, PolicyId, SessionId, SnapshotDigest
from interpose.model.principal import AuthenticationContext, Principal, PrincipalKind
from interpose.store.approvals import SqlApprovals
from interpose.store.database import Database

REQUESTER = Principal(
    PrincipalKind.AGENT,
    "fixer",
    frozenset({"agents", "night"}),
    {"team": "orders", "level": 3, "trusted": True, "tags": ("a", "b")},
    "alice",
    "clean up",
)
APPROVAL = Approval(
    ApprovalId("ap-1"),
    SessionId("s_1"),
    REQUESTER,
    ConnectionName("shop"),
    "UPDATE orders SET note = 'canary-51ab'",
    "d" * 64,
    (ApprovalRule(PolicyId("hold"), "dba", 2, 60.5, "because"), ApprovalRule(PolicyId("other"), "sec")),
    "needs approval",
    SnapshotDigest("e" * 64),
    100.25,
    160.75,
    facts=(("actions", "update"),),
)


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """Two processes that have the same file open."""
    both = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")
    yield both
    for database in both:
        database.close()


def test_what_is_stored_is_what_is_found(databases: tuple[Database, Database]) -> None:
    async def work() -> None:
        one, other = map(SqlApprovals, databases)
        await one.create(APPROVAL)
        assert await other.get(APPROVAL.id) == APPROVAL
        later = dataclasses.replace(APPROVAL, id=ApprovalId("ap-0"), created_at=200.0)
        await other.create(later)
        assert await one.pending() == [APPROVAL, later]
        assert await one.get(ApprovalId("ap-none")) is None
        with pytest.raises(StoreError):
            await one.create(APPROVAL)

    asyncio.run(work())


def test_votes_are_kept_in_order_and_count_once(databases: tuple[Database, Database]) -> None:
    async def work() -> None:
        one, other = map(SqlApprovals, databases)
        await one.create(APPROVAL)
        context = AuthenticationContext(90.0, frozenset({"pwd", "otp"}), "high", mfa=True, session="sid")
        bob = Vote("bob", True, 101.0, "fine", CallerProof("token", "192.0.2.7", context, "corporate", "sub-1"))
        carol = Vote("carol", False, 102.0)
        await other.vote(APPROVAL.id, bob)
        with pytest.raises(StoreError, match="voted"):
            await one.vote(APPROVAL.id, Vote("bob", False, 103.0))
        assert (await one.vote(APPROVAL.id, carol)).votes == (bob, carol)
        await one.close(APPROVAL.id, "pending", "denied")
        with pytest.raises(StoreError, match="denied"):
            await one.vote(APPROVAL.id, Vote("dave", True, 104.0))
        with pytest.raises(StoreError, match="gone"):
            await one.vote(ApprovalId("ap-none"), bob)

    asyncio.run(work())


def test_a_state_moves_only_from_where_it_is_and_takes_the_text_along(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    async def work() -> None:
        one, other = map(SqlApprovals, databases)
        await one.create(APPROVAL)
        assert not await one.close(APPROVAL.id, "approved", "used")
        assert await other.close(APPROVAL.id, "pending", "approved")
        assert not await one.close(APPROVAL.id, "pending", "expired")
        found = await one.get(APPROVAL.id)
        assert found is not None
        assert (found.state, found.text) == ("approved", "")
        assert await one.pending() == []

    asyncio.run(work())
    for database in databases:
        database.close()
    assert b"canary-51ab" not in (tmp_path / "state.db").read_bytes()


def test_of_many_who_use_an_approval_at_once_one_does(databases: tuple[Database, Database]) -> None:
    async def work() -> None:
        stores = [SqlApprovals(database) for database in databases]
        await stores[0].create(APPROVAL)
        await stores[0].close(APPROVAL.id, "pending", "approved")
        used = await asyncio.gather(*(stores[n % 2].close(APPROVAL.id, "approved", "used") for n in range(20)))
        assert sum(used) == 1
        votes = await asyncio.gather(
            *(stores[n % 2].vote(APPROVAL.id, Vote("bob", True, 1.0)) for n in range(4)), return_exceptions=True
        )
        assert all(isinstance(vote, StoreError) for vote in votes)

    asyncio.run(work())
