"""Adding up the metrics of several workers, each given in Prometheus' text format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_Series = tuple[str, tuple[tuple[str, str], ...]]

WORST: Final = frozenset(
    {"interpose_event_loop_lag_seconds", "interpose_event_loop_lag_worst_seconds", "interpose_snapshot_loaded_seconds"}
)
"""Gauges of which the largest worker counts."""
LEAST: Final = frozenset({"interpose_snapshot_current"})
"""Gauges of which the smallest worker counts: one that is behind shows."""


class _Merged:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def merge(texts: Sequence[bytes]) -> bytes:
    """One text for all workers: counters, histograms and gauges are added, but for those in `WORST` and `LEAST`."""
    families: dict[str, Metric] = {}
    values: dict[str, dict[_Series, float]] = {}
    for text in texts:
        for family in text_string_to_metric_families(text.decode()):
            families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            known = values.setdefault(family.name, {})
            for sample in family.samples:
                series = (sample.name, tuple(sorted(sample.labels.items())))
                known[series] = _together(family.name, known.get(series), sample.value)
    for name, known in values.items():
        for (sample_name, labels), value in known.items():
            families[name].add_sample(sample_name, dict(labels), value)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Merged(families.values()))
    return generate_latest(registry)


def _together(name: str, before: float | None, value: float) -> float:
    if before is None:
        return value
    if name in WORST:
        return max(before, value)
    if name in LEAST:
        return min(before, value)
    return before + value
