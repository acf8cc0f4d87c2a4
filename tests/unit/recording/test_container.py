"""Spools' heads, chunks and trailers."""

from __future__ import annotations

import dataclasses
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.container import (
    RECORDING_MAGIC,
    ChunkWriter,
    RecordingFormatError,
    Trailer,
    decode_spool_head,
    encode_spool_head,
    new_compress,
    read_chunks,
)


def recording(*plains: bytes, seal: bool = True) -> bytes:
    writer = ChunkWriter("s_1", new_compress())
    data = RECORDING_MAGIC
    for plain in plains:
        chunk, digest = writer.chunk(plain, 2)
        writer.commit(digest, len(plain), 2)
        data += chunk
    return data + writer.trailer("complete", "client_closed")[0] if seal else data


def test_a_spool_head_reads_back() -> None:
    assert decode_spool_head(encode_spool_head(12) + b"frames") == 12
    assert decode_spool_head(encode_spool_head(12)[:-1]) is None
    assert decode_spool_head(b"x" * 16) is None


def test_a_recording_reads_back() -> None:
    plains = (b"a" * 1000, b"", b"c")
    *chunks, trailer = read_chunks(BytesIO(recording(*plains)).read, "s_1")
    assert tuple(chunk.plain() for chunk in chunks) == plains
    assert [(chunk.index, chunk.first_frame, chunk.frames) for chunk in chunks] == [(0, 0, 2), (1, 2, 2), (2, 4, 2)]
    assert trailer.trailer
    assert trailer.read_trailer() == Trailer("complete", "client_closed", 3, 6, 1001)
    assert trailer.end == len(recording(*plains))


def test_chunks_are_compressed() -> None:
    assert len(recording(b"a" * 100_000)) < 1000


def test_another_sessions_recording_is_refused() -> None:
    with pytest.raises(RecordingFormatError, match="does not hang"):
        list(read_chunks(BytesIO(recording(b"a")).read, "s_2"))


def test_what_is_no_recording() -> None:
    with pytest.raises(RecordingFormatError, match="not a recording"):
        list(read_chunks(BytesIO(b"something else").read))
    assert list(read_chunks(BytesIO(RECORDING_MAGIC[:3]).read)) == []


@given(st.data())
def test_a_cut_gives_the_whole_chunks_before_it(data: st.DataObject) -> None:
    whole = recording(b"first", b"second", b"third")
    ends = [chunk.end for chunk in read_chunks(BytesIO(whole).read)]
    length = data.draw(st.integers(0, len(whole)))
    found = list(read_chunks(BytesIO(whole[:length]).read, "s_1"))
    assert len(found) == sum(end <= length for end in ends)


@given(st.data())
def test_a_flipped_bit_shows_in_a_hash_or_stops_the_reading(data: st.DataObject) -> None:
    whole = recording(b"first", b"second", b"third")
    hashes = [chunk.hash for chunk in read_chunks(BytesIO(whole).read, "s_1")]
    altered = bytearray(whole)
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    altered[at // 8] ^= 1 << at % 8
    try:
        found = [chunk.hash for chunk in read_chunks(BytesIO(altered).read, "s_1")]
    except RecordingFormatError:
        return
    assert found != hashes


def test_a_chunk_that_lies_about_its_length_is_refused() -> None:
    data = bytearray(recording(b"a" * 1000, seal=False))
    data[len(RECORDING_MAGIC) + 18] ^= 1
    [chunk] = read_chunks(BytesIO(data).read)
    with pytest.raises(RecordingFormatError):
        chunk.plain()


def test_a_chunk_that_is_no_trailer() -> None:
    [chunk] = read_chunks(BytesIO(recording(b"x", seal=False)).read)
    with pytest.raises(RecordingFormatError, match="trailer"):
        chunk.read_trailer()


@pytest.mark.parametrize("size", [1001, 1 << 40, 1 << 60])
def test_no_more_memory_is_taken_than_the_head_says(size: int) -> None:
    chunk, _ = read_chunks(BytesIO(recording(b"a" * 1000)).read)
    frame = b"\x28\xb5\x2f\xfd\xe0" + size.to_bytes(8, "little") + b"\x01\x00\x00"
    with pytest.raises(RecordingFormatError, match="is not what its head says"):
        dataclasses.replace(chunk, stored=frame).plain()
