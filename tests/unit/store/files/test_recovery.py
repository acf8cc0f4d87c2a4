"""After a crash: what the gateway acknowledged is in the recording, orphans are sealed, the living are left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from interpose.recording.timeline import CommandDecided
from interpose.store.files.opening import FileRecord
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.recordings import RecordingOptions
from interpose.store.files.recovery import recover
from tests.support.records import ROOT, header, record_at, stand_alone_says, verified

WRITER = """
import sys, time
from pathlib import Path
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.ids import SessionId
from interpose.store.files.recordings import RecordingOptions
from tests.support.records import header, record_at

record = record_at(Path(sys.argv[1]), sys.argv[2], recordings=RecordingOptions(spool_size=5000))
sessions = [record.recordings.open(header(f"s_{sys.argv[2]}_{n}")) for n in range(3)]
number = 0
while True:
    for index, recorder in enumerate(sessions):
        event = AuditEvent(AuditKind.COMMAND_DECIDED, SessionId(recorder.session), "User:alice", {"decision": "permit"})
        sequence = record.chain.append(event)
        recorder.command(sequence, "query", f"SELECT {sequence}", (), "permit")
        sys.stdout.write(f"{recorder.session} {sequence}\\n")
        sys.stdout.flush()
        recorder.delivered(sequence, b"r" * 100)
        recorder.ended(sequence, "ok", "SELECT 1", "", 1)
    number += 1
    if number % 40 == 0:
        sessions[0].close("client_closed")
        sessions[0] = record.recordings.open(header(f"s_{sys.argv[2]}_{number}"))
"""


def killed_writer(state: Path, boot: str, lines: int) -> list[tuple[str, int]]:
    """Run a writer, kill it after so many acknowledged commands; answers all that it acknowledged."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(state), boot], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(lines)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.stdout.readlines()
    writer.stdout.close()
    writer.wait()
    whole = [line.split() for line in acknowledged if line.endswith("\n")]
    return [(session, int(sequence)) for session, sequence in whole]


@pytest.mark.slow
def test_every_acknowledged_command_survives_kill_9(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged = {f"k{n}": killed_writer(tmp_path, f"k{n}", chance.randrange(1, 400)) for n in range(5)}
    record = record_at(tmp_path, "after")
    # Each boot sealed the orphans of the one before it; only the last one's are left.
    assert record.recovered.workers == ("node-k4",)
    assert not record.recovered.problems
    record.close()
    reading = RecordedSessions(tmp_path / "recordings")
    for boot, pairs in acknowledged.items():
        recorded = {
            (stored.session, event.sequence)
            for stored in reading.all()
            if stored.session.startswith(f"s_{boot}_")
            for event in reading.timeline(stored.session)
            if isinstance(event, CommandDecided)
        }
        assert set(pairs) <= recorded
    assert all(reading.trailer(stored.session) is not None for stored in reading.all())
    assert all(not stored.live for stored in reading.all())
    report = verified(tmp_path)
    assert report.ok, report
    assert len(report.chains) == 6
    assert stand_alone_says(tmp_path)[0]


def crash(record: FileRecord) -> None:
    """Let go of the locks as a dying process does, without closing anything in order."""
    record.recordings.__dict__["_jobs"].put(None)
    record.recordings.__dict__["_thread"].join()
    os.close(record.recordings.__dict__["_owner"])
    syncing = record.chain.__dict__["_syncing"]
    syncing.stop()
    record.chain.__dict__["_first"].close()
    record.chain.__dict__["_closed"] = True


def test_a_torn_frame_is_cut_and_the_rest_sealed(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    recorder = record.recordings.open(header())
    recorder.command(1, "query", "SELECT 1", (), "permit")
    recorder.command(2, "query", "SELECT 2", (), "permit")
    crash(record)
    [spool] = (tmp_path / "recordings" / "live" / "node-b1").glob("*.spool")
    os.truncate(spool, spool.stat().st_size - 3)
    after = record_at(tmp_path, "b2")
    [session] = after.recovered.sessions
    assert (session.session, session.state, session.frames) == ("s_1", "truncated(crash)", 2)
    assert session.torn > 3
    after.close()
    assert verified(tmp_path).ok


@pytest.mark.parametrize("size", [0, 5, 16, 30])
def test_a_crash_before_the_header_leaves_a_seal_and_no_recording(tmp_path: Path, size: int) -> None:
    record = record_at(tmp_path)
    record.recordings.open(header())
    crash(record)
    [spool] = (tmp_path / "recordings" / "live" / "node-b1").glob("*.spool")
    os.truncate(spool, size)
    after = record_at(tmp_path, "b2")
    [session] = after.recovered.sessions
    assert (session.state, session.frames, session.torn) == ("truncated(crash)", 0, size)
    after.close()
    assert RecordedSessions(tmp_path / "recordings").all() == []
    assert verified(tmp_path).ok


def test_a_session_that_was_closed_is_sealed_as_it_ended(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    recorder = record.recordings.open(header())
    record.recordings.__dict__["_jobs"].put(None)
    record.recordings.__dict__["_thread"].join()
    recorder.command(1, "query", "SELECT 1", (), "permit")
    recorder.close("client_closed")
    crash(record)
    after = record_at(tmp_path, "b2")
    assert [session.state for session in after.recovered.sessions] == ["complete"]
    after.close()
    assert verified(tmp_path).ok


def test_a_crash_between_chunk_and_deletion_repeats_nothing(tmp_path: Path) -> None:
    record = record_at(tmp_path, recordings=RecordingOptions(spool_size=500))
    live = tmp_path / "recordings" / "live" / "node-b1"
    recorder = record.recordings.open(header())
    recorder.command(1, "query", "x" * 600, (), "permit")
    recorder.command(2, "query", "SELECT 2", (), "permit")
    keep = {path.name: path.read_bytes() for path in live.glob("*.spool")}
    crash(record)
    for name, data in keep.items():
        (live / name).write_bytes(data)
    [recording] = (tmp_path / "recordings").glob("*/*.rec")
    with recording.open("ab") as file:
        file.write(b"C\x01torn chunk")
    after = record_at(tmp_path, "b2")
    after.close()
    reading = RecordedSessions(tmp_path / "recordings")
    events = list(reading.timeline("s_1"))
    assert [event.sequence for event in events if isinstance(event, CommandDecided)] == [1, 2]
    assert verified(tmp_path).ok
    assert stand_alone_says(tmp_path)[0]


def test_a_crash_between_trailer_and_deletion_seals_once(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    live = tmp_path / "recordings" / "live" / "node-b1"
    recorder = record.recordings.open(header())
    recorder.command(1, "query", "SELECT 1", (), "permit")
    keep = {path.name: path.read_bytes() for path in live.glob("*.spool")}
    recorder.close("draining")
    crash(record)
    for name, data in keep.items():
        (live / name).write_bytes(data)
    after = record_at(tmp_path, "b2")
    [session] = after.recovered.sessions
    assert session.state == "complete"
    assert recover(tmp_path / "recordings", after.chain).sessions == ()
    after.close()
    assert verified(tmp_path).ok


def test_the_sessions_of_a_living_worker_are_left_alone(tmp_path: Path) -> None:
    living = record_at(tmp_path, "b1")
    recorder = living.recordings.open(header())
    recorder.command(1, "query", "SELECT 1", (), "permit")
    other = record_at(tmp_path, "b2")
    assert other.recovered.workers == ()
    recorder.command(2, "query", "SELECT 2", (), "permit")
    recorder.close("client_closed")
    living.close()
    other.close()
    events = list(RecordedSessions(tmp_path / "recordings").timeline("s_1"))
    assert [event.sequence for event in events if isinstance(event, CommandDecided)] == [1, 2]
    assert verified(tmp_path).ok


def test_what_cannot_be_sealed_is_named_and_stays(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    for session in ("s_1", "s_2"):
        record.recordings.open(header(session)).command(1, "query", "SELECT 1", (), "permit")
    crash(record)
    folder = tmp_path / "recordings" / "2026-09-21"
    folder.mkdir()
    (folder / "s_1.rec").write_bytes(b"not a recording")
    after = record_at(tmp_path, "b2")
    assert [session.session for session in after.recovered.sessions] == ["s_2"]
    [problem] = after.recovered.problems
    assert "s_1" in problem
    assert (tmp_path / "recordings" / "live" / "node-b1" / "s_1.0000.spool").exists()
    after.close()


def test_a_spool_that_is_gone_is_named(tmp_path: Path) -> None:
    record = record_at(tmp_path, recordings=RecordingOptions(spool_size=500))
    live = tmp_path / "recordings" / "live" / "node-b1"
    record.recordings.__dict__["_jobs"].put(None)
    record.recordings.__dict__["_thread"].join()
    recorder = record.recordings.open(header())
    for sequence in range(3):
        recorder.command(sequence, "query", "x" * 600, (), "permit")
    crash(record)
    (live / "s_1.0001.spool").unlink()
    after = record_at(tmp_path, "b2")
    [problem] = after.recovered.problems
    assert "missing" in problem
    after.close()
