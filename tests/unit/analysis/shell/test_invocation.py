"""Flags in every spelling, and the facts of a program."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.invocation import Invocation, exec_facts, flags_of
from interpose.analysis.shell.words import Word


def _words(*texts: str) -> tuple[Word, ...]:
    return tuple(Word(text) for text in texts)


@pytest.mark.parametrize(
    "spelling",
    [["-rf"], ["-fr"], ["-r", "-f"], ["-Rf"], ["--recursive", "--force"], ["--recurs", "--for"], ["x", "-vrfi"]],
)
def test_recursive_and_force_in_every_spelling(spelling: list[str]) -> None:
    assert {"-r", "-R", "-f", "--recursive", "--force"} <= flags_of(_words(*spelling))


def test_what_is_no_flag() -> None:
    assert flags_of(_words("-", "--", "r", "")) == {"--"}
    assert "-r" not in flags_of(_words("--color=auto", "--verbose"))


def test_facts() -> None:
    facts = exec_facts(
        Invocation(_words("/usr/bin/systemctl", "restart", "a b", "-q"), sudo=True, run_as="root"), False
    )
    assert facts["program"] == "systemctl"
    assert facts["argv0"] == "/usr/bin/systemctl"
    assert facts["subcommand"] == "restart"
    assert facts["arguments"] == ("restart", "a b")
    assert facts["command_line"] == "/usr/bin/systemctl restart 'a b' -q"
    assert (facts["sudo"], facts["run_as"], facts["literal"]) == (True, "root", True)


def test_a_flag_hides_the_subcommand_since_it_may_take_the_next_word() -> None:
    assert "subcommand" not in exec_facts(Invocation(_words("systemctl", "-t", "status", "stop")), False)


def test_words_that_are_not_known_are_left_out_and_told() -> None:
    facts = exec_facts(Invocation((Word("rm"), Word("", dynamic="expansion"), Word("-rf"))), False)
    assert facts["argv"] == ("rm", "-rf")
    assert facts["literal"] is False
