"""Streams made harmless: against an allow-list of what may come out, written apart from the filter."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpose.recording.sanitize import HIDDEN
from interpose.recording.terminal.harmless import RESTORE, HarmlessStream
from interpose.recording.terminal.screen import Screen
from tests.support.terminals import ATTACKS, HOSTILE, cut

ALLOWED = re.compile(
    r"""
      [\b\t\n\v\f\r]
    | [^\x00-\x1f\x7f-\x9f]
    | \x1b[78DEMH]
    | \x1b\[[0-9]{0,4}[ABCDEFGHIZ`adefLMP@XSTKbg]
    | \x1b\[[0-9]{0,4};[0-9]{0,4}[Hfr]
    | \x1b\[[0-9]{0,4}(;[0-9]{0,4})?[ABCDEFGIZ`adeLMP@XSKbgr]
    | \x1b\[[su]
    | \x1b\[(0|1|2|[4-9][0-9]*|[1-9][0-9]+)?(;[0-9]{0,4})?J
    | \x1b\[0(;[1-79])*(;(3[0-7]|9[0-7]|38;5;[0-9]{1,3}|38;2;[0-9]{1,3};[0-9]{1,3};[0-9]{1,3}))?
      (;(4[0-7]|10[0-7]|48;5;[0-9]{1,3}|48;2;[0-9]{1,3};[0-9]{1,3};[0-9]{1,3}))?m
    | \x1b\[\?(6|7|25|47|1047|1048|1049)[hl]
    | \x1b\[4[hl]
    """,
    re.VERBOSE,
)


def harmless(data: bytes) -> str:
    stream = HarmlessStream()
    return stream.feed(data) + stream.finish()


def only_allowed(text: str) -> None:
    at = 0
    while at < len(text):
        match = ALLOWED.match(text, at)
        assert match is not None, repr(text[at : at + 40])
        at = match.end()
    assert not HIDDEN & set(map(ord, text))


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
def test_no_attack_comes_through(attack: bytes) -> None:
    only_allowed(harmless(attack + b"after"))
    assert harmless(attack + b"\r\n\x1b(B\x0fafter").endswith("after")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b]0;title\x07\x1b]52;c;AAAA\x07x", "x"),
        (b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1b[6n\x1b[c\x05\x1bZ\x1b[21t\x1b[?2004h", ""),
        (b"\x1b[31mred\x1b[m", "\x1b[0;31mred\x1b[0m"),
        (b"\x1b[8mconcealed", "\x1b[0mconcealed"),
        (b"\x1b(0lqk\x0e", "┌─┐"),
        (b"\x1b[3J\x1b[2J", "\x1b[2J"),
        (b"\x1b[999999999B", "\x1b[9999B"),
        (b"\x1b[1;2;3;4;5T", ""),
        (b"\x1b[?25;1000;2004l", "\x1b[?25l"),
        ("\u202eevil".encode(), "\ufffdevil"),
        (b"\x07\x00bell", "bell"),
    ],
)
def test_what_comes_out(data: bytes, text: str) -> None:
    assert harmless(data) == text


@settings(max_examples=400)
@given(st.data(), st.lists(HOSTILE, max_size=25))
def test_pieces_do_not_matter_and_only_the_allowed_comes_out(data: st.DataObject, parts: list[bytes]) -> None:
    whole = b"".join(parts)
    stream = HarmlessStream()
    text = "".join(stream.feed(piece) for piece in cut(data, whole)) + stream.finish()
    assert text == harmless(whole)
    only_allowed(text)


@given(st.lists(HOSTILE, max_size=25))
def test_it_is_harmless_already(parts: list[bytes]) -> None:
    once = harmless(b"".join(parts))
    assert harmless(once.encode()) == once


def test_what_may_be_left_over_is_undone() -> None:
    screen = Screen(10, 4)
    screen.feed(harmless(b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?6h\x1b[2;3r\x1b[4h\x1b[7;31m\x1b(0").encode())
    screen.feed(RESTORE.encode())
    screen.feed(b"\x1b[H0123456789ab\x1b[4;1Hz\x1b[H!")
    assert screen.text() == ["!123456789", "ab", "", "z"]
    assert (screen.alternate, screen.cursor_visible) == (False, True)
    assert screen.grid[0].styles[0] == ("", "", ())
