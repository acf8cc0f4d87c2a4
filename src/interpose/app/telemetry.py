"""One worker's telemetry put together: logger, metrics, the journal, and the metrics of the other workers.

Workers share metrics through small files in the state folder: each writes its own every two seconds and worker 0 adds them up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from interpose.app.settings import LogSettings
from interpose.engine.gate import Gate
from interpose.engine.ports import AuditChain
from interpose.net.journal import Traffic, place_of
from interpose.telemetry.journal import OperatorJournal
from interpose.telemetry.logs import LibraryLines, LoopFaults, make_logger
from interpose.telemetry.loop import LoopWatch
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
from interpose.telemetry.observed import ObservedChain, ObservedGate
from interpose.telemetry.registry import WaitingMetrics, new_registry

SHARE_SECONDS = 2.0
_STALE_SECONDS = 10.0


class Telemetry:
    """What one worker tells its operators."""

    def __init__(self, settings: LogSettings, state: Path, index: int) -> None:
        """Lines go to standard output."""
        self.logger = make_logger(sys.stdout, format=settings.format.value, level=settings.level.value, worker=index)
        logging.getLogger().addHandler(LibraryLines(self.logger, place_of))
        self.traffic = Traffic()
        self._registry = new_registry()
        self.journal = OperatorJournal(self.logger, SessionMetrics(self._registry))
        self.snapshots = SnapshotMetrics(self._registry)
        self.snapshots.loaded(time.time())
        self._commands = CommandMetrics(self._registry)
        self._seconds = JudgeSeconds(self._registry)
        self._loop = LoopWatch(self.logger, LoopMetrics(self._registry))
        TrafficMetrics(self._registry, self.traffic)
        self._folder = state / "run"
        self._index = index

    def chain(self, chain: AuditChain) -> ObservedChain:
        """The audit chain, counted."""
        return ObservedChain(chain, self._commands)

    def gate(self, gate: Gate) -> ObservedGate:
        """The gate, timed."""
        return ObservedGate(gate, self._seconds)

    def waiting(self, waiting: Callable[[], int]) -> None:
        """Export how many commands wait."""
        WaitingMetrics(self._registry, waiting)

    def tell(self, event: str, fields: Mapping[str, str | int]) -> None:
        """Write one line."""
        self.logger.info(event, **fields)

    def warn(self, event: str, fields: Mapping[str, str | int]) -> None:
        """Write one line that an operator should look at."""
        self.logger.warning(event, **fields)

    async def watch(self) -> None:
        """Watch the event loop until cancelled."""
        asyncio.get_running_loop().set_exception_handler(LoopFaults(self.logger, place_of))
        await self._loop.run()

    async def share(self) -> None:
        """Write this worker's metrics for worker 0, until cancelled."""
        path = self._folder / f"metrics-{self._index}.prom"
        try:
            while True:
                await asyncio.to_thread(self._write, path)
                await asyncio.sleep(SHARE_SECONDS)
        finally:
            path.unlink(missing_ok=True)

    def _write(self, path: Path) -> None:
        beside = path.with_suffix(f".{os.getpid()}")
        # A disk that takes no metrics must not stop service: worker 0 then leaves a stale file out.
        with contextlib.suppress(OSError):
            beside.write_bytes(exposition(self._registry))
            beside.replace(path)

    def metrics(self) -> bytes:
        """Metrics of this worker and of every other one that has written lately."""
        texts = [exposition(self._registry)]
        for path in sorted(self._folder.glob("metrics-*.prom")):
            if path.name == f"metrics-{self._index}.prom":
                continue
            try:
                if time.time() - path.stat().st_mtime < _STALE_SECONDS:
                    texts.append(path.read_bytes())
            except FileNotFoundError:
                continue
        return texts[0] if len(texts) == 1 else merge(texts)
