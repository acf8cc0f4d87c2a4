"""The engine's ports in memory, and small stand-ins for policy and analysis, for tests of the engine.

The stand-ins are as strict as the real ones: the approval store changes states only from the state that is expected, the audit chain
can be told to fail, policy refuses what it was not told to permit.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from interpose.engine.callers import Vote
from interpose.engine.logins import EndedLogin
from interpose.engine.ports import Approval, DirectoryEntry, SessionHeader, SessionRow, TokenRecord
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, FactValue, NeedsCatalog, StatementInfo, Unanalysable
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.catalog import Behind, CatalogNames, CatalogPage, CatalogView, Lookup, Relation, Routine
from interpose.model.command import Command, CommandKind, SqlContext
from interpose.model.connection import Address, Connection
from interpose.model.decisions import ApprovalRule, Decision, Forbidden, Held, Permitted
from interpose.model.errors import AuthenticationError, RecordingError, StoreError, UpstreamError
from interpose.model.ids import ApprovalId, ConnectionName, PolicyId, SessionId, SnapshotDigest, TokenId
from interpose.model.masks import NOTHING_HIDDEN, RevealTable
from interpose.model.principal import Principal, PrincipalKind
from interpose.recording.channel_frames import StreamName

DIGEST = SnapshotDigest("d" * 64)
CONTEXT = SqlContext(("pg_catalog", "public"), 17)


class ManualClock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class CountingIds:
    """Ids that count, and bytes that are different each time and the same in every run."""

    def __init__(self) -> None:
        self.count = 0

    def session(self) -> SessionId:
        self.count += 1
        return SessionId(f"s_{self.count:06}")

    def approval(self) -> ApprovalId:
        self.count += 1
        return ApprovalId(f"ap-{self.count:06}")

    def secret_bytes(self, count: int) -> bytes:
        self.count += 1
        return hashlib.shake_128(str(self.count).encode()).digest(count)


class MemoryAudit:
    """The audit chain; `fails` decides for each event whether it can be written."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.synced = 0
        self.fails: Callable[[AuditEvent], bool] = lambda _: False
        self.sync_fails = False

    def append(self, event: AuditEvent) -> int:
        if self.fails(event):
            raise RecordingError("the audit chain cannot be written")
        self.events.append(event)
        return len(self.events)

    async def sync(self) -> None:
        await asyncio.sleep(0)
        if self.sync_fails:
            raise RecordingError("the audit chain cannot be synced")
        self.synced = len(self.events)

    def of(self, kind: AuditKind) -> list[AuditEvent]:
        """All events of this kind."""
        return [event for event in self.events if event.kind is kind]


class MemoryRecorder:
    """One recording."""

    def __init__(self, header: SessionHeader) -> None:
        self.header = header
        self.commands: list[tuple[int, str, str, tuple[bytes | None, ...], str]] = []
        self.notes: list[tuple[str, str]] = []
        self.ends: list[tuple[int, str, str, str, int]] = []
        self.channels: list[tuple[int, int, str, str]] = []
        self.streams: dict[tuple[int, StreamName], bytes] = {}
        self.windows: list[tuple[int, int, int]] = []
        self.statuses: dict[int, int | None] = {}
        self.closed: list[str] = []
        self.fails = False

    def _check(self) -> None:
        if self.fails:
            raise RecordingError("the recording cannot be written")

    def command(self, sequence: int, kind: str, text: str, parameters: tuple[bytes | None, ...], decision: str) -> None:
        self._check()
        self.commands.append((sequence, kind, text, parameters, decision))

    def delivered(self, sequence: int, data: bytes) -> None:
        self._check()

    def channel_opened(self, channel: int, sequence: int, kind: str, term: str = "") -> None:
        self._check()
        self.channels.append((channel, sequence, kind, term))

    def stream(self, channel: int, stream: StreamName, data: bytes) -> None:
        self._check()
        key = (channel, stream)
        self.streams[key] = self.streams.get(key, b"") + data

    def window(self, channel: int, columns: int, rows: int) -> None:
        self._check()
        self.windows.append((channel, columns, rows))

    def channel_closed(self, channel: int, status: int | None = None) -> None:
        self._check()
        self.statuses[channel] = status

    def note(self, kind: str, text: str) -> None:
        self._check()
        self.notes.append((kind, text))

    def ended(self, sequence: int, outcome: str, tag: str, error_class: str, rows: int) -> None:
        self._check()
        self.ends.append((sequence, outcome, tag, error_class, rows))

    def close(self, reason: str) -> None:
        self.closed.append(reason)
        self._check()


class MemoryRecordings:
    """All recordings."""

    def __init__(self) -> None:
        self.made: list[MemoryRecorder] = []
        self.fails = False

    def open(self, header: SessionHeader) -> MemoryRecorder:
        if self.fails:
            raise RecordingError("no recording can be made")
        recorder = MemoryRecorder(header)
        self.made.append(recorder)
        return recorder


class MemoryIndex:
    """The index of sessions."""

    def __init__(self) -> None:
        self.rows: dict[SessionId, SessionRow] = {}
        self.closings: list[tuple[SessionId, str, int, int]] = []

    def opened(self, row: SessionRow) -> None:
        self.rows[row.id] = row

    def closed(self, session: SessionId, at: float, reason: str, commands: int, refused: int) -> None:
        self.closings.append((session, reason, commands, refused))


class MemoryApprovals:
    """The approval store. `delay` waits before and after each change, so that others come in between; `down` fails everything."""

    def __init__(self) -> None:
        self.stored: dict[ApprovalId, Approval] = {}
        self.moves: list[tuple[ApprovalId, str, str]] = []
        self.down = False
        self.delays: list[float] = []

    async def _work(self) -> None:
        await asyncio.sleep(self.delays.pop() if self.delays else 0)
        if self.down:
            raise StoreError("the store is down")

    async def create(self, approval: Approval) -> None:
        await self._work()
        if approval.id in self.stored:
            raise StoreError("taken")
        self.stored[approval.id] = approval

    async def get(self, approval: ApprovalId) -> Approval | None:
        await self._work()
        return self.stored.get(approval)

    async def pending(self) -> Sequence[Approval]:
        await self._work()
        return [approval for approval in self.stored.values() if approval.state == "pending"]

    async def vote(self, approval: ApprovalId, vote: Vote) -> Approval:
        await self._work()
        stored = self.stored[approval]
        if stored.state != "pending" or any(cast.principal == vote.principal for cast in stored.votes):
            raise StoreError("this vote cannot be counted")
        self.stored[approval] = dataclasses.replace(stored, votes=(*stored.votes, vote))
        voted = self.stored[approval]
        await asyncio.sleep(self.delays.pop() if self.delays else 0)
        return voted

    async def close(self, approval: ApprovalId, expected: str, state: str) -> bool:
        await self._work()
        stored = self.stored.get(approval)
        if stored is None or stored.state != expected:
            return False
        self.stored[approval] = dataclasses.replace(stored, state=state, text="")
        self.moves.append((approval, expected, state))
        await asyncio.sleep(self.delays.pop() if self.delays else 0)
        return True


class MemoryTokens:
    """The token store."""

    def __init__(self) -> None:
        self.stored: dict[bytes, TokenRecord] = {}
        self.shortened: dict[TokenId, float] = {}
        self.looked: list[bytes] = []
        self.over: list[tuple[EndedLogin, float]] = []
        self.down = False

    async def find(self, digest: bytes) -> TokenRecord | None:
        if self.down:
            raise StoreError("the store is down")
        self.looked.append(digest)
        return self.stored.get(digest)

    async def add(self, digest: bytes, record: TokenRecord) -> None:
        if self.down:
            raise StoreError("the store is down")
        behind = [each for each in self.stored.values() if each.id in (record.parent, record.actor)]
        if any(each.revoked_at is not None for each in behind):
            raise AuthenticationError("authentication failed", detail="token_revoked")
        self.stored[digest] = record

    async def all(self) -> Sequence[TokenRecord]:
        return sorted(self.stored.values(), key=lambda record: -record.created_at)

    async def revoke(self, token: TokenId, at: float) -> bool:
        found = False
        for digest, record in list(self.stored.items()):
            if token in (record.id, record.parent, record.actor):
                self.stored[digest] = dataclasses.replace(record, revoked_at=record.revoked_at or at)
                found = True
                if record.id != token:
                    await self.revoke(record.id, at)
        return found

    async def revoke_login(
        self, provider: str, subject: str | None, session: str | None, at: float, before: float
    ) -> Sequence[TokenId]:
        found = []
        self.over.append((EndedLogin(provider, subject, session), before))
        for record in list(self.stored.values()):
            same = record.provider == provider and subject in (None, record.subject)
            if same and session in (None, record.context.session) and record.created_at <= before:
                if record.revoked_at is None:
                    found.append(record.id)
                await self.revoke(record.id, at)
        return found

    async def shorten(self, tokens: Collection[TokenId], until: float, at: float) -> None:
        for digest, record in list(self.stored.items()):
            if record.id in tokens and (record.expires_at is None or record.expires_at > until):
                self.stored[digest] = dataclasses.replace(record, expires_at=until)
                self.shortened[record.id] = at

    async def ended_since(self, at: float) -> Sequence[tuple[TokenId, float, bool]]:
        if self.down:
            raise StoreError("the store is down")
        found = []
        for each in self.stored.values():
            if each.revoked_at is not None and each.revoked_at >= at:
                found.append((each.id, each.revoked_at, True))
            elif each.revoked_at is None and each.expires_at is not None and self.shortened.get(each.id, -1.0) >= at:
                found.append((each.id, each.expires_at, False))
        return found

    async def logins_over_since(self, at: float) -> Sequence[tuple[EndedLogin, float]]:
        if self.down:
            raise StoreError("the store is down")
        return [(login, until) for login, until in self.over if until >= at]


class MemoryNotifier:
    """Who was told."""

    def __init__(self) -> None:
        self.opened: list[Approval] = []
        self.closed: list[Approval] = []

    def approval_opened(self, approval: Approval) -> None:
        self.opened.append(approval)

    def approval_closed(self, approval: Approval) -> None:
        self.closed.append(approval)


class MemoryBus:
    """Wake-ups; `deaf` loses all of them."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str]] = []
        self.deaf = False
        self._queues: list[tuple[str, asyncio.Queue[str]]] = []

    def publish(self, topic: str, payload: str) -> None:
        self.published.append((topic, payload))
        for wanted, queue in self._queues:
            if wanted == topic and not self.deaf:
                queue.put_nowait(payload)

    async def listen(self, topic: str) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.append((topic, queue))
        while True:
            yield await queue.get()


class MemoryPrincipals:
    """Who exists."""

    def __init__(self, *principals: Principal) -> None:
        self.by_name = {principal.name: principal for principal in principals}
        self.holders: dict[str, tuple[str, str]] = {}

    def vouched(self, name: str) -> tuple[str, str] | None:
        return self.holders.get(name)

    def find(self, name: str) -> Principal | None:
        return self.by_name.get(name)

    def reserves(self, name: str) -> bool:
        return name in self.by_name


class MemoryDirectory:
    """Directory entries with the time at which they were put."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[float, DirectoryEntry]] = {}
        self.down = False

    async def get(self, name: str) -> DirectoryEntry | None:
        self._answer()
        found = self.entries.get(name)
        return None if found is None else found[1]

    async def changed_since(self, at: float) -> Sequence[DirectoryEntry]:
        self._answer()
        return [entry for put, entry in self.entries.values() if put >= at]

    async def put(self, entry: DirectoryEntry, at: float) -> None:
        self._answer()
        self.entries[entry.principal.name] = (at, entry)

    async def put_learned(self, entry: DirectoryEntry, at: float) -> bool:
        found = await self.get(entry.principal.name)
        whose = None if found is None else (found.provider, found.subject)
        if found is not None and (found.disabled or whose not in ((entry.provider, entry.subject), ("", ""))):
            return False
        await self.put(entry, at)
        return True

    def _answer(self) -> None:
        if self.down:
            raise StoreError("the directory is down")


@dataclass
class Rules:
    """A policy that permits the actions it is told to, holds others, and refuses the rest. Counts what it is asked."""

    permits: set[Action] = field(default_factory=set)
    holds: dict[Action, ApprovalRule] = field(default_factory=dict)
    reveal: RevealTable = NOTHING_HIDDEN
    approvers: Callable[[Principal], bool] = lambda _: True
    timed: frozenset[Action] = frozenset()
    facts_used: frozenset[str] | None = frozenset()
    acts: set[tuple[str, str]] = field(default_factory=set)
    judged: int = 0
    tables: int = 0
    seen: list[tuple[Mapping[str, FactValue], float]] = field(default_factory=list)
    digest: str = DIGEST
    refuse: Callable[[Principal, tuple[Effect, ...], Mapping[str, FactValue], float], bool] = lambda *_: False
    refuse_approval: Callable[[Mapping[str, FactValue], float], bool] = lambda *_: False

    def judge(
        self,
        principal: Principal,
        connection: Connection,
        effects: tuple[Effect, ...],
        facts: Mapping[str, FactValue],
        now: float,
        *,
        lifted: frozenset[PolicyId] = frozenset(),
    ) -> Decision:
        self.judged += 1
        self.seen.append((dict(facts), now))
        digest = SnapshotDigest(self.digest)
        if self.refuse(principal, effects, facts, now):
            return Forbidden((PolicyId("refuse"),), digest, "forbidden", "this is refused")
        rules = []
        for effect in effects:
            rule = self.holds.get(effect.action)
            if rule is not None and rule.policy not in lifted:
                rules.append(rule)
            elif effect.action not in self.permits and rule is None:
                return Forbidden((), digest, "not_permitted", f"nothing permits `{effect.action.value}`")
        if rules:
            return Held(tuple(rule.policy for rule in rules), digest, tuple(dict.fromkeys(rules)), "needs approval")
        return Permitted((PolicyId("allow"),), digest, lifted=tuple(sorted(lifted)))

    def decide(
        self,
        principal: Principal,
        action: Action,
        connection: Connection | None,
        facts: Mapping[str, FactValue],
        now: float,
    ) -> Decision:
        digest = SnapshotDigest(self.digest)
        if action is not Action.APPROVE or not self.approvers(principal):
            return Forbidden((), digest, "not_permitted", f"nothing permits `{action.value}`")
        if self.refuse_approval(facts, now):
            return Forbidden((PolicyId("fresh"),), digest, "forbidden", "not fresh enough", "log in again")
        return Permitted((PolicyId("allow"),), digest)

    def reveal_table(
        self, principal: Principal, connection: Connection, facts: Mapping[str, FactValue], now: float
    ) -> RevealTable:
        self.tables += 1
        return self.reveal

    def may_act_for(self, principal: Principal, person: Principal, facts: Mapping[str, FactValue], now: float) -> bool:
        self.seen.append((dict(facts), now))
        return (principal.name, person.name) in self.acts

    def hidden_from_either(self, one: RevealTable, other: RevealTable) -> RevealTable:
        return RevealTable(
            {**other.columns, **one.columns}, {**other.content, **one.content}, one.strict | other.strict
        )


class MemoryCatalog:
    """A learned catalog of relations by name and oid."""

    def __init__(self) -> None:
        self.version = 1
        self.relations: dict[tuple[str | None, str], Relation | Lookup] = {}
        self.oids: dict[int, Relation | Lookup] = {}
        self.forgotten = 0

    def relation(self, schema: str | None, name: str, path: tuple[str, ...]) -> Relation | Lookup:
        return self.relations.get((schema, name), Lookup.NOT_CACHED)

    def relation_by_oid(self, oid: int) -> Relation | Lookup:
        return self.oids.get(oid, Lookup.NOT_CACHED)

    def routine(self, schema: str | None, name: str, path: tuple[str, ...]) -> Routine | Lookup:
        return Lookup.NOT_CACHED

    def behind(
        self, kind: Behind, schema: str | None, name: str, path: tuple[str, ...]
    ) -> tuple[Routine, ...] | Lookup:
        """Only PostgreSQL's own."""
        return ()

    def schema(self, name: str, role: str = "") -> bool | Lookup:
        """Every schema exists."""
        return True

    def absorb(self, page: CatalogPage) -> None:
        for pair in page.asked.relations:
            self.relations.setdefault(pair, Lookup.NOT_FOUND)
        for oid in page.asked.oids:
            self.oids.setdefault(oid, Lookup.NOT_FOUND)
        for relation in page.relations:
            self.relations[(relation.schema, relation.name)] = self.oids[relation.oid] = relation

    def forget(self) -> None:
        self.version += 1
        self.forgotten += 1
        self.relations.clear()
        self.oids.clear()


class MemoryUpstream:
    """Catalog lookups at an upstream that has these relations."""

    def __init__(self, *relations: Relation) -> None:
        self.relations = list(relations)
        self.asked: list[CatalogNames] = []
        self.down = False
        self.print = "1"

    async def lookup(self, connection: Connection, names: CatalogNames, path: tuple[str, ...]) -> CatalogPage:
        self.asked.append(names)
        await asyncio.sleep(0.01)
        if self.down:
            raise UpstreamError("the upstream is down")
        found = tuple(
            relation
            for relation in self.relations
            if relation.oid in names.oids
            or (relation.schema, relation.name) in names.relations
            or (None, relation.name) in names.relations
        )
        return CatalogPage(names, path, found)

    async def fingerprint(self, connection: Connection) -> str:
        await asyncio.sleep(0)
        if self.down:
            raise UpstreamError("the upstream is down")
        return self.print


class TableAnalyst:
    """Analyses by a table of texts; a text that is not in it is a syntax error. Shapes replace digits by `?`."""

    def __init__(self, table: Mapping[str, Analysis | Callable[[CatalogView], Analysis | NeedsCatalog]]) -> None:
        self.table = dict(table)
        self.made = 0

    def analyse(self, command: Command, catalog: CatalogView) -> Analysis | NeedsCatalog | Unanalysable:
        self.made += 1
        if command.analysis is not None:
            return command.analysis  # as the real ones do
        found = self.table.get(command.text) or self.table.get(self.cache_key(command.text) or "")
        if found is None:
            return Unanalysable("syntax_error", "syntax error", position=1)
        made = found(catalog) if callable(found) else found
        if isinstance(made, Analysis):
            return dataclasses.replace(made, catalog_version=catalog.version)
        return made

    def cache_key(self, text: str) -> str | None:
        return "".join("?" if letter.isdigit() else letter for letter in text)


def person(name: str, *groups: str) -> Principal:
    """A user."""
    return Principal(PrincipalKind.USER, name, frozenset(groups))


def connection(name: str = "shop", **changes: object) -> Connection:
    """A connection."""
    made = Connection(ConnectionName(name), "table", Address("db", 5432), "env:PW", None)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def analysis(*actions: Action, **changes: object) -> Analysis:
    """An analysis of one statement with these effects; independent of literals and session unless told otherwise."""
    from interpose.model.resources import ConnectionResource

    effects = tuple(Effect(action, ConnectionResource()) for action in actions)
    made = Analysis(effects, (StatementInfo("TEST"),), depends_on_literals=False, depends_on_session=False)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def query(text: str, kind: CommandKind = CommandKind.QUERY, **changes: object) -> Command:
    """A command with this text."""
    return dataclasses.replace(Command(kind, text, CONTEXT), **changes)  # type: ignore[arg-type]
