"""A provider is asked again what it says of somebody: a group that is gone is gone here, who is gone ends, and who cannot be asked about stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from interpose.engine.directory import Directory
from interpose.engine.ports import DirectoryEntry, Renewal, TokenRecord
from interpose.engine.signing_in import Proof, SignIn
from interpose.identity.mapping import ClaimPath, GroupMapping
from interpose.identity.renewal import Renewals
from interpose.identity.sealing import Seal
from interpose.model.audit import AuditKind
from interpose.model.errors import SecretError
from interpose.model.ids import TokenId
from tests.support.memory import MemoryBus, MemoryDirectory, MemoryTokens, person
from tests.support.openid import OPTIONS, ProviderPlace
from tests.support.virtual import run

GROUPS = replace(OPTIONS, mapping=replace(OPTIONS.mapping, groups=GroupMapping(ClaimPath(("groups",)), None, "corp:")))


class _Store:
    """Renewals in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Renewal] = {}

    async def get(self, name: str) -> Renewal | None:
        return self.rows.get(name)

    async def due(self, at: float) -> list[Renewal]:
        return sorted((row for row in self.rows.values() if row.due_at <= at), key=lambda row: row.due_at)

    async def put(self, renewal: Renewal) -> None:
        self.rows[renewal.name] = renewal

    async def forget(self, name: str) -> None:
        self.rows.pop(name, None)


class _Place(ProviderPlace):
    """Somebody, zoe, who has signed in."""

    def __init__(self) -> None:
        super().__init__(GROUPS)
        core = self.core
        self.store, self.tokens = _Store(), MemoryTokens()
        self.directory = Directory(core.holder, MemoryDirectory(), core.audit, MemoryBus(), core.clock)
        self.accepts = SignIn(self.directory, core.audit, core.clock)
        self.providers = {"corporate": self.provider}
        self.renewals = Renewals(
            self.providers,
            self.store,
            Seal(b"k" * 32),
            self.directory,
            self.accepts,
            self.tokens,
            core.audit,
            core.clock,
            core.ids,
        )

    async def enter(self, refresh: str = "r-1") -> None:
        answered = await self.sign_in()
        await self.accepts.accept(answered.proof, "192.0.2.7")
        await self.renewals.keep(answered.proof, refresh, GROUPS)

    @property
    def groups(self) -> frozenset[str] | None:
        found = self.core.holder.current.principals.find("zoe")
        return None if found is None else found.groups


def test_groups_follow_the_provider() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        assert await place.renewals.look() == 0, "it is too early"
        await asyncio.sleep(400)
        place.network.claims = {"groups": ["dba"]}
        place.network.answer = {"refresh_token": "r-2"}
        assert await place.renewals.look() == 1
        assert place.groups == frozenset({"corp:dba"})
        await asyncio.sleep(400)
        await place.renewals.look()
        forms = [form for url, form, _ in place.network.asked if url.endswith("/token")]
        assert forms[-1]["refresh_token"] == "r-2"
        assert b"r-2" not in place.store.rows["zoe"].sealed

    run(work())


@pytest.mark.parametrize("case", ["refused", "other subject", "other name", "mapping"])
def test_who_is_not_vouched_for_any_more_is_gone(case: str) -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        record = TokenRecord(TokenId("t1"), "zoe", place.core.clock.wall(), None, None, provider="corporate")
        for name, subject in (("t1", "sub-1"), ("t2", "sub-9")):
            place.tokens.stored[name.encode()] = replace(record, id=TokenId(name), subject=subject)
        await asyncio.sleep(400)
        if case == "refused":
            place.network.status, place.network.answer = 400, {"error": "invalid_grant"}
        else:
            place.network.claims = {
                "other subject": {"sub": "sub-2"},
                "other name": {"preferred_username": "yan"},
                "mapping": {"preferred_username": None},
            }[case]
        await place.renewals.look()
        assert place.groups is None
        (event,) = place.core.audit.of(AuditKind.LOGIN_ENDED)
        assert event.fields["principal"] == "zoe"
        assert place.store.rows == {}
        assert place.core.holder.current.principals.find("yan") is None
        assert [each.id for each in place.tokens.stored.values() if each.revoked_at is not None] == ["t1"]
        (event,) = place.core.audit.of(AuditKind.TOKEN_REVOKED)
        assert (event.actor, event.fields["token"]) == ("provider:corporate", "t1")

    run(work())


def test_a_provider_that_is_down_ends_nobody_and_is_asked_more_and_more_seldom() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await asyncio.sleep(400)
        place.network.down = True
        before = len(place.network.asked)
        # Every attempt to renew asks the token endpoint once; it may look for the keys as well.
        for _ in range(600):
            await place.renewals.look()
            await asyncio.sleep(1)
        assert place.groups == frozenset({"corp:support"})
        assert 4 <= len(place.network.asked) - before <= 12
        place.network.down = False
        await asyncio.sleep(310)
        place.network.claims = {"groups": []}
        await place.renewals.look()
        assert place.groups == frozenset()

    run(work())


def test_what_cannot_be_recorded_is_tried_again_later_and_not_every_second() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await asyncio.sleep(400)
        place.network.status, place.network.answer = 400, {"error": "invalid_grant"}
        place.core.audit.fails = lambda event: event.kind is AuditKind.LOGIN_ENDED
        before = len(place.network.asked)
        for _ in range(60):
            await place.renewals.look()
            await asyncio.sleep(1)
        assert len(place.network.asked) - before <= 6
        place.core.audit.fails = lambda _: False
        await asyncio.sleep(310)
        await place.renewals.look()
        assert place.groups is None

    run(work())


def test_a_login_is_not_asked_about_past_its_end() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await asyncio.sleep(8 * 3600 + 1)
        place.directory.expire()
        assert await place.renewals.look() == 0
        assert place.store.rows == {}
        assert place.groups is None

    run(work())


def test_who_signs_in_meanwhile_is_not_ended_by_an_old_token() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await asyncio.sleep(400)
        place.network.status, place.network.answer = 400, {"error": "invalid_grant"}
        real = place.provider.renew

        async def slow(refresh: str, proof: object) -> object:
            place.network.status, place.network.answer = 200, {}
            await place.enter("r-9")
            place.network.status, place.network.answer = 400, {"error": "invalid_grant"}
            return await real(refresh, proof)  # type: ignore[arg-type]

        place.provider.renew = slow  # type: ignore[method-assign,assignment]
        await place.renewals.look()
        assert place.groups == frozenset({"corp:support"})
        assert place.core.audit.of(AuditKind.LOGIN_ENDED) == []

    run(work())


def test_who_was_disabled_stays_disabled() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await place.directory.disable("zoe", by="os:root", reason="left")
        await asyncio.sleep(400)
        assert await place.renewals.look() == 0
        assert place.groups is None

    run(work())


def test_a_seal_opens_only_what_it_sealed_for_this() -> None:
    seal = Seal(b"k" * 32)
    sealed = seal.seal("r-1", "corporate\0sub-1", b"n" * 12)
    assert seal.open(sealed, "corporate\0sub-1") == "r-1"
    for other, data, bound in (
        (Seal(b"x" * 32), sealed, "corporate\0sub-1"),
        (seal, sealed, "corporate\0sub-2"),
        (seal, sealed[:-1], "corporate\0sub-1"),
        (seal, b"", "corporate\0sub-1"),
    ):
        with pytest.raises(SecretError):
            other.open(data, bound)


def test_a_key_that_was_exchanged_asks_nobody_again() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await asyncio.sleep(400)
        place.renewals._seal = Seal(b"x" * 32)
        before = len(place.network.asked)
        await place.renewals.look()
        assert len(place.network.asked) == before
        assert place.store.rows == {}
        assert place.groups == frozenset({"corp:support"})

    run(work())


@pytest.mark.parametrize("what", ["issuer", "client_id"])
def test_what_one_issuer_gave_to_one_client_is_never_sent_to_another(what: str) -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await asyncio.sleep(400)
        other = ProviderPlace(replace(GROUPS, **{what: "https://other.example"}))
        place.providers["corporate"] = other.provider
        await place.renewals.look()
        assert other.network.asked == []
        assert place.store.rows == {}, "it can never be used again"
        assert place.groups == frozenset({"corp:support"}), "the login lives to its end"

    run(work())


@pytest.mark.parametrize("answer", ["good", "refused", "down"])
def test_a_provider_that_is_exchanged_while_it_is_asked_changes_nobody(answer: str) -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await asyncio.sleep(400)
        place.network.claims = {"groups": ["dba"]}
        place.network.answer = {"refresh_token": "r-2"}
        if answer == "refused":
            place.network.status, place.network.answer = 400, {"error": "invalid_grant"}
        place.network.down = answer == "down"
        real, new = place.provider.renew, ProviderPlace(GROUPS)

        async def slow(refresh: str, proof: object) -> object:
            place.providers["corporate"] = new.provider
            place.renewals.start_anew("corporate")
            return await real(refresh, proof)  # type: ignore[arg-type]

        place.provider.renew = slow  # type: ignore[method-assign,assignment]
        await place.renewals.look()
        assert place.groups == frozenset({"corp:support"})
        assert place.core.audit.of(AuditKind.LOGIN_ENDED) == []
        assert "zoe" in place.store.rows
        new.network.claims = {"groups": ["audit"]}
        await asyncio.sleep(400)
        assert await place.renewals.look() == 1
        assert place.groups == frozenset({"corp:audit"})
        (form,) = [form for url, form, _ in new.network.asked if url.endswith("/token")]
        # A provider that rotates has forgotten the old one by then.
        assert form["refresh_token"] == ("r-2" if answer == "good" else "r-1")

    run(work())


def test_a_provider_that_is_gone_ends_nobody() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        await asyncio.sleep(400)
        del place.providers["corporate"]
        assert await place.renewals.look() == 0
        assert place.store.rows == {}
        assert place.groups == frozenset({"corp:support"})

    run(work())


def test_fifty_who_wait_are_asked_about_seldom_while_the_provider_is_down_and_live_on() -> None:
    async def work() -> None:
        place = _Place()
        await place.enter()
        now = place.core.clock.wall()
        for number in range(50):
            entry = DirectoryEntry(person(f"p-{number}"), "corporate", f"s-{number}", now, now + 8 * 3600)
            principal = await place.directory.learn(entry)
            proof = Proof("corporate", "oidc", OPTIONS.issuer, entry.subject, principal, now + 8 * 3600)
            await place.renewals.keep(proof, "r-1", GROUPS)
        place.network.down = True
        before = len(place.network.asked)
        looking = asyncio.ensure_future(place.renewals.run())
        await asyncio.sleep(3600)
        looking.cancel()
        # Once after 5, 10, 20 … seconds, then every five minutes; one question each, whoever is first in the line.
        assert 5 <= len(place.network.asked) - before <= 25
        assert len(place.store.rows) == 51
        found = place.core.holder.current.principals.find
        assert all(found(f"p-{number}") is not None for number in range(50))

    run(work())
