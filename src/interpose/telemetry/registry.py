"""A fresh registry, and gauges that are asked when Prometheus asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def new_registry() -> CollectorRegistry:
    """An empty registry; nothing here is global."""
    return CollectorRegistry()


class WaitingMetrics:
    """How many commands wait for an approval."""

    def __init__(self, registry: CollectorRegistry, waiting: Callable[[], int]) -> None:
        """Register itself; `waiting` is asked when Prometheus asks."""
        self._waiting = waiting
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        yield GaugeMetricFamily("interpose_holds_waiting", "Commands that wait for an approval", self._waiting())
