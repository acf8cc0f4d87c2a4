"""What is given up while the disk fails."""

from __future__ import annotations

from io import BytesIO

from interpose.recording.channel_frames import StreamName, encode_stream, encode_stream_omitted, encode_window
from interpose.recording.dropping import without_bulk
from interpose.recording.frames import (
    DELIVERED,
    encode_frame,
    encode_note,
    encode_omitted,
    read_frames,
)
from interpose.recording.timeline import Noted, Omitted, Resized, StreamOmitted, timeline


def test_bulk_becomes_counts_and_the_rest_stays() -> None:
    out, err = StreamName.STDOUT, StreamName.STDERR
    frames = [
        encode_frame(DELIVERED, 1, 7, b"12345"),
        encode_omitted(1, 7, 100, lost=True),
        encode_omitted(1, 7, 3, lost=False),
        encode_note(1, 0, "a", "b"),
        encode_stream(1, 8, 2, out, b"abc"),
        encode_stream(1, 8, 2, err, b"d"),
        encode_stream_omitted(1, 8, 2, out, 10, lost=True),
        encode_stream_omitted(1, 8, 2, out, 20, lost=False),
        encode_window(1, 8, 2, 80, 24),
    ]
    left = without_bulk(frames, 1, 10_000)
    assert list(timeline(frame for frame, _ in read_frames(BytesIO(b"".join(left)).read))) == [
        Omitted(0.0, 7, 3, False),
        Noted(0.0, "a", "b"),
        StreamOmitted(0.0, 8, 2, out, 20, False),
        Resized(0.0, 8, 2, 80, 24),
        Omitted(0.0, 7, 105, True),
        StreamOmitted(0.0, 8, 2, out, 13, True),
        StreamOmitted(0.0, 8, 2, err, 1, True),
    ]


def test_too_much_of_the_rest_becomes_a_count_too() -> None:
    notes = [encode_note(1, 0, "a", "b" * 100)] * 10
    left = without_bulk(notes, 1, 500)
    assert list(timeline(frame for frame, _ in read_frames(BytesIO(b"".join(left)).read))) == [
        Omitted(0.0, 0, sum(map(len, notes)), True)
    ]
