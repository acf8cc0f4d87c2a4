"""Providers that people sign in with are added, changed and removed while the gateway runs, with a real OpenID provider and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.support.postgres import PostgresServer
from tests.support.sign_in_scene import SignInScene


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[SignInScene]:
    with SignInScene(postgres) as made:
        made.scene.token("carol")
        yield made


@pytest.fixture(autouse=True)
def _as_it_was(place: SignInScene) -> Iterator[None]:
    yield
    configure(place, corporate=place.corporate())


def configure(place: SignInScene, **providers: object) -> None:
    """These are the providers from now on."""
    place.scene.gateway.settings["identity"] = {"providers": providers}
    place.scene.gateway.write()
    done = reload(place)
    assert done.returncode == 0, done.stderr


def reload(place: SignInScene) -> Any:
    """`interpose reload`, by somebody who may."""
    return place.scene.gateway.interpose("reload", token=place.scene.token("carol"), check=False)


def under_way(place: SignInScene, context: BrowserContext) -> Page:
    """A browser that stands before the provider's own page."""
    page = context.new_page()
    page.goto(f"{place.url}/login/corporate")
    page.wait_for_selector("input[name=login]")
    return page


def test_a_provider_that_is_added_lets_people_in_and_one_that_is_removed_does_not(
    place: SignInScene, tmp_path: Path
) -> None:
    other = place.corporate(title="Second House", mapping={"name_suffix": "-other"})
    configure(place, corporate=place.corporate(), other=other)
    assert place.scene.events("snapshot.loaded")[-1]["fields"]["needs_restart"] == []
    token = place.command_line(tmp_path)["token"]
    with place.person() as context, place.person() as late:
        page = context.new_page()
        page.goto(place.url)
        page.click("text=Second House")
        place.at_provider(page, "zoe-1")
        page.wait_for_selector("text=You are signed in")
        assert "zoe-other" in page.inner_text("main")
        with place.scene.connect("zoe", "shop", token=token) as session:
            waiting = under_way(place, late)
            configure(place, other=other)
            place.at_provider(waiting, "zoe-1")
            waiting.wait_for_selector("text=The identity provider has changed")
            assert not [each for each in late.cookies() if each["name"] == "__Host-interpose"]
            assert place.scene.events("login.failed", provider="corporate", reason="provider_changed")
            waiting.goto(place.url)
            assert "Corporate" not in waiting.inner_text("main")
            answer = late.request.get(f"{place.url}/login/corporate", max_redirects=0)
            assert answer.status == 404
            assert session.execute("select 1").fetchone() == (1,), "a session lives on to its deadline"
        page.goto(place.url)
        page.wait_for_selector("text=You are signed in")


def test_a_mapping_that_changes_counts_for_who_signs_in_from_now_on(place: SignInScene) -> None:
    with place.person() as context, place.person() as late:
        assert "support" in place.sign_in(context).inner_text("main")
        waiting = under_way(place, late)
        configure(place, corporate=place.corporate(mapping={"groups": {"claim": "groups", "allow": ["dba"]}}))
        # What the old mapping would have given is given to nobody any more.
        place.at_provider(waiting, "zoe-1")
        waiting.wait_for_selector("text=The identity provider has changed")
    with place.person() as context:
        page = place.sign_in(context)
        page.wait_for_selector("text=You are signed in")
        assert "support" not in page.inner_text("main")


def test_what_does_not_change_is_not_disturbed(place: SignInScene) -> None:
    with place.person() as context:
        waiting = under_way(place, context)
        # A comment is a new snapshot, and the provider what it was.
        file = place.scene.gateway.folder / "principals.yaml"
        file.write_text(f"{file.read_text()}# another\n")
        assert reload(place).returncode == 0
        place.at_provider(waiting, "zoe-1")
        waiting.wait_for_selector("text=You are signed in")


def test_a_new_client_secret_is_used_from_the_reload_on(place: SignInScene, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("Client-Canary-Second-9Xv2-0123456789-abcdef")
    try:
        place.provider.change(clients=[place.client(secret.read_text())])
        with place.person() as context:
            place.sign_in(context).wait_for_selector("text=Provider not available")
        configure(place, corporate=place.corporate(client_secret=f"file:{secret}"))
        with place.person() as context:
            place.sign_in(context).wait_for_selector("text=You are signed in")
        assert secret.read_text() not in place.scene.gateway.log.read_text()
    finally:
        place.provider.change(clients=[place.client()])


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"issuer": "http://login.example.com"}, "issuer"),
        ({"client_secret": "hunter2hunter2"}, "must be a reference"),
    ],
)
def test_a_broken_provider_changes_nothing_and_is_reported(
    place: SignInScene, broken: dict[str, object], said: str
) -> None:
    rejected = len(place.scene.events("snapshot.rejected"))
    gateway = place.scene.gateway
    with place.person() as context:
        waiting = under_way(place, context)
        gateway.settings["identity"] = {
            "providers": {"corporate": place.corporate(**broken), "fresh": place.corporate(title="Fresh")}
        }
        gateway.write()
        done = reload(place)
        assert done.returncode == 1
        assert said in done.stderr
        assert "hunter2hunter2" not in gateway.log.read_text()
        assert len(place.scene.events("snapshot.rejected")) > rejected
        assert "Fresh" not in context.request.get(place.url).text()
        place.at_provider(waiting, "zoe-1")
        waiting.wait_for_selector("text=You are signed in")
