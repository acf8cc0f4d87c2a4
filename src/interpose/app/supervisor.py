"""The supervisor: starts the workers, hands signals on, replaces a worker that dies, and stops them all in order.

A worker that ends before it ever served is not replaced: what it failed by it would fail by again, and whoever started the gateway
has to see that. Knows processes and signals only. With one worker there is none: `serve` then runs the worker in its own process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Final

SUPERVISED: Final = "INTERPOSE_SUPERVISED"
"""The variable by which a worker knows that it has a supervisor: the descriptor on which it says that it serves."""

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
        self._served: set[int] = set()
        self._told, self._tell = os.pipe()
        os.set_blocking(self._told, False)

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
                    self._hear()
                    if index not in self._served:
                        sys.stderr.write(
                            f"worker {index} ended with status {status} before it served: the gateway ends\n"
                        )
                        self._stop(signal.SIGTERM, None)
                        self._wait()
                        return abs(status) or 1
                    sys.stderr.write(f"worker {index} died with status {status} and is started again\n")
                    sys.stderr.flush()
                    time.sleep(RESTART_PAUSE)
                    self._workers[index] = self._start(index)
        return self._wait()

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "interpose", "serve", "--config", str(self._config), "--worker", str(index)]
        command += ["--workers", str(self._count)]
        environment = {**os.environ, SUPERVISED: str(self._tell)}
        # A worker notices the death of its supervisor by the end of its standard input.
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, pass_fds=[self._tell])  # noqa: S603 -- our own program

    def _hear(self) -> None:
        """Take in which workers serve."""
        with contextlib.suppress(BlockingIOError):
            while told := os.read(self._told, 4096):
                self._served.update(told)

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


def tell_served(index: int) -> None:
    """In a worker: tell the supervisor, when there is one, that this worker serves."""
    pipe = os.environ.get(SUPERVISED)
    if pipe is not None:
        os.write(int(pipe), bytes([index]))
        os.close(int(pipe))
