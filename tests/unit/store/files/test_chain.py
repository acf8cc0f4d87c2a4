"""The audit chain in files: what is appended is there, what cannot be written is refused and leaves nothing behind."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import RecordingError
from interpose.model.ids import SessionId
from interpose.store.files.chain import FileAuditChain
from interpose.store.files.keys import load_or_create_key
from interpose.store.files.reserve import Reserve
from interpose.store.files.syncing import ChainOptions
from tests.support.memory import CountingIds, ManualClock
from tests.support.records import stand_alone_says, until, verified

DECIDED = AuditEvent(AuditKind.COMMAND_DECIDED, SessionId("s_1"), "User:alice", {"decision": "permit", "n": 1})
ENDED = AuditEvent(AuditKind.COMMAND_ENDED, SessionId("s_1"), "User:alice", {"outcome": "ok"})
Write = Callable[[int, bytes], int]
Begin = Callable[..., FileAuditChain]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def begin(tmp_path: Path, clock: ManualClock) -> Begin:
    """Begin a chain in this test's state folder."""

    def begin(boot: str = "b1", options: ChainOptions = ChainOptions()) -> FileAuditChain:  # noqa: B008
        folder = tmp_path / "audit"
        key = load_or_create_key(folder, "node", CountingIds())
        reserve = Reserve(folder / f"{boot}.reserve", clock, 4096)
        return FileAuditChain(
            folder,
            node="node",
            boot=boot,
            clock=clock,
            key=key,
            reserve=reserve,
            options=options,
            started={"gateway": "x"},
        )

    return begin


def events(tmp_path: Path, boot: str = "b1") -> list[dict[str, object]]:
    data = b"".join(path.read_bytes() for path in sorted((tmp_path / "audit").glob(f"node-{boot}.*.chain")))
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def failing(monkeypatch: pytest.MonkeyPatch, error: int, *, partly: bool = False) -> list[int]:
    """Let every `os.write` fail until the answered list is cleared."""
    real, on = os.write, [1]

    def write(handle: int, data: bytes) -> int:
        if not on:
            return real(handle, data)
        if partly:
            return real(handle, data[: len(data) // 2])
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "write", write)
    return on


def test_what_is_appended_is_in_the_file_at_once(begin: Begin, tmp_path: Path) -> None:
    chain = begin()
    assert chain.append(DECIDED) == 1
    first, second = events(tmp_path)
    assert (first["kind"], first["fields"]) == ("gateway.started", {"gateway": "x", "previous": [], "unreadable": []})
    assert (second["seq"], second["session"], second["fields"]) == (1, "s_1", {"decision": "permit", "n": 1})
    chain.close()


def test_the_end_of_a_command_is_written_with_the_next_event_in_its_place(begin: Begin, tmp_path: Path) -> None:
    chain = begin(options=ChainOptions(sync_within=60.0))
    assert [chain.append(event) for event in (DECIDED, ENDED, ENDED)] == [1, 2, 3]
    assert len(events(tmp_path)) == 2
    assert chain.append(DECIDED) == 4
    assert [event["seq"] for event in events(tmp_path)] == [0, 1, 2, 3, 4]
    assert [event["kind"] for event in events(tmp_path)][2:] == ["command.ended", "command.ended", "command.decided"]
    assert chain.append(ENDED) == 5
    chain.close()
    assert [event["kind"] for event in events(tmp_path)][-2:] == ["command.ended", "gateway.stopped"]
    assert verified(tmp_path).ok


def test_the_end_of_a_command_is_written_within_a_tick(begin: Begin, tmp_path: Path) -> None:
    chain = begin(options=ChainOptions(sync_within=0.01))
    chain.append(ENDED)
    until(lambda: len(events(tmp_path)) == 2)
    until(lambda: chain.state().synced == 2)
    chain.close()


async def test_a_sync_covers_the_ends_that_were_kept(begin: Begin, tmp_path: Path) -> None:
    chain = await asyncio.to_thread(begin, options=ChainOptions(sync_within=60.0))
    chain.append(ENDED)
    await chain.sync()
    assert len(await asyncio.to_thread(events, tmp_path)) == 2
    assert chain.state().synced == 2
    await asyncio.to_thread(chain.close)


def test_many_ends_are_not_kept_without_limit(begin: Begin, tmp_path: Path) -> None:
    chain = begin(options=ChainOptions(sync_within=60.0))
    for _ in range(1000):
        chain.append(ENDED)
    assert len(events(tmp_path)) > 700
    chain.close()
    assert [event["seq"] for event in events(tmp_path)] == list(range(1002))
    assert verified(tmp_path).ok


def test_a_kept_end_that_cannot_be_written_refuses_what_follows_and_keeps_its_place(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = begin(options=ChainOptions(sync_within=60.0))
    assert chain.append(ENDED) == 1
    on = failing(monkeypatch, errno.EIO)
    for event in (DECIDED, ENDED, DECIDED):
        with pytest.raises(RecordingError):
            chain.append(event)
    assert chain.state().trouble
    on.clear()
    assert chain.append(DECIDED) == 2
    assert [event["kind"] for event in events(tmp_path)][1:] == ["command.ended", "command.decided"]
    chain.close()
    assert verified(tmp_path).ok


async def test_a_kept_end_that_cannot_be_written_fails_the_sync(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = await asyncio.to_thread(begin, options=ChainOptions(sync_within=60.0))
    chain.append(ENDED)
    on = failing(monkeypatch, errno.EIO)
    with pytest.raises(RecordingError):
        await chain.sync()
    with pytest.raises(RecordingError):
        chain.append(DECIDED)
    on.clear()
    await chain.sync()
    assert not chain.state().trouble
    assert chain.append(DECIDED) == 2
    await asyncio.to_thread(chain.close)
    assert (await asyncio.to_thread(verified, tmp_path)).ok


def test_a_closed_chain_is_signed_and_verifies(begin: Begin, tmp_path: Path) -> None:
    chain = begin()
    for _ in range(50):
        chain.append(DECIDED)
    chain.close({"reason": "drained"})
    report = verified(tmp_path)
    [proof] = report.chains
    assert report.ok
    assert (proof.closed, proof.proven, proof.head.size) == (True, 52, 52)
    assert stand_alone_says(tmp_path) == (True, "verified: 1 chains, 52 entries\n")
    with pytest.raises(RecordingError, match="closed"):
        chain.append(DECIDED)
    chain.close()


def test_the_next_boot_names_the_end_of_this_one(begin: Begin, tmp_path: Path) -> None:
    first = begin("b1")
    first.append(DECIDED)
    head = first.close() or first.head()
    second = begin("b2")
    assert events(tmp_path, "b2")[0]["fields"]["previous"] == [str(head)]  # type: ignore[index]
    second.close()
    third = begin("b3")
    assert events(tmp_path, "b3")[0]["fields"]["previous"] == [str(second.head())]  # type: ignore[index]
    third.close()
    assert verified(tmp_path).ok
    (tmp_path / "audit" / "node-b1.0000.chain").unlink()
    assert not verified(tmp_path).ok
    assert not stand_alone_says(tmp_path)[0]


def test_a_living_chain_is_not_named_as_ended(begin: Begin, tmp_path: Path) -> None:
    first, second = begin("b1"), begin("b2")
    assert events(tmp_path, "b2")[0]["fields"]["previous"] == []  # type: ignore[index]
    first.close()
    second.close()


def test_a_second_writer_is_refused(begin: Begin) -> None:
    chain = begin()
    with pytest.raises(RecordingError, match="exists already"):
        begin()
    assert chain.append(DECIDED) == 1
    chain.close()


async def test_sync_returns_when_it_is_on_disk(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda handle: (real(handle), synced.append(os.fstat(handle).st_size))[0])
    chain = await asyncio.to_thread(begin, options=ChainOptions(sync_within=60.0))
    chain.append(DECIDED)
    await chain.sync()
    assert (tmp_path / "audit" / "node-b1.0000.chain").stat().st_size in synced
    assert chain.state().synced == 2
    await asyncio.to_thread(chain.close)


async def test_a_failing_sync_refuses_everythinguntil_one_succeeds(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = await asyncio.to_thread(begin, options=ChainOptions(sync_within=60.0))
    await chain.sync()
    real, on = os.fdatasync, [1]

    def fdatasync(handle: int) -> None:
        if on:
            raise OSError(errno.EIO, "input/output error")
        real(handle)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    chain.append(DECIDED)
    with pytest.raises(RecordingError, match="could not be synced"):
        await chain.sync()
    for event in (DECIDED, ENDED):
        with pytest.raises(RecordingError, match="cannot be written"):
            chain.append(event)
    assert "input/output" in chain.state().trouble
    on.clear()
    await chain.sync()
    assert chain.append(DECIDED) == 2
    await asyncio.to_thread(chain.close)
    assert (await asyncio.to_thread(verified, tmp_path)).ok


async def test_records_that_the_disk_lost_are_not_signed(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = await asyncio.to_thread(begin, options=ChainOptions(sync_within=60.0))
    await chain.sync()
    real, on = os.fdatasync, [1]
    path = tmp_path / "audit" / "node-b1.0000.chain"

    def fdatasync(handle: int) -> None:
        if on:
            on.clear()
            with path.open("r+b") as file:
                file.seek(-20, os.SEEK_END)
                file.write(b"\0" * 10)
            raise OSError(errno.EIO, "input/output error")
        real(handle)

    chain.append(DECIDED)
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    for _ in range(2):
        with pytest.raises(RecordingError):
            await chain.sync()
    assert "lost by the disk" in chain.state().trouble
    with pytest.raises(RecordingError):
        chain.append(DECIDED)
    with pytest.raises(RecordingError):
        await asyncio.to_thread(chain.close)


@pytest.mark.parametrize("partly", [True, False])
def test_a_failed_write_leaves_nothing_and_heals(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partly: bool
) -> None:
    chain = begin()
    on = failing(monkeypatch, errno.EIO, partly=partly)
    with pytest.raises(RecordingError, match="cannot be written"):
        chain.append(DECIDED)
    assert len(events(tmp_path)) == 1
    on.clear()
    assert chain.append(ENDED) == 1
    chain.close()
    assert verified(tmp_path).ok
    assert len(list((tmp_path / "audit").glob("*.chain"))) == 1


def test_when_the_file_cannot_be_cut_back_a_new_segment_goes_on(
    begin: Begin, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = begin()
    on = failing(monkeypatch, errno.EIO, partly=True)

    def ftruncate(handle: int, length: int) -> None:
        raise OSError(errno.EPERM, "append only")

    monkeypatch.setattr(os, "ftruncate", ftruncate)
    with pytest.raises(RecordingError):
        chain.append(DECIDED)
    on.clear()
    clock.now += 2
    assert chain.append(DECIDED) == 1
    chain.close()
    report = verified(tmp_path)
    assert report.ok
    assert [cut.file for cut in report.chains[0].cuts] == ["node-b1.0000.chain"]
    assert stand_alone_says(tmp_path)[0]


def test_on_a_full_disk_ends_are_written_and_nothing_begins(
    begin: Begin, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = begin()
    real = os.write
    reserve = tmp_path / "audit" / "b1.reserve"

    def write(handle: int, data: bytes) -> int:
        if reserve.stat().st_size:
            raise OSError(errno.ENOSPC, "no space left on device")
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    assert reserve.stat().st_size == 4096
    with pytest.raises(RecordingError):
        chain.append(DECIDED)
    assert reserve.stat().st_size == 0
    with pytest.raises(RecordingError, match="full"):
        chain.append(DECIDED)
    assert chain.append(ENDED) == 1
    assert chain.state().full
    monkeypatch.setattr(os, "write", real)
    with pytest.raises(RecordingError, match="full"):
        chain.append(DECIDED)
    clock.now += 2
    assert chain.append(DECIDED) == 2
    assert not chain.state().full
    assert reserve.stat().st_size == 4096
    chain.close()
    assert verified(tmp_path).ok


def test_an_end_that_meets_the_full_disk_first_is_written_all_the_same(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = begin()
    real = os.write
    monkeypatch.setattr(
        os,
        "write",
        lambda handle, data: real(handle, data[: 10 if (tmp_path / "audit/b1.reserve").stat().st_size else None]),
    )
    assert chain.append(ENDED) == 1
    chain.close()
    assert verified(tmp_path).ok


def test_segments_follow_each_other(begin: Begin, tmp_path: Path) -> None:
    chain = begin(options=ChainOptions(segment_size=2000))
    for _ in range(40):
        chain.append(DECIDED)
    chain.close()
    assert len(list((tmp_path / "audit").glob("*.chain"))) > 3
    assert verified(tmp_path).ok
    assert stand_alone_says(tmp_path)[0]
    sorted((tmp_path / "audit").glob("*.chain"))[1].unlink()
    assert [report.finding.problem for report in verified(tmp_path).chains if report.finding] == ["missing"]


async def test_checkpoints_come_by_number_and_by_time(begin: Begin, clock: ManualClock) -> None:
    options = ChainOptions(sync_within=60.0, checkpoint_entries=10, checkpoint_after=60.0)
    chain = await asyncio.to_thread(begin, options=options)
    for _ in range(8):
        chain.append(DECIDED)
    await chain.sync()
    assert chain.state().checkpointed == 0
    chain.append(DECIDED)
    await chain.sync()
    await asyncio.to_thread(until, lambda: chain.state().checkpointed == 10)
    chain.append(DECIDED)
    await chain.sync()
    assert chain.state().checkpointed == 10
    clock.now += 61
    chain.append(DECIDED)
    await chain.sync()
    await asyncio.to_thread(until, lambda: chain.state().checkpointed >= 11)
    await asyncio.to_thread(chain.close)


def test_checkpoints_are_copied_and_the_copy_catches_up(begin: Begin, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    chain = begin(options=ChainOptions(checkpoint_copy=copy, sync_within=60.0, checkpoint_entries=1))
    asyncio.run(_append_and_sync(chain))
    until(lambda: chain.state().checkpointed == 2)
    (copy / "node-b1.checkpoints").unlink()
    copy.rmdir()
    asyncio.run(_append_and_sync(chain))
    until(lambda: bool(chain.state().copy_error))
    copy.mkdir()
    chain.close()
    assert chain.state().copy_error == ""
    assert (copy / "node-b1.checkpoints").exists()


async def _append_and_sync(chain: FileAuditChain) -> None:
    chain.append(DECIDED)
    await chain.sync()
