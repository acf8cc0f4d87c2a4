"""The page on which a waiting client is confirmed: by a code that is typed, by the person that it claims to be, with a form of ours."""

from __future__ import annotations

import asyncio

import pytest

from interpose.model.audit import AuditKind
from interpose.model.principal import Identity
from interpose.model.refusal import ConfirmationNotice
from interpose.protocols.contract import Evidence, Refused
from tests.support.site import Browser, Page, SitePlace
from tests.support.virtual import run

HERE, ELSEWHERE = "192.0.2.7", "203.0.113.66"


class Client:
    """One that waits."""

    def __init__(self, place: SitePlace, name: str = "zoe", source: str = HERE) -> None:
        self.notices: asyncio.Queue[ConfirmationNotice] = asyncio.Queue()
        evidence = Evidence(name, "shop<script>", "", {"application_name": "psql"})
        self.task = asyncio.ensure_future(place.confirming.confirm(evidence, source, self.notices.put_nowait))

    async def code(self) -> str:
        notice = await self.notices.get()
        assert notice.code not in notice.url
        return notice.code


async def enter(browser: Browser, code: str) -> Page:
    shown = await browser.get("/confirm")
    assert shown.status == 200, shown.text
    return await browser.post("/confirm", {"csrf": shown.hidden("csrf"), "code": code})


async def answer(browser: Browser, shown: Page, word: str = "approve", **more: str) -> Page:
    fields = {"csrf": shown.hidden("csrf"), "code": shown.hidden("code"), "answer": word, **more}
    return await browser.post("/confirm/answer", fields)


def test_a_client_is_let_in_by_its_person() -> None:
    async def work() -> None:
        place = SitePlace()
        client, browser = Client(place), await place.signed_in()
        code = await client.code()
        shown = await enter(browser, code.lower())
        assert shown.status == 200
        for expected in (HERE, "shop&lt;script&gt;", "psql", "zoe", "Did you just start this?"):
            assert expected in shown.text
        assert "elsewhere" not in shown.text
        assert "Done" in (await answer(browser, shown)).text
        assert isinstance(await client.task, Identity)
        assert (await answer(browser, shown)).status == 404, "a code is answered once"

    run(work())


def test_nobody_confirms_without_signing_in() -> None:
    async def work() -> None:
        place = SitePlace()
        client, browser = Client(place), place.browser()
        shown = await browser.get("/confirm")
        assert "A client waits for you" in shown.text
        assert "then=/confirm" in shown.text
        code = await client.code()
        for path in ("/confirm", "/confirm/answer"):
            page = await browser.post(path, {"csrf": "", "code": code, "answer": "approve"})
            assert page.status == 403
        assert not client.task.done()
        signed_in = await place.signed_in(then="/confirm")
        assert (await signed_in.get("/confirm")).status == 200

    run(work())


def test_a_link_never_fills_the_code_in() -> None:
    async def work() -> None:
        place = SitePlace()
        code, browser = await Client(place).code(), await place.signed_in()
        assert code not in (await browser.get(f"/confirm?code={code}")).text
        page = await browser.get(f"/login/corporate?then=/confirm?code={code}")
        state = page.location.partition("state=")[2]
        assert (await browser.get(f"/login/corporate/callback?code=zoe&state={state}")).location == "/"

    run(work())


def test_another_site_cannot_answer() -> None:
    async def work() -> None:
        place = SitePlace()
        client, browser = Client(place), await place.signed_in()
        shown = await enter(browser, await client.code())
        fields = {"csrf": shown.hidden("csrf"), "code": shown.hidden("code"), "answer": "approve"}
        assert (await browser.post("/confirm/answer", fields, origin="https://evil.example")).status == 403
        assert (await browser.post("/confirm/answer", fields, sec_fetch_site="cross-site")).status == 403
        assert (await browser.post("/confirm/answer", {**fields, "csrf": "x"})).status == 403
        other = await place.signed_in()
        foreign = (await other.get("/confirm")).hidden("csrf")
        assert (await browser.post("/confirm/answer", {**fields, "csrf": foreign})).status == 403
        assert not client.task.done()
        assert place.core.audit.of(AuditKind.LOGIN_DECIDED) == []

    run(work())


def test_a_client_elsewhere_needs_one_more_yes() -> None:
    async def work() -> None:
        place = SitePlace()
        client, browser = Client(place, source=ELSEWHERE), await place.signed_in()
        shown = await enter(browser, await client.code())
        assert ELSEWHERE in shown.text
        assert HERE in shown.text
        refused = await answer(browser, shown)
        assert refused.status == 400
        assert "tick the box" in refused.text
        assert not client.task.done()
        await answer(browser, refused, elsewhere="yes")
        assert isinstance(await client.task, Identity)

    run(work())


@pytest.mark.parametrize("word", ["deny", "", "APPROVE"])
def test_every_other_word_denies(word: str) -> None:
    async def work() -> None:
        place = SitePlace()
        client, browser = Client(place), await place.signed_in()
        shown = await enter(browser, await client.code())
        assert "Denied" in (await answer(browser, shown, word)).text
        got = await client.task
        assert isinstance(got, Refused)
        assert got.refusal.code == "confirmation_denied"

    run(work())


def test_another_person_voids_it_by_typing_the_code() -> None:
    async def work() -> None:
        place = SitePlace()
        client, browser = Client(place), await place.signed_in("yan")
        shown = await enter(browser, await client.code())
        assert shown.status == 403
        assert "you are signed in as yan" in shown.text
        got = await client.task
        assert isinstance(got, Refused)
        assert got.refusal.code == "wrong_person"

    run(work())


def test_guesses_are_bounded_for_the_person_and_the_address() -> None:
    async def work() -> None:
        place = SitePlace()
        code = await Client(place).code()
        browser = await place.signed_in()
        for _ in range(10):
            assert (await enter(browser, "BCDF-GHJK")).status == 404
        assert (await enter(browser, code)).status == 429
        assert (await enter(await place.signed_in("yan"), code)).status == 429, "the address"
        moved = await place.signed_in()
        moved.address = ELSEWHERE
        assert (await enter(moved, code)).status == 429, "the person"
        reasons = [event.fields["reason"] for event in place.core.audit.of(AuditKind.LOGIN_FAILED)]
        assert reasons == ["user_code_unknown"] * 10

    run(work())


def test_beginning_logins_is_bounded() -> None:
    async def work() -> None:
        place = SitePlace()
        for _ in range(300):
            assert (await place.browser().get("/login/corporate")).status == 303
        assert (await place.browser().get("/login/corporate")).status == 429
        assert (await place.browser(ELSEWHERE).get("/login/corporate")).status == 303
        assert place.provider.departures == 301

    run(work())
