"""Who gets a token to act for whom: nothing is wider than both proofs, and every refusal is in the audit chain."""

from __future__ import annotations

import dataclasses

import pytest

from interpose.engine.delegation import LONGEST_SECONDS, Delegation, Made, Wish
from interpose.engine.limits import Limits
from interpose.engine.snapshot import Snapshot, SnapshotHolder
from interpose.identity.tokens import TokenIssuer, Tokens
from interpose.model.actions import Action
from interpose.model.audit import AuditKind
from interpose.model.connection import Address, Connection
from interpose.model.ids import ConnectionName, TokenId
from interpose.model.principal import AuthenticationContext, Identity, Principal, PrincipalKind
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

BOB = person("bob", "developers")
BOT = Principal(PrincipalKind.AGENT, "bot", frozenset({"agents"}))
ROBOT = Principal(PrincipalKind.SERVICE, "robot")
TIED = Principal(PrincipalKind.AGENT, "tied", acting_for="eve")
SOURCE = "192.0.2.7"


class World:
    """A gateway with one connection on which everybody may connect, and where `bot` and `robot` may act for bob."""

    def __init__(self) -> None:
        shop = Connection(ConnectionName("shop"), "postgres", Address("db", 5432), "env:X", None)
        self.people = MemoryPrincipals(BOB, BOT, ROBOT, TIED, person("eve"))
        self.people.holders["bob"] = ("corporate", "sub-1")
        self.rules = Rules({Action.CONNECT}, acts={("bot", "bob"), ("robot", "bob"), ("tied", "eve")})
        self.holder = SnapshotHolder(Snapshot({shop.name: shop}, self.rules, self.people, Limits(), DIGEST))
        self.store, self.clock, self.audit = MemoryTokens(), ManualClock(), MemoryAudit()
        issuer = TokenIssuer(self.store, lambda: self.people, self.audit, self.clock, CountingIds())
        self.delegation = Delegation(self.holder, issuer, self.audit, self.clock)
        self.tokens = Tokens(self.store, lambda: self.people, self.clock)
        self.now = self.clock.wall()
        self.person = Identity(
            BOB,
            "token",
            TokenId("bobs"),
            self.now + 7200,
            "corporate",
            "sub-1",
            AuthenticationContext(auth_time=self.now - 5, mfa=True),
        )
        self.actor = Identity(BOT, "jwt", None, self.now + 600)

    async def exchange(
        self, wish: Wish | None = None, actor: Identity | None = None, person: Identity | None = None
    ) -> Made | Refusal:
        """Ask as the agent."""
        return await self.delegation.exchange(actor or self.actor, person or self.person, wish or Wish(), SOURCE)

    async def made(self, wish: Wish | None = None, actor: Identity | None = None) -> Made:
        """The token that must come of it."""
        made = await self.exchange(wish, actor)
        assert isinstance(made, Made), made
        return made

    async def refused(self, code: str, made: Made | Refusal) -> None:
        """It was refused with this word, told in the audit chain, and no token was made."""
        assert isinstance(made, Refusal) and made.code == code, made
        (event,) = self.audit.of(AuditKind.DELEGATION_REFUSED)
        assert (event.fields["reason"], event.fields["source"]) == (code, SOURCE)
        assert not self.store.stored


@pytest.fixture
def world() -> World:
    return World()


async def test_an_exchanged_token_is_the_agents_for_the_person_and_narrowed(world: World) -> None:
    made = await world.made(Wish("sort orders", frozenset({"shop"}), 300.0))
    identity = await world.tokens.identify("bot", made.token)
    assert (identity.principal.name, identity.principal.acting_for, identity.principal.task) == (
        "bot",
        "bob",
        "sort orders",
    )
    assert identity.connections == {"shop"} and identity.expires_at == world.now + 300 and made.lifetime == 300
    # When and how the person authenticated goes with the token: policy asks for it.
    assert identity.context.mfa and identity.provider == "corporate"
    (event,) = world.audit.of(AuditKind.TOKEN_CREATED)
    assert event.actor == "Agent:bot"
    told = {
        name: event.fields[name] for name in ("acting_for", "task", "connections", "parent", "actor_method", "method")
    }
    assert told == {
        "acting_for": "bob",
        "task": "sort orders",
        "connections": ("shop",),
        "parent": "bobs",
        "actor_method": "jwt",
        "method": "exchange",
    }


async def test_a_token_ends_with_the_shorter_of_the_two_proofs(world: World) -> None:
    assert (await world.made(Wish(ttl=1e9))).record.expires_at == world.now + 600
    lasting = dataclasses.replace(world.actor, expires_at=None)
    assert (await world.made(Wish(ttl=1e9), lasting)).record.expires_at == world.now + 7200
    world.person = dataclasses.replace(world.person, expires_at=None)
    assert (await world.made(Wish(ttl=1e9), lasting)).record.expires_at == world.now + LONGEST_SECONDS


async def test_a_token_is_revoked_with_either_token_behind_it(world: World) -> None:
    actor = dataclasses.replace(world.actor, method="token", token=TokenId("bots"))
    for behind in ("bobs", "bots"):
        made = await world.made(actor=actor)
        await world.store.revoke(TokenId(behind), world.now)
        assert world.store.stored and (await world.store.find(next(iter(world.store.stored)))) is not None
        assert all(record.revoked_at is not None for record in world.store.stored.values()), (behind, made)


async def test_a_person_starts_an_agent(world: World) -> None:
    made = await world.delegation.start(world.person, "bot", Wish("sort"), SOURCE)
    assert isinstance(made, Made) and made.record.acting_for == "bob"
    (event,) = world.audit.of(AuditKind.TOKEN_CREATED)
    assert event.actor == "User:bob" and event.fields["method"] == "delegate"
    assert world.rules.seen[0][0]["session_method"] == "person", "policy can tell that the agent has proven nothing"
    assert world.rules.seen[0][0]["mfa"] is True, "and how the person signed in, as at every command later"


async def test_a_service_may_act_for_somebody_too(world: World) -> None:
    robot = Identity(ROBOT, "jwt", None, world.now + 600)
    made = await world.made(actor=robot)
    assert (await world.tokens.identify("robot", made.token)).principal.acting_for == "bob"


async def test_policy_decides_who_may_act_for_whom(world: World) -> None:
    world.rules.acts.clear()
    await world.refused("act_for_not_permitted", await world.exchange())


@pytest.mark.parametrize("name", ["shop", "nowhere"])
async def test_a_target_that_both_may_not_use_is_refused_like_one_that_is_not_there(world: World, name: str) -> None:
    world.rules.refuse = lambda principal, *_: principal.name == "bob"
    await world.refused("invalid_target", await world.exchange(Wish(connections=frozenset({name}))))


async def test_nobody_acts_for_anything_but_a_person(world: World) -> None:
    await world.refused("not_a_person", await world.exchange(person=Identity(ROBOT, "jwt", None, world.now + 9)))


async def test_a_person_is_no_agent(world: World) -> None:
    await world.refused("not_an_agent", await world.exchange(actor=world.person))


async def test_an_agent_that_is_nobody_is_refused(world: World) -> None:
    await world.refused("not_an_agent", await world.delegation.start(world.person, "nobody", Wish(), SOURCE))


async def test_a_person_who_is_gone_is_not_acted_for(world: World) -> None:
    del world.people.by_name["bob"]
    await world.refused("not_a_person", await world.exchange())


async def test_an_agent_of_somebody_else_stays_theirs(world: World) -> None:
    await world.refused("acts_for_another", await world.exchange(actor=Identity(TIED, "jwt", None, world.now + 9)))


@pytest.mark.parametrize(
    "changes",
    [
        {"connections": frozenset({ConnectionName("shop")})},
        {"method": "token", "principal": dataclasses.replace(BOT, acting_for="bob")},
    ],
)
async def test_a_token_of_delegation_gives_no_other(world: World, changes: dict[str, object]) -> None:
    actor = dataclasses.replace(world.actor, **changes)  # type: ignore[arg-type]
    await world.refused("already_delegated", await world.exchange(actor=actor))


@pytest.mark.parametrize(
    "wish",
    [
        Wish("two\nlines"),
        Wish(" "),
        Wish("x" * 300),
        Wish(connections=frozenset()),
        Wish(connections=frozenset(map(str, range(33)))),
        Wish(ttl=0.0),
    ],
)
async def test_wishes_are_bounded(world: World, wish: Wish) -> None:
    await world.refused("invalid_request", await world.exchange(wish))
