"""Logging in by a browser with other settings than usual: a short time, two workers, never a password."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import asyncpg
import psycopg
import pytest

from tests.support.confirm_scene import ASKING, CODE, ConfirmScene
from tests.support.postgres import PostgresServer
from tests.support.relocated import Relocated

JDBC: Final = Path("/usr/share/java/postgresql.jar")


def by_psycopg(place: ConfirmScene) -> str:
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(
            host="127.0.0.1", port=place.scene.plain_port, user="zoe", dbname="shop", sslmode="disable", options=ASKING
        )
    return str(caught.value)


def by_asyncpg(place: ConfirmScene) -> str:
    async def work() -> str:
        with pytest.raises(asyncpg.PostgresError) as caught:
            await asyncpg.connect(
                host="127.0.0.1",
                port=place.scene.plain_port,
                user="zoe",
                database="shop",
                ssl=False,
                server_settings={"interpose.login": "browser"},
            )
        return f"{caught.value} {caught.value.hint}"

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work()).result()


def by_jdbc(place: ConfirmScene) -> str:
    url = (
        f"jdbc:postgresql://127.0.0.1:{place.scene.plain_port}/shop?user=zoe&sslmode=disable"
        "&options=-c%20interpose.login%3Dbrowser"
    )
    done = subprocess.run(
        ["java", "-cp", str(JDBC), str(Path(__file__).parents[1] / "support" / "Connect.java"), url],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout + done.stderr


def test_drivers_that_swallow_notices_get_an_error_with_the_address(postgres: PostgresServer) -> None:
    drivers = [by_psycopg, by_asyncpg]
    if JDBC.is_file() and shutil.which("javac"):
        drivers.append(by_jdbc)
    else:
        warnings.warn("no JDBC here (on Debian: libpostgresql-jdbc-java and a JDK): not tried", stacklevel=1)
    with ConfirmScene(postgres, limits={"browser_login": "10s"}) as place:
        for driver in drivers:
            said = driver(place)
            assert "nobody confirmed this login in a browser within 10 s" in said, driver
            assert f"{place.url}/confirm" in said, driver
            assert not CODE.search(said), "it was shown in a notice, which this driver does not show"
        # After the end of its time a code is worth nothing, and who waits when the gateway drains is told so.
        process = place.piped("-c", "select 1")
        code = place.code_of(process)
        with place.person() as context:
            page = place.at_the_page(context)
            place.enter(page, code)
            process.communicate(timeout=30)
            page.click("text=Yes, let it in as me")
            page.wait_for_selector("text=No login waits with this code")
            page.goto(f"{place.url}/confirm")
            assert "No login waits" in place.enter(page, code)
        place.ended("expired")
        last = place.piped("-c", "select 1")
        place.code_of(last)
        assert place.scene.gateway.stop() == 0
        _, err = last.communicate(timeout=30)
        assert "the gateway is shutting down" in err


def test_with_two_workers_both_are_reached(postgres: PostgresServer) -> None:
    """The pages are served by one worker; the client waits on either."""
    with ConfirmScene(postgres, workers=2) as place, place.person() as context:
        page = place.at_the_page(context)
        for number in range(60):
            process = place.piped("-c", f"select {number}")
            code = place.code_of(process)
            page.goto(f"{place.url}/confirm")
            place.approve(page, code)
            out, err = process.communicate(timeout=60)
            assert out.strip() == str(number), err
            workers = {session["worker"] for session in place.scene.sessions() if session["principal"] == "User:zoe"}
            if len(workers) == 2:
                return
        raise AssertionError("all connections came to one worker")


def test_always_asks_nobody_for_a_password(postgres: PostgresServer) -> None:
    with (
        ConfirmScene(postgres, listener={"browser_login": "always"}) as place,
        place.person() as context,
        place.psql("-Atc", "select 40 + 2") as psql,
    ):
        place.approve(place.at_the_page(context), place.code(psql))
        psql.wait_for("42")
        assert "Password" not in psql.seen
        assert psql.end() == 0


def test_codes_are_not_guessed(postgres: PostgresServer) -> None:
    with ConfirmScene(postgres) as place, place.person() as context:
        page = place.at_the_page(context)
        for _ in range(10):
            assert "No login waits" in place.enter(page, "BCDF-GHJK")
            page.goto(f"{place.url}/confirm")
        assert "Too many attempts" in place.enter(page, "BCDF-GHJK")
        assert len(place.scene.events("login.failed", reason="user_code_unknown")) >= 10


def test_a_flood_of_logins_that_wait_keeps_nobody_with_a_token_out(postgres: PostgresServer) -> None:
    with ConfirmScene(postgres) as place, ExitStack() as stack:
        flood = [stack.enter_context(place.raw(f"nobody{number}")) for number in range(200)]
        told = [place.first_words(each) for each in flood]
        assert sum(CODE.search(each) is not None for each in told) == 10
        assert sum("too many" in each for each in told) == 190
        done = place.scene.psql("alice", "shop", "select 1")
        assert done.stdout.strip() == "1", done.stderr
        assert place.scene.events("login.failed", method="browser", reason="too_many_confirmations")
        assert place.scene.events("login.failed", method="browser", reason="too_many_attempts")
        # Another address has its own room.
        with Relocated(place.scene.gateway.port) as elsewhere:
            process = place.piped("-c", "select 45", PGPORT=str(elsewhere.port))
            place.code_of(process)
