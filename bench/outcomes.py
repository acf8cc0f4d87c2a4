"""A pytest plugin that writes each test's outcome as one JSON line: node id, outcome, first line of the failure.

It is copied next to a foreign test suite and loaded there (`-p outcomes`), so it knows pytest and nothing of this project.
A line is written when its test is over: what a crash or a timeout of the whole run leaves is still readable.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_RANK = {"passed": 0, "xpassed": 1, "xfailed": 1, "skipped": 2, "failed": 3, "error": 4}


class Outcomes:
    """Collects the three phases of a test and writes the worst of them."""

    def __init__(self, path: Path) -> None:
        """`path` is the file that is appended to."""
        self._path = path
        self._worst: dict[str, tuple[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase (setup, call, teardown) is over; after teardown the test's line is written."""
        outcome, text = _outcome(report)
        known = self._worst.get(report.nodeid)
        if known is None or _RANK[outcome] > _RANK[known[0]]:
            self._worst[report.nodeid] = (outcome, text)
        if report.when != "teardown":
            return
        worst, why = self._worst.pop(report.nodeid)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"test": report.nodeid, "outcome": worst, "why": why}) + "\n")


def _outcome(report: pytest.TestReport) -> tuple[str, str]:
    if hasattr(report, "wasxfail"):
        return ("xfailed" if report.skipped else "xpassed"), ""
    if report.passed:
        return "passed", ""
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        return "skipped", _first(reason)
    crash = getattr(report.longrepr, "reprcrash", None)
    return ("failed" if report.when == "call" else "error"), _first(crash.message if crash else report.longreprtext)


def _first(text: str) -> str:
    return next(_lines(text), "")[:300]


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def pytest_configure(config: pytest.Config) -> None:
    """Register, with the file that the environment names."""
    config.pluginmanager.register(Outcomes(Path(os.environ["OUTCOMES_FILE"])))
