"""Masking by content in streams: line by line, through escape sequences, however the bytes are cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.masking.content import ContentScanner, content_scanner
from interpose.masking.patterns import CARD, CONTENT_CLASSES, EMAIL
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.terminal import LONGEST_LINE, TerminalMask
from interpose.model.errors import Unmaskable
from interpose.model.masks import MaskRule

NUMBER = b"4111 1111 1111 1111"
HIDDEN = b"[redacted]"


def scanner(transform: str = "redact") -> ContentScanner:
    made = content_scanner({name: MaskRule(transform) for name in CONTENT_CLASSES}, Pseudonyms(b"k" * 16), 1 << 18)
    assert made is not None
    return made


def through(*chunks: bytes, only_text: bool = False, transform: str = "redact") -> bytes:
    """All that a client gets of these chunks."""
    mask = TerminalMask(scanner(transform), only_text=only_text)
    return b"".join([*(mask.feed(chunk) for chunk in chunks), mask.end()])


def visible(data: bytes) -> bytes:
    """What a terminal writes of it, more or less: no escapes, no controls."""
    return re.sub(
        rb"\x1b\[[0-?]*[@-~]|\xc2\x9b[0-?]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x1f\x7f]", b"", data
    )


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (b"card " + NUMBER + b" ok\n", b"card [redacted] ok\n"),
        (b"4111\x1b[31m 1111 1111\x1b[0m 1111.\r\n", b"[redacted]\x1b[31m\x1b[0m.\r\n"),
        (b"4111\xc2\x9b31m 1111 1111 1111\n", b"[redacted]\xc2\x9b31m\n"),
        (b"4\x004\x00\x081\n", b"4\x004\x00\x081\n"),
        (b"\x1b]0;" + NUMBER + b"\x07$ ", b"\x1b]0;[redacted]\x07$ "),
        (b"\x1b]52;c;x\x1b\\a@example.com", b"\x1b]52;c;x\x1b\\[redacted]"),
        ("grün a@example.com ✓\n".encode(), "grün [redacted] ✓\n".encode()),
        (b"\xff\xfe a@example.com \xff\n", None),
    ],
)
def test_a_line(shown: bytes, expected: bytes | None) -> None:
    masked = through(shown)
    assert b"example.com" not in masked
    if expected is not None:
        assert masked == expected


def test_a_transform_of_its_own() -> None:
    assert through(b"card 4111111111111111\n", transform="last:4") == b"card ***1111\n"


def test_a_value_that_is_cut_by_chunks_is_found_before_any_of_it_is_shown() -> None:
    mask = TerminalMask(scanner(), only_text=False)
    assert b"".join(mask.feed(bytes([byte])) for byte in b"card " + NUMBER) == b""
    assert mask.waiting
    assert mask.feed(b"\n") == b"card [redacted]\n"


def test_a_pause_shows_a_prompt_and_hides_the_rest_of_what_it_cut() -> None:
    mask = TerminalMask(scanner(), only_text=False)
    assert mask.feed(b"password: ") == b""
    assert mask.pause() == b"password: "
    assert not mask.waiting
    assert mask.feed(b"4111 1111 ") + mask.pause() == b"4111 1111 "
    assert mask.feed(b"1111 1111") + mask.pause() == HIDDEN
    assert mask.feed(b"\r\n" + NUMBER + b"\n") == b"\r\n[redacted]\n"


def test_a_pause_cuts_no_escape_sequence_and_no_character() -> None:
    mask = TerminalMask(scanner(), only_text=False)
    assert mask.feed("é".encode()[:1]) + mask.pause() == b""
    assert mask.feed("é".encode()[1:]) + mask.pause() == "é".encode()
    assert mask.feed(b"a\x1b[3") + mask.pause() == b"a"
    assert mask.feed(b"1mb") + mask.pause() == b"\x1b[31mb"
    assert mask.feed(b"\x1b]0;4111 1111 1111 ") + mask.pause() == b""
    assert mask.feed(b"1111\x07") + mask.pause() == b"\x1b]0;[redacted]\x07"


@pytest.mark.parametrize("offset", [0, 1, 1020, 1024, 1030, 2000])
def test_a_long_line_is_shown_in_parts_and_no_value_is_cut(offset: int) -> None:
    line = b"x " * (LONGEST_LINE // 2) + b" " + NUMBER + b" " + b"y" * offset
    masked = through(*(line[at : at + 1000] for at in range(0, len(line), 1000)))
    assert masked == line.replace(NUMBER, HIDDEN)


def test_an_escape_sequence_without_an_end_is_bounded() -> None:
    mask = TerminalMask(scanner(), only_text=False)
    shown = b"".join(mask.feed(b"\x1b]0;" * 1 + b"z" * 4096) for _ in range(40)) + mask.end()
    assert len(shown) < 41 * 4200


@pytest.mark.parametrize("data", [b"GIF89a\0\1\2\n", b"\xff\xd8 jpeg\n", b"a\0b"])
def test_what_is_no_text_is_refused_where_only_text_can_be_judged(data: bytes) -> None:
    with pytest.raises(Unmaskable, match="not text"):
        through(data, only_text=True)
    through(data)


@given(
    st.lists(
        st.sampled_from(
            [
                b"4111",
                b" ",
                b"1111",
                b"\x1b[1m",
                b"\x1b]0;t\x07",
                b"a@",
                b"example.com",
                b"\n",
                b"\r",
                "é".encode(),
                b"-",
            ]
        )
    ),
    st.data(),
)
def test_how_the_bytes_are_cut_changes_nothing(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    masked = through(*chunks)
    assert masked == through(whole)
    found = scanner()
    for line in re.split(rb"[\r\n]+", masked):
        assert not found.find(visible(line).replace(HIDDEN, b""))


@given(st.lists(st.binary(max_size=40), max_size=8), st.booleans())
def test_any_bytes_are_answered_and_none_is_kept_back(chunks: list[bytes], pausing: bool) -> None:
    mask = TerminalMask(scanner(), only_text=False)
    shown = b""
    for chunk in chunks:
        shown += mask.feed(chunk)
        if pausing:
            shown += mask.pause()
    shown += mask.end()
    whole = b"".join(chunks)
    if not scanner().may_match(visible(whole)) and not scanner().may_match(whole):
        assert shown == whole


def test_classes_that_are_not_hidden_stay() -> None:
    only = content_scanner({EMAIL: MaskRule("redact")}, Pseudonyms(b"k" * 16), 1 << 18)
    assert only is not None
    mask = TerminalMask(only, only_text=False)
    assert mask.feed(NUMBER + b" a@example.com\n") == NUMBER + b" [redacted]\n"
    assert CARD in CONTENT_CLASSES
