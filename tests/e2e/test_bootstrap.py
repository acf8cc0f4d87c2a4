"""The first administrator, as a person at the terminal gets there: one token, shown once, worth nothing against policy."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import GatewayProcess
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.scene import until

POLICY = """\
@id("dba-keeps-the-gateway")
permit (principal in Group::"dba", action == Action::"administer", resource);
"""
CONNECTION = {
    "protocol": "postgres",
    "address": "127.0.0.1:1",
    "secret": "env:NOT_DIALLED",
    "options": {"database": "x", "user": "y", "tls": "insecure-plaintext"},
}
TOKEN = re.compile(r"ib_[a-z2-7]{8}_[a-z2-7]{52}")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A configuration with two workers; nothing was ever started with it."""
    made = GatewayProcess(
        tmp_path, {"shop": CONNECTION}, policy={"gateway.cedar": POLICY}, settings={"workers": 2},
        environment={"NOT_DIALLED": "x"},
    )  # fmt: skip
    yield made
    made.kill()


def on_a_terminal(gateway: GatewayProcess) -> PseudoTerminal:
    """`interpose serve` as a person runs it."""
    return PseudoTerminal(
        [sys.executable, "-m", "interpose", "serve", "--config", str(gateway.config)],
        {**os.environ, "NOT_DIALLED": "x", "PYTHONUNBUFFERED": "1"},
    )


def stop(served: PseudoTerminal) -> None:
    """End it as Ctrl-C does."""
    served.interrupt()
    served.end()


def audited(gateway: GatewayProcess, kind: str) -> list[dict[str, Any]]:
    """The fields of every audit event of a kind, over all chains."""
    chains = sorted((gateway.state / "audit").glob("*.chain"), key=lambda path: path.stat().st_mtime)
    events = [json.loads(line) for path in chains for line in path.read_bytes().splitlines()]
    return [each["fields"] for each in events if each["kind"] == kind]


def ask(gateway: GatewayProcess, method: str, path: str, bearer: str = "", **body: str) -> tuple[int, dict[str, Any]]:
    """The admin API's status and answer; (0, {}) where it does not answer yet."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"http://127.0.0.1:{gateway.admin_port}{path}", data, method=method)
    if bearer:
        request.add_header("Authorization", f"Bearer {bearer}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def test_the_first_token_is_shown_once_and_redeemed_once(gateway: GatewayProcess) -> None:
    with on_a_terminal(gateway) as served:
        served.wait_for("interpose bootstrap NAME")
        until(lambda: ask(gateway, "GET", "/v1/whoami")[0] == 401, 60)
        (token,) = set(TOKEN.findall(served.seen))
        assert served.seen.count(token) == 1, "two workers, one token"

        # Who is not permitted gets nothing, and learns the rule that is missing.
        status, refused = ask(gateway, "POST", "/v1/bootstrap", token=token, principal="bob")
        assert (status, refused["code"]) == (403, "not_permitted")
        assert 'permit (principal == User::"bob", action == Action::"administer", resource);' in refused["hint"]

        access = gateway.interpose("bootstrap", "carol", "--quiet", stdin=token + "\n").stdout.strip()
        assert ask(gateway, "POST", "/v1/reload", access)[0] == 200
        again = gateway.interpose("bootstrap", "carol", stdin=token + "\n", check=False)
        assert (again.returncode, "is not valid" in again.stderr) == (1, True)
        stop(served)
    kinds = [audited(gateway, f"bootstrap.{each}") for each in ("issued", "redeemed", "refused")]
    assert [len(each) for each in kinds] == [1, 1, 2]
    assert [each["reason"] for each in kinds[2]] == ["not_permitted", "used"]
    assert kinds[1][0]["source"] == "127.0.0.1"

    # The next start shows none, and the token is nowhere in the state folder.
    with on_a_terminal(gateway) as served:
        served.wait_for("gateway serves")
        until(lambda: ask(gateway, "GET", "/v1/whoami", access)[0] == 200, 60)
        stop(served)
        assert not TOKEN.search(served.seen)
    secret = token.rpartition("_")[2].encode()
    for file in gateway.state.rglob("*"):
        assert not file.is_file() or secret not in file.read_bytes(), file


def test_where_nobody_sits_at_a_terminal_no_token_is_made(gateway: GatewayProcess) -> None:
    gateway.start(timeout=90)
    until(lambda: "interpose bootstrap --new" in gateway.log.read_text(), 60, "the hint in the log")
    assert not TOKEN.search(gateway.log.read_text())
    made = gateway.interpose("bootstrap", "--new", "--quiet").stdout.strip()
    other = gateway.interpose("bootstrap", "--new", "--quiet").stdout.strip()
    assert ask(gateway, "POST", "/v1/bootstrap", token=made, principal="carol")[0] == 401, "the newer one counts"
    status, answer = ask(gateway, "POST", "/v1/bootstrap", token=other, principal="carol")
    assert (status, answer["principal"]) == (201, "carol")
    assert ask(gateway, "GET", "/v1/whoami", answer["token"])[1]["name"] == "carol"
    assert not TOKEN.search(gateway.log.read_text())
    assert [each["how"] for each in audited(gateway, "bootstrap.issued")] == ["asked_for", "asked_for"]
