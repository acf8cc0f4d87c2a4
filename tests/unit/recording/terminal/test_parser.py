"""Bytes taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.terminal.parser import (
    LONGEST_SEQUENCE,
    LONGEST_STRING,
    Control,
    ControlSequence,
    Escape,
    Item,
    TerminalParser,
    Text,
)
from tests.support.terminals import HOSTILE, cut


def parsed(data: bytes) -> list[Item]:
    parser = TerminalParser()
    return parser.feed(data) + parser.finish()


def joined(items: list[Item]) -> list[Item]:
    """Text that stands together as one."""
    found: list[Item] = []
    for item in items:
        if isinstance(item, Text) and found and isinstance(found[-1], Text):
            found[-1] = Text(found[-1].text + item.text)
        else:
            found.append(item)
    return found


@pytest.mark.parametrize(
    ("data", "items"),
    [
        (b"ab\r\n", [Text("ab"), Control("\r"), Control("\n")]),
        ("ä€😀".encode(), [Text("ä€😀")]),
        (b"\xffa\xc3", [Text("\ufffda"), Text("\ufffd")]),
        (b"\x1b7\x1b(0", [Escape("", "7"), Escape("(", "0")]),
        (b"\x1b[1;;31m", [ControlSequence("", ((1,), (None,), (31,)), "", "m")]),
        (b"\x1b[38:2::1:2:3m", [ControlSequence("", ((38, 2, None, 1, 2, 3),), "", "m")]),
        (b"\x1b[?25l", [ControlSequence("?", ((25,),), "", "l")]),
        (b"\x1b[!p", [ControlSequence("", (), "!", "p")]),
        (b"\x1b[999999999H", [ControlSequence("", ((65535,),), "", "H")]),
        (b"\xc2\x9b1mx", [ControlSequence("", ((1,),), "", "m"), Text("x")]),
        (b"\xc2\x85", [Escape("", "E")]),
        (b"\x1b[1\nm", [Control("\n"), ControlSequence("", ((1,),), "", "m")]),
        (b"\x1b[1\x18mx", [Text("mx")]),
        (b"\x1b[1\x1b[2mx", [ControlSequence("", ((2,),), "", "m"), Text("x")]),
        (b"\x1b[1\xc3\xa4", [Text("ä")]),
        (b"\x1b[1?m\x1b[1;<m", []),
        (b"\x1b]0;title\x07x", [Text("x")]),
        (b"\x1b]8;;http://evil\x1b\\link", [Escape("", "\\"), Text("link")]),
        (b"\x1bPq#0;1;2\n\x1b\\x", [Escape("", "\\"), Text("x")]),
        (b"\xc2\x9dtitle\xc2\x9cx", [Text("x")]),
        (b"\x1b]0;title\nx", [Control("\n"), Text("x")]),
        (b"a\x7fb", [Text("a"), Text("b")]),
        (b"\x1b]0;unfinished", []),
    ],
)
def test_what_bytes_are(data: bytes, items: list[Item]) -> None:
    assert parsed(data) == items


def test_a_sequence_that_is_too_long_is_dropped_and_a_string_that_is_too_long_hides_no_more() -> None:
    assert parsed(b"\x1b[" + b"1;" * LONGEST_SEQUENCE + b"mx") == [Text("x")]
    assert parsed(b"\x1bP" + b"s" * LONGEST_STRING + b"seen") == [Text("seen")]
    assert parsed(b"\x1bP" + b"\n" * LONGEST_STRING + b"seen") == [Text("seen")]


@given(st.data(), st.lists(HOSTILE, max_size=12))
def test_pieces_do_not_matter(data: st.DataObject, parts: list[bytes]) -> None:
    whole = b"".join(parts)
    parser = TerminalParser()
    items = [item for piece in cut(data, whole) for item in parser.feed(piece)]
    assert joined(items + parser.finish()) == joined(parsed(whole))


@given(st.binary(max_size=400))
def test_text_has_no_control_in_it(data: bytes) -> None:
    for item in parsed(data):
        if isinstance(item, Text):
            assert item.text
            assert all(character >= " " and not "\x7f" <= character <= "\x9f" for character in item.text)
