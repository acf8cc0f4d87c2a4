"""Following a recording while it is written."""

from __future__ import annotations

from pathlib import Path

from interpose.recording.channel_frames import StreamName
from interpose.recording.frames import Frame
from interpose.recording.timeline import SessionClosed, Streamed, TimelineEvent, timeline
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.recordings import RecordingOptions
from interpose.store.files.tailing import RecordingTail
from tests.support.memory import ManualClock
from tests.support.records import header, record_at, until


def all_of(tail: RecordingTail) -> list[Frame]:
    found: list[Frame] = []
    while frames := tail.poll():
        found += frames
    return found


def data_of(events: list[TimelineEvent]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Streamed))


def test_every_frame_comes_once_from_spools_and_chunks_until_the_session_is_over(tmp_path: Path) -> None:
    clock = ManualClock()
    record = record_at(tmp_path, clock=clock, recordings=RecordingOptions(spool_size=5_000))
    recorder = record.recordings.open(header())
    tail = RecordingTail(RecordedSessions(tmp_path / "recordings"), "s_1")
    late = RecordingTail(RecordedSessions(tmp_path / "recordings"), "s_1")
    frames = tail.poll()
    assert len(frames) == 1
    assert tail.poll() == []
    recorder.channel_opened(1, 1, "shell", "xterm")
    written = b""
    for number in range(60):
        piece = bytes([number]) * 700
        recorder.stream(1, StreamName.STDOUT, piece)
        written += piece
        if number % 7 == 0:
            recorder.flush()
            frames += all_of(tail)
            assert data_of(list(timeline(frames))) == written
    assert not tail.over
    recorder.close("client_closed")
    until(lambda: record.recordings.state().sealed == 1)
    frames += all_of(tail)
    assert tail.over
    assert tail.poll() == []
    events = list(timeline(frames))
    assert data_of(events) == written
    assert isinstance(events[-1], SessionClosed)
    assert all_of(late) == frames
    assert late.over
    record.close()


def test_a_recording_that_is_gone_is_over(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    recorder = record.recordings.open(header())
    recorder.close("client_closed")
    until(lambda: record.recordings.state().sealed == 1)
    tail = RecordingTail(RecordedSessions(tmp_path / "recordings"), "s_1")
    assert all_of(tail)
    assert tail.over
    record.close()
