"""A login that waits says nothing of its code."""

from __future__ import annotations

from interpose.engine.pending_login import PENDING, Bounds, PendingLogin


def test_the_digest_is_not_shown() -> None:
    login = PendingLogin("id", b"the digest", "zoe", "shop", "psql", "192.0.2.1", "192.0.2.1", 1.0, 2.0)
    assert "digest" not in repr(login)
    assert login.state == PENDING
    assert login.confirmation is None


def test_one_name_and_one_address_leave_room_for_others() -> None:
    bounds = Bounds()
    assert bounds.per_name <= bounds.per_address < bounds.total
