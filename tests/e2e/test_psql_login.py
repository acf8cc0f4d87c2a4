"""Logging in from unmodified clients by confirming in a real browser, at a real provider; and what attackers try with it."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator

import pytest

from tests.support.confirm_scene import ASKING, CODE, ConfirmScene
from tests.support.postgres import PostgresServer
from tests.support.postgres_binaries import MAJORS, Major, obtain
from tests.support.relocated import ELSEWHERE, Relocated
from tests.support.scene import until
from tests.support.sign_in_scene import USERS


@pytest.fixture(scope="module")
def place(postgres_major: Major) -> Iterator[ConfirmScene]:
    settings = {"log_connections": "on"}
    with PostgresServer(postgres_major, settings=settings) as server, ConfirmScene(server) as made:
        yield made
        assert "internal_error" not in made.scene.gateway.log.read_text()


def test_psql_on_a_terminal_asks_for_no_password(place: ConfirmScene) -> None:
    before = place.upstream_logins()
    with place.psql(PGOPTIONS=ASKING) as psql, place.person() as context:
        code = place.code(psql)
        assert "Password" not in psql.seen
        assert f"open {place.url}/confirm in a browser, sign in as `zoe`" in psql.seen
        detail = json.loads(re.search(r"DETAIL:  (.*)", psql.seen)[1])  # type: ignore[index]  # the line is there
        assert (detail["code"], detail["url"], detail["user_code"]) == ("confirm_login", f"{place.url}/confirm", code)
        assert code not in detail["url"]
        page = place.at_the_page(context)
        shown = place.enter(page, code.lower().replace("-", " "))
        for expected in ("127.0.0.1", "shop", "psql", "zoe"):
            assert expected in shown
        assert place.upstream_logins() == before, "the upstream was dialled before anybody had confirmed"
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=Done")
        psql.wait_for("shop=>")
        psql.type("select 41 + 1 as answer;\n")
        psql.wait_for("42")
        psql.type("\\q\n")
        assert psql.end() == 0
    assert place.upstream_logins() > before
    opened = place.scene.events("login.opened", claimed_name="zoe")[-1]
    fields = opened["fields"]
    assert (fields["connection"], fields["client"], fields["source"]) == ("shop", "psql", "127.0.0.1")
    (decided,) = place.scene.events("login.decided", login=fields["login"])
    assert (decided["fields"]["approved"], decided["fields"]["provider"]) == (True, "corporate")
    assert (decided["fields"]["subject"], decided["fields"]["source"]) == ("zoe-1", "127.0.0.1")
    session = place.scene.events("session.opened", method="browser")[-1]
    assert (session["fields"]["provider"], session["fields"]["subject"]) == ("corporate", "zoe-1")
    assert code.encode() not in b"".join(
        path.read_bytes() for path in place.scene.gateway.state.rglob("*") if path.is_file()
    )


def test_a_word_at_the_password_prompt_asks_for_the_browser(place: ConfirmScene) -> None:
    with place.psql("-Atc", "select 40 + 2") as psql, place.person() as context:
        psql.wait_for("Password")
        psql.type("browser\n")
        place.approve(place.at_the_page(context), place.code(psql))
        psql.wait_for("42")
        assert psql.end() == 0


def test_tokens_work_at_the_same_port(place: ConfirmScene) -> None:
    done = place.scene.psql("alice", "shop", "select 1")
    assert done.stdout.strip() == "1", done.stderr
    assert "authentication failed" in place.scene.psql("alice", "shop", "select 1", token="ip_wrong").stderr


@pytest.mark.parametrize("major", MAJORS)
def test_every_supported_psql_shows_the_notice_at_once(place: ConfirmScene, major: Major) -> None:
    """On a pipe, with `-w`, quiet: as in a script."""
    program = str(obtain(major).bin / "psql")
    # libpq 14 knows no addresses in certificates: the name.
    with place.psql("-w", "-q", "-Atc", "select 6 * 7", program=program, PGHOST="localhost", PGOPTIONS=ASKING) as psql:
        code = place.code(psql)
        with place.person() as context:
            place.approve(place.at_the_page(context), code)
        psql.wait_for("42")
        assert psql.end() == 0


def test_without_a_terminal_and_without_a_password(place: ConfirmScene) -> None:
    process = place.piped("-c", "select 43")
    with place.person() as context:
        place.approve(place.at_the_page(context), place.code_of(process))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.strip()) == (0, "43"), err


def test_what_is_denied_is_told_at_once(place: ConfirmScene) -> None:
    process = place.piped("-c", "select 1")
    code = place.code_of(process)
    with place.person() as context:
        page = place.at_the_page(context)
        place.enter(page, code)
        page.click("button[value=deny]")
        page.wait_for_selector("text=Denied")
        # A code is answered once.
        page.goto(f"{place.url}/confirm")
        assert "No login waits with this code" in place.enter(page, code)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "this login was denied in the browser" in err
    event = place.ended("denied")
    assert event["fields"]["claimed_name"] == "zoe"


def test_another_person_cannot_confirm(place: ConfirmScene) -> None:
    """The victim of a code that was sent, or a colleague: the login is void, and both sides are told."""
    more = {**USERS, "bea-5": {"preferred_username": "bea", "email": "bea@example.com", "email_verified": True}}
    place.provider.change(users=more)
    before = place.upstream_logins()
    process = place.piped("-c", "select 1")
    code = place.code_of(process)
    with place.person() as context:
        page = place.at_the_page(context, "bea-5")
        shown = place.enter(page, code)
        assert "you are signed in as bea" in shown
    _, err = process.communicate(timeout=30)
    assert "the code was entered by somebody who is not `zoe`" in err
    assert place.ended("wrong_person")["fields"]["claimed_name"] == "zoe"
    (decided,) = place.scene.events("login.decided", outcome="wrong_person", principal="bea")
    assert decided["fields"]["approved"] is False
    with place.person() as context:
        assert "No login waits" in place.enter(place.at_the_page(context), code)
    assert place.upstream_logins() == before


def test_a_client_that_leaves_voids_its_login(place: ConfirmScene) -> None:
    process = place.piped("-c", "select 1")
    code = place.code_of(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    place.ended("client_left")
    with place.person() as context:
        assert "No login waits" in place.enter(place.at_the_page(context), code)


def test_the_upstream_hears_nothing_of_all_that(place: ConfirmScene) -> None:
    """A raw client that sends a query before it was let in: nothing of it goes anywhere."""
    until(lambda: place.scene.backends() == 0, 60, "the end of earlier sessions")
    before = place.upstream_logins()
    with place.raw() as raw:
        assert CODE.search(place.first_words(raw))
        raw.sendall(b"Q\0\0\0\x19drop table customers\0")
        raw.settimeout(1)
        with pytest.raises(TimeoutError):
            raw.recv(4096)
    place.ended("client_left")
    assert place.upstream_logins() == before


def test_a_client_on_another_machine_needs_one_more_yes(place: ConfirmScene) -> None:
    with Relocated(place.scene.gateway.port) as elsewhere, place.person() as context:
        process = place.piped("-c", "select 44", PGPORT=str(elsewhere.port))
        code = place.code_of(process)
        page = place.at_the_page(context)
        shown = place.enter(page, code)
        assert f"{ELSEWHERE} (this browser: 127.0.0.1)" in shown
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=tick the box")
        assert process.poll() is None
        page.check("[name=elsewhere]")
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=Done")
        out, err = process.communicate(timeout=60)
        assert out.strip() == "44", err
    assert place.scene.events("session.opened", method="browser", source=ELSEWHERE)
