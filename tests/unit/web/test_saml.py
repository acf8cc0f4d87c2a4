"""Answers that another site posts: bound to the browser that left for them, and asked about where nobody left."""

from __future__ import annotations

import asyncio

import pytest

from interpose.model.audit import AuditKind
from tests.support.site import ORIGIN, SitePlace, ToldPostingProvider
from tests.support.virtual import run

ACS = "/saml/saml/acs"
CROSS = {"origin": "https://idp.example", "sec_fetch_site": "cross-site"}


def test_somebody_signs_in_by_a_posted_answer() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = place.browser()
        page = await browser.get("/login/saml?then=/device")
        (cookie,) = page.cookies
        assert cookie.startswith("__Host-interpose-posted-login=")
        # The one cookie that comes with a form of another site.
        assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=None")
        page = await browser.post(ACS, {"code": "zoe", "RelayState": "state-saml-1"}, **CROSS)
        assert (page.status, page.location) == (303, "/device")
        (cookie,) = page.cookies
        assert cookie.startswith("__Host-interpose=")
        assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
        assert "zoe" in (await browser.get("/")).text

    run(work())


@pytest.mark.parametrize("how", ["no cookie", "another browser", "no state", "used", "late", "another provider"])
def test_an_answer_belongs_to_one_browser_one_provider_and_one_time(how: str) -> None:
    async def work() -> None:
        place = SitePlace()
        browser, other = place.browser(), place.browser()
        await browser.get("/login/saml")
        await other.get("/login/saml")
        state = "state-saml-1"
        if how == "no cookie":
            browser.cookies.clear()
        elif how == "another browser":
            browser = other
        elif how == "no state":
            state = ""
        elif how == "used":
            await browser.post(ACS, {"code": "zoe", "RelayState": state}, **CROSS)
            browser.cookies.pop("__Host-interpose")
        elif how == "late":
            await asyncio.sleep(601)
        else:
            await browser.get("/login/corporate")
            state = "state-corporate-1"
        page = await browser.post(ACS, {"code": "mallory", "RelayState": state}, **CROSS)
        assert page.status == 400
        assert "This login is not known" in page.text
        assert "__Host-interpose" not in browser.cookies
        assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == "state_unknown"
        assert "mallory" not in place.store.entries

    run(work())


def test_answers_come_to_their_own_address_only() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = place.browser()
        await browser.get("/login/saml")
        assert (await browser.get("/login/saml/callback?code=zoe&state=state-saml-1")).status == 404
        assert (await browser.get(f"{ACS}?code=zoe&RelayState=state-saml-1")).status == 405
        assert (await browser.post("/saml/corporate/acs", {"code": "zoe"}, **CROSS)).status == 404
        assert (await browser.get("/saml/corporate/metadata")).status == 404
        page = await browser.get("/saml/saml/metadata")
        assert page.headers["content-type"] == "application/samlmetadata+xml"
        assert page.text == f"<told about='{ORIGIN}{ACS}'/>"

    run(work())


def test_a_large_answer_is_not_read() -> None:
    async def work() -> None:
        place = SitePlace()
        page = await place.browser().post(ACS, {"SAMLResponse": "A" * 600_000}, **CROSS)
        assert page.status == 413

    run(work())


def test_failures_are_bounded() -> None:
    async def work() -> None:
        place = SitePlace()
        statuses = [(await place.browser().post(ACS, {"code": "x"}, **CROSS)).status for _ in range(7)]
        assert statuses == [400] * 5 + [429] * 2

    run(work())


def test_who_did_not_leave_from_here_is_asked_first() -> None:
    async def work() -> None:
        place = SitePlace()
        place.posting.begins = True
        browser = place.browser()
        page = await browser.post(ACS, {"code": "zoe"}, **CROSS)
        assert page.status == 200
        assert "Sign in as zoe?" in page.text
        assert "__Host-interpose" not in browser.cookies
        ticket = page.hidden("ticket")
        form = {"ticket": ticket, "answer": "approve"}
        # Another site's page, and another browser, cannot answer.
        assert (await browser.post("/saml/saml/confirm", form, **CROSS)).status == 403
        page = await browser.post("/saml/saml/confirm", form)
        assert (page.status, page.location) == (303, "/")
        assert "zoe" in (await browser.get("/")).text
        assert (await browser.post("/saml/saml/confirm", form)).status == 400

    run(work())


def test_a_ticket_is_one_browsers() -> None:
    async def work() -> None:
        place = SitePlace()
        place.posting.begins = True
        thief, victim = place.browser(), place.browser()
        await victim.post(ACS, {"code": "zoe"}, **CROSS)
        ticket = (await thief.post(ACS, {"code": "mallory"}, **CROSS)).hidden("ticket")
        page = await victim.post("/saml/saml/confirm", {"ticket": ticket, "answer": "approve"})
        assert page.status == 400
        assert "__Host-interpose" not in victim.cookies

    run(work())


def test_whoever_it_is_not_says_so() -> None:
    async def work() -> None:
        place = SitePlace()
        place.posting.begins = True
        browser = place.browser()
        ticket = (await browser.post(ACS, {"code": "zoe"}, **CROSS)).hidden("ticket")
        page = await browser.post("/saml/saml/confirm", {"ticket": ticket, "answer": "refuse"})
        assert (page.status, page.location) == (303, "/")
        assert "__Host-interpose" not in browser.cookies

    run(work())


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_who_is_under_way_when_the_provider_is_exchanged_is_told_so(how: str) -> None:
    async def work() -> None:
        place = SitePlace()
        place.posting.begins = True
        browser, other = place.browser(), place.browser()
        await browser.get("/login/saml")
        asked = await other.post(ACS, {"code": "yan"}, **CROSS)
        del place.posted["saml"]
        place.posting.retired = True
        if how == "changed":
            place.posted["saml"] = ToldPostingProvider(place, "saml", "Posting")
        page = await browser.post(ACS, {"code": "zoe", "RelayState": "state-saml-1"}, **CROSS)
        assert (page.status, "The identity provider has changed" in page.text) == (409, True)
        assert "__Host-interpose" not in browser.cookies
        # Nor who has only to say that it is them.
        page = await other.post("/saml/saml/confirm", {"ticket": asked.hidden("ticket"), "answer": "approve"})
        assert (page.status, "The identity provider has changed" in page.text) == (409, True)
        assert "__Host-interpose" not in other.cookies

    run(work())
