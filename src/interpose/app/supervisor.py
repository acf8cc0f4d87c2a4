"""The supervisor: starts the workers, hands signals on, replaces a worker that dies, and stops them all in order.

Knows processes and signals only. With one worker there is none: `serve` then runs the worker in its own process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

RESTART_PAUSE = 1.0
"""Seconds before a worker that died is started again, so that one that cannot live does not burn a core."""


class Supervisor:
    """`count` workers as processes of the same command line."""

    def __init__(self, config: Path, count: int, drain: float) -> None:
        """`drain` is how long workers may take to stop, in seconds; then they are killed."""
        self._config = config
        self._count = count
        self._drain = drain
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._stopping = False

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; answers the exit status."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._hand_on)
        for index in range(self._count):
            self._workers[index] = self._start(index)
        while not self._stopping:
            time.sleep(0.2)
            for index, process in list(self._workers.items()):
                status = process.poll()
                if status is not None and not self._stopping:
                    sys.stderr.write(f"worker {index} died with status {status} and is started again\n")
                    sys.stderr.flush()
                    time.sleep(RESTART_PAUSE)
                    self._workers[index] = self._start(index)
        return self._wait()

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "interpose", "serve", "--config", str(self._config), "--worker", str(index)]
        command += ["--workers", str(self._count)]
        # A worker notices the death of its supervisor by the end of this pipe.
        environment = {**os.environ, "INTERPOSE_SUPERVISED": "1"}
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)  # noqa: S603 -- our own program

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        self._signal(signal.SIGTERM)

    def _hand_on(self, number: int, _frame: FrameType | None) -> None:
        self._signal(number)

    def _signal(self, number: int) -> None:
        for process in self._workers.values():
            if process.poll() is None:
                process.send_signal(number)

    def _wait(self) -> int:
        deadline = time.monotonic() + self._drain + 10.0
        worst = 0
        for process in self._workers.values():
            try:
                worst = max(worst, abs(process.wait(max(0.1, deadline - time.monotonic()))))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                worst = 1
        return worst
