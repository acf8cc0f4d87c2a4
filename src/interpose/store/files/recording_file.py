"""One recording on disk (`<session>.rec`): spools go in, chunks come out, a trailer seals it.

Each chunk is on disk and in the audit chain before the next is written. A failure leaves the file as it was, so that the same
spool can be tried again; frames that are in the recording already are left out by their ordinal.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from interpose.engine.ports import AuditChain
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import RecordingError
from interpose.model.ids import SessionId
from interpose.recording.container import (
    CHUNK_LIMIT,
    RECORDING_MAGIC,
    SPOOL_HEAD,
    ChunkWriter,
    Compress,
    Trailer,
    decode_spool_head,
    read_chunks,
)
from interpose.recording.frames import CLOSE, Frame, read_frames
from interpose.store.files.layout import sync_folder


class RecordingFile:
    """The writer of one recording. Holds no open file between calls; used by one thread at a time."""

    __slots__ = ("_chain", "_made", "_size", "_trailer_hash", "_writer", "closing", "gap", "path", "session", "trailer")

    def __init__(self, path: Path, session: SessionId, chain: AuditChain, compress: Compress) -> None:
        """A new recording; nothing is written yet. `compress` belongs to the thread that writes."""
        self.path = path
        self.session = session
        self.gap = False
        self.closing: Frame | None = None
        self.trailer: Trailer | None = None
        self._chain = chain
        self._writer = ChunkWriter(session, compress)
        self._size = 0
        self._made = False
        self._trailer_hash = b""

    @property
    def frames(self) -> int:
        """How many frames are in the recording."""
        return self._writer.frames

    def resume(self) -> int:
        """Go on behind what a dead process left: cuts a torn tail off, announces each chunk again, answers how many bytes were cut.

        Raises `OSError`, `RecordingError`, and `RecordingFormatError` when the file is no recording of this session.
        """
        if not self.path.exists():
            return 0
        length = self.path.stat().st_size
        self._size = 0
        with self.path.open("rb") as file:
            for chunk in read_chunks(file.read, self.session):
                self._size = chunk.end
                if chunk.trailer:
                    self.trailer, self._trailer_hash = chunk.read_trailer(), chunk.hash
                    break
                self._writer.commit(chunk.hash, chunk.plain_length, chunk.frames)
                self._announce(chunk.index, chunk.hash, chunk.end)
        if self._size:
            os.truncate(self.path, self._size)
        else:
            self.path.unlink()
        self._made = self._size > 0
        return length - self._size

    def absorb(self, spool: Path) -> int:
        """Append the frames of a spool; answers how many bytes at its end were torn. Raises `OSError`, `RecordingError`.

        `closing` is then the CLOSE frame if there was one, and `gap` says that frames before the spool are nowhere.
        """
        with spool.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            ordinal = decode_spool_head(file.read(SPOOL_HEAD))
            if ordinal is None:
                return length
            self.gap = self.gap or ordinal > self._writer.frames
            batch: list[bytes] = []
            read, batch_size = SPOOL_HEAD, 0
            for frame, raw in read_frames(file.read):
                read += len(raw)
                if frame.type == CLOSE:
                    self.closing = frame
                if ordinal >= self._writer.frames + len(batch):
                    if batch and batch_size + len(raw) > CHUNK_LIMIT:
                        self._append(batch, len(batch))
                        batch, batch_size = [], 0
                    batch.append(raw)
                    batch_size += len(raw)
                ordinal += 1
            if batch:
                self._append(batch, len(batch))
        return length - read

    def absorb_whole(self, spool: Path, frames: int, size: int) -> None:
        """Append a spool that this process wrote and knows: `size` bytes are good, `frames` frames.

        The frames are not walked: that would cost the sessions more time than writing them did. A spool that grew
        large, or that is not as expected, is walked. Raises `OSError`, `RecordingError`.
        """
        with spool.open("rb") as file:
            data = file.read(2 * CHUNK_LIMIT + 1) if size <= 2 * CHUNK_LIMIT else b""
        if len(data) < size or decode_spool_head(data) != self._writer.frames:
            self.absorb(spool)
        elif frames:
            self._append([data[SPOOL_HEAD:size]], frames)

    def append(self, frames: Iterable[bytes]) -> None:
        """Append frames that are in no spool; raises `OSError`, `RecordingError`."""
        batch = list(frames)
        if batch:
            self._append(batch, len(batch))

    def seal(self, state: str, reason: str) -> None:
        """Write the trailer and append `session.sealed`; raises `OSError`, `RecordingError`.

        A recording that has its trailer already (a crash came between the two) is announced as it was sealed.
        """
        before = self._size
        if self.trailer is None:
            data, digest = self._writer.trailer(state, reason)
            self._write(data)
            trailer = Trailer(state, reason, self._writer.index, self._writer.frames, self._writer.plain_bytes)
        else:
            digest, trailer = self._trailer_hash, self.trailer
        try:
            self._chain.append(
                AuditEvent(
                    AuditKind.SESSION_SEALED,
                    self.session,
                    fields={
                        "chunks": trailer.chunks,
                        "frames": trailer.frames,
                        "reason": trailer.reason,
                        "recording": f"{self.path.parent.name}/{self.path.name}",
                        "state": trailer.state,
                        "trailer": digest.hex(),
                    },
                )
            )
        except RecordingError:
            if self.trailer is None:
                self._take_back(before)
            raise
        self.trailer, self._trailer_hash = trailer, digest

    def _append(self, batch: list[bytes], frames: int) -> None:
        """Write one chunk, sync it, and append its hash to the audit chain: all or nothing."""
        plain = b"".join(batch)
        data, digest = self._writer.chunk(plain, frames)
        before = self._size
        self._write(data)
        try:
            self._announce(self._writer.index, digest, self._size)
        except RecordingError:
            self._take_back(before)
            raise
        self._writer.commit(digest, len(plain), frames)

    def _take_back(self, size: int) -> None:
        """Drop what was written but not announced."""
        self._size = size
        os.truncate(self.path, size)

    def _announce(self, index: int, digest: bytes, end: int) -> None:
        self._chain.append(
            AuditEvent(
                AuditKind.RECORDING_CHUNK, self.session, fields={"chunk": index, "end": end, "sha256": digest.hex()}
            )
        )

    def _write(self, data: bytes) -> None:
        if not self._made:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._size == 0:
            data = RECORDING_MAGIC + data
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            view, at = memoryview(data), self._size
            try:
                while view:
                    written = os.pwrite(handle, view, at)
                    view, at = view[written:], at + written
                os.fdatasync(handle)
            except OSError:
                os.ftruncate(handle, self._size)
                raise
        finally:
            os.close(handle)
        if not self._made:
            sync_folder(self.path.parent)
            self._made = True
        self._size += len(data)
