"""Swapping snapshots."""

from __future__ import annotations

from interpose.engine.limits import Limits
from interpose.engine.snapshot import Snapshot, SnapshotHolder
from tests.support.memory import DIGEST, MemoryPrincipals, Rules


def _snapshot() -> Snapshot:
    return Snapshot({}, Rules(), MemoryPrincipals(), Limits(), DIGEST)


def test_a_swap_is_seen_at_once_and_told_in_order() -> None:
    first, second = _snapshot(), _snapshot()
    holder = SnapshotHolder(first)
    told: list[tuple[int, Snapshot, Snapshot]] = []
    holder.listen(lambda old, new: told.append((1, old, new)))
    holder.listen(lambda old, new: told.append((2, old, new)))
    holder.swap(second)
    assert holder.current is second
    assert told == [(1, first, second), (2, first, second)]
