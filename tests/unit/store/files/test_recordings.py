"""Sealing: spools become chunks, chunks and seals are in the audit chain, nothing is lost on the way."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from interpose.model.errors import RecordingError
from interpose.recording.timeline import CommandDecided
from interpose.store.files.opening import FileRecord
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.recordings import FileRecordings, RecordingOptions
from interpose.store.files.syncing import ChainOptions
from tests.support.memory import ManualClock
from tests.support.records import header, record_at, stand_alone_says, until, verified

SMALL = RecordingOptions(spool_size=2000)


def commands(state: Path, session: str = "s_1") -> list[int]:
    timeline = RecordedSessions(state / "recordings").timeline(session)
    return [event.sequence for event in timeline if isinstance(event, CommandDecided)]


def run(record: FileRecord, count: int, session: str = "s_1", reason: str = "client_closed") -> None:
    recorder = record.recordings.open(header(session))
    for sequence in range(count):
        recorder.command(sequence, "query", f"SELECT {sequence}", (b"p" * 50,), "permit")
        recorder.ended(sequence, "ok", "SELECT 1", "", 1)
    recorder.close(reason)


def test_a_session_is_sealed_in_chunks_that_the_chain_knows(tmp_path: Path) -> None:
    record = record_at(tmp_path, recordings=SMALL)
    run(record, 100)
    record.close()
    assert commands(tmp_path) == list(range(100))
    report = verified(tmp_path)
    assert report.ok
    assert report.checked == 1
    assert stand_alone_says(tmp_path)[0]
    trailer = RecordedSessions(tmp_path / "recordings").trailer("s_1")
    assert trailer is not None
    assert (trailer.state, trailer.reason, trailer.frames) == ("complete", "client_closed", 202)
    assert trailer.chunks > 3
    assert not list((tmp_path / "recordings" / "live").iterdir())


@pytest.mark.parametrize(
    ("reason", "state"), [("client_closed", "complete"), ("peer_lost", "truncated(peer)"), ("draining", "complete")]
)
def test_the_seal_says_how_it_ended(tmp_path: Path, reason: str, state: str) -> None:
    record = record_at(tmp_path)
    run(record, 1, reason=reason)
    record.close()
    trailer = RecordedSessions(tmp_path / "recordings").trailer("s_1")
    assert trailer is not None
    assert (trailer.state, trailer.reason) == (state, reason)


def test_altered_recordings_are_named_by_both_verifiers(tmp_path: Path) -> None:
    record = record_at(tmp_path, recordings=SMALL)
    for session in ("s_1", "s_2", "s_3", "s_4"):
        run(record, 40, session)
    record.close()
    folder = tmp_path / "recordings" / "2026-09-21"
    flipped = bytearray((folder / "s_1.rec").read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (folder / "s_1.rec").write_bytes(flipped)
    (folder / "s_2.rec").write_bytes((folder / "s_2.rec").read_bytes()[:-10])
    (folder / "s_3.rec").unlink()
    assert {proof.session for proof in verified(tmp_path).recordings} == {"s_1", "s_2", "s_3"}
    good, printed = stand_alone_says(tmp_path)
    assert not good
    assert all(session in printed for session in ("s_1", "s_2", "s_3"))
    assert "s_4" not in printed


def test_a_spool_just_grows_while_sealing_is_behind(tmp_path: Path) -> None:
    record = record_at(tmp_path, recordings=RecordingOptions(spool_size=1000, backlog=0))
    recorder = record.recordings.open(header())
    for sequence in range(60):
        recorder.command(sequence, "query", "x" * 60_000, (), "permit")
    [spool] = (tmp_path / "recordings" / "live" / "node-b1").glob("*.spool")
    assert spool.stat().st_size > 60 * 60_000
    recorder.close("client_closed")
    record.close()
    trailer = RecordedSessions(tmp_path / "recordings").trailer("s_1")
    assert trailer is not None
    assert trailer.chunks == 4
    assert commands(tmp_path) == list(range(60))
    assert verified(tmp_path).ok


def test_what_cannot_be_sealed_now_is_sealed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_at(tmp_path, recordings=SMALL)
    real, on = os.pwrite, [1]

    def pwrite(handle: int, data: bytes, offset: int) -> int:
        if on and os.readlink(f"/proc/self/fd/{handle}").endswith(".rec"):
            raise OSError(errno.ENOSPC, "no space left on device")
        return real(handle, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    run(record, 50)
    until(lambda: "no space" in record.recordings.state().trouble)
    assert commands(tmp_path) == list(range(50))
    on.clear()
    until(lambda: record.recordings.state().sealed == 1)
    record.close()
    assert commands(tmp_path) == list(range(50))
    assert verified(tmp_path).ok


def test_what_was_buffered_reaches_the_file_within_about_a_second(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    recorder = record.recordings.open(header())
    recorder.command(1, "query", "SELECT 1", (), "permit")
    recorder.note("hold", "waits")
    until(lambda: len(list(RecordedSessions(tmp_path / "recordings").timeline("s_1"))) == 3)
    recorder.close("client_closed")
    record.close()


async def test_strict_durability_covers_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = await asyncio.to_thread(record_at, tmp_path, chain=ChainOptions(sync_within=60.0))
    strict = record.recordings.open(header("s_strict", durable=True))
    standard = record.recordings.open(header("s_standard"))
    await record.chain.sync()
    synced: list[str] = []
    real = os.fdatasync

    def fdatasync(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    for recorder in (strict, standard):
        recorder.command(1, "query", "SELECT 1", (), "permit")
    await record.chain.sync()
    assert "s_strict.0000.spool" in synced
    strict.close("client_closed")
    standard.close("client_closed")
    await asyncio.to_thread(record.close)


def test_a_failing_sync_of_a_spool_refuses_its_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_at(tmp_path)
    recorder = record.recordings.open(header())
    real, on = os.fdatasync, [1]

    def fdatasync(handle: int) -> None:
        if on and os.readlink(f"/proc/self/fd/{handle}").endswith(".spool"):
            raise OSError(errno.EIO, "input/output error")
        real(handle)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    recorder.command(1, "query", "SELECT 1", (), "permit")
    with pytest.raises(OSError, match="input/output"):
        recorder.sync()
    with pytest.raises(RecordingError, match="synced"):
        recorder.command(2, "query", "SELECT 2", (), "permit")
    on.clear()
    recorder.sync()
    recorder.command(3, "query", "SELECT 3", (), "permit")
    recorder.close("client_closed")
    record.close()
    assert commands(tmp_path) == [1, 3]


@pytest.mark.parametrize("session", ["../escape", "", "a/b", ".hidden", "x" * 200, "a\nb"])
def test_a_session_id_that_is_no_name_is_refused(tmp_path: Path, session: str) -> None:
    record = record_at(tmp_path)
    with pytest.raises(RecordingError, match="cannot be the id"):
        record.recordings.open(header(session))
    record.close()


def test_a_second_keeper_of_the_same_worker_is_refused(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    with pytest.raises(RecordingError, match="folder cannot be used"):
        FileRecordings(
            tmp_path / "recordings",
            node="node",
            boot="b1",
            clock=ManualClock(),
            chain=record.chain,
            reserve=record.reserve,
        )
    record.close()


def test_sessions_that_are_still_open_at_the_end_are_left_for_the_next_start(tmp_path: Path) -> None:
    record = record_at(tmp_path)
    recorder = record.recordings.open(header())
    recorder.command(1, "query", "SELECT 1", (), "permit")
    with pytest.raises(RecordingError, match="not sealed"):
        record.close()
    again = record_at(tmp_path, "b2")
    assert [session.state for session in again.recovered.sessions] == ["truncated(crash)"]
    again.close()
    assert commands(tmp_path) == [1]
    assert verified(tmp_path).ok
