"""Windows of channels: nothing is lost or moved, what is kept and what may still come are one window, and a reader that reads never starves."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from asyncssh.constants import EXTENDED_DATA_STDERR, MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.logging import logger
from hypothesis import given
from hypothesis import strategies as st

from interpose.bridges.ssh.windows import JOINED, Kept, Windowed

WINDOW = 1000


class _Library(Windowed):
    """A channel on a connection that only counts how far its window was opened."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.may_come = WINDOW
        connection = SimpleNamespace(add_channel=lambda channel: 0, logger=logger)
        super().__init__(connection, loop, None, "strict", WINDOW, 32768)
        self._send_state = self._recv_state = "open"

    def send_packet(self, kind: int, *arguments: bytes) -> None:
        assert kind == MSG_CHANNEL_WINDOW_ADJUST
        self.may_come += int.from_bytes(b"".join(arguments), "big")

    def comes(self, data: bytes, kind: int | None) -> None:
        self.may_come -= len(data)
        self._accept_data(data, kind)


class _Reader:
    """Takes so many pieces whenever it begins to read, and then stops."""

    def __init__(self, channel: _Library) -> None:
        self.channel = channel
        self.seen: dict[int | None, bytes] = {None: b"", EXTENDED_DATA_STDERR: b""}
        self.left = 0

    def data_received(self, data: bytes, kind: int | None) -> None:
        assert type(data) is bytes
        self.seen[kind] += data
        self.left -= 1
        if self.left <= 0:
            self.channel.pause_reading()


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(1, WINDOW), st.sampled_from([None, EXTENDED_DATA_STDERR])), max_size=6),
            st.integers(0, 4),
        ),
        max_size=60,
    )
)
def test_what_is_kept_and_what_may_come_are_one_window(steps: list[tuple[list[tuple[int, int | None]], int]]) -> None:
    loop = asyncio.new_event_loop()
    try:
        channel = _Library(loop)
        reader = _Reader(channel)
        channel._session = reader  # type: ignore[assignment]
        channel.pause_reading()
        sent: dict[int | None, bytes] = {None: b"", EXTENDED_DATA_STDERR: b""}
        number = 0
        for pieces, taken in steps:
            for size, kind in pieces:
                size = min(size, channel.may_come)
                data = bytes((number + at) % 251 for at in range(size))
                number += size
                sent[kind] += data
                channel.comes(data, kind)
                assert channel._kept.size + channel.may_come <= WINDOW
            if taken:
                reader.left = taken
                channel.resume_reading()
            assert channel._kept.size == sum(len(data) for data, _ in channel._kept)
            assert channel._kept.size + channel.may_come <= WINDOW
        reader.left = 10**9
        channel.resume_reading()
        assert reader.seen == sent
        assert channel.may_come >= WINDOW // 2
    finally:
        loop.close()


def test_bytes_that_come_alone_are_kept_together() -> None:
    kept = Kept()
    for _ in range(2 * JOINED):
        kept.append((b"x", None))
    kept.append((b"y", EXTENDED_DATA_STDERR))
    assert (len(kept), kept.size) == (3, 2 * JOINED + 1)
    assert [kept.pop(0) for _ in range(3)] == [(b"x" * JOINED, None)] * 2 + [(b"y", EXTENDED_DATA_STDERR)]
    assert kept.size == 0


def test_what_is_discarded_is_not_kept() -> None:
    loop = asyncio.new_event_loop()
    try:
        channel = _Library(loop)
        channel.pause_reading()
        channel.comes(b"x" * 10, None)
        channel._discard_recv()
        assert (len(channel._kept), channel._kept.size) == (0, 0)
    finally:
        loop.close()
