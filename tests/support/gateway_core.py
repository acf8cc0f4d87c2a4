"""The whole engine on ports in memory: what a test of the engine begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from interpose.engine.admit import Admission, Admitted
from interpose.engine.approvals import Approvals
from interpose.engine.catalogs import Catalogs
from interpose.engine.gate import Gate
from interpose.engine.limits import Limits
from interpose.engine.ports import Clock
from interpose.engine.release import Release
from interpose.engine.sessions import Session, SessionRegistry
from interpose.engine.snapshot import Snapshot, SnapshotHolder
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, NeedsCatalog
from interpose.model.catalog import CatalogView
from interpose.model.command import Command
from interpose.model.connection import Connection
from interpose.model.decisions import ApprovalRule
from interpose.model.ids import PolicyId
from interpose.model.principal import Identity, Principal
from interpose.model.refusal import HoldNotice
from interpose.protocols.intents import Answer, Evidence
from tests.support.memory import (
    DIGEST,
    CountingIds,
    MemoryApprovals,
    MemoryAudit,
    MemoryBus,
    MemoryCatalog,
    MemoryIndex,
    MemoryNotifier,
    MemoryPrincipals,
    MemoryRecordings,
    MemoryUpstream,
    Rules,
    TableAnalyst,
    analysis,
    connection,
    person,
)
from tests.support.virtual import VirtualClock

TABLE: Mapping[str, Analysis] = {
    "select": analysis(Action.SELECT),
    "select ?": analysis(Action.SELECT),
    "update": analysis(Action.UPDATE),
    "drop": analysis(Action.DROP),
}
"""What the stand-in for analysis understands by default."""

UPDATE_RULE = ApprovalRule(PolicyId("hold-update"), "dba", 1, 60.0, "updates need a second pair of eyes")


class Core:
    """One gateway's engine. `alice` asks, `bob` and `carol` are in `dba`; policy permits SELECT and holds UPDATE."""

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        table: Mapping[str, Analysis | Callable[[CatalogView], Analysis | NeedsCatalog]] | None = None,
        connections: tuple[Connection, ...] = (),
        limits: Limits | None = None,
        clock: Clock | None = None,
        store: MemoryApprovals | None = None,
        upstream: MemoryUpstream | None = None,
    ) -> None:
        self.rules = rules or Rules({Action.CONNECT, Action.SELECT}, {Action.UPDATE: UPDATE_RULE})
        self.people = MemoryPrincipals(
            person("alice", "dev"), person("bob", "dba"), person("carol", "dba"), person("dave", "dev", "sec")
        )
        self.connections = {made.name: made for made in connections or (connection(),)}
        self.limits = limits or Limits()
        self.holder = SnapshotHolder(self.snapshot())
        self.clock = clock or VirtualClock()
        self.ids = CountingIds()
        self.audit = MemoryAudit()
        self.recordings = MemoryRecordings()
        self.index = MemoryIndex()
        self.registry = SessionRegistry()
        self.store = store or MemoryApprovals()
        self.notifier = MemoryNotifier()
        self.bus = MemoryBus()
        self.upstream = upstream or MemoryUpstream()
        self.analyst = TableAnalyst(table or TABLE)
        self.catalogs = Catalogs(self.upstream, MemoryCatalog)
        self.admission = Admission(
            self.holder, self.registry, self.recordings, self.audit, self.index, self.clock, self.ids
        )
        self.approvals = Approvals(self.store, self.holder, self.audit, self.notifier, self.bus, self.clock, self.ids)
        self.gate = Gate(self.holder, {"table": self.analyst}, self.catalogs, self.approvals, self.audit, self.clock)
        self.release = Release(self.catalogs, b"k" * 32)
        self.notices: list[HoldNotice] = []
        self._hold_seen = asyncio.Event()

    def snapshot(self, rules: Rules | None = None) -> Snapshot:
        """A snapshot of what the test has set up."""
        return Snapshot(dict(self.connections), rules or self.rules, self.people, self.limits, DIGEST)

    def swap(self, rules: Rules | None = None) -> None:
        """Reload."""
        self.rules = rules or self.rules
        self.holder.swap(self.snapshot())

    async def session(self, name: str = "alice", on: str = "shop", principal: Principal | None = None) -> Session:
        """An admitted session."""
        who = principal or self.people.by_name[name]
        admitted = await self.admission.admit(
            Identity(who, "token"), Evidence(who.name, on, "t", {"application_name": "psql"}), "192.0.2.1"
        )
        assert isinstance(admitted, Admitted), admitted
        return admitted.session

    def holding(self, session: Session, command: Command) -> asyncio.Task[Answer]:
        """A command that is judged in a task of its own."""
        return asyncio.ensure_future(self.gate.judge(session, command, self._told))

    def _told(self, notice: HoldNotice) -> None:
        self.notices.append(notice)
        self._hold_seen.set()

    async def held(self, session: Session, command: Command) -> asyncio.Task[Answer]:
        """The same, once the client was told that it waits."""
        self._hold_seen = asyncio.Event()
        task = self.holding(session, command)
        seen = asyncio.ensure_future(self._hold_seen.wait())
        await asyncio.wait({task, seen}, return_when=asyncio.FIRST_COMPLETED)
        seen.cancel()
        return task
