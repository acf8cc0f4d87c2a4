"""Proving a whole state folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from threading import Thread

from interpose.model.audit import AuditEvent, AuditKind
from interpose.store.files.keys import read_verifier_keys
from interpose.store.files.recordings import RecordingOptions
from interpose.store.files.syncing import ChainOptions
from interpose.store.files.verification import verify_record
from tests.support.records import header, record_at, verified

EVENT = AuditEvent(AuditKind.COMMAND_DECIDED, None, "User:alice", {"decision": "permit"})


def test_an_empty_folder_is_in_order(tmp_path: Path) -> None:
    report = verify_record(tmp_path, tmp_path, [])
    assert (report.ok, report.checked) == (True, 0)


def test_a_living_gateway_is_found_in_order_again_and_again(tmp_path: Path) -> None:
    record = record_at(
        tmp_path,
        recordings=RecordingOptions(spool_size=2000),
        chain=ChainOptions(sync_within=0.001, checkpoint_entries=5, segment_size=4000),
    )
    stop: list[int] = []

    def work() -> None:
        number = 0
        while not stop:
            recorder = record.recordings.open(header(f"s_{number}"))
            for _ in range(20):
                sequence = record.chain.append(EVENT)
                recorder.command(sequence, "query", "SELECT 1", (b"x" * 100,), "permit")
            recorder.close("client_closed")
            number += 1

    writer = Thread(target=work)
    writer.start()
    try:
        for _ in range(8):
            report = verified(tmp_path)
            assert report.ok, report
    finally:
        stop.append(1)
        writer.join()
    record.close()
    assert verified(tmp_path).ok


def test_a_chain_that_was_replaced_shows_against_the_copied_checkpoints(tmp_path: Path) -> None:
    """Somebody who has the signing key rewrites history: only what left the machine shows it."""
    copy = tmp_path / "elsewhere"
    state, forged = tmp_path / "state", tmp_path / "forged"
    record = record_at(state, chain=ChainOptions(checkpoint_copy=copy))
    record.chain.append(EVENT)
    record.close()
    again = record_at(forged)
    again.chain.append(AuditEvent(AuditKind.COMMAND_DECIDED, None, "User:bob", {"decision": "permit"}))
    again.close()
    for path in (forged / "audit").glob("node-b1.*"):
        shutil.copy(path, state / "audit" / path.name)
    keys = read_verifier_keys(state / "audit" / "verifier.key")
    assert verify_record(state / "audit", state / "recordings", keys).ok
    report = verify_record(state / "audit", state / "recordings", keys, copy)
    assert [chain.finding.problem for chain in report.chains if chain.finding] == ["checkpoint_mismatch"]


def test_a_chain_that_is_gone_leaves_its_copied_checkpoints(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    record = record_at(tmp_path, chain=ChainOptions(checkpoint_copy=copy))
    record.close()
    for path in (tmp_path / "audit").glob("node-b1.*"):
        path.unlink()
    keys = read_verifier_keys(tmp_path / "audit" / "verifier.key")
    [problem] = verify_record(tmp_path / "audit", tmp_path / "recordings", keys, copy).links
    assert "node-b1" in problem
