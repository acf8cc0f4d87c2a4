"""What holds for every answer of the public address."""

from __future__ import annotations

import pytest

from tests.support.site import SitePlace
from tests.support.virtual import run

_EVERYWHERE = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/healthz", 200),
        ("/static/style.css", 200),
        ("/nowhere", 404),
        ("/login/nobody", 404),
        ("/logout", 405),
    ],
)
def test_every_answer_has_the_headers(path: str, status: int) -> None:
    async def work() -> None:
        page = await SitePlace().browser().get(path)
        assert page.status == status
        assert {name: page.headers.get(name) for name in _EVERYWHERE} == _EVERYWHERE
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "script-src" not in policy
        if path != "/static/style.css":
            assert page.headers["cache-control"] == "no-store"

    run(work())


@pytest.mark.parametrize("host", ["evil.example", "gateway.example", "gateway.example:6443.evil.example", ""])
def test_another_host_is_not_answered(host: str) -> None:
    async def work() -> None:
        browser = SitePlace().browser()
        assert (await browser.get("/", host=host)).status == 421
        # A load balancer that asks for health does not know the name.
        assert (await browser.get("/healthz", host=host)).status == 200

    run(work())


def test_a_mistake_of_ours_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        place = SitePlace()

        async def broken(_: str, **__: object) -> None:
            raise RuntimeError("secret words")

        monkeypatch.setattr(place.provider, "depart", broken)
        sent = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: object) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/login/corporate",
            "query_string": b"",
            "headers": [(b"host", b"gateway.example:6443")],
            "client": ("192.0.2.7", 1),
        }
        # The server logs it; the answer goes out before.
        with pytest.raises(RuntimeError):
            await place.application(scope, receive, send)
        text = repr(sent)
        assert "'status': 500" in text
        assert "default-src" in text
        assert "secret words" not in text

    run(work())


@pytest.mark.parametrize(
    "query",
    ["state=%3Cscript%3Ealert(1)%3C/script%3E", "error=%3Cimg%20src=x%3E&error_description=%22%3E%3Cscript%3E&state=1"],
)
def test_nothing_of_the_query_is_shown(query: str) -> None:
    async def work() -> None:
        page = await SitePlace().browser().get(f"/login/corporate/callback?{query}")
        assert page.status == 400
        assert "script" not in page.text
        assert "img" not in page.text

    run(work())


def test_a_field_that_is_given_twice_is_refused() -> None:
    async def work() -> None:
        browser = SitePlace().browser()
        await browser.get("/login/corporate")
        page = await browser.get("/login/corporate/callback?state=state-corporate-1&state=x&code=zoe")
        assert page.status == 400

    run(work())
