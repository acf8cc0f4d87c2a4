"""Which modules a command imports: people wait for each of them. The overview and the commands that ask a gateway need no heavy one."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_group

from interpose.cli.main import COMMANDS, PARTS, build, chosen, overview

HEAVY = (
    "aiohttp alembic asyncssh cedarpy cryptography google.protobuf jinja2 joserfc lxml onelogin postgast prometheus_client"
    " prompt_toolkit re2 ruamel scramp sqlalchemy starlette structlog tree_sitter uvicorn uvloop xmlsec"
).split()
"""What takes long to load, and what only a gateway or its state needs."""

_REPORT = """
import sys
from interpose.cli.main import chosen
try:
    chosen(sys.argv[1:])(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *(name for name in {names!r} if name in sys.modules))
"""


def loaded(*arguments: str) -> list[str]:
    """The heavy modules that a program of its own has loaded after this command."""
    script = _REPORT.format(names=HEAVY)
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("arguments", ["--help", "approvals list --help", "sessions --help"])
def test_what_only_asks_loads_nothing_heavy(arguments: str) -> None:
    assert not loaded(*arguments.split())


def test_the_version_loads_no_more_than_the_masking_kernel() -> None:
    assert set(loaded("version")) <= {"re2"}


def test_a_configuration_is_read_without_a_grammar_and_without_the_store() -> None:
    assert set(loaded("config", "--help")) <= {"cedarpy", "re2", "ruamel", "cryptography"}


@pytest.mark.parametrize("part", ["token", "principals", "service", "bootstrap"])
def test_help_of_what_works_on_the_state_does_not_load_it(part: str) -> None:
    assert set(loaded(part, "--help")) <= {"cryptography"}


def test_the_overview_says_of_each_command_what_it_says_of_itself() -> None:
    whole, names = get_group(build()), get_group(overview())
    assert {name: each.get_short_help_str(200) for name, each in names.commands.items()} == {
        name: each.get_short_help_str(200) for name, each in whole.commands.items()
    }
    assert list(names.commands) == list(whole.commands)
    assert set(names.commands) == {*PARTS, *COMMANDS}


@pytest.mark.parametrize("arguments", [["token"], ["serve", "--help"]])
def test_a_command_is_built_alone(arguments: list[str]) -> None:
    assert list(get_group(chosen(arguments)).commands) == [arguments[0]]


@pytest.mark.parametrize("arguments", [["--", "token"], ["--unknown"]])
def test_behind_an_option_everything_is_there(arguments: list[str]) -> None:
    commands = get_group(chosen(arguments)).commands
    assert commands["version"].callback is not None
    assert commands["version"].callback.__module__ == "interpose.cli.gateway"
