"""A psql that logged in by a browser ends when its person logs out at the provider: whichever worker has it, heard of or not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.confirm_scene import ConfirmScene
from tests.support.postgres import PostgresServer
from tests.support.scene import ends, until

MOST = 12
WAITING = "select pg_sleep(600)"


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[ConfirmScene]:
    with ConfirmScene(postgres, workers=2) as made:
        yield made


def live(place: ConfirmScene) -> list[dict[str, object]]:
    """The rows of zoe's live sessions."""
    return place.scene.sessions("live=true&limit=1000&principal=User:zoe")


def test_a_logout_at_the_provider_ends_psql_in_every_worker_without_any_wake_up(place: ConfirmScene) -> None:
    clients: list[subprocess.Popen[str]] = []
    with place.person() as context, place.person() as elsewhere:
        page = place.at_the_page(context)
        while len({row["worker"] for row in live(place)}) < 2:
            assert len(clients) < MOST, "all connections came to one worker"
            clients.append(place.piped("-c", WAITING))
            place.approve(page, place.code_of(clients[-1]))
            until(lambda: len(live(place)) == len(clients), 30, "the session")
            page.goto(f"{place.url}/confirm")
        kept = place.piped("-c", WAITING)
        place.approve(place.at_the_page(elsewhere), place.code_of(kept))
        until(lambda: len(live(place)) == len(clients) + 1, 30, "the session of the other login")
        # From now on no worker hears another: every datagram is lost.
        for bus in (place.scene.gateway.state / "run").glob("*.sock"):
            bus.unlink()
        page.goto(f"{place.provider.issuer}/session/end")
        page.click("text=Yes, sign me out")
        page.wait_for_selector("text=Sign-out Success")
        for client in clients:
            out, told = ends(client)
            assert (out, client.returncode) == ("", 2), told
            assert "your login was ended at your identity provider" in told
    assert kept.poll() is None, "another login of the same person goes on"
    assert place.scene.events("login.ended", reason="logged_out_at_the_provider", subject="zoe-1")
    until(
        lambda: any(
            (row["principal"], row["close_reason"]) == ("User:zoe", "logged_out") for row in place.scene.sessions()
        ),
        what="the reason in the index",
    )
