"""Frames of channels and their payloads."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.channel_frames import (
    CHANNEL_CLOSED,
    CHANNEL_OPENED,
    STREAM,
    STREAM_OMITTED,
    WINDOW,
    ChannelClosedPayload,
    ChannelOpenedPayload,
    StreamName,
    StreamOmittedPayload,
    StreamPayload,
    WindowPayload,
    decode_channel_closed,
    decode_channel_opened,
    decode_stream,
    decode_stream_omitted,
    decode_window,
    encode_channel_closed,
    encode_channel_opened,
    encode_stream,
    encode_stream_omitted,
    encode_window,
)
from interpose.recording.frames import Frame, FrameError, read_frames

CHANNEL = st.integers(0, 2**32 - 1)
NAME = st.sampled_from(StreamName)
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def one(data: bytes) -> Frame:
    [(frame, raw)] = read_frames(BytesIO(data).read)
    assert raw == data
    assert (frame.time, frame.sequence) == (5, 7)
    return frame


@given(CHANNEL, NAME, st.binary())
def test_stream_bytes_read_back(channel: int, stream: StreamName, data: bytes) -> None:
    frame = one(encode_stream(5, 7, channel, stream, data))
    assert frame.type == STREAM
    assert decode_stream(frame.payload) == StreamPayload(channel, stream, data)


@given(CHANNEL, WORD, WORD)
def test_an_opening_reads_back(channel: int, kind: str, term: str) -> None:
    frame = one(encode_channel_opened(5, 7, channel, kind, term))
    assert frame.type == CHANNEL_OPENED
    assert decode_channel_opened(frame.payload) == ChannelOpenedPayload(channel, kind, term)


@given(CHANNEL, CHANNEL, CHANNEL)
def test_a_window_reads_back(channel: int, columns: int, rows: int) -> None:
    frame = one(encode_window(5, 7, channel, columns, rows))
    assert frame.type == WINDOW
    assert decode_window(frame.payload) == WindowPayload(channel, columns, rows)


@given(CHANNEL, st.none() | st.integers(0, 2**32))
def test_an_end_reads_back(channel: int, status: int | None) -> None:
    frame = one(encode_channel_closed(5, 7, channel, status))
    assert frame.type == CHANNEL_CLOSED
    assert decode_channel_closed(frame.payload) == ChannelClosedPayload(channel, status)


@given(CHANNEL, NAME, st.integers(0, 2**64 - 1), st.booleans())
def test_an_omission_reads_back(channel: int, stream: StreamName, count: int, lost: bool) -> None:
    frame = one(encode_stream_omitted(5, 7, channel, stream, count, lost=lost))
    assert frame.type == STREAM_OMITTED
    assert decode_stream_omitted(frame.payload) == StreamOmittedPayload(channel, stream, count, lost)


def test_numbers_and_texts_that_do_not_fit_are_cut() -> None:
    assert decode_window(one(encode_window(5, 7, 1, -3, 2**40)).payload) == WindowPayload(1, 0, 2**32 - 1)
    long = decode_channel_opened(one(encode_channel_opened(5, 7, 1, "k" * 300, "ä" * 200)).payload)
    assert (long.kind, len(long.term)) == ("k" * 255, 128)


@pytest.mark.parametrize(
    "decode", [decode_stream, decode_channel_opened, decode_window, decode_channel_closed, decode_stream_omitted]
)
@given(data=st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(decode: Callable[[bytes], object], data: bytes) -> None:
    try:
        decode(data)
    except FrameError as error:
        assert str(error)


def test_a_stream_of_a_newer_version_is_named() -> None:
    with pytest.raises(FrameError, match="newer version"):
        decode_stream(b"\0\0\0\0\x07abc")
