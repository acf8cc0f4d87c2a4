"""Every command of the command line says by what right it works, and what works on the state folder is audited as the OS user."""

from __future__ import annotations

import ast
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from interpose.cli.authorisation import AUTHORISED, By
from interpose.cli.local import operator
from tests.arch.tree import ROOT
from tools.pages.commands import commands, root

CLI = ROOT / "src" / "interpose" / "cli"
OPENERS = {"local_state": 1, "_change": 1}
"""Functions that open the state folder, and which argument names the command."""


def opened_in(text: str) -> set[str]:
    """The commands for which a module opens the state folder; an option that is named with one is left out."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OPENERS:
            given = node.args[OPENERS[node.func.id]]
            if isinstance(given, ast.Constant):
                found.add(str(given.value).partition(" --")[0])
    return found


def test_every_command_has_an_answer_and_no_other() -> None:
    assert set(AUTHORISED) == {name.removeprefix("interpose ") for name, _ in commands(root())}
    assert all(AUTHORISED.values())


def test_exactly_those_that_say_so_open_the_state_folder() -> None:
    opening = set().union(*(opened_in(path.read_text()) for path in CLI.glob("*.py")))
    assert opening == {name for name, rights in AUTHORISED.items() if By.STATE in rights}


def test_a_command_that_opens_it_is_found() -> None:
    assert opened_in('with local_state(config, "token melt --all") as it: pass') == {"token melt"}


def test_nothing_else_of_the_command_line_opens_the_state_or_its_database() -> None:
    for path in CLI.glob("*.py"):
        text = path.read_text()
        assert path.name == "local.py" or "open_state" not in text, path
        assert "interpose.store.database" not in text, path


def test_the_operator_is_the_user_of_the_process_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "somebody-else")
    assert operator() == f"os:{pwd.getpwuid(os.getuid()).pw_name}"


def test_what_is_done_on_the_state_folder_is_in_the_audit_chain_under_that_name(tmp_path: Path) -> None:
    config = tmp_path / "interpose.yaml"
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "all.cedar").write_text('@id("all") permit (principal, action, resource);\n')
    (tmp_path / "principals.yaml").write_text("principals: [{name: alice, kind: user}]\n")
    config.write_text(
        json.dumps(
            {
                "state": "state",
                "policy": "policy",
                "principals": "principals.yaml",
                "listeners": [{"protocol": "postgres", "allow_plaintext_tokens": True}],
                "connections": {
                    "shop": {
                        "protocol": "postgres",
                        "address": "127.0.0.1:1",
                        "secret": "env:X",
                        "options": {"database": "d", "user": "u"},
                    }
                },
            }
        )
    )
    for arguments in (
        ["token", "create", "alice"],
        ["principals", "disable", "alice"],
        ["ca", "show", "--ssh", "user"],
    ):
        subprocess.run(
            [sys.executable, "-m", "interpose", *arguments, "--config", str(config)],
            check=True,
            capture_output=True,
            env={**os.environ, "USER": "somebody-else", "LOGNAME": "somebody-else"},
            timeout=120,
        )
    lines = [line for path in (tmp_path / "state" / "audit").glob("*.chain") for line in path.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    me = operator()
    assert {each["fields"].get("operator") for each in events if each["kind"] == "gateway.started"} == {me}
    assert {each["fields"]["command"] for each in events if each["kind"] == "gateway.started"} == {
        "token create", "principals disable", "ca show"
    }  # fmt: skip
    assert {each["actor"] for each in events if each["kind"] in ("token.created", "principal.disabled")} == {me}
    assert [each for each in events if each["kind"] == "administered" and each["actor"] == me], "keys were made"
