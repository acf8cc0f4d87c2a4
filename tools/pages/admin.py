"""Tables of docs/reference/admin-api.md: the API's routes and the metrics, from the code that serves them."""

from __future__ import annotations

import ast

from prometheus_client import CollectorRegistry

from interpose.api import http
from interpose.api.routes import ENDPOINTS
from interpose.telemetry import metrics
from tools.pages.tables import code, codes, table


class _Traffic:
    from_client = to_client = masked_rows = 0


def route_table() -> str:
    """The endpoints."""
    return table(
        ("method", "path", "what it does", "who may"),
        ((each.method, code(each.path), each.words[0], each.who) for each in ENDPOINTS),
    )


def families() -> list[tuple[str, str, tuple[str, ...], str]]:
    """Every metric: name as it is exported, type, labels, help."""
    registry = CollectorRegistry()
    for kind in (metrics.SessionMetrics, metrics.CommandMetrics, metrics.SnapshotMetrics, metrics.LoopMetrics):
        kind(registry)
    metrics.JudgeSeconds(registry)
    metrics.TrafficMetrics(registry, _Traffic())
    labels = _labels()
    found = []
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found.append((name, family.type, labels.get(family.name, ()), family.documentation))
    found.append(("interpose_holds_waiting", "gauge", (), "Commands that wait for an approval"))
    return sorted(found)


def _labels() -> dict[str, tuple[str, ...]]:
    """Each metric's labels, read from the source: a metric that was never counted has no sample that would show them."""
    source = metrics.__loader__.get_source(metrics.__name__)  # type: ignore[union-attr]
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        lists = [*node.args[2:3], *(keyword.value for keyword in node.keywords if keyword.arg == "labels")]
        for each in lists:
            if isinstance(each, ast.List):
                found[str(node.args[0].value)] = tuple(str(ast.literal_eval(item)) for item in each.elts)
    return found


def metric_table() -> str:
    """The metrics."""
    return table(
        ("metric", "type", "labels", "meaning"),
        ((code(name), kind, codes(labels), words) for name, kind, labels, words in families()),
    )


def status_table() -> str:
    """The HTTP status of each error code."""
    return table(("status", "codes"), ((str(status), codes(words)) for status, words in _by_status().items()))


def _by_status() -> dict[int, list[str]]:
    statuses: dict[int, list[str]] = {}
    for word, status in http.STATUS.items():
        statuses.setdefault(status, []).append(word)
    return dict(sorted(statuses.items()))


BLOCKS = {"routes": route_table, "metrics": metric_table, "statuses": status_table}
"""The page's blocks by name."""
