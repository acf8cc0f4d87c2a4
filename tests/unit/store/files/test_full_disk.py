"""A disk that is really full: a small tmpfs where root may mount one, and a file size limit for everybody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import RecordingError
from interpose.model.ids import SessionId
from interpose.recording.timeline import CommandDecided
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.recordings import RecordingOptions
from tests.support.memory import ManualClock
from tests.support.records import ROOT, header, record_at, stand_alone_says, until, verified

DECIDED = AuditEvent(AuditKind.COMMAND_DECIDED, SessionId("s_1"), "User:alice", {"decision": "permit"})
CLOSED = AuditEvent(AuditKind.SESSION_CLOSED, SessionId("s_1"), "User:alice", {"reason": "record_lost"})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here (needs root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_closes_in_order_and_recovers(small_disk: Path) -> None:
    clock = ManualClock()
    record = record_at(
        small_disk, clock=clock, reserve_size=256 * 1024, recordings=RecordingOptions(delivered_cap=1 << 30)
    )
    recorder = record.recordings.open(header())
    fill = small_disk / "fill"
    with fill.open("wb") as file:
        file.write(b"x" * 1_000_000)
    sent = []
    refused = 0
    while not refused:
        try:
            sequence = record.chain.append(DECIDED)
            recorder.command(sequence, "query", "x" * 20_000, (), "permit")
            sent.append(sequence)
            recorder.delivered(sequence, os.urandom(30_000))
        except RecordingError:
            refused += 1
    for _ in range(3):
        with pytest.raises(RecordingError):
            record.chain.append(DECIDED)
        with pytest.raises(RecordingError):
            recorder.command(0, "query", "SELECT 1", (), "permit")
    recorder.ended(sent[-1], "cut", "", "", 0)
    recorder.close("record_lost")
    record.chain.append(CLOSED)
    # Sealing needs more than the reserve: it waits for space, and nothing is lost until then.
    fill.unlink()
    until(lambda: record.recordings.state().sealed == 1)
    clock.now += 2
    record.chain.append(DECIDED)
    record.close()
    events = list(RecordedSessions(small_disk / "recordings").timeline("s_1"))
    assert [event.sequence for event in events if isinstance(event, CommandDecided)] == sent
    assert verified(small_disk).ok
    assert stand_alone_says(small_disk)[0]


LIMITED = """
import resource, sys
from pathlib import Path
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import RecordingError
from tests.support.records import record_at, verified
from tests.support.memory import ManualClock

clock = ManualClock()
record = record_at(Path(sys.argv[1]), clock=clock)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
event = AuditEvent(AuditKind.COMMAND_DECIDED, None, "User:alice", {"text": "x" * 300})
appended = refused = 0
while not refused:
    try:
        record.chain.append(event)
        appended += 1
    except RecordingError:
        refused += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
clock.now += 2
record.chain.append(event)
record.close()
report = verified(Path(sys.argv[1]))
assert report.ok, report
assert report.chains[0].head.size == appended + 3, report
print(appended)
"""


def test_a_file_size_limit_refuses_and_heals(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, env=environment, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
