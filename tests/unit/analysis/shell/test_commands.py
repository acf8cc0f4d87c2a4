"""What one plain command does, through wrappers and shells."""

from __future__ import annotations

import pytest

from interpose.model.actions import Action
from tests.unit.analysis.shell.reading import effects, kinds, paths, programs, told


@pytest.mark.parametrize(
    ("text", "innermost"),
    [
        ("sudo rm x", "rm x"),
        ("sudo -u bob nice env A=1 rm x", "rm x"),
        ("sh -c 'rm x'", "rm x"),
        ("bash -ec 'rm x; ls' a b", "ls"),
        ("bash -c \"sh -c 'rm x'\"", "rm x"),
        ("su - bob -c 'rm x'", "rm x"),
        ("watch -n 1 rm x", "rm x"),
        ("busybox rm x", "rm x"),
        ("find . -exec rm x ';'", "rm x"),
    ],
)
def test_what_is_inside_is_looked_at_and_is_not_dynamic(text: str, innermost: str) -> None:
    assert programs(text)[-1] == innermost
    assert not kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "xargs rm",
        "chroot /x rm y",
        "parallel rm",
        "strace rm x",
        "flock l rm x",
        "bash",
        "bash x",
        "bash -s",
        "bash -i -c ls",
        "sh -c $x",
        "su",
        "sudo -i",
        "sudo",
        "find . -exec sh -c 'rm {}' ';'",
        "find . -files0-from x",
        "rm *",
        "rm -*",
        "PATH=/x ls",
        "env LD_PRELOAD=x ls",
        "export PATH=/x",
        "cat < /dev/tcp/x/1",
        "noglob rm x",
        "time ! rm x",
        "unset 'a[1]'",
    ],
)
def test_dynamic(text: str) -> None:
    assert kinds(text)


def test_a_guess_is_told_for_rules_that_forbid() -> None:
    assert "exec program rm" in told("xargs -n 1 rm -rf")
    assert "/x **" in paths("chroot / rm -rf /x", Action.REMOVE_FILE)


def test_as_whom_it_runs() -> None:
    inner = effects("sudo -u bob sh -c 'rm x'")[-1]
    assert inner.facts["sudo"] is True
    run = next(each for each in effects("sudo -u bob rm x") if each.facts.get("program") == "rm")
    assert run.facts["run_as"] == "bob"


def test_variables() -> None:
    names = [each.facts["env_name"] for each in effects("A=1 LC_ALL=C env B=2 ls") if each.action is Action.SET_ENV]
    assert names == ["A", "B"]


def test_find_hands_on_paths_below_its_roots() -> None:
    assert paths("find /a /b -exec rm -f {} +", Action.REMOVE_FILE) == ["/a? **", "/b? **"]
    assert not kinds("find /a -exec rm -f {} +")
    assert paths("find /a -execdir rm x +", Action.REMOVE_FILE) == ["x?"]
    assert paths("find /a -fprint /x", Action.WRITE_FILE) == ["/x"]


def test_programs_inside_of_each_other_without_end() -> None:
    assert "depth" in kinds("nice " * 20 + "ls")
