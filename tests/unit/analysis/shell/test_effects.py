"""Paths and working folders."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.analyst import ShellAnalyst
from interpose.analysis.shell.effects import Effects, TooManyError
from interpose.analysis.shell.guard import Limits
from interpose.analysis.shell.words import Word
from interpose.model.actions import Action
from interpose.model.analysis import Unanalysable
from interpose.model.command import Command, CommandKind, HostContext
from interpose.model.resources import HostResource
from tests.unit.analysis.shell.reading import paths


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("rm /etc/x", ["/etc/x"]),
        ("rm //etc/./x", ["/etc/x"]),
        ("rm -r /", ["/ **"]),
        ("rm -r /*", ["/? **"]),
        ("rm -r /e*", ["/? **"]),
        ("rm -r /etc/*", ["/etc? **"]),
        ("rm -r /srv/a/.*", ["/srv? **", "..? **"]),
        ("rm -r /srv/*/../../etc", ["?? **"]),
        ("rm /tmp/../etc/x", ["/etc/x?", "..?"]),
        ("rm x", ["/home/me/x"]),
        ("rm ./x", ["/home/me/x"]),
        ("rm ~/x", ["/home/me/x"]),
        ("rm $x", ["??"]),
        ("rm /proc/self/root/etc", ["/proc/self/root/etc?", "/?"]),
        ("rm ''", ["??"]),
        ("rm /dev/null", []),
    ],
)
def test_paths(text: str, removed: list[str]) -> None:
    assert paths(text, Action.REMOVE_FILE) == removed


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("cd /a && rm x", ["/a/x"]),
        ("cd /a; rm x", ["/a/x?", "/home/me/x?"]),
        ("cd /a || rm x", ["/a/x?", "/home/me/x?"]),
        ("cd /a && cd b && rm x", ["/a/b/x"]),
        ("cd && rm x", ["/home/me/x"]),
        ("cd - && rm x", ["x?"]),
        ("cd /e* && rm x", ["x?"]),
        ("pushd /a && rm x", ["/a/x"]),
        ("popd; rm x", ["/home/me/x?", "x?"]),
    ],
)
def test_folders_that_a_command_changes_to(text: str, removed: list[str]) -> None:
    assert sorted(paths(text, Action.REMOVE_FILE)) == sorted(removed)


def test_nothing_is_known_of_a_session_that_does_not_say_where_it_is() -> None:
    assert paths("rm x ~/y", Action.REMOVE_FILE, home="", cwd="") == ["x?", "~/y?"]


def test_effects_are_told_once_and_bounded() -> None:
    effects = Effects(HostContext("me"), Limits(effects=2))
    for name in ("A", "A", "B"):
        effects.set_env(name)
    assert [each.resource for each in effects.all] == [HostResource(), HostResource()]
    with pytest.raises(TooManyError):
        effects.set_env("C")


def test_too_many_effects_are_refused() -> None:
    analyst = ShellAnalyst(Limits(effects=10))
    command = Command(CommandKind.EXEC, "rm " + " ".join(f"/x{n}" for n in range(20)), HostContext("me"))
    made = analyst.analyse(command, None)  # type: ignore[arg-type]
    assert isinstance(made, Unanalysable)
    assert made.reason == "too_long"


def test_a_path_that_is_too_deep_is_not_known() -> None:
    effects = Effects(HostContext("me"), Limits())
    assert [each.path for each in effects.paths(Word("/a" * 200))] == ["?"]
