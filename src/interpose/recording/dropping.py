"""What is given up of buffered frames while the disk fails: bulk becomes counts, so that memory stays bounded and the gap is said."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

from interpose.recording.channel_frames import (
    STREAM,
    STREAM_OMITTED,
    StreamName,
    decode_stream,
    decode_stream_omitted,
    encode_stream_omitted,
)
from interpose.recording.frames import DELIVERED, OMITTED, decode_omitted, encode_omitted, read_frames


def without_bulk(frames: Iterable[bytes], now: int, bound: int) -> list[bytes]:
    """The encoded frames without delivered and stream bytes; counts of these, as lost, stand at the end.

    Omissions by loss go into the new counts. When what is left is larger than `bound` bytes, it becomes a count as well.
    """
    kept: list[bytes] = []
    results: dict[int, int] = {}
    streams: dict[tuple[int, int, StreamName], int] = {}
    for raw in frames:
        [(frame, _)] = read_frames(BytesIO(raw).read)
        if frame.type == DELIVERED:
            results[frame.sequence] = results.get(frame.sequence, 0) + len(frame.payload)
            continue
        if frame.type == OMITTED:
            count, lost = decode_omitted(frame.payload)
            if lost:
                results[frame.sequence] = results.get(frame.sequence, 0) + count
                continue
        if frame.type == STREAM:
            piece = decode_stream(frame.payload)
            key = (frame.sequence, piece.channel, piece.stream)
            streams[key] = streams.get(key, 0) + len(piece.data)
            continue
        if frame.type == STREAM_OMITTED:
            gap = decode_stream_omitted(frame.payload)
            if gap.lost:
                key = (frame.sequence, gap.channel, gap.stream)
                streams[key] = streams.get(key, 0) + gap.count
                continue
        kept.append(raw)
    size = sum(map(len, kept))
    if size > bound:
        kept = []
        results[0] = results.get(0, 0) + size
    return [
        *kept,
        *(encode_omitted(now, sequence, count, lost=True) for sequence, count in results.items()),
        *(
            encode_stream_omitted(now, sequence, channel, stream, count, lost=True)
            for (sequence, channel, stream), count in streams.items()
        ),
    ]
