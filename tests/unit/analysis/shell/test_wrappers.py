"""Wrappers: what they run, as whom, and what is not looked through."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.words import Word
from interpose.analysis.shell.wrappers import guesses, unwrap


def _words(text: str) -> list[Word]:
    return [Word(each) for each in text.split()]


@pytest.mark.parametrize(
    ("name", "arguments", "inner"),
    [
        ("sudo", "rm x", "rm x"),
        ("sudo", "-n -u bob -- rm x", "rm x"),
        ("sudo", "-nubob rm", "rm"),
        ("sudo", "--user=bob rm", "rm"),
        ("sudo", "--user bob rm", "rm"),
        ("sudo", "A=1 rm", "rm"),
        ("env", "-i A=1 B=2 rm", "rm"),
        ("env", "-u A rm", "rm"),
        ("env", "", ""),
        ("nice", "-n 5 rm", "rm"),
        ("nice", "-5 rm", "rm"),
        ("timeout", "-s KILL 5 rm -x", "rm -x"),
        ("nohup", "rm", "rm"),
        ("stdbuf", "-o0 rm", "rm"),
        ("exec", "-a ls rm", "rm"),
    ],
)
def test_what_is_inside(name: str, arguments: str, inner: str) -> None:
    found = unwrap(name, _words(arguments))
    assert not found.dynamic
    assert " ".join(word.text for word in found.words) == inner


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sudo", "-s rm"),
        ("sudo", "-i rm"),
        ("sudo", "-e x"),
        ("sudo", "-D / rm"),
        ("env", "-S rm"),
        ("env", "--split-string=rm"),
        ("env", "-C / rm"),
        ("timeout", "--unheard rm"),
        ("doas", "-s"),
    ],
)
def test_an_option_that_is_not_in_the_table_makes_it_dynamic(name: str, arguments: str) -> None:
    assert unwrap(name, _words(arguments)).dynamic == "option"


def test_accounts_and_variables() -> None:
    assert unwrap("sudo", _words("rm")).run_as == "root"
    assert unwrap("sudo", _words("-u bob rm")).run_as == "bob"
    assert unwrap("doas", _words("-u bob rm")).run_as == "bob"
    assert unwrap("nice", _words("rm")).run_as is None
    assert unwrap("env", _words("PATH=/x B=1 ls")).variables == ("PATH", "B")


def test_options_that_are_not_literal_hide_the_program() -> None:
    assert unwrap("sudo", [Word("-u"), Word("", dynamic="expansion"), Word("rm")]).dynamic
    assert unwrap("timeout", [Word("*", pattern=0), Word("rm")]).dynamic


def test_every_word_could_begin_the_inner_program_of_an_opaque_wrapper() -> None:
    assert [words[0].text for words in guesses(_words("-n 1 rm -rf x"))] == ["1", "rm", "x"]
