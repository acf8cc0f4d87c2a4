"""A client that waits for its person: let in by the right one, once, in time; and every other end is recorded."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from interpose.engine.confirming import TOPIC, Confirming
from interpose.engine.directory import Directory
from interpose.engine.pending_login import Bounds, PendingLogin
from interpose.engine.signing_in import Proof, SignedIn, SignIn
from interpose.identity.names import canonical_name
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import RecordingError
from interpose.model.principal import AuthenticationContext, Identity, Principal, PrincipalKind
from interpose.model.refusal import ConfirmationNotice
from interpose.protocols.contract import Evidence, Refused
from tests.support.gateway_core import Core
from tests.support.memory import MemoryBus, MemoryDirectory
from tests.support.memory_logins import MemoryPendingLogins
from tests.support.virtual import run

PAGE = "https://gateway.example/confirm"
CONTEXT = AuthenticationContext(1_790_000_000.0, frozenset({"pwd"}), session="sid-1")
CLIENT, BROWSER = "192.0.2.9", "198.51.100.4"


class Place:
    """Two workers over one store; `confirming` has the client, `pages` the browser."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.core = Core()
        self.store = MemoryPendingLogins()
        self.entries = MemoryDirectory()
        self.bus = MemoryBus()
        self.directory = Directory(self.core.holder, self.entries, self.core.audit, self.bus, self.core.clock)
        self.sign_in = SignIn(self.directory, self.core.audit, self.core.clock)
        self.bounds = bounds
        self.confirming, self.pages = self.made(), self.made()

    def made(self) -> Confirming:
        core = self.core
        return Confirming(
            self.store,
            self.directory,
            core.holder,
            core.audit,
            self.bus,
            core.clock,
            core.ids,
            key=b"k" * 32,
            page=PAGE,
            canonical=canonical_name,
            bounds=self.bounds,
        )

    async def person(self, name: str = "zoe", lifetime: float = 3600.0) -> SignedIn:
        principal = Principal(PrincipalKind.USER, name, frozenset({"support"}))
        until = self.core.clock.wall() + lifetime
        proof = Proof("corporate", "oidc", "https://idp.example", f"sub-{name}", principal, until, CONTEXT)
        return await self.sign_in.accept(proof, BROWSER)

    def reasons(self) -> list[object]:
        return [event.fields["reason"] for event in self.core.audit.of(AuditKind.LOGIN_FAILED)]


class Client:
    """One that waits."""

    def __init__(self, place: Place, name: str = "zoe", source: str = CLIENT) -> None:
        self.notices: asyncio.Queue[ConfirmationNotice] = asyncio.Queue()
        evidence = Evidence(name, "shop", "", {"application_name": "psql"})
        self.task = asyncio.ensure_future(place.confirming.confirm(evidence, source, self.notices.put_nowait))

    async def code(self) -> str:
        return (await self.notices.get()).code


async def typed(place: Place, code: str) -> PendingLogin:
    login = await place.pages.typed(code)
    assert login is not None
    return login


def refusal(answer: Identity | Refused) -> str:
    assert isinstance(answer, Refused)
    return answer.refusal.code


def test_the_person_lets_the_client_in() -> None:
    async def work() -> None:
        place = Place()
        who = await place.person()
        client = Client(place, "Zoe")
        notice = await client.notices.get()
        code = notice.code
        assert (notice.url, notice.name, notice.connection, notice.source) == (PAGE, "zoe", "shop", CLIENT)
        login = await typed(place, f" {code.lower()} ")
        assert (login.claimed_name, login.client, login.source) == ("zoe", "psql", CLIENT)
        assert await place.pages.answer(login, who, True, BROWSER) == "approved"
        identity = await client.task
        assert isinstance(identity, Identity)
        assert (identity.principal.name, identity.method) == ("zoe", "browser")
        assert (identity.provider, identity.subject, identity.expires_at) == (
            "corporate",
            "sub-zoe",
            who.proof.valid_until,
        )
        assert identity.context == CONTEXT
        (opened,) = place.core.audit.of(AuditKind.LOGIN_OPENED)
        (decided,) = place.core.audit.of(AuditKind.LOGIN_DECIDED)
        assert opened.fields["login"] == decided.fields["login"] == login.id
        assert (decided.actor, decided.fields["source"], decided.fields["asked_from"]) == ("User:zoe", BROWSER, CLIENT)
        assert place.core.audit.of(AuditKind.LOGIN_SUCCEEDED)[-1].fields["method"] == "browser"
        assert code not in repr(place.core.audit.events)
        assert code.encode() not in login.digest
        # Good once.
        assert await place.pages.typed(code) is None
        assert await place.pages.answer(login, who, True, BROWSER) == ""
        assert place.confirming.waiting == 0

    run(work())


def test_without_the_bus_the_store_is_looked_at() -> None:
    async def work() -> None:
        place = Place()
        place.bus.deaf = True
        who = await place.person()
        client = Client(place)
        login = await typed(place, await client.code())
        await place.pages.answer(login, who, True, BROWSER)
        assert isinstance(await client.task, Identity)

    run(work())


def test_the_bus_wakes_a_client_of_another_worker() -> None:
    async def work() -> None:
        place = Place()
        hearing = asyncio.ensure_future(place.confirming.run())
        who = await place.person()
        client = Client(place)
        login = await typed(place, await client.code())
        began = place.core.clock.monotonic()
        await place.pages.answer(login, who, True, BROWSER)
        assert (TOPIC, login.id) in place.bus.published
        assert isinstance(await client.task, Identity)
        assert place.core.clock.monotonic() == began
        hearing.cancel()

    run(work())


def test_another_person_voids_the_login() -> None:
    async def work() -> None:
        place = Place()
        bea, zoe = await place.person("bea"), await place.person("zoe")
        client = Client(place)
        code = await client.code()
        login = await typed(place, code)
        assert await place.pages.answer(login, bea, True, BROWSER) == "wrong_person"
        assert refusal(await client.task) == "wrong_person"
        assert await place.pages.answer(login, zoe, True, BROWSER) == ""
        assert await place.pages.typed(code) is None
        assert place.reasons() == ["wrong_person"]
        assert [event.fields["approved"] for event in place.core.audit.of(AuditKind.LOGIN_DECIDED)] == [
            False,
            False,
        ] or (place.core.audit.of(AuditKind.LOGIN_DECIDED)[0].fields["outcome"] == "wrong_person")

    run(work())


def test_what_is_denied_or_expires_is_told() -> None:
    async def work() -> None:
        place = Place()
        who = await place.person()
        denied = Client(place)
        await place.pages.answer(await typed(place, await denied.code()), who, False, BROWSER)
        assert refusal(await denied.task) == "confirmation_denied"
        began = place.core.clock.wall()
        late = Client(place)
        code = await late.code()
        login = await typed(place, code)
        answer = await late.task
        assert refusal(answer) == "confirmation_expired"
        assert isinstance(answer, Refused)
        assert PAGE in answer.refusal.hint
        assert place.core.clock.wall() == began + 120.0
        assert await place.pages.typed(code) is None
        assert await place.pages.answer(login, who, True, BROWSER) == ""
        assert place.reasons() == ["denied", "expired"]

    run(work())


def test_an_answer_after_the_time_is_none_even_when_the_client_still_waits() -> None:
    async def work() -> None:
        place = Place()
        who = await place.person()
        client = Client(place)
        login = await typed(place, await client.code())
        place.core.clock.skew = 121.0  # type: ignore[attr-defined]  # the virtual clock's
        assert await place.pages.answer(login, who, True, BROWSER) == ""
        assert refusal(await client.task) == "confirmation_expired"

    run(work())


def test_a_client_that_leaves_takes_its_login_along() -> None:
    async def work() -> None:
        place = Place()
        who = await place.person()
        for answered in (False, True):
            client = Client(place)
            login = await typed(place, await client.code())
            if answered:
                await place.pages.answer(login, who, True, BROWSER)
            client.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await client.task
            assert place.store.logins[login.id].state == "client_left"
        assert place.reasons() == ["client_left", "client_left"]

    run(work())


@pytest.mark.parametrize("gone", ["disabled", "withdrawn", "expired", "another"])
def test_who_is_gone_meanwhile_is_not_let_in(gone: str) -> None:
    async def work() -> None:
        place = Place()
        who = await place.person(lifetime=1.0 if gone == "expired" else 3600.0)
        place.bus.deaf = True
        client = Client(place)
        login = await typed(place, await client.code())
        await place.pages.answer(login, who, True, BROWSER)
        if gone == "disabled":
            await place.directory.disable("zoe", by="os:root", reason="left")
        elif gone == "withdrawn":
            await place.directory.withdraw("zoe", "corporate", "sub-zoe")
        elif gone == "another":
            at, entry = place.entries.entries["zoe"]
            place.entries.entries["zoe"] = (at, dataclasses.replace(entry, subject="sub-2"))
        else:
            await asyncio.sleep(1.5)
        assert refusal(await client.task) == "authentication_failed"
        assert place.reasons() == ["principal_gone"]

    run(work())


def test_so_many_wait_and_no_more() -> None:
    async def work() -> None:
        place = Place(Bounds(total=4, per_address=3, per_name=2))
        first = [Client(place), Client(place)]
        for each in first:
            await each.code()
        assert refusal(await Client(place, source="192.0.2.10").task) == "too_many_confirmations"
        third = Client(place, "yan")
        await third.code()
        assert refusal(await Client(place, "bea").task) == "too_many_confirmations"
        await Client(place, "bea", "192.0.2.10").code()
        assert refusal(await Client(place, "eve", "192.0.2.11").task) == "too_many_confirmations"
        assert place.confirming.waiting == 4
        # Who leaves makes room.
        third.task.cancel()
        await asyncio.sleep(0.1)
        await Client(place, "eve", "192.0.2.11").code()

    run(work())


def test_one_address_begins_only_so_many() -> None:
    async def work() -> None:
        place = Place()
        for _ in range(30):
            client = Client(place)
            await client.code()
            client.task.cancel()
            await asyncio.sleep(0.01)
        assert refusal(await Client(place).task) == "too_many_attempts"
        await Client(place, source="192.0.2.10").code()

    run(work())


def test_draining_ends_what_waits() -> None:
    async def work() -> None:
        place = Place()
        client = Client(place)
        await client.code()
        place.confirming.drain()
        assert refusal(await client.task) == "draining"
        assert refusal(await Client(place).task) == "draining"
        assert place.reasons() == ["draining"]

    run(work())


def test_a_name_that_can_be_nobodys_waits_for_nobody() -> None:
    async def work() -> None:
        place = Place()
        assert refusal(await Client(place, "zo\u00e9").task) == "authentication_failed"
        assert place.store.logins == {}
        assert place.reasons() == ["name_impossible"]

    run(work())


def test_without_store_or_record_nobody_waits() -> None:
    async def work() -> None:
        place = Place()
        place.store.down = True
        assert refusal(await Client(place).task) == "store_unavailable"
        place.store.down = False
        place.core.audit.fails = lambda event: event.kind is AuditKind.LOGIN_OPENED
        client = Client(place)
        assert refusal(await client.task) == "store_unavailable"
        assert client.notices.empty()
        assert all(each.state == "audit_unavailable" for each in place.store.logins.values())

    run(work())


def test_an_answer_that_cannot_be_recorded_does_not_count() -> None:
    async def work() -> None:
        place = Place()
        who = await place.person()
        client = Client(place)
        login = await typed(place, await client.code())

        def fails(event: AuditEvent) -> bool:
            return event.kind is AuditKind.LOGIN_DECIDED

        place.core.audit.fails = fails
        with pytest.raises(RecordingError):
            await place.pages.answer(login, who, True, BROWSER)
        assert place.store.logins[login.id].state == "pending"
        assert refusal(await client.task) == "confirmation_expired"

    run(work())


def test_a_store_that_is_down_for_a_moment_loses_nothing() -> None:
    async def work() -> None:
        place = Place()
        who = await place.person()
        client = Client(place)
        login = await typed(place, await client.code())
        place.store.down = True
        await asyncio.sleep(5.0)
        place.store.down = False
        await place.pages.answer(login, who, True, BROWSER)
        assert isinstance(await client.task, Identity)
        other = Client(place)
        await other.code()
        place.store.down = True
        assert refusal(await other.task) == "store_unavailable"

    run(work())


def test_codes_are_keyed() -> None:
    async def work() -> None:
        place = Place()
        client = Client(place)
        code = await client.code()
        core = place.core
        other = Confirming(
            place.store,
            place.directory,
            core.holder,
            core.audit,
            place.bus,
            core.clock,
            core.ids,
            key=b"o" * 32,
            page=PAGE,
            canonical=canonical_name,
        )
        assert await other.typed(code) is None
        for text in ("", "BCDF-GHJK", "x" * 100):
            assert await place.pages.typed(text) is None

    run(work())
