"""The watch over the event loop: it sees a loop that stands still, and where."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading

from prometheus_client import CollectorRegistry

from interpose.telemetry.logs import make_logger
from interpose.telemetry.loop import LoopWatch
from interpose.telemetry.metrics import LoopMetrics


def stand_still(until: threading.Event) -> None:
    until.wait(10)


async def test_a_loop_that_stands_still_is_told_with_its_place_and_once() -> None:
    stream, registry = io.StringIO(), CollectorRegistry()
    seen = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            stream.write(text)
            seen.set()
            return len(text)

    metrics = LoopMetrics(registry)
    watch = LoopWatch(make_logger(Stream(), format="json"), metrics, interval=0.01, limit=0.05)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0.05)
    stand_still(seen)
    await asyncio.sleep(0.05)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    line = json.loads(stream.getvalue().splitlines()[0])
    assert line["event"] == "event_loop.stalled"
    assert "stand_still" in line["at"]
    assert (registry.get_sample_value("interpose_event_loop_stalls_total") or 0) >= 1
    assert (registry.get_sample_value("interpose_event_loop_lag_worst_seconds") or 0) > 0.01
