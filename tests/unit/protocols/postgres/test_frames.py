"""Cutting a stream into messages."""

import pytest

from interpose.protocols.postgres.frames import Frames
from interpose.protocols.postgres.wire import BodyError, frame


def test_messages_come_out_whole_however_they_come_in() -> None:
    frames = Frames(100)
    data = frame(b"A", b"one") + frame(b"B", b"")
    got = []
    for i in range(len(data)):
        frames.feed(data[i : i + 1])
        while (message := frames.next()) is not None:
            got.append(message)
    assert got == [(b"A", b"one"), (b"B", b"")]
    assert frames.rest == b""


@pytest.mark.parametrize("length", [0, 3, 101, 0xFFFFFFFF])
def test_an_impossible_length_is_refused(length: int) -> None:
    frames = Frames(100)
    frames.feed(b"A" + length.to_bytes(4, "big"))
    with pytest.raises(BodyError):
        frames.next()


def test_raw_bytes_can_be_taken() -> None:
    frames = Frames(100)
    frames.feed(b"Sx")
    assert frames.take_raw(1) == b"S"
    assert frames.rest == b"x"
