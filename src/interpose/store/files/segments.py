"""One file of a chain: created so that nobody else can write it, cut back after a failed write, made durable.

Knows bytes and offsets; what the lines mean is the chain's business, except that a repair proves them first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from interpose.model.errors import RecordingError
from interpose.recording.chain import entry_hash, link
from interpose.store.files.layout import sync_folder
from interpose.store.files.locks import lock


@dataclass(slots=True)
class SegmentFile:
    """One open segment. `size` bytes are whole records; `synced` of them, up to chain value `synced_chain`, are on disk.

    `torn` says that bytes of a failed write may stand behind `size`; `suspect` that a sync failed, so that the
    system may have dropped what it could not write.
    """

    path: Path
    handle: int
    synced_chain: bytes
    size: int = 0
    synced: int = 0
    torn: bool = False
    suspect: bool = False
    named: bool = False

    @staticmethod
    def create(path: Path, chain: bytes) -> SegmentFile:
        """Make the file, locked before anybody can see it; `chain` is the chain value before its first record.

        Raises `RecordingError` when it exists already (a second writer of one chain), `OSError` otherwise.
        """
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_TRUNC, 0o600)
        try:
            if not lock(handle):
                raise RecordingError("another process writes this audit chain", detail=str(path))
            os.link(temporary, path)
        except FileExistsError:
            os.close(handle)
            raise RecordingError(
                "this audit chain exists already",
                detail=str(path),
                hint="every start of a worker needs a boot id of its own",
            ) from None
        except BaseException:
            os.close(handle)
            raise
        finally:
            temporary.unlink(missing_ok=True)
        return SegmentFile(path, handle, chain)

    def cut(self) -> None:
        """Drop what a failed write left behind; raises `OSError`."""
        os.ftruncate(self.handle, self.size)
        self.torn = False

    def sync(self, size: int, chain: bytes) -> None:
        """Make the first `size` bytes, which end at chain value `chain`, durable; raises `OSError`.

        After a failed sync the system may have forgotten the pages that it could not write, and a later sync would succeed
        without them. So the bytes that were not synced are read back, proved, and written again first.
        """
        if self.suspect:
            self._write_again(size, chain)
        try:
            os.fdatasync(self.handle)
            if not self.named:
                sync_folder(self.path.parent)
                self.named = True
        except OSError:
            self.suspect = True
            raise
        self.suspect = False
        self.synced, self.synced_chain = size, chain

    def close(self) -> None:
        """Close the file, and with it the lock."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def _write_again(self, size: int, chain: bytes) -> None:
        data = os.pread(self.handle, size - self.synced, self.synced)
        value = self.synced_chain
        for line in data.split(b"\n")[:-1]:
            value = link(value, entry_hash(line))
        if len(data) != size - self.synced or value != chain:
            raise OSError(f"records of `{self.path}` were lost by the disk: this worker must be restarted")
        # A handle that appends would ignore the offset.
        handle = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            if os.pwrite(handle, data, self.synced) != len(data):
                raise OSError("the records were written again only in part")
        finally:
            os.close(handle)
