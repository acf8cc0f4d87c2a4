"""The scanner: plain commands, and what is not."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.scanner import scan
from interpose.analysis.shell.words import UnreadableError


def _commands(text: str) -> list[list[str]]:
    return [[word.text for word in command.words] for command in scan(text).commands]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("a b; c", [["a", "b"], ["c"]]),
        ("a && b || c & d", [["a"], ["b"], ["c"], ["d"]]),
        ("a | b |& c", [["a"], ["b"], ["c"]]),
        ("a\n\n b", [["a"], ["b"]]),
        ("( a; { b; } )", [["a"], ["b"]]),
        ("if a; then b; elif c; then d; else e; fi", [["a"], ["b"], ["c"], ["d"], ["e"]]),
        ("while a; do b; done", [["a"], ["b"]]),
        ("! a", [["a"]]),
        ("echo if fi", [["echo", "if", "fi"]]),
        ("a # b; c\nd", [["a"], ["d"]]),
        ("a \\\n b", [["a", "b"]]),
        ("a 2>f >g b", [["a", "b"]]),
        (">f", [[]]),
        ("cat <<E\nx\nE\na", [["cat"], ["a"]]),
        ("cat <<-E\n\tx\n\tE\na", [["cat"], ["a"]]),
        ("", []),
    ],
)
def test_plain_commands(text: str, commands: list[list[str]]) -> None:
    found = scan(text)
    assert not found.dynamic
    assert _commands(text) == commands


@pytest.mark.parametrize(
    "text",
    [
        "f() { a; }",
        "function f { a; }",
        "for i in a; do b; done",
        "case a in b) c;; esac",
        "[[ a ]]",
        "((a))",
        "a=(b)",
        "a+=b",
        "a[1]=b",
        "a <(b)",
        "a x<1-9>y",
        "a x<->y",
        "a >! b",
        "a >&!b",
        "{fd}>f a",
        "12>f a",
        "a &>f b",
        "a 9&>f",
        "a 12&>>f",
        "a &>f >g b",
        "a <&-x",
        "a >&-x",
        "repeat 2 a",
        "cat <<E\n$x\nE\n",
        "a <<< $x",
        "coproc a",
        "echo }",
    ],
)
def test_what_is_more_than_plain_commands(text: str) -> None:
    assert scan(text).dynamic


@pytest.mark.parametrize("text", ["a '", "cat <<E\nx", "cat <<E", "a >", "a > ;", "cat <<$x\n", "cat <<a'b'\nab\n"])
def test_what_no_shell_runs(text: str) -> None:
    with pytest.raises(UnreadableError):
        scan(text)


def test_redirections_and_assignments() -> None:
    command = scan("A=1 B='x y' cmd <in 2>&1 >>out >&both").commands[0]
    assert [(name, word.text) for name, word in command.assignments] == [("A", "1"), ("B", "x y")]
    found = [(each.operator, each.target.text) for each in command.redirects if each.target is not None]
    assert found == [("<", "in"), (">>", "out"), (">&", "both")]


def test_operators_around_a_command() -> None:
    first, second, third = scan("a && b | c").commands
    assert (first.before, first.after, second.after, third.after) == ("", "&&", "|", "")
    assert not first.pipeline
    assert second.pipeline
    assert third.pipeline
