"""Who owns a file: advisory locks (flock) that the kernel drops when their process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock(handle: int) -> bool:
    """Take the lock on an open file without waiting; False when somebody else has it. Held until the handle is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Abandoned:
    """A try to take over what a dead process owned: `taken` is False when it lives. A context manager that lets go."""

    __slots__ = ("_handle", "taken")

    def __init__(self, path: Path) -> None:
        """`path` is the file that the owner keeps locked; a missing file counts as abandoned."""
        self._handle = -1
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            self.taken = True
            return
        self.taken = lock(self._handle)

    def __enter__(self) -> Abandoned:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the lock."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
