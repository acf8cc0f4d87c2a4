"""An OpenID provider that is cut off: nobody new signs in, who is in goes on, and it is asked seldom, counted at a proxy before the real one."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse

from tests.support.counting_proxy import CountingProxy, Mode
from tests.support.postgres import PostgresServer
from tests.support.scene import until
from tests.support.sign_in_scene import USERS, SignInScene

PEOPLE = {**USERS, "kim-5": {**USERS["zoe-1"], "preferred_username": "kim", "email": "kim@example.com"}}
CROWD = 40
ATTEMPTS: dict[Mode, int] = {"cut": 5, "hang": 3}
"""Connections after which there were two attempts to renew, and one."""


class Scene(SignInScene):
    """With two providers more, which are the same and which nobody has asked yet: one for each way to be cut off."""

    def more_providers(self) -> dict[str, object]:
        return {name: self.corporate(title=name, mapping={"name_suffix": f"-{name}"}) for name in ("cut", "hang")}


@pytest.fixture(scope="module")
def proxy() -> Iterator[CountingProxy]:
    with CountingProxy() as made:
        yield made


@pytest.fixture(scope="module")
def place(postgres: PostgresServer, proxy: CountingProxy) -> Iterator[Scene]:
    with Scene(postgres, behind=proxy) as made:
        made.provider.change(users=PEOPLE)
        yield made


def told(answer: APIResponse) -> bool:
    """Whether this is the page that says in words that the provider cannot be reached."""
    return (
        answer.status == 503 and "Provider not available" in answer.text() and "Sessions that are open" in answer.text()
    )


@pytest.mark.parametrize("mode", ["cut", "hang"])
def test_a_provider_that_is_cut_off(place: Scene, proxy: CountingProxy, tmp_path: Path, mode: Mode) -> None:
    homes = [tmp_path / name for name in ("zoe-1", "kim-5")]
    for home in homes:
        home.mkdir()
    tokens = {home.name.partition("-")[0]: place.command_line(home, home.name)["token"] for home in homes}
    sessions = [place.scene.connect(name, "shop", token=token) for name, token in tokens.items() for _ in range(3)]
    try:
        with place.person() as context, place.person() as late:
            back = place.on_the_way_back(late)
            place.provider.requests(forget=True)
            proxy.be(mode)
            began = time.monotonic()
            # Who was on the way back is told, and so is everybody who begins; nobody waits for long.
            assert told(late.request.get(back, max_redirects=0, timeout=30_000))
            assert "__Host-interpose" not in {each["name"] for each in late.cookies()}
            with ThreadPoolExecutor(CROWD) as crowd:
                answers = list(crowd.map(lambda _: place.asked(f"/login/{mode}"), range(CROWD)))
            assert {status for status, _ in answers} == {503}
            assert all("Provider not available" in text for _, text in answers)
            assert told(context.request.get(f"{place.url}/login/{mode}", max_redirects=0, timeout=30_000))
            # Both logins come up for renewal meanwhile, and every session answers.
            until(lambda: proxy.connections >= ATTEMPTS[mode], 90, "attempts to renew")
            assert [session.execute("select 1").fetchone() for session in sessions] == [(1,)] * 6
            for name, token in tokens.items():
                assert place.scene.psql(name, "shop", "select 1", token=token).stdout == "1\n", "a token lives on"
            # One for the way back. One in ten seconds for what the provider says of itself, whoever wants to know; the HTTP client tries
            # once more where a connection breaks before the answer. To renew, one for all people together after 5, 10, 20 … seconds.
            took = time.monotonic() - began
            bound = 1 + 2 * math.ceil(1 + took / 10) + math.ceil(1 + math.log2(1 + took / 5))
            assert proxy.connections <= bound, f"{proxy.connections} in {took:.0f} s"
            assert place.provider.requests() == {}
            assert not place.scene.events("login.ended", principal="zoe")
            proxy.be("up")
            place.sign_in(context).wait_for_selector("text=You are signed in")

            def back_again() -> bool:
                return place.asked(f"/login/{mode}")[0] == 303

            until(back_again, 60, "what the provider says of itself")
            # Whoever was in is asked about again.
            until(lambda: place.provider.requests().get("/token", 0) >= 2, 90, "a renewal")
            assert [session.execute("select 1").fetchone() for session in sessions] == [(1,)] * 6
    finally:
        proxy.be("up")
        for session in sessions:
            session.close()
