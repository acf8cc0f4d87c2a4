"""Command lines that a screen shows. What fools them is shown as well: nothing may be decided by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.terminal.command_lines import CommandLines
from interpose.recording.terminal.screen import Screen
from tests.support.terminals import HOSTILE

K, S = "keys", "screen"


def found(*steps: tuple[str, bytes], columns: int = 40) -> list[str]:
    screen = Screen(columns, 6)
    lines = CommandLines(screen)
    for what, data in steps:
        if what == K:
            lines.typed(data)
        else:
            screen.feed(data)
    return lines.take()


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ([(S, b"$ "), (K, b"ls\r"), (S, b"ls\r\nfile\r\n$ ")], ["ls"]),
        ([(S, b"$ "), (K, b"l"), (S, b"l"), (K, b"\x7f"), (S, b"\b \b"), (K, b"id\r"), (S, b"id\r\n")], ["id"]),
        ([(S, b"$ "), (K, b"\x1b[A"), (S, b"rm -rf x"), (K, b"\r"), (S, b"\r\n")], ["rm -rf x"]),
        ([(S, b"$ "), (K, b"cat fi\t"), (S, b"cat file.txt "), (K, b"\r"), (S, b"\r\n")], ["cat file.txt"]),
        (
            [(S, b"$ "), (K, b"\x12ma\r"), (S, b"\r(reverse-i-search)`ma': make\r\x1b[K$ make\r\n")],
            ["make"],
        ),
        ([(S, b"$ "), (K, b"a" * 60 + b"\r"), (S, b"a" * 60 + b"\r\n")], ["a" * 60]),
        ([(S, b"$ "), (K, b"ls\x03"), (S, b"ls^C\r\n$ "), (K, b"id\r"), (S, b"id\r\n")], ["id"]),
        (
            [(S, b"$ "), (K, b"\x1b[200~one\rtwo\x1b[201~"), (S, b"one two"), (K, b"\r"), (S, b"\r\n")],
            ["one two"],
        ),
        (
            [(S, b"$ "), (K, b"ls\rid\r"), (S, b"ls\r\nfile\r\n$ id\r\nuid=0\r\n$ ")],
            ["ls", "id"],
        ),
        ([(S, b"$ "), (K, b"\r"), (S, b"\r\n$ "), (K, b"id\n"), (S, b"id\r\n")], ["id"]),
        ([(S, b"$ "), (K, b"x"), (S, b"x\x1b[H\x1b[J$ x"), (K, b"y\r"), (S, b"y\r\n")], ["xy"]),
    ],
)
def test_lines_as_the_shell_showed_them(steps: list[tuple[str, bytes]], lines: list[str]) -> None:
    assert found(*steps) == lines


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        # Not echoed: a password, or `stty -echo` before the command.
        ([(S, b"password: "), (K, b"secret\r"), (S, b"\r\n")], []),
        # In an editor or pager, a command of its own.
        ([(S, b"\x1b[?1049h"), (K, b":!rm -rf /\r"), (S, b":!rm -rf /\r\n")], []),
        # The shell expands what is not shown: an alias, a variable, the history.
        ([(S, b"$ "), (K, b"!!\r"), (S, b"!!\r\nrm -rf /\r\n")], ["!!"]),
        # A program that paints over its own echo.
        ([(S, b"$ "), (K, b"evil\r"), (S, b"evil\r\x1b[K$ harmless\r\n")], ["harmless"]),
    ],
)
def test_what_fools_it(steps: list[tuple[str, bytes]], lines: list[str]) -> None:
    assert found(*steps) == lines


def test_what_was_found_is_safe_to_print() -> None:
    [line] = found((S, b"$ "), (K, b"x\r"), (S, "a\u202eb\r\n".encode()))
    assert line == "a\ufffdb"


@given(st.lists(st.tuples(st.sampled_from([K, S]), HOSTILE), max_size=30))
def test_any_keys_and_bytes_are_taken(steps: list[tuple[str, bytes]]) -> None:
    for line in found(*steps, columns=7):
        assert line.strip()
        assert "\x1b" not in line
