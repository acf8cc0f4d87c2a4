"""A command line gets a token only by somebody's yes in their own browser: over loopback with PKCE, or by a code that is typed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from interpose.model.audit import AuditKind
from tests.support.site import ORIGIN, Browser, Page, SitePlace
from tests.support.virtual import run

VERIFIER = "v" * 64
STATE = "s" * 43
REDIRECT = "http://127.0.0.1:40001/callback"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def request(**more: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": "interpose-cli",
        "redirect_uri": REDIRECT,
        "state": STATE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "client_name": "zoe@laptop",
    }
    return f"/authorize?{urlencode({**query, **more})}"


async def program(place: SitePlace, path: str, fields: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """What the command line asks, which has no cookies and sends no origin."""
    browser = Browser(place.application, address="203.0.113.5")
    body = urlencode({"client_id": "interpose-cli", **fields}).encode()
    page = await browser.send("POST", path, body, {"content_type": "application/x-www-form-urlencoded"})
    return page.status, json.loads(page.text)


async def approved(place: SitePlace, browser: Browser, answer: str = "approve") -> dict[str, str]:
    """The answer that the browser takes to the command line."""
    asked = await browser.get(request())
    shown = await browser.get(asked.location)
    assert shown.status == 200, shown.text
    page = await browser.post(asked.location, {"csrf": shown.hidden("csrf"), "answer": answer})
    assert page.status == 303
    assert page.location.startswith(f"{REDIRECT}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(page.location).query).items()}


def exchange(code: str, /, **more: str) -> dict[str, str]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return {**form, **more}


def test_nobody_makes_the_gateway_forget_what_others_have_asked() -> None:
    """Ten thousand requests are kept at most, and one address makes a few hundred a minute."""

    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        asked = await browser.get(request())
        stranger = Browser(place.application, address="203.0.113.66")
        statuses = [(await stranger.get(request())).status for _ in range(301)]
        assert (await browser.get(asked.location)).status == 200
        assert statuses[0] == 303 and statuses[-1] == 429

    run(work())


def test_a_command_line_gets_a_token() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        answer = await approved(place, browser)
        assert (answer["state"], answer["iss"]) == (STATE, ORIGIN)
        status, found = await program(place, "/token", exchange(answer["code"]))
        assert status == 200
        assert found["principal"] == "zoe"
        assert found["access_token"].startswith("ip_")
        assert found["expires_at"] == place.core.clock.wall() + 8 * 3600
        (event,) = place.core.audit.of(AuditKind.LOGIN_DECIDED)
        assert (event.fields["how"], event.fields["approved"], event.fields["client"]) == (
            "browser",
            True,
            "zoe@laptop",
        )
        assert (event.fields["subject"], event.fields["source"]) == ("sub-zoe", "192.0.2.7")
        assert place.core.audit.of(AuditKind.TOKEN_CREATED)
        # Everything that was shown or recorded knows nothing of the token.
        assert found["access_token"] not in repr(place.core.audit.events)
        assert (await program(place, "/revoke", {"token": found["access_token"]}))[0] == 200
        (record,) = place.tokens.stored.values()
        assert record.revoked_at is not None

    run(work())


def test_a_token_ends_with_the_login() -> None:
    async def work() -> None:
        place = SitePlace()
        place.provider.lifetime = 600.0
        browser = await place.signed_in()
        _, found = await program(place, "/token", exchange((await approved(place, browser))["code"]))
        assert found["expires_at"] == place.core.clock.wall() + 600

    run(work())


@pytest.mark.parametrize(
    "more",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:40001@evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.example:40001/callback"},
        {"redirect_uri": "http://localhost:40001/callback"},
        {"redirect_uri": "http://127.0.0.1/callback"},
        {"redirect_uri": "http://127.0.0.1:80/callback"},
        {"redirect_uri": "http://127.0.0.1:70000/callback"},
        {"redirect_uri": "http://127.0.0.1:40001/callback?x=1"},
        {"redirect_uri": "http://127.0.0.1:40001/callback\n"},
        {"redirect_uri": "http://127.0.0.1:40001/../callback"},
        {"redirect_uri": "http://0x7f.1:40001/callback"},
        {"redirect_uri": "javascript:alert(1)//http://127.0.0.1:40001/callback"},
        {"redirect_uri": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"code_challenge": "x"},
        {"state": "short"},
        {"response_type": "token"},
        {"client_id": "other"},
    ],
)
def test_a_request_that_is_not_exactly_right_sends_nobody_anywhere(more: dict[str, str]) -> None:
    async def work() -> None:
        page = await (await SitePlace().signed_in()).get(request(**more))
        assert (page.status, page.location) == (400, "")

    run(work())


@pytest.mark.parametrize(
    "more",
    [
        {"code_verifier": "w" * 64},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:40002/callback"},
        {"code": "A" * 43},
        {"client_id": "other"},
        {"grant_type": "password"},
    ],
)
def test_a_code_is_good_for_whoever_asked_for_it(more: dict[str, str]) -> None:
    async def work() -> None:
        place = SitePlace()
        code = (await approved(place, await place.signed_in()))["code"]
        status, found = await program(place, "/token", exchange(code, **more))
        assert (status, "access_token" in found) == (400, False)
        assert place.tokens.stored == {}
        if not more.keys() & {"code", "client_id", "grant_type"}:
            # It was tried, so it is used.
            assert (await program(place, "/token", exchange(code)))[0] == 400

    run(work())


def test_a_code_that_is_used_twice_takes_the_token_back() -> None:
    async def work() -> None:
        place = SitePlace()
        code = (await approved(place, await place.signed_in()))["code"]
        assert (await program(place, "/token", exchange(code)))[0] == 200
        assert await program(place, "/token", exchange(code)) == (400, {"error": "invalid_grant"})
        (record,) = place.tokens.stored.values()
        assert record.revoked_at is not None
        assert place.core.audit.of(AuditKind.LOGIN_FAILED)[-1].fields["reason"] == "code_used_twice"

    run(work())


def test_a_code_lives_a_minute_and_a_request_ten() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        code = (await approved(place, browser))["code"]
        asked = await browser.get(request())
        await asyncio.sleep(61)
        assert (await program(place, "/token", exchange(code)))[0] == 400
        await asyncio.sleep(600)
        assert (await browser.get(asked.location)).status == 400

    run(work())


def test_who_is_disabled_between_yes_and_the_exchange_gets_nothing() -> None:
    async def work() -> None:
        place = SitePlace()
        code = (await approved(place, await place.signed_in()))["code"]
        await place.directory.disable("zoe", by="os:root", reason="left")
        assert await program(place, "/token", exchange(code)) == (400, {"error": "access_denied"})
        assert place.tokens.stored == {}

    run(work())


def test_a_refusal_is_told() -> None:
    async def work() -> None:
        place = SitePlace()
        answer = await approved(place, await place.signed_in(), "refuse")
        assert answer == {"error": "access_denied", "iss": ORIGIN, "state": STATE}
        assert place.core.audit.of(AuditKind.LOGIN_DECIDED)[0].fields["approved"] is False

    run(work())


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}]
)
def test_another_site_cannot_say_yes(headers: dict[str, str]) -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        asked = await browser.get(request())
        shown = await browser.get(asked.location)
        good = {"csrf": shown.hidden("csrf"), "answer": "approve"}
        assert (await browser.post(asked.location, good, **headers)).status == 403
        for form in ({"answer": "approve"}, {"csrf": "x", "answer": "approve"}):
            assert (await browser.post(asked.location, form)).status == 403
        assert place.core.audit.of(AuditKind.LOGIN_DECIDED) == []
        # A link alone says nothing either.
        assert (await browser.get(f"{asked.location}?answer=approve")).status == 200
        assert place.core.audit.of(AuditKind.LOGIN_DECIDED) == []

    run(work())


def test_the_form_leads_to_the_program_and_nowhere_else() -> None:
    async def work() -> None:
        browser = await SitePlace().signed_in()
        page = await browser.get((await browser.get(request(client_name="<i>x</i>\x1b"))).location)
        assert "form-action 'self' http://127.0.0.1:40001" in page.headers["content-security-policy"]
        assert "x-interpose-form-action" not in page.headers
        assert "&lt;i&gt;x&lt;/i&gt;?" in page.text

    run(work())


def test_who_has_not_signed_in_signs_in_first() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = place.browser()
        asked = await browser.get(request())
        shown = await browser.get(asked.location)
        assert f"then={asked.location}" in shown.text
        direct = await browser.get(request(provider="corporate"))
        assert direct.location.startswith("/login/corporate?then=%2Fauthorize%2F")
        departure = await browser.get(direct.location)
        state = departure.location.partition("state=")[2]
        back = await browser.get(f"/login/corporate/callback?code=zoe&state={state}")
        assert back.location.startswith("/authorize/")
        assert "Let this command line act for you?" in (await browser.get(back.location)).text

    run(work())


def test_guesses_are_bounded() -> None:
    async def work() -> None:
        place = SitePlace()
        for _ in range(10):
            assert (await program(place, "/token", exchange("A" * 43)))[0] == 400
        assert await program(place, "/token", exchange("A" * 43)) == (429, {"error": "slow_down"})
        assert (await program(place, "/revoke", {"token": "x"}))[0] == 429

    run(work())


# --- by a code that is typed


async def typed(browser: Browser, code: str) -> Page:
    shown = await browser.get("/device")
    return await browser.post("/device", {"csrf": shown.hidden("csrf"), "code": code})


async def answered(browser: Browser, code: str, answer: str = "approve") -> Page:
    page = await typed(browser, code)
    return await browser.post("/device/answer", {"csrf": page.hidden("csrf"), "code": code, "answer": answer})


def test_a_terminal_elsewhere_gets_a_token() -> None:
    async def work() -> None:
        place = SitePlace()
        status, asked = await program(place, "/device_authorization", {"client_name": "zoe@server"})
        assert (status, asked["expires_in"], asked["interval"]) == (200, 600, 5)
        assert asked["verification_uri"] == f"{ORIGIN}/device"
        poll = {"grant_type": DEVICE, "device_code": asked["device_code"]}
        assert await program(place, "/token", poll) == (400, {"error": "authorization_pending"})
        assert await program(place, "/token", poll) == (400, {"error": "slow_down"})
        browser = await place.signed_in()
        # The link of the terminal does nothing by itself.
        link = await browser.get(asked["verification_uri_complete"].removeprefix(ORIGIN))
        assert f'value="{asked["user_code"]}"' in link.text
        page = await typed(browser, asked["user_code"].lower().replace("-", " "))
        for word in (asked["user_code"], "zoe@server", "203.0.113.5", "192.0.2.7"):
            assert word in page.text
        assert (await answered(browser, asked["user_code"])).status == 200
        await asyncio.sleep(5)
        status, found = await program(place, "/token", poll)
        assert (status, found["principal"]) == (200, "zoe")
        await asyncio.sleep(5)
        assert await program(place, "/token", poll) == (400, {"error": "expired_token"})
        (event,) = place.core.audit.of(AuditKind.LOGIN_DECIDED)
        assert (event.fields["how"], event.fields["asked_from"]) == ("device", "203.0.113.5")

    run(work())


def test_a_code_is_answered_once_and_lives_ten_minutes() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        _, asked = await program(place, "/device_authorization", {})
        assert "Refused" in (await answered(browser, asked["user_code"], "refuse")).text
        assert (await typed(browser, asked["user_code"])).status == 404
        poll = {"grant_type": DEVICE, "device_code": asked["device_code"]}
        assert await program(place, "/token", poll) == (400, {"error": "access_denied"})
        _, late = await program(place, "/device_authorization", {})
        await asyncio.sleep(601)
        assert (await typed(browser, late["user_code"])).status == 404
        poll = {"grant_type": DEVICE, "device_code": late["device_code"]}
        assert await program(place, "/token", poll) == (400, {"error": "expired_token"})
        assert place.tokens.stored == {}

    run(work())


def test_guesses_of_typed_codes_are_bounded_by_person_and_address() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        for _ in range(10):
            assert (await typed(browser, "BCDF-GHJK")).status == 404
        assert (await typed(browser, "BCDF-GHJK")).status == 429
        moved = Browser(place.application, address="198.51.100.9", cookies=browser.cookies)
        assert (await typed(moved, "BCDF-GHJK")).status == 429
        assert len(place.core.audit.of(AuditKind.LOGIN_FAILED)) == 10

    run(work())


def test_another_site_cannot_confirm_a_code() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        _, asked = await program(place, "/device_authorization", {"client_name": "<script>alert(1)</script>"})
        page = await typed(browser, asked["user_code"])
        assert "<script" not in page.text
        good = {"csrf": page.hidden("csrf"), "code": asked["user_code"], "answer": "approve"}
        assert (await browser.post("/device/answer", good, origin="https://evil.example")).status == 403
        assert (await browser.post("/device/answer", {**good, "csrf": ""})).status == 403
        other = await place.signed_in("yan")
        assert (await other.post("/device/answer", good)).status == 403
        assert (await place.browser().post("/device/answer", good)).status == 403
        assert place.core.audit.of(AuditKind.LOGIN_DECIDED) == []

    run(work())


def test_codes_that_are_made_are_bounded() -> None:
    async def work() -> None:
        place = SitePlace()
        for _ in range(30):
            assert (await program(place, "/device_authorization", {}))[0] == 200
        assert (await program(place, "/device_authorization", {}))[0] == 429

    run(work())


def test_a_program_can_ask_for_a_login_anew() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        asked = await browser.get(request(prompt="login"))
        # Who is signed in already signs in once more, and the provider is told to ask them.
        shown = await browser.get(asked.location)
        assert "needs you to sign in anew" in shown.text
        assert f"/login/corporate?then={asked.location}&amp;again=1" in shown.text
        # A login without it does not help, whatever the link says.
        page = await browser.get(f"/login/corporate?then={asked.location}")
        assert not place.provider.again
        await browser.get(f"/login/corporate/callback?code=zoe&state={page.location.partition('state=')[2]}")
        assert "sign in anew" in (await browser.get(asked.location)).text
        refused = await browser.post(asked.location, {"csrf": "x", "answer": "approve"})
        assert refused.status in (400, 403)
        asked = await browser.get(request(prompt="login"))
        page = await browser.get(f"/login/corporate?then={asked.location}&again=1")
        assert place.provider.again
        await browser.get(f"/login/corporate/callback?code=zoe&state={page.location.partition('state=')[2]}")
        shown = await browser.get(asked.location)
        page = await browser.post(asked.location, {"csrf": shown.hidden("csrf"), "answer": "approve"})
        assert page.location.startswith(f"{REDIRECT}?code=")
        # What is asked for later wants a later login.
        await asyncio.sleep(1)
        asked = await browser.get(request(prompt="login"))
        assert "sign in anew" in (await browser.get(asked.location)).text

    run(work())


def test_a_session_that_is_not_anew_approves_nothing_that_asks_for_it() -> None:
    async def work() -> None:
        place = SitePlace()
        browser = await place.signed_in()
        csrf = (await browser.get("/")).hidden("csrf")
        asked = await browser.get(request(prompt="login"))
        page = await browser.post(asked.location, {"csrf": csrf, "answer": "approve"})
        assert page.status == 400
        assert "This request is over" in page.text
        _, told = await program(place, "/device_authorization", {"prompt": "login"})
        page = await browser.post("/device", {"csrf": csrf, "code": told["user_code"]})
        assert "needs you to sign in anew" in page.text
        page = await browser.post("/device/answer", {"csrf": csrf, "code": told["user_code"], "answer": "approve"})
        assert page.status == 403
        page = await browser.get(f"/login/corporate?then=/device?code={told['user_code']}&again=1")
        await browser.get(f"/login/corporate/callback?code=zoe&state={page.location.partition('state=')[2]}")
        csrf = (await browser.get("/")).hidden("csrf")
        page = await browser.post("/device", {"csrf": csrf, "code": told["user_code"]})
        assert "Is this your terminal?" in page.text

    run(work())
