"""Frames to events."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.channel_frames import (
    StreamName,
    encode_channel_closed,
    encode_channel_opened,
    encode_stream,
    encode_stream_omitted,
    encode_window,
)
from interpose.recording.container import RECORDING_MAGIC, ChunkWriter, RecordingFormatError, new_compress
from interpose.recording.frames import (
    DELIVERED,
    HEADER,
    Frame,
    FrameError,
    encode_close,
    encode_command,
    encode_ended,
    encode_frame,
    encode_note,
    encode_omitted,
    read_frames,
)
from interpose.recording.header import encode_header
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelOpened,
    CommandDecided,
    CommandEnded,
    Delivered,
    Noted,
    Omitted,
    Resized,
    SessionClosed,
    SessionOpened,
    Streamed,
    StreamOmitted,
    recording_frames,
    timeline,
)
from tests.unit.recording.test_header import HEADER as WHO

SECOND = 1_000_000_000
RAW = [
    encode_frame(HEADER, 10 * SECOND, 0, encode_header(WHO)),
    encode_command(11 * SECOND, 5, "query", "SELECT 1", (b"x", None), "permit"),
    encode_frame(DELIVERED, 11 * SECOND + SECOND // 2, 5, b"D..."),
    encode_omitted(12 * SECOND, 5, 99, lost=False),
    encode_ended(12 * SECOND, 5, "ok", "SELECT 1", "", 1),
    encode_note(13 * SECOND, 0, "hold", "waits"),
    encode_close(14 * SECOND, "client_closed", lost=False),
]
EVENTS = [
    SessionOpened(0.0, WHO),
    CommandDecided(1.0, 5, "query", "SELECT 1", (b"x", None), "permit"),
    Delivered(1.5, 5, b"D..."),
    Omitted(2.0, 5, 99, False),
    CommandEnded(2.0, 5, "ok", "SELECT 1", "", 1),
    Noted(3.0, "hold", "waits"),
    SessionClosed(4.0, "client_closed", False),
]

CHANNEL_RAW = [
    encode_frame(HEADER, 10 * SECOND, 0, encode_header(WHO)),
    encode_channel_opened(11 * SECOND, 5, 2, "shell", "xterm"),
    encode_window(11 * SECOND, 5, 2, 80, 24),
    encode_stream(12 * SECOND, 5, 2, StreamName.STDOUT, b"$ "),
    encode_stream_omitted(13 * SECOND, 5, 2, StreamName.STDERR, 7, lost=True),
    encode_channel_closed(14 * SECOND, 5, 2, None),
]
CHANNEL_EVENTS = [
    SessionOpened(0.0, WHO),
    ChannelOpened(1.0, 5, 2, "shell", "xterm"),
    Resized(1.0, 5, 2, 80, 24),
    Streamed(2.0, 5, 2, StreamName.STDOUT, b"$ "),
    StreamOmitted(3.0, 5, 2, StreamName.STDERR, 7, True),
    ChannelClosed(4.0, 5, 2, None),
]


def sealed(*chunks: list[bytes], seal: bool = True, count: int | None = None) -> bytes:
    writer, data = ChunkWriter("s_1", new_compress()), RECORDING_MAGIC
    for frames in chunks:
        plain = b"".join(frames)
        number = len(frames) if count is None else count
        chunk, digest = writer.chunk(plain, number)
        writer.commit(digest, len(plain), number)
        data += chunk
    return data + (writer.trailer("complete", "x")[0] if seal else b"")


@pytest.mark.parametrize("seal", [True, False])
def test_every_event_in_order_with_its_time(seal: bool) -> None:
    data = sealed(RAW[:3], RAW[3:], seal=seal)
    assert list(timeline(recording_frames(BytesIO(data).read))) == EVENTS


def test_what_happens_on_channels_has_its_own_events() -> None:
    assert list(timeline(recording_frames(BytesIO(sealed(CHANNEL_RAW)).read))) == CHANNEL_EVENTS


def test_a_chunk_with_other_frames_than_it_says_is_damage() -> None:
    with pytest.raises(FrameError, match="instead of 3"):
        list(recording_frames(BytesIO(sealed(RAW[:2], count=3)).read))


def test_a_frame_of_a_newer_version_is_named() -> None:
    with pytest.raises(FrameError, match="newer version"):
        list(timeline([Frame(77, 0, 0, 0, b"")]))


def test_time_never_goes_before_the_begin() -> None:
    frames = [Frame(DELIVERED, 0, 10, 0, b""), Frame(DELIVERED, 0, 5, 0, b"")]
    assert [event.at for event in timeline(frames)] == [0.0, 0.0]


@given(st.lists(st.tuples(st.integers(0, 14), st.binary(max_size=60)), max_size=5))
def test_any_payload_of_any_type_is_read_or_refused(parts: list[tuple[int, bytes]]) -> None:
    data = b"".join(encode_frame(kind, 1, 1, payload) for kind, payload in parts)
    try:
        events = list(timeline(frame for frame, _ in read_frames(BytesIO(data).read)))
    except FrameError as error:
        assert str(error)
    else:
        assert len(events) == len(parts)


@given(st.integers(0, 10_000), st.binary(max_size=20))
def test_a_recording_that_is_altered_anywhere_is_read_or_refused(place: int, other: bytes) -> None:
    whole = sealed(CHANNEL_RAW[:3], CHANNEL_RAW[3:])
    at = place % len(whole)
    damaged = whole[:at] + other + whole[at + len(other) :]
    try:
        events = list(timeline(recording_frames(BytesIO(damaged).read)))
    except (FrameError, RecordingFormatError) as error:
        assert str(error)
    else:
        assert events == CHANNEL_EVENTS[: len(events)]
