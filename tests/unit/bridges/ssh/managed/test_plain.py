"""Lines without an editor."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.bridges.ssh.managed.editor import InterruptedLine
from interpose.bridges.ssh.managed.keys import LONGEST
from interpose.bridges.ssh.managed.plain import PlainLines


async def _lines(*chunks: bytes, terminal: bool) -> tuple[list[str | None], bytes]:
    shown = bytearray()
    reader = PlainLines(shown.extend, lambda data: None, terminal=terminal)
    for chunk in chunks:
        reader.feed(chunk)
    reader.end()
    found: list[str | None] = []
    while True:
        try:
            line = await reader.read("$ ")
        except InterruptedLine:
            line = "^C"
        found.append(line)
        if line is None:
            return found, bytes(shown)


def test_lines_of_a_pipe() -> None:
    found, shown = asyncio.run(_lines(b"one\r\ntw", b"o\n\nlast", terminal=False))
    assert (found, shown) == (["one", "two", "", "last", None], b"")


def test_a_terminal_echoes_and_edits() -> None:
    found, shown = asyncio.run(_lines("lü\x7fs\rno\x03yes\n\x04".encode(), terminal=True))
    assert found == ["ls", "^C", "yes", None]
    assert b"\b \b" in shown


@pytest.mark.parametrize("line", [b"\xff\n", b"x" * (LONGEST + 1) + b"\n"])
def test_what_is_no_line_is_one_that_is_refused(line: bytes) -> None:
    found, _ = asyncio.run(_lines(line, terminal=False))
    assert found == ["\0", None]


@given(st.lists(st.binary(max_size=12), max_size=8), st.booleans())
def test_any_bytes(chunks: list[bytes], terminal: bool) -> None:
    asyncio.run(_lines(*chunks, terminal=terminal))
