"""Tokens: made, shown once, found by hash, refused without a hint."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.identity.tokens import (
    TOKEN_PATTERN,
    TokenIssuer,
    Tokens,
    looks_like_token,
    make_token,
    token_digest,
)
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, ClientError, RecordingError, StoreError
from interpose.model.principal import NOT_KNOWN, AuthenticationContext, Identity, Principal, PrincipalKind
from tests.support.memory import CountingIds, ManualClock, MemoryAudit, MemoryPrincipals, MemoryTokens, person
from tests.support.virtual import run


class World:
    """Tokens with everything around them."""

    def __init__(self) -> None:
        self.people = MemoryPrincipals(
            person("alice", "support"), person("bob"), Principal(PrincipalKind.AGENT, "fixer", acting_for="alice")
        )
        self.store = MemoryTokens()
        self.clock = ManualClock()
        self.audit = MemoryAudit()
        self.tokens = Tokens(self.store, lambda: self.people, self.clock)
        self.issuer = TokenIssuer(self.store, lambda: self.people, self.audit, self.clock, CountingIds())

    def make(self, name: str = "alice", ttl: float | None = 60.0, **more: str) -> str:
        """A new token."""
        return run(self.issuer.create(name, by="User:carol", ttl=ttl, **more))[1]

    def refused(self, name: str, token: str, why: str) -> None:
        """The token is refused; why is for the audit chain alone."""
        with pytest.raises(AuthenticationError) as caught:
            run(self.tokens.identify(name, token))
        error = caught.value
        assert (error.public_message, error.hint, error.detail) == ("authentication failed", "", why)


@given(st.binary(min_size=39, max_size=39))
def test_a_token_has_an_id_a_secret_and_a_checksum(random: bytes) -> None:
    identifier, token = make_token(random)
    match = TOKEN_PATTERN.fullmatch(token)
    assert match is not None
    assert match[1] == identifier
    assert looks_like_token(token)
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert not looks_like_token(changed)


def test_every_bit_of_the_secret_counts() -> None:
    made = {make_token(bytes(7) + (1 << bit).to_bytes(32, "big"))[1] for bit in range(256)}
    assert len(made) == 256
    with pytest.raises(ValueError, match="39"):
        make_token(b"short")


def test_only_the_hash_is_kept() -> None:
    world = World()
    token = world.make()
    assert list(world.store.stored) == [token_digest(token)]
    assert token[14:] not in repr(world.store.stored) + repr(world.audit.events)
    assert [event.kind for event in world.audit.events] == [AuditKind.TOKEN_CREATED]


def test_the_right_name_and_token_are_an_identity() -> None:
    world = World()
    token = world.make()
    identity = run(world.tokens.identify(" Alice ", token))
    assert identity.principal == world.people.by_name["alice"]
    assert identity.expires_at == world.clock.now + 60
    assert identity.token is not None
    assert identity.token in token
    assert run(world.tokens.bearer(token)) == identity


def test_everything_else_is_refused_alike_after_the_same_work() -> None:
    world = World()
    token = world.make()
    before = len(world.store.looked)
    wrong = [
        ("bob", token, "other_name"),
        ("alice", token[:-1], "no_token"),
        ("alice", make_token(bytes(39))[1], "token_unknown"),
        ("alice", "", "no_token"),
        ("", token, "other_name"),
        ("alice", "x" * 10_000, "no_token"),
        ("\u0430lice", token, "other_name"),
    ]
    for name, shown, why in wrong:
        world.refused(name, shown, why)
    assert len(world.store.looked) == before + len(wrong)


def test_expired_revoked_and_orphaned_tokens_are_refused() -> None:
    world = World()
    token = world.make()
    world.clock.now += 59.9
    run(world.tokens.identify("alice", token))
    world.clock.now += 0.1
    world.refused("alice", token, "token_expired")
    lasting = world.make(ttl=None)
    identity = run(world.tokens.identify("alice", lasting))
    assert identity.token is not None
    assert run(world.issuer.revoke(identity.token, by="User:carol"))
    world.refused("alice", lasting, "token_revoked")
    third = world.make(ttl=None)
    del world.people.by_name["alice"]
    world.refused("alice", third, "principal_gone")


def test_a_clock_that_went_far_back_lets_nobody_in() -> None:
    world = World()
    token = world.make()
    world.clock.now -= 100
    run(world.tokens.identify("alice", token))
    world.clock.now -= 1000
    world.refused("alice", token, "clock_went_back")


def test_an_agent_acts_for_whom_its_token_or_its_principal_says() -> None:
    world = World()
    own = run(world.tokens.identify("fixer", world.make("fixer"))).principal
    assert own.acting_for == "alice"
    other = run(world.tokens.identify("fixer", world.make("fixer", acting_for="Bob", task="nightly"))).principal
    assert (other.acting_for, other.task) == ("bob", "nightly")
    token = world.make("fixer", acting_for="bob")
    del world.people.by_name["bob"]
    world.refused("fixer", token, "acting_for_nobody")


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("nobody", {}),
        ("alice", {"acting_for": "bob"}),
        ("alice", {"task": "x"}),
        ("fixer", {"acting_for": "fixer"}),
        ("fixer", {"acting_for": "nobody"}),
    ],
)
def test_tokens_that_make_no_sense_are_not_made(name: str, more: dict[str, str]) -> None:
    world = World()
    with pytest.raises(ClientError):
        world.make(name, **more)
    with pytest.raises(ClientError):
        world.make("alice", ttl=0.0)
    assert not world.store.stored


def test_no_token_without_a_record() -> None:
    world = World()
    world.audit.fails = lambda _: True
    with pytest.raises(RecordingError):
        world.make()
    assert not world.store.stored


def test_the_chain_takes_back_what_the_store_did_not_keep() -> None:
    world = World()
    world.store.down = True
    with pytest.raises(StoreError):
        world.make()
    made, revoked = world.audit.events
    assert (made.kind, revoked.kind) == (AuditKind.TOKEN_CREATED, AuditKind.TOKEN_REVOKED)
    assert revoked.fields == {"token": made.fields["token"], "not_kept": "store_unavailable"}


def test_a_store_that_is_down_is_not_a_wrong_token() -> None:
    world = World()
    token = world.make()
    world.store.down = True
    with pytest.raises(StoreError):
        run(world.tokens.identify("alice", token))


def test_who_a_principal_is_now_counts() -> None:
    world = World()
    token = world.make()
    world.people.by_name["alice"] = dataclasses.replace(world.people.by_name["alice"], groups=frozenset({"dba"}))
    assert run(world.tokens.identify("alice", token)).principal.groups == {"dba"}


def test_a_token_remembers_the_login_that_it_comes_from() -> None:
    async def work() -> None:
        world = World()
        context = AuthenticationContext(world.clock.wall() - 60, frozenset({"mfa"}), "", True, "s-1")
        world.people.holders["alice"] = ("corporate", "sub-1")
        proven = Identity(person("alice"), "oidc", None, None, "corporate", "sub-1", context)
        _, token = await world.issuer.create("alice", by="User:alice", ttl=60, proven=proven)
        for found in (await world.tokens.identify("alice", token), await world.tokens.bearer(token)):
            assert (found.method, found.provider, found.subject, found.context) == (
                "token",
                "corporate",
                "sub-1",
                context,
            )
        _, token = await world.issuer.create("alice", by="os:root", ttl=60)
        found = await world.tokens.bearer(token)
        assert (found.provider, found.context) == ("corporate", NOT_KNOWN), "of whoever has the name"

    run(work())


@pytest.mark.parametrize("then", [None, ("corporate", "sub-2"), ("other", "sub-1")])
@pytest.mark.parametrize("who", ["alice", "fixer"])
def test_a_token_is_worth_nothing_when_another_has_the_name(who: str, then: tuple[str, str] | None) -> None:
    async def work() -> None:
        world = World()
        world.people.holders["alice"] = ("corporate", "sub-1")
        proven = Identity(person("alice"), "oidc", None, None, "corporate", "sub-1")
        acting_for = None if who == "alice" else "alice"
        _, token = await world.issuer.create(who, by="os:root", ttl=60, acting_for=acting_for, proven=proven)
        assert (await world.tokens.bearer(token)).principal.name == who
        world.people.holders.clear()
        if then is not None:
            world.people.holders["alice"] = then
        with pytest.raises(AuthenticationError) as error:
            await world.tokens.bearer(token)
        assert error.value.detail == "name_belongs_to_another_subject"

    run(work())


def test_a_token_of_the_file_is_not_a_providers() -> None:
    async def work() -> None:
        world = World()
        _, token = await world.issuer.create("alice", by="os:root", ttl=60)
        assert (await world.tokens.bearer(token)).provider is None
        world.people.holders["alice"] = ("corporate", "sub-1")
        with pytest.raises(AuthenticationError):
            await world.tokens.bearer(token)

    run(work())
