"""The corpus of command lines for hosts: evasions, ordinary commands, and the limits that are told of.

Evasions: nobody is permitted one by the example policy, and each harms when a shell runs it: it is run, in a jail. Ordinary commands: what
analysis says of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from interpose.analysis.shell.analyst import ShellAnalyst
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.strictness import strictest
from interpose.masking.transforms import parse_transform
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Unanalysable
from interpose.model.command import Command, CommandKind, HostContext
from interpose.model.connection import Address, Connection
from interpose.model.decisions import Permitted
from interpose.model.ids import ConnectionName
from interpose.model.principal import Principal, PrincipalKind
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.folder import read_folder
from interpose.policy.load import Surroundings, load_policy
from tests.support.jail import harms, why_not

_HERE = Path(__file__).parent
_EXAMPLE = _HERE.parents[2] / "examples" / "ssh"
_HOST = Connection(ConnectionName("web-1"), "ssh", Address("web-1", 22), "", None, {"team": "web"})
_PEOPLE = [Principal(PrincipalKind.USER, group, frozenset({group})) for group in ("operators", "admins")]
_BUNDLE = load_policy(
    read_folder(_EXAMPLE), Surroundings(MaskVocabulary(strictest, parse_transform), frozenset(CONTENT_CLASSES))
)
_BROAD = load_policy(
    {
        "all.cedar": '@id("all") permit (principal, action in Action::"any_command", resource);\n'
        '@id("etc") forbid (principal, action in Action::"file_write", resource is Path) when {\n'
        '  resource.path == "/" || resource.path == "/etc" || resource.path like "/etc/*" || !resource.resolved\n};\n'
    },
    Surroundings(MaskVocabulary(strictest, parse_transform), frozenset()),
)
"""Everything that is understood is permitted, but changes to /etc: what a list of forbidden things alone is worth."""

_OTHER_NAMES = {
    "cp /bin/rm ./x; ./x -rf /etc",
    "ln -s /bin/rm df; ./df -rf /etc",
    "echo 'rm -rf /etc' > x; chmod +x x; ./x",
    "ln -s /etc /var/tmp/l && rm -f /var/tmp/l/canary",
    "ln -s / r; rm -rf r/etc",
}
"""What gives a program or a folder another name: only a list of what is permitted stops it."""


@dataclass(frozen=True)
class Evasion:
    """One entry."""

    command: str
    shell: str = "bash"
    before: str = ""
    needs: str = "sh"


def _entries(file: str) -> list[Evasion]:
    families = YAML(typ="safe").load((_HERE / file).read_text(encoding="utf-8"))
    return [
        Evasion(**entry) if isinstance(entry, dict) else Evasion(entry)
        for entries in families.values()
        for entry in entries
    ]


_EVASIONS = _entries("evasions.yaml")
_LIMITS = _entries("limits.yaml")


def _ordinary() -> Iterator[tuple[str, str]]:
    for expected, families in YAML(typ="safe").load((_HERE / "ordinary.yaml").read_text(encoding="utf-8")).items():
        for commands in families.values():
            for command in commands:
                yield expected, command


def _analysis(command: str, home: str = "/root") -> Analysis | Unanalysable:
    context = HostContext("me", home, home)
    found = ShellAnalyst().analyse(Command(CommandKind.EXEC, command, context), None)  # type: ignore[arg-type]
    assert isinstance(found, (Analysis, Unanalysable))
    return found


def _permitted(command: str, bundle: object = _BUNDLE) -> list[str]:
    """Whom the policy permits it."""
    found = _analysis(command)
    if isinstance(found, Unanalysable):
        return []
    decisions = {who.name: bundle.judge(who, _HOST, found.effects, {}, 1e9) for who in _PEOPLE}  # type: ignore[attr-defined]
    # A policy that could not be evaluated refuses as well, and proves nothing.
    assert not [each for each in decisions.values() if getattr(each, "code", "") == "policy_error"]
    return [name for name, decision in decisions.items() if isinstance(decision, Permitted)]


def test_there_are_as_many_as_the_documentation_says() -> None:
    assert len(_EVASIONS) >= 450
    assert len({(each.command, each.shell, each.before) for each in _EVASIONS}) == len(_EVASIONS)
    assert sum(1 for _ in _ordinary()) >= 300


@pytest.mark.parametrize("evasion", _EVASIONS, ids=lambda each: each.command[:60])
def test_nobody_is_permitted_an_evasion(evasion: Evasion) -> None:
    assert not _permitted(evasion.command)


@pytest.mark.parametrize("evasion", _EVASIONS, ids=lambda each: each.command[:60])
def test_forbidding_alone_stops_all_but_other_names(evasion: Evasion) -> None:
    assert bool(_permitted(evasion.command, _BROAD)) == (evasion.command in _OTHER_NAMES)


@pytest.mark.live
@pytest.mark.parametrize("evasion", [*_EVASIONS, *_LIMITS], ids=lambda each: each.command[:60])
def test_it_harms_when_a_shell_runs_it(evasion: Evasion) -> None:
    for program in (evasion.needs, evasion.shell):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if "sudo" in evasion.command:
        pytest.skip("sudo changes between accounts, and the jail has one")
    if why_not():
        pytest.skip(why_not())
    harmed, printed = harms(evasion.command, shell=evasion.shell, before=evasion.before)
    assert harmed, printed


@pytest.mark.live
@pytest.mark.skipif(bool(why_not()), reason="no jail can be made here")
@pytest.mark.parametrize(
    "command", ["rm -rf /srv/x; ls /etc", "rm -rf /etc/nothing", "ls /etc/canary", "touch /usr/bin/x"]
)
def test_what_is_harmless_harms_nothing(command: str) -> None:
    assert not harms(command)[0]


@pytest.mark.live
@pytest.mark.skipif(bool(why_not()), reason="no jail can be made here")
def test_the_jail_holds_nobody_and_nothing_of_the_machine() -> None:
    printed = harms("cat /proc/self/uid_map; ls /proc/1/root; cat /proc/net/dev | wc -l")[1].split()
    assert printed[:3] == ["0", "65534", "1"]
    assert {"boot", "home", "lost+found"}.isdisjoint(printed)
    assert printed[-1] == "3", "no network but loopback"


@pytest.mark.parametrize("limit", _LIMITS, ids=lambda each: each.command[:60])
def test_what_is_out_of_sight_is_permitted_as_the_documentation_says(limit: Evasion) -> None:
    assert _permitted(limit.command) == ["admins"]


@pytest.mark.parametrize(("expected", "command"), list(_ordinary()), ids=lambda each: each[:60])
def test_ordinary_commands_are_understood(expected: str, command: str) -> None:
    found = _analysis(command, "/home/me")
    assert isinstance(found, Analysis), found
    kinds = [effect.facts["dynamic_kind"] for effect in found.effects if effect.action is Action.EXEC_DYNAMIC]
    assert bool(kinds) == (expected == "dynamic"), kinds
    assert found.effects
