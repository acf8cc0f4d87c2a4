"""Frames and their payloads."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.frames import (
    COMMAND,
    DELIVERED,
    ENDED,
    NOTE,
    OMITTED,
    CommandPayload,
    EndedPayload,
    Frame,
    FrameError,
    decode_command,
    decode_ended,
    decode_note,
    decode_omitted,
    encode_close,
    encode_command,
    encode_ended,
    encode_frame,
    encode_note,
    encode_omitted,
    read_frames,
)

TEXT = st.text()
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def one(data: bytes) -> Frame:
    [(frame, raw)] = read_frames(BytesIO(data).read)
    assert raw == data
    return frame


@given(WORD, TEXT, st.lists(st.none() | st.binary(max_size=20)).map(tuple), WORD)
def test_a_command_reads_back(kind: str, text: str, parameters: tuple[bytes | None, ...], decision: str) -> None:
    frame = one(encode_command(5, 7, kind, text, parameters, decision))
    assert (frame.type, frame.time, frame.sequence) == (COMMAND, 5, 7)
    assert decode_command(frame.payload) == CommandPayload(kind, decision, text, parameters)


@given(WORD, WORD, WORD, st.integers(0, 2**64 - 1))
def test_an_end_reads_back(outcome: str, tag: str, error_class: str, rows: int) -> None:
    frame = one(encode_ended(5, 7, outcome, tag, error_class, rows))
    assert frame.type == ENDED
    assert decode_ended(frame.payload) == EndedPayload(outcome, tag, error_class, rows)


def test_a_long_tag_is_cut() -> None:
    frame = one(encode_ended(5, 7, "ok", "t" * 300, "", 1))
    assert decode_ended(frame.payload) == EndedPayload("ok", "t" * 255, "", 1)


def test_notes_and_omissions_read_back() -> None:
    note = one(encode_note(1, 0, "hold", "waits for dba"))
    assert (note.type, decode_note(note.payload)) == (NOTE, ("hold", "waits for dba"))
    omitted = one(encode_omitted(1, 9, 1 << 40, lost=True))
    assert (omitted.type, omitted.sequence, decode_omitted(omitted.payload)) == (OMITTED, 9, (1 << 40, True))
    assert one(encode_close(1, "client_closed", lost=True)).flags == 1


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=6), st.data())
def test_a_cut_anywhere_loses_only_the_frame_that_was_cut(payloads: list[bytes], data: st.DataObject) -> None:
    frames = [encode_frame(DELIVERED, 1, index, payload) for index, payload in enumerate(payloads)]
    whole = b"".join(frames)
    length = data.draw(st.integers(0, len(whole)))
    expected = [frame for index, frame in enumerate(frames) if len(b"".join(frames[: index + 1])) <= length]
    assert [raw for _, raw in read_frames(BytesIO(whole[:length]).read)] == expected


@given(st.data())
def test_a_flipped_bit_ends_the_reading_at_its_frame(data: st.DataObject) -> None:
    frames = [encode_frame(DELIVERED, 1, index, b"payload") for index in range(4)]
    whole = bytearray(b"".join(frames))
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    assert [raw for _, raw in read_frames(BytesIO(whole).read)] == frames[: at // 8 // len(frames[0])]


@pytest.mark.parametrize("decode", [decode_command, decode_ended, decode_note, decode_omitted])
def test_a_payload_that_is_none_is_refused(decode: object) -> None:
    assert callable(decode)
    for payload in (b"", b"\x01"):
        with pytest.raises(FrameError):
            decode(payload)


@given(st.binary(max_size=60))
def test_no_payload_does_more_than_raise(payload: bytes) -> None:
    for decode in (decode_command, decode_ended, decode_note, decode_omitted):
        try:
            decode(payload)
        except FrameError as error:
            assert str(error)
