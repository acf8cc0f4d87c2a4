"""Where checkpoints go: a file beside the chain, and a copy in a second folder that should be on another machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from interpose.recording.checkpoint import Checkpoint, SigningKey, join_note
from interpose.recording.merkle import CompactRange
from interpose.store.files.layout import checkpoints_path


class CheckpointLog:
    """Makes and keeps the checkpoints of one chain. Used by one thread at a time.

    `copy_error` says why the last copy failed, empty when it did not: a failing copy never stops the gateway, but it must show
    in health, since only checkpoints that left the machine prove anything against who owns it.
    """

    def __init__(self, folder: Path, name: str, key: SigningKey, copy_to: Path | None) -> None:
        """`name` is the chain's; `copy_to` is the second folder."""
        self._key = key
        self._origin = f"{key.verifier.name}/{name}"
        self._path = checkpoints_path(folder, name)
        self._copy = checkpoints_path(copy_to, name) if copy_to is not None else None
        self._copied = 0
        self._written = 0
        self._tree = CompactRange()
        self._time = 0
        self.copy_error = ""

    @property
    def size(self) -> int:
        """How many entries are in the tree."""
        return self._tree.size

    def write(self, leaves: Sequence[bytes], chain: str, time: int) -> None:
        """Add these entries' hashes and sign what the tree is now; `time` in wall-clock microseconds.

        Raises `OSError` when it cannot be written; the entries are in the tree then, and the next call (which may add none) makes
        up for it.
        """
        self._tree.extend(leaves)
        self._time = max(self._time, time)
        checkpoint = Checkpoint(self._origin, self._tree.size, self._tree.root(), chain, self._time)
        note = join_note(self._key.sign(checkpoint))
        self._written = _append(self._path, note, self._written)
        if self._copy is not None:
            try:
                # The whole tail that the copy lacks, so that a copy that was away catches up.
                self._copied = _append(self._copy, _tail(self._path, self._copied), self._copied)
                self.copy_error = ""
            except OSError as error:
                self.copy_error = str(error)


def _append(path: Path, data: bytes, at: int) -> int:
    """Write and sync data at this offset, dropping what a failed write left behind it; answers the new end."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(handle).st_size > at:
            os.ftruncate(handle, at)
        if os.pwrite(handle, data, at) != len(data):
            raise OSError("the checkpoint was written in part")
        os.fdatasync(handle)
    finally:
        os.close(handle)
    return at + len(data)


def _tail(path: Path, start: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read()
