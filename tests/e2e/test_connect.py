"""`interpose connect`: an unmodified psql, pointed at a connection and logged in."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.support.gateway import free_port
from tests.support.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def environment(scene: Scene, token: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A person's shell: nothing in it says where the database is."""
    made = scene.gateway.psql_environment("nobody", "", "nothing")
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE"):
        del made[name]
    made["INTERPOSE_CONFIG"] = str(scene.gateway.config)
    made["INTERPOSE_SERVER"] = f"http://127.0.0.1:{scene.gateway.admin_port}"
    made.update({"INTERPOSE_TOKEN": token, "NO_COLOR": "1", "COLUMNS": "160", **(more or {})})
    return made


def connect(
    scene: Scene, *arguments: str, token: str | None = None, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "interpose", "connect", *arguments],
        env=environment(scene, scene.token("alice") if token is None else token, more),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def test_psql_runs_as_whoever_holds_the_token(scene: Scene) -> None:
    done = connect(scene, "shop", "--", "psql", "-XAt", "-c", "select count(*) from customers", "-c", "\\conninfo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("20\n")
    assert 'as user "alice"' in done.stdout
    assert "SSL connection" in done.stdout


def test_the_gateway_is_named_and_leftovers_do_not_lead_elsewhere(scene: Scene) -> None:
    more = {
        "INTERPOSE_CONFIG": "/nonexistent.yaml",
        "INTERPOSE_GATEWAY": f"localhost:{scene.gateway.port}",
        "PGHOSTADDR": "192.0.2.1",
        "PGSERVICE": "elsewhere",
        "PGAPPNAME": "my tool",
    }
    asked = ("shop", "--as", "alice", "--ca-file", str(scene.authority_file), "--", "psql", "-XAt", "-c")
    done = connect(scene, *asked, "show application_name", more=more)
    assert (done.returncode, done.stdout) == (0, "my tool\n"), done.stderr


def test_psql_is_the_default_and_its_exit_status_is_ours(scene: Scene) -> None:
    assert connect(scene, "shop").returncode == 0  # it reads nothing and leaves
    assert connect(scene, "shop", "--", "psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", "select 1/0").returncode == 1
    assert connect(scene, "shop", "--", "sh", "-c", "exit 42").returncode == 42


def test_signals_reach_the_client(scene: Scene) -> None:
    words = [sys.executable, "-m", "interpose", "connect", "shop", "--"]
    process = subprocess.Popen(
        [*words, "sh", "-c", "trap 'echo heard; exit 7' TERM; echo ready; while :; do sleep 0.1; done"],
        env=environment(scene, scene.token("alice")),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "heard\n"
        assert process.returncode == 7
    finally:
        process.kill()


def test_what_is_printed_can_be_done_by_hand(scene: Scene) -> None:
    token = scene.token("alice")
    printed = connect(scene, "shop", "--print")
    assert printed.returncode == 0, printed.stderr
    assert token not in printed.stdout + printed.stderr
    assert "jdbc:postgresql://127.0.0.1:" in printed.stdout
    shell = printed.stdout + "exec psql -XAt -c 'select 5 * 5'\n"
    done = subprocess.run(
        ["/bin/sh", "-c", shell], env=environment(scene, token), capture_output=True, text=True, check=False
    )
    assert done.stdout == "25\n", done.stderr
    assert f"export PGPASSWORD={token}" in connect(scene, "shop", "--print", "--show-secret").stdout


@pytest.mark.parametrize(
    ("arguments", "token", "words"),
    [
        (["shop"], "", "there is no access token"),
        (["shop"], "ip_0123456789_" + "a" * 49, "is not valid, or not any more"),
        (["shopp"], None, "there is no connection `shopp`"),
        (["shop", "--", "no-such-client"], None, "there is no command `no-such-client`"),
        (["shop", "--as", "alice", "--gateway", f"127.0.0.1:{free_port()}"], None, "nobody answers at"),
        (["shop", "--server", f"http://127.0.0.1:{free_port()}"], None, "could not be asked whose token"),
    ],
)
def test_what_goes_wrong_is_one_sentence(scene: Scene, arguments: list[str], token: str | None, words: str) -> None:
    done = connect(scene, *arguments, token=token)
    assert done.returncode == 1
    assert words in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_expired_token_is_told(scene: Scene) -> None:
    name, token = scene.new_token("alice")
    scene.gateway.interpose("token", "revoke", name)
    assert "is not valid, or not any more" in connect(scene, "shop", token=token).stderr
