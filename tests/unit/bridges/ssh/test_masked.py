"""Masked output: lines at once, prompts after a pause, and nothing past the end."""

from __future__ import annotations

import asyncio

import pytest
from asyncssh.constants import EXTENDED_DATA_STDERR

from interpose.bridges.ssh.masked import MaskedOutput
from interpose.masking.content import ContentScanner, content_scanner
from interpose.masking.patterns import CARD
from interpose.masking.pseudonyms import Pseudonyms
from interpose.model.errors import Unmaskable
from interpose.model.masks import MaskRule

NUMBER = b"4111 1111 1111 1111"


def _scanner() -> ContentScanner:
    made = content_scanner({CARD: MaskRule("redact")}, Pseudonyms(b"k" * 16), 1 << 18)
    assert made is not None
    return made


class _Shown:
    def __init__(self, *, terminal: bool) -> None:
        self.data: dict[int | None, bytes] = {None: b"", EXTENDED_DATA_STDERR: b""}
        self.came = asyncio.Event()
        self.broken: list[BaseException] = []
        self.output = MaskedOutput(_scanner(), self._show, self.broken.append, terminal=terminal)

    def _show(self, data: bytes, stream: int | None) -> None:
        self.data[stream] += data
        self.came.set()


def test_a_prompt_is_shown_after_a_pause_and_a_value_in_pieces_is_not() -> None:
    async def work() -> None:
        shown = _Shown(terminal=True)
        shown.output.feed(NUMBER[:7], None)
        shown.output.feed(NUMBER[7:] + b" $ ", None)
        assert shown.data[None] == b""
        await asyncio.wait_for(shown.came.wait(), 30)
        assert shown.data[None] == b"[redacted] $ "
        shown.output.stop()

    asyncio.run(work())


def test_streams_are_masked_apart_and_ended_together() -> None:
    async def work() -> None:
        shown = _Shown(terminal=False)
        shown.output.feed(b"out " + NUMBER[:9], None)
        shown.output.feed(b"err " + NUMBER + b"\nmore", EXTENDED_DATA_STDERR)
        shown.output.feed(NUMBER[9:], None)
        assert shown.data == {None: b"", EXTENDED_DATA_STDERR: b"err [redacted]\n"}
        shown.output.end()
        assert shown.data == {None: b"out [redacted]", EXTENDED_DATA_STDERR: b"err [redacted]\nmore"}

    asyncio.run(work())


def test_bytes_are_refused_without_a_terminal() -> None:
    async def work() -> None:
        shown = _Shown(terminal=False)
        with pytest.raises(Unmaskable):
            shown.output.feed(b"\0\xff\n", None)

    asyncio.run(work())


def test_what_fails_in_a_pause_is_told() -> None:
    async def work() -> None:
        told: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

        def show(data: bytes, stream: int | None) -> None:
            raise OSError("no room")

        output = MaskedOutput(_scanner(), show, told.set_result, terminal=True)
        output.feed(b"$ ", None)
        assert isinstance(await asyncio.wait_for(told, 30), OSError)

    asyncio.run(work())
