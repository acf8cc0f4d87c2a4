"""Logging in from ssh by a browser with other settings than usual: a short time, two workers, never a token; and a flood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer
from tests.support.ssh_browser_scene import OR_ENTER, PRESS, SHOWN, SshBrowserScene
from tests.support.sshd import SshServer, have_sshd, with_password

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not have_sshd(), reason="OpenSSH's server is not installed"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[SshServer]:
    with SshServer() as made:
        yield made


def test_what_nobody_confirms_expires_and_a_drain_is_told(postgres: PostgresServer, server: SshServer) -> None:
    with SshBrowserScene(postgres, server, limits={"browser_login": "10s"}) as place, place.person() as context:
        page = place.at_the_page(context)
        process = place.without_terminal("echo in")
        code = place.code_in(process)
        assert "Did you just start this?" in place.enter(page, code)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 255
        assert "nobody confirmed this login in a browser within 10 s" in err
        place.ended("expired")
        page.click("text=Yes, let it in as me")
        page.wait_for_selector("text=No login waits with this code")
        # Whoever is at the prompt when it expires reads the same.
        with place.ssh("echo in") as ssh:
            place.shown_code(ssh)
            place.ended("expired", login=place.scene.events("login.opened")[-1]["fields"]["login"])
            ssh.type("\n")
            assert ssh.end() == 255
            assert "nobody confirmed this login" in ssh.seen
        last = place.without_terminal("echo in")
        place.code_in(last)
        assert place.scene.gateway.stop() == 0
        _, err = last.communicate(timeout=60)
        assert "the gateway is shutting down" in err


def test_with_two_workers_both_are_reached(postgres: PostgresServer, server: SshServer) -> None:
    """The pages are served by one worker; the client waits on either."""
    with SshBrowserScene(postgres, server, workers=2) as place, place.person() as context:
        page = place.at_the_page(context)
        for number in range(30):
            process = place.without_terminal(f"echo {number}")
            code = place.code_in(process)
            page.goto(f"{place.url}/confirm")
            place.approve(page, code)
            out, err = process.communicate(timeout=60)
            assert out == f"{number}\n", err
            workers = {session["worker"] for session in place.scene.sessions() if session["principal"] == "User:zoe"}
            if len(workers) == 2:
                return
        raise AssertionError("all connections came to one worker")


def test_always_takes_no_token(postgres: PostgresServer, server: SshServer, tmp_path: Path) -> None:
    with SshBrowserScene(postgres, server, browser="always") as place, place.person() as context:
        page = place.at_the_page(context)
        with place.ssh("echo in") as ssh:
            ssh.wait_for(PRESS)
            assert OR_ENTER not in ssh.seen
            assert "token" not in ssh.seen
            place.approve(page, SHOWN.findall(ssh.seen)[-1])
            ssh.type("\n")
            ssh.wait_for("in\n")
            assert ssh.end() == 0
        process = place.without_terminal("echo in", options=("-o", "PreferredAuthentications=password"))
        _, err = process.communicate(timeout=60)
        assert "Permission denied (publickey,keyboard-interactive)" in err
        # A token at this prompt is as good as Enter.
        token = place.scene.token("alice")
        process = place.without_terminal("echo in", **with_password(tmp_path, token, {}))
        code = place.code_in(process)
        page.goto(f"{place.url}/confirm")
        place.enter(page, code)
        page.click("button[value=deny]")
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (255, "")
        assert "this login was denied in the browser" in err


def test_never_shows_no_code(postgres: PostgresServer, server: SshServer) -> None:
    with SshBrowserScene(postgres, server, browser="never") as place, place.ssh("echo in") as ssh:
        ssh.wait_for("Interpose access token: ")
        assert OR_ENTER not in ssh.seen
        ssh.type("\n")
        ssh.wait_for("access token: \n\r(zoe+web-1@127.0.0.1) Interpose access token: ")
        assert PRESS not in ssh.seen
        assert not place.scene.events("login.opened")


def test_a_flood_of_logins_that_wait_keeps_nobody_with_a_token_out(
    postgres: PostgresServer, server: SshServer, tmp_path: Path
) -> None:
    with SshBrowserScene(postgres, server) as place:
        waiting = [place.without_terminal("echo in") for _ in range(8)]
        refused = []
        shown = 0
        for process in waiting:
            assert process.stderr is not None
            line = process.stderr.readline()
            while line and not SHOWN.search(line) and "Received disconnect" not in line:
                line = process.stderr.readline()
            shown += SHOWN.search(line) is not None
            refused += [line] if "too many logins wait" in line else []
        assert (shown, len(refused)) == (5, 3)
        process = place.without_terminal(
            "echo by token",
            options=("-T", "-o", "User=alice+web-1"),
            **with_password(tmp_path, place.scene.token("alice"), {}),
        )
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "by token\n"), err
