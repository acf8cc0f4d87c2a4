"""What the public address says of the authorities, and an SSH certificate for a token: errors are words, nobody learns more."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from starlette.routing import Route

from interpose.engine.authenticate import TOO_MANY, WRONG
from interpose.model.errors import ClientError
from interpose.model.principal import Identity
from interpose.protocols.intents import Refused
from interpose.web.authorities import Authorities, AuthorityPages
from interpose.web.site import Site
from tests.support.memory import person
from tests.support.site import ORIGIN, Browser
from tests.support.virtual import run

ALICE = Identity(person("alice"), "token")


@dataclass(frozen=True)
class Made:
    """What the desk hands out."""

    certificate: str = "a line"
    serial: str = "0a"
    principal: str = "alice"
    expires_at: float = 9.0


class Desk:
    """Knows one token, and one key."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float, str]] = []

    async def bearer(self, token: str, peer: str) -> Identity | Refused:
        if token == "busy":
            return Refused(TOO_MANY)
        return ALICE if token == "right" else Refused(WRONG)

    async def issue(self, identity: Identity, public_key: str, ttl: float, source: str) -> Made:
        self.asked.append((public_key, ttl, source))
        if public_key != "good":
            raise ClientError("the public key is not understood")
        return Made()


def routes(desk: Desk, *, empty: bool = False) -> list[Route]:
    def text(of: str) -> str:
        return "" if empty else f"{of}\n"

    return AuthorityPages(Authorities(lambda: text("pem"), lambda: text("hosts"), lambda: text("up")), desk).routes()


def browser(desk: Desk, *, empty: bool = False) -> Browser:
    return Browser(Site(ORIGIN, routes(desk, empty=empty)).application())


@pytest.mark.parametrize(("path", "text"), [("/ca.pem", "pem\n"), ("/ca/ssh", "hosts\n"), ("/ca/ssh/upstream", "up\n")])
def test_the_authorities_are_texts(path: str, text: str) -> None:
    async def work() -> None:
        page = await browser(Desk()).get(path)
        assert (page.status, page.text) == (200, text)
        assert page.headers["cache-control"] == "public, max-age=300"
        none = await browser(Desk(), empty=True).get(path)
        assert none.status == 404

    run(work())


def test_a_certificate_for_a_token() -> None:
    async def work() -> None:
        desk = Desk()
        page = await browser(desk).post("/ssh/certificate", {"token": "right", "public_key": "good", "ttl": "60"})
        assert page.status == 201
        assert json.loads(page.text) == {
            "certificate": "a line",
            "serial": "0a",
            "principal": "alice",
            "expires_at": 9.0,
        }
        assert desk.asked == [("good", 60.0, "192.0.2.7")]

    run(work())


@pytest.mark.parametrize(
    ("form", "status", "word"),
    [
        ({"token": "wrong", "public_key": "good"}, 401, "invalid_token"),
        ({"public_key": "good"}, 401, "invalid_token"),
        ({"token": "busy", "public_key": "good"}, 429, "slow_down"),
        ({"token": "right", "public_key": "bad"}, 400, "invalid_request"),
        ({"token": "right", "public_key": "good", "ttl": "nan"}, 400, "invalid_request"),
        ({"token": "right", "public_key": "good", "ttl": "inf"}, 400, "invalid_request"),
        ({"token": "right", "public_key": "good", "ttl": "soon"}, 400, "invalid_request"),
    ],
)
def test_what_is_wrong_is_one_word(form: dict[str, str], status: int, word: str) -> None:
    async def work() -> None:
        page = await browser(Desk()).post("/ssh/certificate", form)
        assert (page.status, json.loads(page.text)) == (status, {"error": word})

    run(work())
