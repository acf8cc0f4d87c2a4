"""A program on a pseudo-terminal, and what is typed and read there."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self


class Typist:
    """Runs a program on a terminal of its own."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts at once."""
        self.seen = b""
        self._status: int | None = None
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execvpe(arguments[0], list(arguments), dict(environment))

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill it if it still runs."""
        if self._status is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def type(self, data: bytes) -> None:
        """Press these keys."""
        os.write(self._terminal, data)

    def until(self, text: bytes, seconds: float = 60.0) -> bytes:
        """What is shown from now on, up to and with `text`."""
        start, deadline = len(self.seen), time.monotonic() + seconds
        while (found := self.seen.find(text, start)) < 0:
            assert time.monotonic() < deadline, f"never saw {text!r}: {self.seen[start:]!r}"
            assert self._read(deadline), f"ended without {text!r}: {self.seen[start:]!r}"
        return self.seen[start : found + len(text)]

    def ended(self, seconds: float = 60.0) -> int:
        """The exit status, after everything that is shown."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            assert time.monotonic() < deadline, f"did not end: {self.seen[-500:]!r}"
        _, status = os.waitpid(self._pid, 0)
        self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, min(1.0, deadline - time.monotonic())))
        if not ready:
            return True
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # Linux says so when the last process on the other side is gone
            return False
        self.seen += data
        return bool(data)
