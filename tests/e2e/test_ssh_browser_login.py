"""Logging in from an unmodified `ssh` by confirming in a real browser, at a real provider; and what attackers try with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer
from tests.support.relocated import ELSEWHERE, Relocated
from tests.support.sign_in_scene import USERS
from tests.support.ssh_browser_scene import OR_ENTER, PRESS, SshBrowserScene
from tests.support.sshd import SshServer, have_sshd

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not have_sshd(), reason="OpenSSH's server is not installed"),
]


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[SshBrowserScene]:
    with SshServer() as server, SshBrowserScene(postgres, server) as made:
        yield made
        assert "internal_error" not in made.scene.gateway.log.read_text()


def test_on_a_terminal_nothing_is_opened_before_it_is_confirmed(place: SshBrowserScene) -> None:
    before = place.upstream_connections()
    with place.ssh("echo in; exit 7") as ssh, place.person() as context:
        code = place.shown_code(ssh)
        assert f"Open {place.url}/confirm in a browser, sign in as `zoe`" in ssh.seen
        page = place.at_the_page(context)
        shown = place.enter(page, code.lower().replace("-", " "))
        for expected in ("127.0.0.1", "web-1", "OpenSSH", "zoe", "act as you there"):
            assert expected in shown
        assert place.upstream_connections() == before
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=Done")
        ssh.type("\n")
        ssh.wait_for("in\n")
        assert ssh.end() == 7
    assert place.upstream_connections() > before
    opened = place.scene.events("login.opened", claimed_name="zoe")[-1]["fields"]
    assert (opened["connection"], opened["source"]) == ("web-1", "127.0.0.1")
    (decided,) = place.scene.events("login.decided", login=opened["login"])
    assert (decided["fields"]["approved"], decided["fields"]["subject"]) == (True, "zoe-1")
    session = place.scene.events("session.opened", method="browser")[-1]
    assert (session["fields"]["provider"], session["fields"]["protocol"]) == ("corporate", "ssh")
    files = [path for path in place.scene.gateway.state.rglob("*") if path.is_file()]
    assert code.encode() not in b"".join(path.read_bytes() for path in files)


def test_enter_before_the_confirmation_waits_for_it(place: SshBrowserScene) -> None:
    with place.ssh("echo went on") as ssh, place.person() as context:
        code = place.shown_code(ssh)
        ssh.type("\n")
        place.approve(place.at_the_page(context), code)
        ssh.wait_for("went on")
        assert ssh.end() == 0


def test_a_token_may_be_typed_at_either_prompt(place: SshBrowserScene) -> None:
    opened = len(place.scene.events("login.opened"))
    with place.ssh("echo by token", name="alice") as ssh:
        ssh.wait_for(OR_ENTER)
        ssh.type(place.scene.token("alice") + "\n")
        ssh.wait_for("by token")
        assert ssh.end() == 0
    assert len(place.scene.events("login.opened")) == opened, "nobody asked for a code"
    with place.ssh("echo by token", name="alice") as ssh, place.person() as context:
        code = place.shown_code(ssh)
        ssh.type("ip_wrong\n")
        # The code is void, and one connection gets no other.
        ssh.wait_for("Interpose access token: ")
        assert "No login waits" in place.enter(place.at_the_page(context), code)
        ssh.type(place.scene.token("alice") + "\n")
        ssh.wait_for("by token")
        assert ssh.end() == 0
        assert place.scene.token("alice") not in ssh.seen
    place.ended("client_left", claimed_name="alice")


def test_what_is_denied_is_told(place: SshBrowserScene) -> None:
    before = place.upstream_connections()
    with place.ssh("echo in") as ssh, place.person() as context:
        page = place.at_the_page(context)
        code = place.shown_code(ssh)
        place.enter(page, code)
        page.click("button[value=deny]")
        page.wait_for_selector("text=Denied")
        place.ended("denied", claimed_name="zoe")
        ssh.type("\n")
        assert ssh.end() == 255
        assert "this login was denied in the browser" in ssh.seen
        page.goto(f"{place.url}/confirm")
        assert "No login waits with this code" in place.enter(page, code)
    assert place.upstream_connections() == before


def test_another_person_cannot_confirm(place: SshBrowserScene) -> None:
    more = {**USERS, "bea-5": {"preferred_username": "bea", "email": "bea@example.com", "email_verified": True}}
    place.provider.change(users=more)
    before = place.upstream_connections()
    process = place.without_terminal("echo in")
    code = place.code_in(process)
    with place.person() as context:
        assert "you are signed in as bea" in place.enter(place.at_the_page(context, "bea-5"), code)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (255, "")
    assert "the code was entered by somebody who is not `zoe`" in err
    assert place.ended("wrong_person")["fields"]["claimed_name"] == "zoe"
    assert place.upstream_connections() == before


def test_a_client_that_leaves_voids_its_login(place: SshBrowserScene) -> None:
    before = place.upstream_connections()
    with place.person() as context:
        page = place.at_the_page(context)
        for enters in (False, True):
            ended = len(place.scene.events("login.failed", method="browser", reason="client_left"))
            with place.ssh("echo in") as ssh:
                code = place.shown_code(ssh)
                ssh.type("\n" if enters else "\x03")
                if enters:
                    # Answered: what shows it is the line's end.
                    ssh.wait_for("access token: \n")
                assert ssh.interrupt_to_its_end() != 0
            place.ended("client_left")
            page.goto(f"{place.url}/confirm")
            assert "No login waits" in place.enter(page, code)
            assert len(place.scene.events("login.failed", method="browser", reason="client_left")) == ended + 1
    assert place.upstream_connections() == before


def test_a_wrong_code_harms_nobody(place: SshBrowserScene) -> None:
    with place.ssh("echo in") as ssh, place.person() as context:
        code = place.shown_code(ssh)
        page = place.at_the_page(context)
        wrong = "BBBB-BBBB" if code != "BBBB-BBBB" else "CCCC-CCCC"
        assert "No login waits with this code" in place.enter(page, wrong)
        place.approve(page, code)
        ssh.type("\n")
        ssh.wait_for("in\n")
        assert ssh.end() == 0


def test_batch_mode_waits_for_nobody(place: SshBrowserScene) -> None:
    opened = len(place.scene.events("login.opened"))
    process = place.without_terminal("echo in", options=("-o", "BatchMode=yes"))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (255, "")
    assert "Permission denied (publickey,keyboard-interactive,password)" in err
    assert len(place.scene.events("login.opened")) == opened


def test_without_a_terminal_it_waits_by_itself(place: SshBrowserScene) -> None:
    """Nobody can answer a prompt there: the client answers with nothing, and the code is on standard error."""
    process = place.without_terminal("cat; echo end")
    with place.person() as context:
        place.approve(place.at_the_page(context), place.code_in(process))
    out, err = process.communicate("input\n", timeout=60)
    assert (process.returncode, out) == (0, "input\nend\n"), err


def test_an_editor_that_asks_in_a_window_shows_address_and_code(place: SshBrowserScene, tmp_path: Path) -> None:
    process = place.without_terminal("bash", options=("-T",), **place.asked_in_a_window(tmp_path))
    with place.person() as context:
        code = place.code_in(process)
        place.approve(place.at_the_page(context), code)
    out, err = process.communicate("echo from the editor\n", timeout=60)
    assert out == "from the editor\n", err
    asked = (tmp_path / "asked").read_text()
    assert f"{PRESS} {code} is confirmed at {place.url}/confirm" in asked


def test_a_jump_opens_nothing_that_policy_forbids(place: SshBrowserScene) -> None:
    for host, status, words in (("web-1", 0, "jumped"), ("closed", 126, "interpose: ")):
        before = place.upstream_connections()
        arguments = ["ssh", "-F", place.client_file(), "-J", f"zoe@127.0.0.1:{place.ssh_port}", host, "echo jumped"]
        with place.terminal(arguments) as ssh, place.person() as context:
            code = place.shown_code(ssh)
            page = place.at_the_page(context)
            assert "to be chosen" in place.enter(page, code)
            page.click("text=Yes, let it in as me")
            page.wait_for_selector("text=Done")
            assert place.upstream_connections() == before
            ssh.type("\n")
            ssh.wait_for(words)
            assert ssh.end() == status
        assert (place.upstream_connections() > before) == (status == 0)


def test_a_menu_comes_after_the_confirmation(place: SshBrowserScene) -> None:
    with place.ssh(connection="") as ssh, place.person() as context:
        code = place.shown_code(ssh)
        page = place.at_the_page(context)
        assert "to be chosen" in place.enter(page, code)
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=Done")
        ssh.type("\n")
        ssh.wait_for("Which connection?")
        assert "closed" not in ssh.seen.split("Which connection?")[1]
        ssh.type("web-1\r")
        ssh.wait_for("leave: web-1\n")
        ssh.type("echo cho''sen; exit\r")
        ssh.wait_for("chosen")
        assert ssh.end() == 0


def test_a_client_on_another_machine_needs_one_more_yes(place: SshBrowserScene) -> None:
    with Relocated(place.ssh_port) as elsewhere, place.person() as context:
        process = place.without_terminal("echo 44", port=elsewhere.port)
        page = place.at_the_page(context)
        assert f"{ELSEWHERE} (this browser: 127.0.0.1)" in place.enter(page, place.code_in(process))
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=tick the box")
        page.check("[name=elsewhere]")
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=Done")
        out, err = process.communicate(timeout=60)
        assert out == "44\n", err
    assert place.scene.events("session.opened", method="browser", source=ELSEWHERE)
