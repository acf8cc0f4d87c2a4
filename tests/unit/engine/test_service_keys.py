"""A service's key rotates: a new one now, the older ones end after the grace, and each step is in the audit chain first."""

from __future__ import annotations

import pytest

from interpose.engine.ports import TokenRecord
from interpose.engine.service_keys import OLD, ServiceKeys, is_due
from interpose.identity.tokens import TokenIssuer, Tokens
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, ClientError, RecordingError
from interpose.model.ids import TokenId
from interpose.model.principal import Principal, PrincipalKind
from tests.support.memory import CountingIds, ManualClock, MemoryAudit, MemoryPrincipals, MemoryTokens, person

DAY = 86400.0


class World:
    """One service and one person."""

    def __init__(self) -> None:
        self.people = MemoryPrincipals(Principal(PrincipalKind.SERVICE, "ci"), person("bob"))
        self.store, self.clock, self.audit = MemoryTokens(), ManualClock(), MemoryAudit()
        self.issuer = TokenIssuer(self.store, lambda: self.people, self.audit, self.clock, CountingIds())
        self.keys = ServiceKeys(self.store, lambda: self.people, self.issuer, self.audit, self.clock)
        self.tokens = Tokens(self.store, lambda: self.people, self.clock)


@pytest.fixture
def world() -> World:
    """Nobody has a token."""
    return World()


async def test_the_older_key_is_good_for_the_grace_and_the_new_one_for_its_time(world: World) -> None:
    first = await world.keys.rotate("ci", by="os:root", ttl=30 * DAY, grace=3600)
    assert first.older == ()
    second = await world.keys.rotate("ci", by="os:root", ttl=30 * DAY, grace=3600)
    assert second.older == (first.record.id,)
    world.clock.now += 3599
    assert (await world.tokens.identify("ci", first.token)).principal.name == "ci"
    world.clock.now += 1
    with pytest.raises(AuthenticationError) as caught:
        await world.tokens.identify("ci", first.token)
    assert caught.value.detail == "token_expired"
    assert (await world.tokens.identify("ci", second.token)).expires_at == second.record.expires_at
    event = world.audit.of(AuditKind.TOKEN_SHORTENED)[-1]
    assert event.actor == "os:root"
    assert event.fields["tokens"] == (first.record.id,)
    assert event.fields["until"] == int(second.until)


async def test_nothing_lives_longer_for_a_rotation_and_others_are_left_alone(world: World) -> None:
    short, _ = await world.issuer.create("ci", by="t", ttl=60)
    gone, _ = await world.issuer.create("ci", by="t", ttl=None)
    await world.issuer.revoke(gone.id, by="t")
    bobs, _ = await world.issuer.create("bob", by="t", ttl=None)
    rotated = await world.keys.rotate("ci", by="t", ttl=DAY, grace=3600)
    assert rotated.older == (short.id,)
    kept = {each.id: each.expires_at for each in await world.store.all()}
    assert (kept[short.id], kept[bobs.id]) == (short.expires_at, None)


async def test_a_key_that_never_expired_ends_too_and_at_once_without_grace(world: World) -> None:
    _, token = await world.issuer.create("ci", by="t", ttl=None)
    await world.keys.rotate("ci", by="t", ttl=DAY, grace=0)
    with pytest.raises(AuthenticationError):
        await world.tokens.bearer(token)


@pytest.mark.parametrize("name", ["bob", "nobody", ""])
async def test_only_a_service_has_keys(world: World, name: str) -> None:
    with pytest.raises(ClientError, match="there is no service"):
        await world.keys.rotate(name, by="t", ttl=DAY, grace=0)
    assert not world.store.stored


async def test_what_cannot_be_recorded_shortens_nothing(world: World) -> None:
    first = await world.keys.rotate("ci", by="t", ttl=30 * DAY, grace=3600)
    world.audit.fails = lambda event: event.kind is AuditKind.TOKEN_SHORTENED
    with pytest.raises(RecordingError):
        await world.keys.rotate("ci", by="t", ttl=30 * DAY, grace=0)
    assert (await world.tokens.bearer(first.token)).principal.name == "ci"


@pytest.mark.parametrize(
    ("expires", "revoked", "now", "due"),
    [
        (90.0, None, 59.0, False),
        (90.0, None, 60.0, True),
        (90.0, None, 90.0, False),
        (90.0, 10.0, 60.0, False),
        (None, None, OLD - 1, False),
        (None, None, OLD, True),
    ],
)
def test_when_a_key_is_due(expires: float | None, revoked: float | None, now: float, due: bool) -> None:
    assert is_due(TokenRecord(TokenId("t"), "ci", 0.0, expires, revoked), now) is due
