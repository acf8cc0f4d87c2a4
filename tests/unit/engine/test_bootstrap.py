"""The first administrator: once, for an hour, for whom policy permits; every use and refusal is in the audit chain."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping

import pytest

from interpose.engine.authenticate import loggable
from interpose.engine.bootstrap import ACCESS_SECONDS, LIFETIME, Bootstrap, BootstrapRecord, Redeemed
from interpose.engine.limits import Limits
from interpose.engine.snapshot import Snapshot, SnapshotHolder
from interpose.identity.tokens import TokenIssuer
from interpose.model.actions import Action
from interpose.model.analysis import FactValue
from interpose.model.audit import AuditKind
from interpose.model.connection import Connection
from interpose.model.decisions import Decision, Forbidden, Permitted
from interpose.model.errors import RecordingError
from interpose.model.principal import Principal
from interpose.model.refusal import Refusal
from tests.support.memory import (
    DIGEST,
    CountingIds,
    ManualClock,
    MemoryAudit,
    MemoryPrincipals,
    MemoryTokens,
    Rules,
    person,
)

SOURCE = "192.0.2.7"


class MemoryBootstrap:
    """The store in memory."""

    def __init__(self) -> None:
        self.kept: dict[bytes, BootstrapRecord] = {}
        self.elsewhere = False

    async def untouched(self) -> bool:
        return not self.kept and not self.elsewhere

    async def first(self, digest: bytes, record: BootstrapRecord) -> bool:
        if not await self.untouched():
            return False
        self.kept[digest] = record
        return True

    async def replace(self, digest: bytes, record: BootstrapRecord) -> None:
        for each, old in self.kept.items():
            self.kept[each] = dataclasses.replace(old, ended=record.created_at)
        self.kept[digest] = record

    async def find(self, digest: bytes) -> BootstrapRecord | None:
        await asyncio.sleep(0)
        return self.kept.get(digest)

    async def use(self, identifier: str, at: float) -> bool:
        for each, record in self.kept.items():
            if record.id == identifier and record.ended is None:
                self.kept[each] = dataclasses.replace(record, ended=at)
                return True
        return False


class Administers(Rules):
    """Policy by which only these administer the gateway."""

    names: frozenset[str] = frozenset({"carol"})

    def decide(
        self,
        principal: Principal,
        action: Action,
        connection: Connection | None,
        facts: Mapping[str, FactValue],
        now: float,
    ) -> Decision:
        assert (facts["source_ip"], facts["session_method"], facts["mfa"]) == (SOURCE, "token", False)
        if action is Action.ADMINISTER and connection is None and principal.name in self.names:
            return Permitted((), DIGEST)
        return Forbidden((), DIGEST, "not_permitted", "nothing permits it")


class World:
    """A gateway that carol may administer."""

    def __init__(self) -> None:
        self.people = MemoryPrincipals(person("carol", "dba"), person("bob"))
        self.rules = Administers()
        self.holder = SnapshotHolder(Snapshot({}, self.rules, self.people, Limits(), DIGEST))
        self.store, self.tokens = MemoryBootstrap(), MemoryTokens()
        self.clock, self.audit = ManualClock(), MemoryAudit()
        issuer = TokenIssuer(self.tokens, lambda: self.people, self.audit, self.clock, CountingIds())
        self.bootstrap = Bootstrap(self.store, self.holder, issuer, self.audit, self.clock, CountingIds())

    async def token(self) -> str:
        """The token of the first start."""
        token = await self.bootstrap.first("the gateway")
        assert token is not None
        return token

    async def redeem(self, token: str, name: str = "carol") -> Redeemed | Refusal:
        """Redeem it."""
        return await self.bootstrap.redeem(token, name, SOURCE)

    async def refused(self, token: str, code: str, reason: str, name: str = "carol") -> Refusal:
        """It is refused with this code, the audit chain says why, and no access token is made."""
        before = len(self.tokens.stored)
        refusal = await self.redeem(token, name)
        assert isinstance(refusal, Refusal) and refusal.code == code, refusal
        event = self.audit.of(AuditKind.BOOTSTRAP_REFUSED)[-1]
        assert (event.fields["reason"], event.fields["source"]) == (reason, SOURCE)
        assert len(self.tokens.stored) == before
        return refusal


@pytest.fixture
def world() -> World:
    """A gateway that was never started."""
    return World()


async def test_it_is_redeemed_once_for_a_token_that_lives_hours(world: World) -> None:
    token = await world.token()
    made = await world.redeem(token)
    assert isinstance(made, Redeemed)
    assert made.record.principal == "carol"
    assert made.record.expires_at == world.clock.wall() + ACCESS_SECONDS
    (event,) = world.audit.of(AuditKind.BOOTSTRAP_REDEEMED)
    assert (event.actor, event.fields["source"]) == ("User:carol", SOURCE)
    assert len(world.audit.of(AuditKind.TOKEN_CREATED)) == 1
    await world.refused(token, "bootstrap_refused", "used")


async def test_of_two_at_once_one_is_redeemed(world: World) -> None:
    token = await world.token()
    answers = await asyncio.gather(world.redeem(token), world.redeem(token))
    assert sorted(type(each) is Redeemed for each in answers) == [False, True]
    assert len(world.tokens.stored) == 1


async def test_there_is_one_first_token_and_none_where_anything_was_stored(world: World) -> None:
    await world.token()
    assert await world.bootstrap.first("the gateway") is None
    other = World()
    other.store.elsewhere = True
    assert await other.bootstrap.first("the gateway") is None
    assert not other.audit.events


async def test_it_is_good_for_an_hour(world: World) -> None:
    token = await world.token()
    world.clock.now += LIFETIME
    await world.refused(token, "bootstrap_refused", "expired")


async def test_another_makes_the_first_void(world: World) -> None:
    first = await world.token()
    second = await world.bootstrap.new("os:root")
    await world.refused(first, "bootstrap_refused", "used")
    assert isinstance(await world.redeem(second), Redeemed)
    assert [event.actor for event in world.audit.of(AuditKind.BOOTSTRAP_ISSUED)] == ["the gateway", "os:root"]


async def test_it_overrides_no_policy_and_stays_good_until_policy_permits(world: World) -> None:
    token = await world.token()
    refusal = await world.refused(token, "not_permitted", "not_permitted", "bob")
    assert 'permit (principal == User::"bob", action == Action::"administer", resource);' in refusal.hint
    await world.refused(token, "no_such_principal", "no_such_principal", "nobody")
    world.rules.names = frozenset({"bob"})
    assert isinstance(await world.redeem(token, "bob"), Redeemed)


async def test_guessing_is_bounded(world: World) -> None:
    token = await world.token()
    for _ in range(10):
        await world.refused("ib_aaaaaaaa_wrong", "bootstrap_refused", "unknown")
    await world.refused(token, "too_many_attempts", "too_many_attempts")
    assert isinstance(await world.bootstrap.redeem(token, "carol", SOURCE), Refusal)
    world.clock.now += 61
    assert isinstance(await world.redeem(token), Redeemed)


async def test_what_cannot_be_recorded_is_not_done(world: World) -> None:
    token = await world.token()
    world.audit.fails = lambda _: True
    with pytest.raises(RecordingError):
        await world.redeem(token)
    assert not world.tokens.stored


async def test_the_token_is_in_no_record_and_store(world: World) -> None:
    token = await world.token()
    await world.redeem(token, token)
    await world.redeem(token)
    secret = token.rpartition("_")[2]
    assert secret not in repr(world.audit.events) + repr(world.store.kept) + repr(world.tokens.stored)
    assert loggable(token) == "(looks like a token)"
