"""The editor on a channel: any keys, no file descriptor, and a line that is what was typed."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_toolkit.buffer import Buffer

from interpose.bridges.ssh.managed.editor import BoundedHistory, Editor, InterruptedLine
from interpose.bridges.ssh.managed.keys import LONGEST


async def _read(*chunks: bytes, count: int = 1) -> list[str | None]:
    shown = bytearray()
    editor = Editor(shown.extend, lambda data: None, lambda: (80, 24), "xterm", lambda: ["echo", "exit", "journalctl"])
    editor.input.feed(b"".join(chunks))
    found: list[str | None] = []
    for _ in range(count):
        try:
            found.append(await asyncio.wait_for(editor.read("$ "), 60))
        except InterruptedLine:
            found.append("^C")
    return found


def test_lines_are_what_was_typed() -> None:
    assert asyncio.run(_read(b"ls\recho 'a\rb'\r\x03\x04", count=4)) == [
        "ls",
        "echo 'a\nb'",
        "^C",
        None,
    ]


def test_a_first_word_is_completed() -> None:
    async def work() -> None:
        editor = Editor(
            lambda data: None, lambda data: None, lambda: (0, 0), "xterm", lambda: ["echo", "exit", "journalctl"]
        )
        reading = asyncio.create_task(editor.read("$ "))
        completed = asyncio.Event()

        def look(buffer: Buffer) -> None:
            if buffer.text == "journalctl ":
                completed.set()

        editor._prompts.default_buffer.on_text_changed += look
        editor.input.feed(b"jou\t")
        await asyncio.wait_for(completed.wait(), 60)
        editor.input.feed(b"x\r")
        assert await asyncio.wait_for(reading, 60) == "journalctl x"

    asyncio.run(work())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=8), max_size=12))
def test_any_bytes_give_lines_and_an_end(chunks: list[bytes]) -> None:
    # Two Ctrl-C end whatever is open: a search, then the line.
    found = asyncio.run(_read(*chunks, b"\x1b[201~\x07\x03"))
    assert len(found) == 1
    assert found[0] is None or len(found[0]) <= LONGEST


def test_history_is_bounded() -> None:
    history = BoundedHistory()
    for number in range(3000):
        history.append_string(f"{number} " + "x" * 200)
    assert len(history.lines) <= 1000
    assert sum(len(line) for line in history.lines) <= 256 * 1024
    assert history.lines[-1].startswith("2999 ")
