"""Metrics as Prometheus reads them, and those of several workers added up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from interpose.telemetry.merge import merge
from interpose.telemetry.metrics import (
    CommandMetrics,
    JudgeSeconds,
    LoopMetrics,
    SessionMetrics,
    SnapshotMetrics,
    TrafficMetrics,
    exposition,
)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def lines(registry: CollectorRegistry) -> list[str]:
    return [
        line
        for line in exposition(registry).decode().splitlines()
        if not line.startswith("#") and "_created" not in line
    ]


def test_sessions(registry: CollectorRegistry) -> None:
    sessions = SessionMetrics(registry)
    sessions.opened("orders")
    sessions.opened("orders")
    sessions.closed("orders", "drained")
    sessions.login_failed("toy", "deadline")
    sessions.fault()
    sessions.upstream_failed("orders", "upstream_error")
    sessions.paused()
    assert {
        'interpose_sessions{connection="orders"} 1.0',
        'interpose_sessions_opened_total{connection="orders"} 2.0',
        'interpose_sessions_closed_total{connection="orders",reason="drained"} 1.0',
        'interpose_logins_failed_total{protocol="toy",reason="deadline"} 1.0',
        "interpose_session_faults_total 1.0",
        'interpose_upstream_failures_total{code="upstream_error",connection="orders"} 1.0',
        "interpose_accept_pauses_total 1.0",
    } <= set(lines(registry))


def test_commands(registry: CollectorRegistry) -> None:
    commands = CommandMetrics(registry)
    commands.decided("permit")
    commands.refused("policy_error")
    commands.refused("forbidden")
    commands.hold("opened")
    commands.append_failed()
    assert {
        'interpose_commands_total{decision="permit"} 1.0',
        'interpose_commands_refused_total{code="forbidden"} 1.0',
        "interpose_policy_errors_total 1.0",
        'interpose_holds_total{state="opened"} 1.0',
        "interpose_audit_append_failures_total 1.0",
    } <= set(lines(registry))


def test_snapshots_and_the_loop(registry: CollectorRegistry) -> None:
    snapshots, loop = SnapshotMetrics(registry), LoopMetrics(registry)
    snapshots.loaded(100.0)
    snapshots.rejected()
    loop.beat(0.5)
    loop.beat(0.1)
    loop.stalled()
    assert {
        'interpose_snapshot_loads_total{outcome="rejected"} 1.0',
        "interpose_snapshot_loaded_seconds 100.0",
        "interpose_snapshot_current 0.0",
        "interpose_event_loop_lag_seconds 0.1",
        "interpose_event_loop_lag_worst_seconds 0.5",
        "interpose_event_loop_stalls_total 1.0",
    } <= set(lines(registry))


def test_judge_seconds_is_a_cumulative_histogram(registry: CollectorRegistry) -> None:
    judged = JudgeSeconds(registry)
    for seconds in (0.00001, 0.00002, 0.02, 7.0):
        judged.observe(seconds)
    got = lines(registry)
    assert 'interpose_judge_seconds_bucket{le="1e-05"} 1.0' in got
    assert 'interpose_judge_seconds_bucket{le="2.5e-05"} 2.0' in got
    assert 'interpose_judge_seconds_bucket{le="1.0"} 3.0' in got
    assert 'interpose_judge_seconds_bucket{le="+Inf"} 4.0' in got
    assert "interpose_judge_seconds_count 4.0" in got


def test_traffic_is_read_when_asked(registry: CollectorRegistry) -> None:
    traffic = SimpleNamespace(from_client=1, to_client=2, masked_rows=3)
    TrafficMetrics(registry, traffic)
    traffic.to_client = 20
    assert {
        'interpose_bytes_total{direction="from_client"} 1.0',
        'interpose_bytes_total{direction="to_client"} 20.0',
        "interpose_masked_rows_total 3.0",
    } <= set(lines(registry))


def test_workers_are_added_up() -> None:
    texts = []
    for number in (1, 2):
        registry = CollectorRegistry()
        sessions, loop, judged, snapshots = (
            SessionMetrics(registry),
            LoopMetrics(registry),
            JudgeSeconds(registry),
            SnapshotMetrics(registry),
        )
        for _ in range(number):
            sessions.opened("orders")
            judged.observe(0.02)
        sessions.closed(f"only-{number}", "drained")
        loop.beat(number / 10)
        if number == 1:
            snapshots.rejected()
        else:
            snapshots.loaded(5.0)
        texts.append(exposition(registry))
    got = merge(texts).decode().splitlines()
    assert 'interpose_sessions_opened_total{connection="orders"} 3.0' in got
    assert 'interpose_sessions_closed_total{connection="only-1",reason="drained"} 1.0' in got
    assert 'interpose_judge_seconds_bucket{le="0.05"} 3.0' in got
    assert "interpose_judge_seconds_count 3.0" in got
    assert "interpose_event_loop_lag_seconds 0.2" in got
    assert "interpose_snapshot_current 0.0" in got
    assert "# TYPE interpose_judge_seconds histogram" in got
    assert "# TYPE interpose_sessions_opened_total counter" in got
