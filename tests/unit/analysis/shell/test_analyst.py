"""The analyst: two readings that must agree, and nothing that raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.analysis.shell.analyst import ShellAnalyst
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Unanalysable
from interpose.model.command import Command, CommandKind, HostContext, SqlContext
from tests.unit.analysis.shell.reading import effects, found, kinds, programs


@pytest.mark.parametrize("text", ["ls '", "ls &&", "(ls", "cat <<E\nx", "echo !(x)", "ls\r", "ls \0"])
def test_what_is_refused_unread(text: str) -> None:
    assert isinstance(found(text), Unanalysable)


@pytest.mark.parametrize(
    "text",
    [
        "a $(b)",
        "a `b`",
        "for i in 1; do b; done",
        "f() { b; }",
        "case x in x) b;; esac",
        "a <(b)",
        'a "$(b)"',
        "x=$(b)",
    ],
)
def test_commands_in_constructs_are_dynamic_and_found(text: str) -> None:
    assert kinds(text)
    assert "b" in programs(text)


def test_a_nested_text_that_is_no_shell_is_dynamic() -> None:
    assert "text" in kinds('sh -c "ls &&"')
    assert "text" in kinds("sh -c 'echo \\\\'\"'\"''")


def test_pipes_and_redirections_are_told() -> None:
    first, second = (each for each in effects("ls | sort > /x") if each.action is Action.EXEC)
    assert (first.facts["pipeline"], first.facts["redirects"]) == (True, False)
    assert (second.facts["pipeline"], second.facts["redirects"]) == (True, True)


def test_a_command_of_another_protocol_is_refused() -> None:
    made = ShellAnalyst().analyse(Command(CommandKind.QUERY, "select 1", SqlContext((), 17)), None)  # type: ignore[arg-type]
    assert isinstance(made, Unanalysable)


def test_no_two_texts_share_an_analysis() -> None:
    assert ShellAnalyst().cache_key("ls") is None
    made = found("ls")
    assert isinstance(made, Analysis)
    assert made.depends_on_session
    assert made.depends_on_literals


@given(st.text(st.sampled_from("a /~'\"\\$`(){}[]<>|&;!#=*?\n\t-é{fi then do}"), max_size=40))
def test_any_text_gives_an_answer_and_never_nothing_for_something(text: str) -> None:
    command = Command(CommandKind.EXEC, text, HostContext("me"))
    made = ShellAnalyst().analyse(command, None)  # type: ignore[arg-type]
    assert isinstance(made, (Analysis, Unanalysable))
