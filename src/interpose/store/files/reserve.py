"""Reserved disk space: a file that is given up when the disk is full, so that what is open can still be closed in order.

While the reserve is not held nothing new may begin (commands and sessions are refused); ends, seals and trailers go on in the
space that it freed. It is taken back as soon as there is space again.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from threading import Lock
from typing import Final

from interpose.engine.ports import Clock

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The errors that mean `no space`."""

_TRY_AGAIN_AFTER: Final = 1.0


class Reserve:
    """One reserved file. Several writers on the same file system share it; safe to use from several threads."""

    def __init__(self, path: Path, clock: Clock, size: int = 256 * 1024) -> None:
        """Take the reserve if there is space for it; `size` in bytes. Does not raise: without space it is just not held."""
        self._path = path
        self._clock = clock
        self._size = size
        self._lock = Lock()
        self._tried = float("-inf")
        self.held = False
        self.regain()

    def release(self) -> None:
        """Give the space up."""
        with self._lock:
            if self.held:
                self.held = False
                self._tried = self._clock.monotonic()
                self._give_up()

    def regain(self) -> bool:
        """Whether it is held, after a try to take it back (at most one a second)."""
        if self.held:
            return True
        with self._lock:
            now = self._clock.monotonic()
            if now - self._tried < _TRY_AGAIN_AFTER:
                return False
            self._tried = now
            try:
                handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    os.posix_fallocate(handle, 0, self._size)
                finally:
                    os.close(handle)
            except OSError:
                # Not held is the answer; a part that was allocated is given back.
                self._give_up()
                return False
            self.held = True
        return True

    def remove(self) -> None:
        """Delete the file, at an orderly end."""
        with self._lock:
            self.held = False
            self._path.unlink(missing_ok=True)

    def _give_up(self) -> None:
        try:
            os.truncate(self._path, 0)
        except OSError:
            # Nothing to give up, or the folder is gone: the reserve is not held either way.
            return
