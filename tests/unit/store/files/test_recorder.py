"""One session's recording while it is live: what reaches the disk when, the cap, failing disks."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.model.errors import RecordingError
from interpose.recording.channel_frames import StreamName
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
    TimelineEvent,
)
from interpose.store.files.opening import FileRecord
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.recordings import RecordingOptions
from tests.support.memory import ManualClock
from tests.support.records import header, record_at, until, verified

SELECT = (1, "query", "SELECT 1", (), "permit")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def record(tmp_path: Path, clock: ManualClock) -> Iterator[FileRecord]:
    options = RecordingOptions(delivered_cap=100)
    record = record_at(tmp_path, clock=clock, recordings=options)
    yield record
    record.close()


def events(tmp_path: Path) -> list[TimelineEvent]:
    return list(RecordedSessions(tmp_path / "recordings").timeline("s_1"))


def test_a_command_is_in_the_file_when_the_call_returns(record: FileRecord, tmp_path: Path) -> None:
    recorder = record.recordings.open(header())
    recorder.command(7, "execute", "SELECT $1", (b"a", None), "permit")
    opened, command = events(tmp_path)
    assert isinstance(opened, SessionOpened)
    assert (opened.header.principal, opened.header.details) == ("User:alice", (("application", "psql"),))
    assert command == CommandDecided(0.0, 7, "execute", "SELECT $1", (b"a", None), "permit")
    recorder.close("client_closed")


def test_one_write_a_command_takes_what_was_buffered_with_it(
    record: FileRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record.recordings.open(header())
    recorder.command(*SELECT)
    writes: list[int] = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: (writes.append(len(data)), real(handle, data))[1])
    recorder.delivered(1, b"row")
    recorder.ended(1, "ok", "SELECT 1", "", 1)
    recorder.note("hold", "waits")
    assert writes == []
    recorder.command(2, "query", "SELECT 2", (), "forbid")
    assert len(writes) == 1
    kinds = [type(event) for event in events(tmp_path)]
    assert kinds == [SessionOpened, CommandDecided, Delivered, CommandEnded, Noted, CommandDecided]
    recorder.close("client_closed")


def test_the_cap_is_per_command_and_says_what_is_missing(record: FileRecord, tmp_path: Path) -> None:
    recorder = record.recordings.open(header())
    for sequence in (1, 2):
        recorder.command(sequence, "query", "SELECT 1", (), "permit")
        for _ in range(3):
            recorder.delivered(sequence, b"x" * 60)
        recorder.ended(sequence, "ok", "SELECT", "", 3)
    recorder.delivered(3, b"y" * 150)
    recorder.close("client_closed")
    found = events(tmp_path)
    kept = {s: sum(len(e.data) for e in found if isinstance(e, Delivered) and e.sequence == s) for s in (1, 2, 3)}
    assert kept == {1: 100, 2: 100, 3: 100}
    assert [e for e in found if isinstance(e, Omitted)] == [
        Omitted(0.0, 1, 80, False), Omitted(0.0, 2, 80, False), Omitted(0.0, 3, 50, False),
    ]  # fmt: skip
    assert found[-1] == SessionClosed(0.0, "client_closed", False)


def test_a_large_buffer_is_written_without_waiting_for_a_command(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    recorder = record.recordings.open(header())
    recorder.command(*SELECT)
    for _ in range(3):
        recorder.delivered(1, b"x" * 30_000)
    assert sum(len(event.data) for event in events(tmp_path) if isinstance(event, Delivered)) == 90_000
    recorder.close("client_closed")
    record.close()


def test_a_closed_recording_takes_nothing_more(record: FileRecord) -> None:
    recorder = record.recordings.open(header())
    recorder.close("client_closed")
    recorder.close("again")
    for call in (
        lambda: recorder.command(*SELECT),
        lambda: recorder.delivered(1, b"x"),
        lambda: recorder.note("a", "b"),
        lambda: recorder.ended(1, "ok", "", "", 0),
        lambda: recorder.channel_opened(1, 1, "shell", "xterm"),
        lambda: recorder.stream(1, StreamName.STDIN, b"x"),
        lambda: recorder.window(1, 80, 24),
        lambda: recorder.channel_closed(1),
    ):
        with pytest.raises(RecordingError, match="closed"):
            call()


@pytest.mark.parametrize("partly", [True, False])
def test_a_command_that_cannot_be_written_is_not_in_the_recording(
    record: FileRecord, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, partly: bool
) -> None:
    recorder = record.recordings.open(header())
    recorder.command(*SELECT)
    recorder.ended(1, "ok", "SELECT 1", "", 1)
    real, on = os.write, [1]

    def write(handle: int, data: bytes) -> int:
        if not on:
            return real(handle, data)
        if partly:
            return real(handle, data[: len(data) // 2])
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(RecordingError):
        recorder.command(2, "query", "DROP TABLE t", (), "permit")
    on.clear()
    clock.now += 2
    recorder.command(3, "query", "SELECT 3", (), "permit")
    recorder.close("client_closed")
    until(lambda: record.recordings.state().sealed == 1)
    found = events(tmp_path)
    assert [event.sequence for event in found if isinstance(event, CommandDecided)] == [1, 3]
    assert [event.sequence for event in found if isinstance(event, CommandEnded)] == [1]
    assert verified(tmp_path).ok


def test_on_a_full_disk_commands_and_results_are_refused_but_the_session_is_sealed(
    record: FileRecord, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record.recordings.open(header())
    recorder.command(*SELECT)
    recorder.delivered(1, b"before")
    real = os.write
    reserve = tmp_path / "audit" / "node-b1.reserve"

    def write(handle: int, data: bytes) -> int:
        if reserve.stat().st_size:
            raise OSError(errno.ENOSPC, "no space left on device")
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(RecordingError):
        recorder.command(2, "query", "SELECT 2", (), "permit")
    with pytest.raises(RecordingError, match="full"):
        recorder.delivered(1, b"after")
    with pytest.raises(RecordingError, match="full"):
        record.recordings.open(header("s_2"))
    recorder.ended(1, "cut", "", "", 0)
    recorder.close("record_lost")
    monkeypatch.setattr(os, "write", real)
    until(lambda: record.recordings.state().sealed == 1)
    found = events(tmp_path)
    assert [type(event) for event in found] == [SessionOpened, CommandDecided, Delivered, CommandEnded, SessionClosed]
    trailer = RecordedSessions(tmp_path / "recordings").trailer("s_1")
    assert trailer is not None
    assert trailer.state == "complete"


def test_what_no_disk_took_is_bounded_in_memory_and_said_in_the_seal(
    record: FileRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record.recordings.open(header())
    recorder.command(*SELECT)
    recorder.delivered(1, b"lost")
    real, on = os.write, [1]

    def write(handle: int, data: bytes) -> int:
        if on:
            raise OSError(errno.EIO, "input/output error")
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    refused = 0
    for _ in range(1000):
        try:
            recorder.note("refusal", "r" * 1000)
        except RecordingError:
            refused += 1
    assert refused > 0
    recorder.close("record_lost")
    assert sum(map(len, recorder.take_rest())) < 2 * 64 * 1024
    on.clear()
    until(lambda: record.recordings.state().sealed == 1)
    found = events(tmp_path)
    assert found[-1] == SessionClosed(0.0, "record_lost", True)
    assert Omitted(0.0, 1, 4, True) in found
    trailer = RecordedSessions(tmp_path / "recordings").trailer("s_1")
    assert trailer is not None
    assert trailer.state == "truncated(disk)"
    assert verified(tmp_path).ok


def test_what_goes_over_channels_is_recorded_with_the_command_that_opened_them(
    record: FileRecord, tmp_path: Path
) -> None:
    recorder = record.recordings.open(header())
    recorder.command(3, "shell", "", (), "permit")
    recorder.channel_opened(1, 3, "shell", "xterm-256color")
    recorder.window(1, 80, 24)
    recorder.stream(1, StreamName.STDOUT, b"$ ")
    recorder.stream(1, StreamName.STDIN, b"ls\r")
    recorder.window(1, 2**32, -1)
    recorder.channel_closed(1, 0)
    recorder.close("client_closed")
    assert events(tmp_path)[2:-1] == [
        ChannelOpened(0.0, 3, 1, "shell", "xterm-256color"),
        Resized(0.0, 3, 1, 80, 24),
        Streamed(0.0, 3, 1, StreamName.STDOUT, b"$ "),
        Streamed(0.0, 3, 1, StreamName.STDIN, b"ls\r"),
        Resized(0.0, 3, 1, 2**32 - 1, 0),
        ChannelClosed(0.0, 3, 1, 0),
    ]
    until(lambda: record.recordings.state().sealed == 1)
    assert verified(tmp_path).ok


def test_keys_are_on_disk_within_about_a_second_without_any_command(record: FileRecord, tmp_path: Path) -> None:
    recorder = record.recordings.open(header())
    recorder.channel_opened(1, 3, "shell", "xterm")
    recorder.stream(1, StreamName.STDIN, b"secret plan")
    until(lambda: any(isinstance(event, Streamed) for event in events(tmp_path)))
    recorder.close("client_closed")


def test_a_stream_beyond_its_cap_is_counted_and_the_count_is_written_while_it_lasts(
    record: FileRecord, tmp_path: Path
) -> None:
    recorder = record.recordings.open(header())
    recorder.channel_opened(1, 3, "exec")
    for _ in range(3):
        recorder.stream(1, StreamName.STDOUT, b"x" * 50)
    recorder.stream(1, StreamName.STDERR, b"error")
    until(lambda: any(isinstance(event, StreamOmitted) for event in events(tmp_path)))
    recorder.stream(1, StreamName.STDOUT, b"y" * 10)
    recorder.close("client_closed")
    found = events(tmp_path)
    kept = sum(len(e.data) for e in found if isinstance(e, Streamed) and e.stream is StreamName.STDOUT)
    gaps = sum(e.count for e in found if isinstance(e, StreamOmitted) and e.stream is StreamName.STDOUT)
    assert kept + gaps == 160
    assert 0 < kept <= 100
    assert any(isinstance(e, Streamed) and e.data == b"error" for e in found)


def test_streams_that_no_disk_takes_end_in_an_error_and_a_count(
    record: FileRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record.recordings.open(header())
    recorder.channel_opened(1, 3, "shell", "xterm")
    recorder.flush()
    real, on = os.write, [1]

    def write(handle: int, data: bytes) -> int:
        if on:
            raise OSError(errno.EIO, "input/output error")
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(RecordingError):
        for _ in range(3):
            recorder.stream(1, StreamName.STDOUT, b"x" * 30_000)
    recorder.close("record_lost")
    on.clear()
    until(lambda: record.recordings.state().sealed == 1)
    found = events(tmp_path)
    assert [e for e in found if isinstance(e, StreamOmitted)] == [
        StreamOmitted(0.0, 3, 1, StreamName.STDOUT, 90_000, True)
    ]
    assert found[-1] == SessionClosed(0.0, "record_lost", True)
    assert verified(tmp_path).ok
