"""Metrics for Prometheus, as small classes for those who count. Each worker has its own registry; `merge` adds workers up.

Labels are names of connections and machine words from closed lists; never a principal, an address or anything of a command.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric

_JUDGE_BUCKETS: Final = (
    0.00001,
    0.000025,
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.05,
    0.25,
    1.0,
)


class Traffic(Protocol):
    """Plain running totals that somebody keeps."""

    from_client: int
    to_client: int
    masked_rows: int


class SessionMetrics:
    """Sessions and logins."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register its metrics."""
        self._live = Gauge("interpose_sessions", "Live sessions", ["connection"], registry=registry)
        self._opened = Counter("interpose_sessions_opened", "Sessions opened", ["connection"], registry=registry)
        self._closed = Counter(
            "interpose_sessions_closed", "Sessions closed, by reason", ["connection", "reason"], registry=registry
        )
        self._logins = Counter(
            "interpose_logins_failed",
            "Clients that did not become a session, by reason",
            ["protocol", "reason"],
            registry=registry,
        )
        self._faults = Counter(
            "interpose_session_faults", "Sessions and logins closed by a fault of the gateway", registry=registry
        )
        self._upstreams = Counter(
            "interpose_upstream_failures",
            "Upstreams that did not let the gateway in",
            ["connection", "code"],
            registry=registry,
        )
        self._pauses = Counter(
            "interpose_accept_pauses",
            "Times that accepting paused for want of descriptors or memory",
            registry=registry,
        )

    def opened(self, connection: str) -> None:
        """A session began."""
        self._live.labels(connection).inc()
        self._opened.labels(connection).inc()

    def closed(self, connection: str, reason: str) -> None:
        """A session ended."""
        self._live.labels(connection).dec()
        self._closed.labels(connection, reason).inc()

    def login_failed(self, protocol: str, reason: str) -> None:
        """A client did not become a session."""
        self._logins.labels(protocol, reason).inc()

    def fault(self) -> None:
        """Our own fault closed something."""
        self._faults.inc()

    def upstream_failed(self, connection: str, code: str) -> None:
        """An upstream did not let the gateway in."""
        self._upstreams.labels(connection, code).inc()

    def paused(self) -> None:
        """Accepting paused."""
        self._pauses.inc()


class CommandMetrics:
    """Decisions, holds, and the audit chain behind them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register its metrics."""
        self._decided = DecisionCounts(registry)
        self._refused = Counter("interpose_commands_refused", "Commands refused, by code", ["code"], registry=registry)
        self._holds = Counter(
            "interpose_holds", "Holds, by how they ended (`opened` for all)", ["state"], registry=registry
        )
        self._failures = Counter(
            "interpose_audit_append_failures", "Audit events that could not be written", registry=registry
        )
        self._policy_errors = Counter(
            "interpose_policy_errors", "Judgements refused because a policy's condition failed", registry=registry
        )

    def decided(self, decision: str) -> None:
        """A command was judged: `permit`, `forbid` or `hold`."""
        self._decided.add(decision)

    def refused(self, code: str) -> None:
        """A command was refused."""
        self._refused.labels(code).inc()
        if code == "policy_error":
            self._policy_errors.inc()

    def hold(self, state: str) -> None:
        """A hold was opened, or ended in this state."""
        self._holds.labels(state).inc()

    def append_failed(self) -> None:
        """The audit chain could not be written."""
        self._failures.inc()


class SnapshotMetrics:
    """Configuration and policy as loaded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register its metrics."""
        self._loads = Counter("interpose_snapshot_loads", "Loads, by outcome", ["outcome"], registry=registry)
        self._loaded_at = Gauge(
            "interpose_snapshot_loaded_seconds", "Wall-clock time of the last good load", registry=registry
        )
        self._good = Gauge(
            "interpose_snapshot_current", "1 when the last load was good, 0 when it was refused", registry=registry
        )

    def loaded(self, at: float) -> None:
        """A load was good; `at` is wall-clock seconds."""
        self._loads.labels("loaded").inc()
        self._loaded_at.set(at)
        self._good.set(1)

    def rejected(self) -> None:
        """A load was refused: the old snapshot goes on serving."""
        self._loads.labels("rejected").inc()
        self._good.set(0)


class LoopMetrics:
    """How late the event loop is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register its metrics."""
        self._lag = Gauge("interpose_event_loop_lag_seconds", "How late the last beat was", registry=registry)
        self._worst = Gauge(
            "interpose_event_loop_lag_worst_seconds", "The latest beat since the start", registry=registry
        )
        self._stalls = Counter("interpose_event_loop_stalls", "Beats that were later than the limit", registry=registry)
        self._worst_seen = 0.0

    def beat(self, lag: float) -> None:
        """One beat, `lag` seconds late."""
        self._lag.set(lag)
        if lag > self._worst_seen:
            self._worst_seen = lag
            self._worst.set(lag)

    def stalled(self) -> None:
        """The loop stood still for longer than the limit."""
        self._stalls.inc()


class DecisionCounts:
    """How many commands were judged, by decision. Plain numbers: it is fed on the hot path, from the event loop's thread only."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register itself."""
        self._counts: dict[str, int] = {}
        registry.register(self)

    def add(self, decision: str) -> None:
        """One decision."""
        self._counts[decision] = self._counts.get(decision, 0) + 1

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        counted = CounterMetricFamily("interpose_commands", "Commands judged, by decision", labels=["decision"])
        for decision, count in dict(self._counts).items():
            counted.add_metric([decision], count)
        yield counted


class JudgeSeconds:
    """A histogram of the time that judging takes within a callback. Plain numbers: it is fed on the hot path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register itself."""
        self._counts = [0] * (len(_JUDGE_BUCKETS) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, seconds: float) -> None:
        """One judgement."""
        self._counts[bisect_left(_JUDGE_BUCKETS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, _JUDGE_BUCKETS), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        yield HistogramMetricFamily(
            "interpose_judge_seconds",
            "Time to judge a command that needs no waiting",
            buckets=buckets,
            sum_value=self._sum,
        )


class TrafficMetrics:
    """Exports the running totals of a worker."""

    def __init__(self, registry: CollectorRegistry, traffic: Traffic) -> None:
        """Register itself; `traffic` is read when Prometheus asks."""
        self._traffic = traffic
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        moved = CounterMetricFamily(
            "interpose_bytes", "Plaintext bytes between clients and the gateway", labels=["direction"]
        )
        moved.add_metric(["from_client"], self._traffic.from_client)
        moved.add_metric(["to_client"], self._traffic.to_client)
        yield moved
        yield CounterMetricFamily(
            "interpose_masked_rows", "Rows delivered through a masking plan", self._traffic.masked_rows
        )


def exposition(registry: CollectorRegistry) -> bytes:
    """Everything in the registry in Prometheus' text format."""
    return generate_latest(registry)
