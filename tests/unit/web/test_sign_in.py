"""Signing in with a browser: the way there and back is bound to one browser, one provider and one time, and leads to our own pages only."""

from __future__ import annotations

import asyncio

import pytest

from interpose.model.audit import AuditKind
from interpose.web.sign_in import safe_then
from tests.support.site import SitePlace, ToldProvider
from tests.support.virtual import run


def test_somebody_signs_in_and_out() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = place.browser()
        page = await browser.get("/")
        assert page.status == 200
        assert "/login/corporate?then=/" in page.text
        page = await browser.get("/login/corporate")
        assert (page.status, page.location) == (303, "https://idp.example/corporate?state=state-corporate-1")
        (cookie,) = page.cookies
        assert cookie.startswith("__Host-interpose-login=")
        assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
        page = await browser.get("/login/corporate/callback?code=zoe&state=state-corporate-1")
        assert (page.status, page.location) == (303, "/")
        assert [each.partition("=")[0] for each in page.cookies] == ["__Host-interpose"]
        page = await browser.get("/")
        assert "zoe" in page.text
        assert "support" in page.text
        (event,) = place.core.audit.of(AuditKind.LOGIN_SUCCEEDED)
        assert dict(event.fields) | {"expires_at": 0} == {
            "principal": "zoe",
            "provider": "corporate",
            "method": "oidc",
            "issuer": "https://idp.example",
            "subject": "sub-zoe",
            "source": "192.0.2.7",
            "mfa": False,
            "expires_at": 0,
        }
        page = await browser.post("/logout", {"csrf": page.hidden("csrf")})
        assert (page.status, page.location) == (303, "/signed-out")
        assert "__Host-interpose" not in browser.cookies
        (event,) = place.core.audit.of(AuditKind.LOGIN_ENDED)
        assert event.fields["reason"] == "signed_out"

    run(work())


def test_the_session_is_over_at_the_server_when_somebody_signs_out() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        stolen = dict(browser.cookies)
        page = await browser.get("/")
        await browser.post("/logout", {"csrf": page.hidden("csrf")})
        thief = place.browser()
        thief.cookies = stolen
        assert "Choose where you are known" in (await thief.get("/")).text

    run(work())


@pytest.mark.parametrize(
    ("path", "cookies"),
    [
        ("/login/corporate/callback?code=zoe", True),
        ("/login/corporate/callback?code=zoe&state=", True),
        ("/login/corporate/callback?code=zoe&state=state-corporate-2", True),
        ("/login/corporate/callback?code=zoe&state=state-corporate-1", False),
        ("/login/partner/callback?code=zoe&state=state-corporate-1", True),
    ],
    ids=["no state", "empty state", "unknown state", "another browser", "another provider"],
)
def test_a_state_belongs_to_one_browser_and_one_provider(path: str, cookies: bool) -> None:
    async def work() -> None:
        place = SitePlace()
        browser = place.browser()
        await browser.get("/login/corporate")
        if not cookies:
            browser.cookies.clear()
            browser.cookies["__Host-interpose-login"] = "A" * 43
        page = await browser.get(path)
        assert page.status == 400
        assert "__Host-interpose" not in browser.cookies
        (event,) = place.core.audit.of(AuditKind.LOGIN_FAILED)
        assert (event.fields["reason"], event.fields["source"]) == ("state_unknown", "192.0.2.7")
        assert place.store.entries == {}

    run(work())


def test_a_state_is_good_once_and_for_ten_minutes() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        again = await browser.get("/login/corporate/callback?code=mallory&state=state-corporate-1")
        assert again.status == 400
        await browser.get("/login/corporate")
        await asyncio.sleep(601)
        late = await browser.get("/login/corporate/callback?code=zoe&state=state-corporate-2")
        assert late.status == 400
        # A login that failed has used up its state, too.
        await browser.get("/login/corporate")
        assert (await browser.get("/login/corporate/callback?code=nobody&state=state-corporate-3")).status == 403
        assert (await browser.get("/login/corporate/callback?code=zoe&state=state-corporate-3")).status == 400

    run(work())


def test_two_tabs_sign_in_at_once() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = place.browser()
        await browser.get("/login/corporate")
        await browser.get("/login/partner")
        assert (await browser.get("/login/corporate/callback?code=zoe&state=state-corporate-1")).status == 303
        assert (await browser.get("/login/partner/callback?code=pat&state=state-partner-1")).status == 303
        assert "pat" in (await browser.get("/")).text

    run(work())


def test_a_new_login_gets_a_new_cookie_and_ends_the_old_session() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        old = browser.cookies["__Host-interpose"]
        await browser.get("/login/corporate")
        await browser.get("/login/corporate/callback?code=yan&state=state-corporate-2")
        assert browser.cookies["__Host-interpose"] != old
        thief = place.browser()
        thief.cookies["__Host-interpose"] = old
        assert "Choose where" in (await thief.get("/")).text

    run(work())


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%2F/evil.example",
        "/device?code=BCDF-GHJK&x=1",
        "/device/../logout",
        "/authorize/" + "A" * 42,
        "/authorize/" + "A" * 43 + "\n",
        "javascript:alert(1)",
        "/logout",
        "",
        "device",
    ],
)
def test_nobody_is_led_elsewhere_after_the_login(text: str) -> None:
    assert safe_then(text) == "/"


@pytest.mark.parametrize("text", ["/", "/device", "/device?code=BCDF-GHJK", "/authorize/" + "A" * 43])
def test_the_way_goes_on_with_our_own_pages(text: str) -> None:
    assert safe_then(text) == text


@pytest.mark.parametrize(
    ("fields", "headers", "status"),
    [
        ({}, {}, 403),
        ({"csrf": "A" * 43}, {}, 403),
        ({"csrf": "right"}, {"origin": "https://evil.example"}, 403),
        ({"csrf": "right"}, {"origin": "null"}, 403),
        ({"csrf": "right"}, {"sec_fetch_site": "cross-site"}, 403),
        ({"csrf": "right"}, {"sec_fetch_site": "same-site"}, 403),
        ({"csrf": "right"}, {"content_type": "text/plain"}, 415),
        ({"csrf": "right", "x": "y" * 20_000}, {}, 413),
    ],
)
def test_another_site_cannot_sign_somebody_out(fields: dict[str, str], headers: dict[str, str], status: int) -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        token = (await browser.get("/")).hidden("csrf")
        sent = {**fields, **({"csrf": token} if fields.get("csrf") == "right" else {})}
        page = await browser.post("/logout", sent, **headers)
        assert page.status == status
        assert "zoe" in (await browser.get("/")).text

    run(work())


def test_a_person_who_is_disabled_is_signed_out() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        await place.directory.disable("zoe", by="os:root", reason="left")
        assert "Choose where" in (await browser.get("/")).text

    run(work())


def test_one_persons_many_logins_end_the_oldest_of_them_and_nobody_elses() -> None:
    async def work() -> None:
        place = SitePlace()
        other = await place.signed_in("ann")
        mine = [await place.signed_in() for _ in range(51)]
        seen = [sent_out not in (await each.get("/")).text for each in (other, *mine)]
        assert seen == [True, False, *[True] * 50]

    sent_out = "Choose where you are known"
    run(work())


def test_a_login_lives_as_long_as_the_provider_says() -> None:
    async def work() -> None:
        place = SitePlace()
        place.provider.lifetime = 60.0
        browser = await place.signed_in()
        await asyncio.sleep(61)
        assert "Choose where" in (await browser.get("/")).text

    run(work())


def test_logins_that_fail_are_bounded() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = place.browser()
        for _ in range(5):
            assert (await browser.get("/login/corporate/callback?state=x")).status == 400
        assert (await browser.get("/login/corporate/callback?state=x")).status == 429
        assert (await browser.get("/login/corporate")).status == 429
        assert (await place.browser("198.51.100.1").get("/login/corporate")).status == 303

    run(work())


def test_the_provider_is_told_of_the_end_as_well() -> None:
    async def work() -> None:
        place = SitePlace()
        place.provider.goodbye = "https://idp.example/end?a=1&b=2"
        browser = await place.signed_in()
        page = await browser.post("/logout", {"csrf": (await browser.get("/")).hidden("csrf")})
        assert page.status == 200
        assert 'content="0; url=https://idp.example/end?a=1&amp;b=2"' in page.text
        assert "__Host-interpose" not in browser.cookies

    run(work())


def test_names_of_providers_are_text() -> None:
    async def work() -> None:
        page = await SitePlace().browser().get("/")
        assert "Partner &amp; &lt;b&gt;Sons&lt;/b&gt;" in page.text
        assert "<b>" not in page.text

    run(work())


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_who_is_under_way_when_the_provider_is_exchanged_is_told_so(how: str) -> None:
    async def work() -> None:
        place = SitePlace()
        browser = place.browser()
        await browser.get("/login/corporate")
        old = place.providers.pop("corporate")
        place.provider.retired = True
        if how == "changed":
            place.providers["corporate"] = ToldProvider(place)
        page = await browser.get("/login/corporate/callback?code=zoe&state=state-corporate-1")
        assert (page.status, "The identity provider has changed" in page.text) == (409, True)
        assert "__Host-interpose" not in browser.cookies
        assert place.store.entries == {}
        # It was nobody's fault: this address is not held back by it.
        for _ in range(6):
            place.providers["corporate"] = old
            await browser.get("/login/corporate")
            await browser.get(f"/login/corporate/callback?code=zoe&state=state-corporate-{place.provider.departures}")
        page = await browser.get("/login/corporate")
        assert page.status == 303
        if how == "removed":
            del place.providers["corporate"]
            assert (await browser.get("/login/corporate")).status == 404
            assert "/login/corporate" not in (await browser.get("/")).text

    run(work())


def test_a_new_provider_is_offered_and_who_is_signed_in_stays_so() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        place.providers["fresh"] = ToldProvider(place, "fresh", "Fresh")
        del place.providers["corporate"]
        assert "/login/fresh" in (await place.browser().get("/")).text
        page = await browser.get("/")
        assert "You are signed in" in page.text
        # There is no provider any more at which to sign out as well.
        page = await browser.post("/logout", {"csrf": page.hidden("csrf")})
        assert page.location == "/signed-out"

    run(work())
