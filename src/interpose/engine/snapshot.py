"""The snapshot: configuration, policy and principals at one version, immutable, swapped as one reference.

Knows what a judgement may read; does not know how any of it was loaded or checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from interpose.engine.limits import Limits
from interpose.engine.ports import PrincipalSource
from interpose.model.actions import Action
from interpose.model.analysis import FactValue
from interpose.model.connection import Connection
from interpose.model.ids import ConnectionName, SnapshotDigest
from interpose.model.principal import Principal
from interpose.policy.acting import Judge


class Policy(Judge, Protocol):
    """What the engine asks of policy: pure, and the answer depends on the arguments only."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over policies and classifications."""
        ...

    @property
    def timed(self) -> frozenset[Action]:
        """The actions about which a policy looks at the time: decisions about them are good for one second."""
        ...

    @property
    def facts_used(self) -> frozenset[str] | None:
        """The facts that any policy looks at; None for all of them."""
        ...

    def may_act_for(self, principal: Principal, person: Principal, facts: Mapping[str, FactValue], now: float) -> bool:
        """Whether this principal may act for this person."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything that a judgement reads. INVARIANT: a judgement reads the holder once and then only this value."""

    connections: Mapping[ConnectionName, Connection]
    policy: Policy
    principals: PrincipalSource
    limits: Limits
    digest: SnapshotDigest


class SnapshotHolder:
    """The one reference that a reload swaps. Reading `current` is one attribute read."""

    __slots__ = ("_listeners", "current")

    def __init__(self, first: Snapshot) -> None:
        """Begin with a snapshot: there is no gateway without one."""
        self.current = first
        self._listeners: list[Callable[[Snapshot, Snapshot], None]] = []

    def listen(self, listener: Callable[[Snapshot, Snapshot], None]) -> None:
        """Call `listener(old, new)` after every swap, in the order of registration."""
        self._listeners.append(listener)

    def swap(self, new: Snapshot) -> None:
        """Put a new snapshot in place; the next command of every session meets it."""
        old, self.current = self.current, new
        for listener in self._listeners:
            listener(old, new)
