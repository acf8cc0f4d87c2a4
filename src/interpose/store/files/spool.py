"""Spools: how one is begun, and what a recorder hands to the keeper of all recordings and asks of it."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from interpose.recording.container import encode_spool_head
from interpose.store.files.layout import spool_path

if TYPE_CHECKING:
    from interpose.store.files.recorder import FileSessionRecorder


@dataclass(frozen=True, slots=True)
class FullSpool:
    """A spool that is not written any more: `size` bytes are whole frames, `frames` of them."""

    path: Path
    frames: int
    size: int


class Sealer(Protocol):
    """What a recorder needs from the keeper of all recordings."""

    def touched(self, recorder: FileSessionRecorder) -> None:
        """It has something buffered or not yet synced."""
        ...

    def written(self, recorder: FileSessionRecorder) -> None:
        """A durable recorder wrote a command that is not yet on disk."""
        ...

    def accepts(self) -> bool:
        """Whether a full spool may be handed over now; if not, the spool just grows."""
        ...

    def hand_over(self, recorder: FileSessionRecorder) -> None:
        """It has spools to be sealed, or is closed."""
        ...


def new_spool(folder: Path, session: str, number: int, frames: int) -> tuple[Path, int, int]:
    """A new spool for the frames after the first `frames`: its path, handle and size. Raises `OSError`, and leaves nothing then."""
    path = spool_path(folder, session, number)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    head = encode_spool_head(frames)
    try:
        if os.write(handle, head) != len(head):
            raise OSError(errno.ENOSPC, "the spool's head was written in part")
    except OSError:
        os.close(handle)
        path.unlink()
        raise
    return path, handle, len(head)
