"""Tables of docs/reference/admin-api.md: the API's routes and the metrics, from the code that serves them."""

from __future__ import annotations

import ast
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.routing import Route

from interpose.api import http
from interpose.api.admin import AdminApi
from interpose.telemetry import metrics
from tools.pages.tables import code, codes, table

_RIGHTS = {
    "/healthz": "anybody",
    "/readyz": "anybody",
    "/metrics": "anybody",
    "/v1/whoami": "any valid token",
    "/v1/credentials": "any valid token; the certificate is the caller's own",
    "/v1/delegations": "`act_for` on the caller, asked of the agent; the caller is a person, and `connect` on each connection that is named",
    "/v1/approvals": "any valid token; the answer holds what the caller may decide and the caller's own",
    "/v1/approvals/{id}": "a member of the approvers, the requester (or the person that it acts for), or `audit` on the connection",
    "/v1/approvals/{id}/approve": "`approve` on the connection, as a member of the approvers; never one's own",
    "/v1/approvals/{id}/deny": "the same",
    "/v1/sessions": "any valid token; the answer holds the caller's own and those on connections with `audit`",
    "/v1/sessions/{id}": "one's own, else `audit` on the connection",
    "/v1/sessions/{id}/recording": "the same, and `replay` on the connection",
    "/v1/sessions/{id}/end": "`administer` on the gateway, and sight of the session",
    "/v1/sessions/{id}/say": "the same",
    "/v1/search": "any valid token; searches connections with `replay`",
    "/v1/reload": "`administer` on the gateway",
}


class _Traffic:
    from_client = to_client = masked_rows = 0


def routes() -> list[tuple[str, str, str]]:
    """Every route: method, path, and the first line of what it says of itself."""
    ports: list[Any] = [None] * 7
    application = AdminApi(*ports).application()  # nothing is called, only listed
    found = []
    for route in application.routes:
        if not isinstance(route, Route):
            raise TypeError(f"`{route}` is no route of the kind that this page tells")
        words = (route.endpoint.__doc__ or "").strip().splitlines()[0]
        found += [(method, route.path, words) for method in sorted(route.methods or ()) if method != "HEAD"]
    return found


def route_table() -> str:
    """The endpoints."""
    found = routes()
    differing = {path for _, path, _ in found} ^ set(_RIGHTS)
    if differing:
        raise ValueError(f"routes: {sorted(differing)} must be in the code and here")
    return table(
        ("method", "path", "what it does", "who may"),
        ((method, code(path), words, _RIGHTS[path]) for method, path, words in found),
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
    for word, status in http._STATUS.items():
        statuses.setdefault(status, []).append(word)
    return dict(sorted(statuses.items()))


BLOCKS = {"routes": route_table, "metrics": metric_table, "statuses": status_table}
"""The page's blocks by name."""
