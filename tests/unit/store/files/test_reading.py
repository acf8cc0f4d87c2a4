"""Reading recordings from their folder."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from interpose.model.errors import RecordingError, StoreError
from interpose.recording.search import SearchQuery
from interpose.recording.timeline import CommandDecided
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.recordings import RecordingOptions
from tests.support.records import header, record_at, until


def test_an_empty_folder(tmp_path: Path) -> None:
    reading = RecordedSessions(tmp_path / "nowhere")
    assert reading.all() == []
    assert reading.find("s_1") is None
    assert reading.trailer("s_1") is None
    with pytest.raises(StoreError, match="no recording of session `s_1`"):
        list(reading.timeline("s_1"))


def test_what_is_no_session_id_reaches_no_file(tmp_path: Path) -> None:
    reading = RecordedSessions(tmp_path)
    for session in ("../x", "*", "s_1/../s_2"):
        with pytest.raises(RecordingError):
            reading.find(session)
        with pytest.raises(RecordingError):
            list(reading.frames(session))


def test_live_and_sealed_ones_are_listed_with_their_headers(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    sealed, live = record.recordings.open(header("s_1")), record.recordings.open(header("s_2"))
    sealed.close("client_closed")
    until(lambda: record.recordings.state().sealed == 1)
    reading = RecordedSessions(tmp_path / "recordings")
    one, two = reading.all()
    assert (one.session, one.live, one.path is not None) == ("s_1", False, True)
    assert (two.session, two.live, two.path) == ("s_2", True, None)
    for session in ("s_1", "s_2"):
        who = reading.header(session)
        assert who is not None
        assert who.session == session
    assert reading.trailer("s_2") is None
    live.close("client_closed")
    record.close()


def test_search_goes_over_all_recordings(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    for session in ("s_1", "s_2"):
        recorder = record.recordings.open(header(session))
        recorder.command(1, "query", "SELECT 1", (), "permit")
        recorder.command(2, "query", "DROP TABLE customers", (), "forbid")
        if session == "s_1":
            recorder.close("client_closed")
    reading = RecordedSessions(tmp_path / "recordings")
    hits = list(reading.search(SearchQuery(text="drop table")))
    assert [(hit.header.session, hit.sequence) for hit in hits] == [("s_1", 2), ("s_2", 2)]
    recorder.close("client_closed")
    record.close()


def test_a_damaged_recording_is_named(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    record.recordings.open(header()).close("client_closed")
    record.close()
    [path] = (tmp_path / "recordings").glob("*/*.rec")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    data[80] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match="`s_1` is damaged"):
        list(RecordedSessions(tmp_path / "recordings").timeline("s_1"))


def test_a_reader_sees_a_prefix_without_gaps_while_the_gateway_writes_and_seals(tmp_path: Path) -> None:
    record = record_at(tmp_path, recordings=RecordingOptions(spool_size=3000))
    recorder = record.recordings.open(header())
    count = 600

    def write() -> None:
        for sequence in range(count):
            recorder.command(sequence, "query", "SELECT 1", (b"x" * 100,), "permit")
        recorder.close("client_closed")

    writer = Thread(target=write)
    writer.start()
    reading = RecordedSessions(tmp_path / "recordings")
    seen: list[int] = []
    while writer.is_alive() or len(seen) < count:
        now = [event.sequence for event in reading.timeline("s_1") if isinstance(event, CommandDecided)]
        assert now == list(range(len(now)))
        assert len(now) >= len(seen)
        seen = now
    writer.join()
    record.close()
