"""An unmodified client on a terminal of its own, or on pipes: what a person sees of it and types into it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self


class PseudoTerminal:
    """One program on a pseudo-terminal; `seen` is all that it has written there."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it, in a session of its own with the terminal as the one that controls it."""
        ours, theirs = pty.openpty()
        self._ours = ours
        self.seen = ""
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment, "TERM": "dumb"},
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        """As it is."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def wait_for(self, text: str, seconds: float = 60.0) -> str:
        """Everything seen, as soon as `text` is in it."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"`{text}` did not come in {seconds} s:\n{self.seen}"
            if not self._read(min(left, 0.5)) and self.process.poll() is not None:
                assert text in self.seen, f"the program ended and never said `{text}`:\n{self.seen}"
        return self.seen

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._ours, text.encode())

    def end(self, seconds: float = 60.0) -> int:
        """Wait for its end; answers its status."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            self._read(0.2)
            assert time.monotonic() < deadline, f"the program did not end in {seconds} s:\n{self.seen}"
        while self._read(0.0):
            pass
        return int(self.process.returncode)

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def interrupt_to_its_end(self, seconds: float = 60.0) -> int:
        """Ctrl-C until it ends, as a person presses it; answers its status.

        OpenSSH does not notice one that comes between its prompt and its reading (readpassphrase.c counts it and then waits).
        """
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            self.interrupt()
            self._read(0.5)
            assert time.monotonic() < deadline, f"the program did not end in {seconds} s:\n{self.seen}"
        return self.end()

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the other side is closed: EIO on Linux
            return False
        self.seen += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)
