"""Deleting what is old, after saying so in the chain."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from interpose.model.errors import RecordingError
from interpose.recording.retention import DAY, RetentionRules
from interpose.store.files.reading import RecordedSessions
from interpose.store.files.retention import Retention
from tests.support.memory import ManualClock
from tests.support.records import header, record_at, stand_alone_says, verified

RULES = RetentionRules(recording_days=90, audit_days=400)


def test_what_is_old_goes_and_everything_still_verifies(tmp_path: Path) -> None:
    clock = ManualClock()
    old = record_at(tmp_path, "b1", clock=clock)
    for session in ("s_1", "s_2"):
        old.recordings.open(header(session)).close("client_closed")
    old.close()
    begin = clock.now
    for path in (tmp_path / "recordings").glob("*/*.rec"):
        os.utime(path, (begin, begin))
    [recent] = (tmp_path / "recordings").glob("*/s_2.rec")
    os.utime(recent, (begin + 350 * DAY, begin + 350 * DAY))
    clock.now += 401 * DAY
    record = record_at(tmp_path, "b2", clock=clock)
    live = record.recordings.open(header("s_3"))
    retention = Retention(tmp_path / "audit", tmp_path / "recordings", record.chain, RULES)
    plan = retention.plan(clock.now)
    assert [recording.session for recording in plan.recordings] == ["s_1"]
    assert [chain.head.name for chain in plan.chains] == ["node-b1"]
    asyncio.run(retention.carry_out(plan))
    assert retention.plan(clock.now).recordings == ()
    live.close("client_closed")
    record.close()
    assert [stored.session for stored in RecordedSessions(tmp_path / "recordings").all()] == ["s_2", "s_3"]
    assert not list((tmp_path / "audit").glob("node-b1.*"))
    report = verified(tmp_path)
    assert report.links == ()
    # The chain that vouched for the recent one is gone: recordings must not outlive it, and verification says so.
    assert [proof.problem for proof in report.recordings] == ["no audit chain knows this recording"]


def test_recordings_alone(tmp_path: Path) -> None:
    clock = ManualClock()
    record = record_at(tmp_path, "b1", clock=clock)
    record.recordings.open(header("s_1")).close("client_closed")
    record.close()
    for path in (tmp_path / "recordings").glob("*/*.rec"):
        os.utime(path, (0, 0))
    again = record_at(tmp_path, "b2", clock=clock)
    retention = Retention(tmp_path / "audit", tmp_path / "recordings", again.chain, RULES)
    asyncio.run(retention.carry_out(retention.plan(clock.now)))
    again.close()
    assert RecordedSessions(tmp_path / "recordings").all() == []
    assert verified(tmp_path).ok
    assert stand_alone_says(tmp_path)[0]


def test_nothing_is_deleted_that_cannot_be_recorded(tmp_path: Path) -> None:
    record = record_at(tmp_path, "b1")
    record.recordings.open(header("s_1")).close("client_closed")
    record.close()
    for path in (tmp_path / "recordings").glob("*/*.rec"):
        os.utime(path, (0, 0))
    retention = Retention(tmp_path / "audit", tmp_path / "recordings", record.chain, RULES)
    plan = retention.plan(ManualClock().now)
    with pytest.raises(RecordingError):
        asyncio.run(retention.carry_out(plan))
    assert [stored.session for stored in RecordedSessions(tmp_path / "recordings").all()] == ["s_1"]
