"""A login ends when the identity does: provisioned people, logouts at the provider, and commands that need a login of a moment ago.

A real OpenID provider, a real browser, live sessions in both workers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.postgres import PostgresServer
from tests.support.scene import CLASSIFICATIONS, POLICY, ends, until
from tests.support.scim_source import ScimSource
from tests.support.sign_in_scene import USERS, SignInScene

SCIM_TOKEN = "Scim-Canary-4tYh8Pq2-0123456789"
FRESH = """\
@id("drops-need-a-fresh-second-factor")
@reason("dropping things here needs a login with a second factor a moment ago")
@hint("run `interpose login --again`, then connect again")
forbid (principal, action == Action::"drop", resource) unless { context.mfa && context has auth_age && context.auth_age < 25 };
"""
SUPPORT = """\
@id("orders-are-changed-by-support")
@reason("orders are changed by support")
forbid (principal, action == Action::"update", resource in Table::"shop/public.orders") unless { principal in Group::"support" };
"""
SECRET = "person1@secret-domain.example"
Session = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[SignInScene]:
    with SignInScene(
        postgres,
        options={"scim": {"token": "env:CORPORATE_SCIM", "required": False}},
        environment={"CORPORATE_SCIM": SCIM_TOKEN},
        policy={
            "shop.cedar": POLICY,
            "classifications.yaml": CLASSIFICATIONS,
            "fresh.cedar": FRESH,
            "support.cedar": SUPPORT,
        },
        workers=2,
    ) as made:
        yield made


@pytest.fixture
def source(place: SignInScene) -> Iterator[ScimSource]:
    made = ScimSource(f"{place.url}/scim/v2/corporate", SCIM_TOKEN, str(place.scene.authority_file))
    yield made
    for path in ("/Users", "/Groups"):
        for each in made.ask("GET", path)[1]["Resources"]:
            assert made.ask("DELETE", f"{path}/{each['id']}")[0] == 204
    place.provider.change(users=USERS, login={})


def on_both(place: SignInScene, token: str) -> list[Session]:
    """Sessions in both workers; the kernel chooses who gets a connection."""
    sessions: list[Session] = []
    while True:
        sessions.append(place.scene.connect("zoe", "shop", token=token))
        rows = place.scene.sessions("live=true&limit=1000&principal=User:zoe")
        if len({row["worker"] for row in rows}) == 2:
            return sessions
        assert len(sessions) < 40, "all connections came to one worker"


def words_at_the_end(session: Session) -> str:
    """What a session is told when it is over."""

    def look() -> str:
        try:
            session.execute("select 1")
        except psycopg.Error as error:
            return str(error) or "closed"
        return ""

    told = until(look, 30, "the end of the session")
    session.close()
    return told


def test_who_is_deactivated_is_out_everywhere_and_comes_back_only_by_a_new_login(
    place: SignInScene, source: ScimSource, tmp_path: Path
) -> None:
    user = source.user("zoe-1", "zoe@example.com")
    source.group("support", user)
    token = place.command_line(tmp_path)["token"]
    sessions = on_both(place, token)
    # As Entra sends it: the truth value as a text.
    status, changed = source.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": "False"})
    assert (status, changed["active"]) == (200, False)
    for session in sessions:
        assert re.search("principal|revoked", words_at_the_end(session))
    assert "authentication failed" in place.scene.psql("zoe", "shop", "select 1", token=token).stderr
    with place.person() as context:
        place.sign_in(context).wait_for_selector("text=Not signed in")
    assert place.scene.events("login.failed", reason="person_deactivated")
    assert "deactivated at its provider" in place.scene.gateway.interpose("principals", "list").stdout
    # As Okta sends it.
    assert source.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}})[0] == 200
    assert "authentication failed" in place.scene.psql("zoe", "shop", "select 1", token=token).stderr
    home = tmp_path / "second"
    home.mkdir()
    token = place.command_line(home)["token"]
    assert place.scene.psql("zoe", "shop", "select 1", token=token).stdout.strip() == "1"
    changes = [event["fields"]["change"] for event in place.scene.events("provisioned", what="user", subject="zoe-1")]
    assert changes[-3:] == ["created", "deactivated", "activated"]


def test_groups_of_the_source_reach_live_sessions_and_only_those_that_the_mapping_allows(
    place: SignInScene, source: ScimSource, tmp_path: Path
) -> None:
    user = source.user("zoe-1", "zoe@example.com")
    readers, _ = source.group("pii-readers"), source.group("gateway-admins", user)
    token = place.command_line(tmp_path)["token"]
    assert place.scene.events("principal.learned", principal="zoe")[-1]["fields"]["groups"] == []
    for session in on_both(place, token):
        with session:
            assert SECRET not in str(session.execute("select email from customers where id = 1").fetchone())
            assert (
                source.patch(f"/Groups/{readers}", {"op": "Add", "path": "members", "value": [{"value": user}]})[0]
                == 200
            )

            def shown(session: Session = session) -> bool:
                return SECRET in str(session.execute("select email from customers where id = 1").fetchone())

            until(shown, 30, "the group")
            gone = {"op": "remove", "path": f'members[value eq "{user}"]'}
            assert source.patch(f"/Groups/{readers}", gone)[0] == 200
            until(lambda: not shown(), 30, "the end of the group")


def test_a_group_that_is_taken_while_a_statement_is_held_takes_the_statement_along(
    place: SignInScene, source: ScimSource, tmp_path: Path
) -> None:
    user, scene = source.user("zoe-1", "zoe@example.com"), place.scene
    support = source.group("support", user)
    token = place.command_line(tmp_path)["token"]
    for number, taken in ((70, False), (71, True)):
        psql = scene.start_psql("zoe", "shop", f"update orders set status = 'late' where id = {number}", token=token)
        approval = until(lambda: scene.api("carol", "GET", "/v1/approvals")[1]["to_decide"], 30, "the hold")[0]["id"]
        if taken:
            gone = {"op": "remove", "path": f'members[value eq "{user}"]'}
            assert source.patch(f"/Groups/{support}", gone)[0] == 200
            learned = scene.events("principal.learned", principal="zoe")[-1]
            assert learned["fields"]["groups_lost"] == ["support"]
        # Whoever approves does not know of it: what counts is who asks when it would run.
        scene.vote("carol", approval)
        out, error = ends(psql)
        assert (out == "UPDATE 1\n") is not taken, error
        assert ('"policy_changed"' in error) is taken
        found = scene.upstream(f"select status from orders where id = {number}")
        assert (found == "late") is not taken
    again = scene.psql("zoe", "shop", "update orders set status = 'late' where id = 71", token=token)
    assert "orders are changed by support" in again.stderr


def test_a_deleted_user_is_out(place: SignInScene, source: ScimSource, tmp_path: Path) -> None:
    user = source.user("zoe-1", "zoe@example.com")
    token = place.command_line(tmp_path)["token"]
    with place.scene.connect("zoe", "shop", token=token) as session:
        assert source.ask("DELETE", f"/Users/{user}") == (204, None)
        assert re.search("principal|revoked", words_at_the_end(session))
    assert source.ask("GET", f"/Users/{user}")[0] == 404


def test_a_logout_at_the_provider_ends_what_came_of_that_login(place: SignInScene, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    kept = place.command_line(other)["token"]
    process = place.start(tmp_path, "login", "--url", place.url)
    with place.person() as context:
        page = context.new_page()
        page.goto(place.opened(tmp_path))
        page.click("text=Corporate")
        place.at_provider(page, "zoe-1")
        page.click("text=Let it act for me")
        page.wait_for_selector("text=Signed in")
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0, out
        token = place.stored(tmp_path)["token"]
        sessions = on_both(place, token)
        # At the provider itself: the gateway hears of it from the provider, not from the browser.
        page.goto(f"{place.provider.issuer}/session/end")
        page.click("text=Yes, sign me out")
        page.wait_for_selector("text=Sign-out Success")
        page.goto(place.url)
        page.wait_for_selector("text=Choose where you are known")
    for session in sessions:
        assert re.search("ended at your identity provider|revoked", words_at_the_end(session))
    assert "authentication failed" in place.scene.psql("zoe", "shop", "select 1", token=token).stderr
    # Another login of the same person, in another session at the provider, is another login.
    assert place.scene.psql("zoe", "shop", "select 1", token=kept).stdout.strip() == "1"
    event = place.scene.events("login.ended", reason="logged_out_at_the_provider")[-1]
    assert (event["fields"]["provider"], event["fields"]["subject"]) == ("corporate", "zoe-1")
    assert event["fields"]["provider_session"]


def test_a_drop_needs_a_second_factor_a_moment_ago(place: SignInScene, tmp_path: Path) -> None:
    token = place.command_line(tmp_path)["token"]
    place.scene.upstream("create table if not exists doomed (id int)")
    drop = "drop table doomed"
    done = place.scene.psql("zoe", "open", drop, token=token)
    assert "needs a login with a second factor" in done.stderr
    assert "interpose login --again" in done.stderr
    place.provider.change(login={"amr": ["pwd", "otp"]})
    (tmp_path / "opened").unlink()
    process = place.start(tmp_path, "login", "--again", "--url", place.url)
    with place.person() as context:
        page = context.new_page()
        page.goto(place.opened(tmp_path))
        page.wait_for_selector("text=needs you to sign in anew")
        page.click("text=Corporate")
        place.at_provider(page, "zoe-1")
        page.click("text=Let it act for me")
        page.wait_for_selector("text=Signed in")
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out
    token = place.stored(tmp_path)["token"]
    with place.scene.connect("zoe", "open", token=token) as session:
        session.execute(drop)
        session.execute("create table doomed (id int)")
        opened = place.scene.events("session.opened", principal="User:zoe") or place.scene.events("session.opened")
        assert opened[-1]["fields"]["mfa"] is True
        # The same session, when its login is no longer of a moment ago.

        def refused() -> str:
            try:
                session.execute("drop table if exists doomed")
                session.execute("create table doomed (id int)")
            except psycopg.Error as error:
                return str(error)
            return ""

        assert "interpose login --again" in until(refused, 90, "the end of those seconds")


def test_foreign_tokens_speak_for_nobody(place: SignInScene, source: ScimSource) -> None:
    for token in ("wrong", "", place.scene.token("carol")):
        status, told = source.ask("GET", "/Users", token=token or " ")
        assert status == 401
        assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert place.scene.events("login.failed", reason="scim_token_wrong", provider="corporate")
    nobody = ScimSource(f"{place.url}/scim/v2/elsewhere", SCIM_TOKEN, str(place.scene.authority_file))
    assert nobody.ask("GET", "/Users")[0] == 401


def test_no_secret_of_a_source_is_written_anywhere(place: SignInScene) -> None:
    written = place.scene.gateway.log.read_bytes()
    for file in place.scene.gateway.state.rglob("*"):
        if file.is_file():
            written += file.read_bytes()
    assert SCIM_TOKEN.encode() not in written
    assert b"eyJ" not in written.replace((place.scene.gateway.state / "login.key").read_bytes(), b"")
    assert place.scene.verify().returncode == 0
