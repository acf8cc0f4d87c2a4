"""The recording of one live session: frames into its spool, one write a command. The port `SessionRecorder`.

`command` writes itself and everything buffered before it returns; what is delivered, noted and ended is buffered, and reaches
the operating system with the next command, after 64 KiB, or within about a second. All calls but `flush` and `sync` come from
the session's own thread; those two come from the sealing thread.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from threading import Lock

from interpose.engine.ports import Clock, SessionHeader
from interpose.model.errors import RecordingError
from interpose.recording.channel_frames import (
    StreamName,
    encode_channel_closed,
    encode_channel_opened,
    encode_stream,
    encode_stream_omitted,
    encode_window,
)
from interpose.recording.dropping import without_bulk
from interpose.recording.frames import (
    DELIVERED,
    HEADER,
    encode_close,
    encode_command,
    encode_ended,
    encode_frame,
    encode_note,
    encode_omitted,
)
from interpose.store.files.recording_file import RecordingFile
from interpose.store.files.reserve import FULL, Reserve
from interpose.store.files.spool import FullSpool, Sealer, new_spool
from interpose.store.files.stream_caps import StreamCaps

BUFFERED = 64 * 1024
"""Bytes that may be buffered before they are written without waiting for a command."""
WINDOW_COST = 12
"""Bytes of a terminal's size, against the cap."""


class FileSessionRecorder:
    """Writes one session's spool."""

    __slots__ = (
        "_cap", "_caps", "_clock", "_closed", "_first", "_folder", "_frames", "_handle", "_kept", "_lock", "_number", "_omitted", "_path",
        "_pending", "_pending_size", "_reserve", "_sealer", "_sequence", "_size", "_spool_limit", "_sync_error", "_torn",
        "_touched", "_unsynced", "durable", "full", "lost", "reason", "recording", "session",
    )  # fmt: skip

    def __init__(
        self,
        header: SessionHeader,
        header_payload: bytes,
        *,
        folder: Path,
        recording: RecordingFile,
        sealer: Sealer,
        clock: Clock,
        reserve: Reserve,
        cap: int,
        terminal_cap: int,
        spool_limit: int,
    ) -> None:
        """Make the first spool, with the header in it; raises `OSError`.

        `cap` is how many delivered bytes a command keeps, and of each of its streams; `terminal_cap` how many of each stream of a
        terminal in an hour.
        """
        self.session = header.session
        self.durable = header.durable
        self.recording = recording
        self.full: list[FullSpool] = []
        self.lost = False
        self.reason: str | None = None
        self._folder = folder
        self._sealer = sealer
        self._clock = clock
        self._reserve = reserve
        self._cap = cap
        self._caps = StreamCaps(cap, terminal_cap)
        self._spool_limit = spool_limit
        self._lock = Lock()
        self._number = 0
        self._frames = 0
        self._first = 0
        self._size = 0
        self._pending: list[bytes] = [encode_frame(HEADER, self._now(), 0, header_payload)]
        self._pending_size = 0
        self._sequence = 0
        self._kept = 0
        self._omitted = 0
        self._torn = False
        self._touched = False
        self._unsynced = False
        self._sync_error = ""
        self._closed = False
        self._path, self._handle = self._make_spool(0)
        try:
            self._write(b"".join(self._pending))
        except OSError:
            os.close(self._handle)
            self._path.unlink()
            raise

    def command(self, sequence: int, kind: str, text: str, parameters: tuple[bytes | None, ...], decision: str) -> None:
        """A command and its decision; written to the operating system before this returns. Raises `RecordingError`."""
        frame = encode_command(int(self._clock.monotonic() * 1e9), sequence, kind, text, parameters, decision)
        with self._lock:
            if self._torn or self._sync_error or self._closed or not self._reserve.held:
                self._check()
            if self._omitted:
                self._say_omitted()
            pending = self._pending
            data = b"".join(pending) + frame if pending else frame
            try:
                written = os.write(self._handle, data)
            except OSError as error:
                raise self._failed(error) from None
            if written != len(data):
                raise self._failed(OSError(errno.ENOSPC, "the command was written in part"))
            self._frames += len(pending) + 1
            self._size += written
            self._unsynced = True
            if pending:
                pending.clear()
                self._pending_size = 0
            if not self._touched:
                self._touched = True
                self._sealer.touched(self)
            if self.durable:
                self._sealer.written(self)
            if self._size >= self._spool_limit:
                self._turn()

    def delivered(self, sequence: int, data: bytes) -> None:
        """Bytes as the client got them, up to the cap per command; buffered. Raises `RecordingError` on a failing or full disk."""
        with self._lock:
            if self._torn or self._sync_error or self._closed or not self._reserve.held:
                self._check()
            if sequence != self._sequence:
                if self._omitted:
                    self._say_omitted()
                self._sequence = sequence
                self._kept = 0
            room = self._cap - self._kept
            length = len(data)
            if length > room:
                self._omitted += length - room
                if room == 0:
                    return
                data, length = data[:room], room
            self._kept += length
            self._buffer(encode_frame(DELIVERED, self._now(), sequence, data))

    def channel_opened(self, channel: int, sequence: int, kind: str, term: str = "") -> None:
        """A channel begins to carry the streams of the command with this sequence; buffered. Raises `RecordingError`."""
        with self._lock:
            self._check()
            self._caps.opened(channel, sequence, terminal=bool(term) or kind in ("shell", "managed_shell"))
            self._buffer(encode_channel_opened(self._now(), sequence, channel, kind, term))

    def stream(self, channel: int, stream: StreamName, data: bytes) -> None:
        """Bytes as the client sent or got them, up to the stream's cap; buffered. Raises `RecordingError` on a failing or full disk."""
        with self._lock:
            if self._torn or self._sync_error or self._closed or not self._reserve.held:
                self._check()
            now, length = self._now(), len(data)
            kept = self._caps.keep(channel, stream, length, now)
            if kept:
                if self._caps.gaps:
                    self._pending += self._gap_frames()
                piece = data if kept == length else data[:kept]
                self._buffer(encode_stream(now, self._caps.sequence(channel), channel, stream, piece))
            else:
                self._touch()

    def window(self, channel: int, columns: int, rows: int) -> None:
        """The size of a channel's terminal from now on; buffered. Raises `RecordingError`."""
        with self._lock:
            self._check()
            now = self._now()
            # A flood of sizes costs as input does, and beyond the cap is counted as input that was not kept.
            if self._caps.keep(channel, StreamName.STDIN, WINDOW_COST, now) < WINDOW_COST:
                self._touch()
                return
            self._buffer(encode_window(now, self._caps.sequence(channel), channel, columns, rows))

    def channel_closed(self, channel: int, status: int | None = None) -> None:
        """A channel carries nothing more; `status` is its program's. Buffered. Raises `RecordingError`."""
        with self._lock:
            self._check_open()
            if self._caps.gaps:
                self._pending += self._gap_frames()
            self._buffer(encode_channel_closed(self._now(), self._caps.closed(channel), channel, status))

    def note(self, kind: str, text: str) -> None:
        """Something that the gateway said or did; buffered with the next command."""
        with self._lock:
            self._check_open()
            self._buffer(encode_note(self._now(), 0, kind, text))

    def ended(self, sequence: int, outcome: str, tag: str, error_class: str, rows: int) -> None:
        """A command's end; buffered."""
        frame = encode_ended(int(self._clock.monotonic() * 1e9), sequence, outcome, tag, error_class, rows)
        with self._lock:
            self._check_open()
            if self._omitted:
                self._say_omitted()
            self._buffer(frame)

    def close(self, reason: str) -> None:
        """End the recording and hand it over for sealing; never raises for the disk: what it could not write is said in the seal."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._omitted:
                self._say_omitted()
            if self._caps.gaps:
                self._pending += self._gap_frames()
            self._pending.append(encode_close(self._now(), reason, lost=self.lost))
            self.reason = reason
            try:
                self._flush()
            except RecordingError:
                # The sealing thread takes what is still pending (small: delivered bytes were dropped) into the recording itself.
                self._pending[-1] = encode_close(self._now(), reason, lost=self.lost)
            self.full.append(FullSpool(self._path, self._frames - self._first, self._size))
            os.close(self._handle)
            self._handle = -1
        self._sealer.hand_over(self)

    def flush(self) -> None:
        """Write what is buffered; from the sealing thread. Raises `RecordingError`."""
        with self._lock:
            self._touched = False
            if self._closed:
                return
            if self._caps.gaps:
                self._pending += self._gap_frames()
            if self._pending:
                self._flush()

    def sync(self) -> None:
        """Make what was written durable; from the sealing or sync thread. Raises `OSError`, and then commands are refused until it works."""
        with self._lock:
            if self._closed or not self._unsynced:
                return
            self._unsynced = False
            handle = os.dup(self._handle)
        try:
            os.fdatasync(handle)
            self._sync_error = ""
        except OSError as error:
            self._sync_error = str(error)
            self._unsynced = True
            raise
        finally:
            os.close(handle)

    def sealable(self) -> tuple[tuple[FullSpool, ...], bool]:
        """The spools that are full, oldest first, and whether the recorder is closed and its last spool among them."""
        with self._lock:
            return tuple(self.full), self._handle < 0

    def take_rest(self) -> list[bytes]:
        """Frames of a closed recorder that never reached the spool."""
        return self._pending

    def _now(self) -> int:
        return int(self._clock.monotonic() * 1e9)

    def _check_open(self) -> None:
        if self._closed:
            raise RecordingError("the recording is closed")

    def _check(self) -> None:
        """Whether something may be written that begins or goes on; repairs what can be repaired. Raises `RecordingError`."""
        self._check_open()
        if self._sync_error:
            raise RecordingError("the recording cannot be synced to disk", detail=self._sync_error)
        if self._torn:
            self._cut()
        if not self._reserve.held and not self._reserve.regain():
            raise RecordingError(
                "the recordings' disk is full", hint="nothing new is started until there is space again"
            )

    def _buffer(self, frame: bytes) -> None:
        self._pending.append(frame)
        self._pending_size += len(frame)
        self._touch()
        if self._pending_size >= BUFFERED:
            self._flush()

    def _touch(self) -> None:
        if not self._touched:
            self._touched = True
            self._sealer.touched(self)

    def _say_omitted(self) -> None:
        """Say how many bytes of the last command were not kept."""
        self._pending.append(encode_omitted(self._now(), self._sequence, self._omitted, lost=False))
        self._omitted = 0

    def _gap_frames(self) -> list[bytes]:
        now = self._now()
        return [
            encode_stream_omitted(now, gap.sequence, gap.channel, gap.stream, gap.count, lost=False)
            for gap in self._caps.take_gaps()
        ]

    def _flush(self) -> None:
        """Write what is pending, in the reserve's space if need be; raises `RecordingError` and drops delivered bytes if it cannot."""
        if not self._pending:
            return
        try:
            if self._torn:
                self._cut()
            self._write(b"".join(self._pending))
        except OSError as error:
            failure = self._failed(error)
            if error.errno in FULL and not self._torn:
                try:
                    self._write(b"".join(self._pending))
                except OSError as again:
                    failure = self._failed(again)
                else:
                    return
            self._drop_delivered()
            raise failure from None
        except RecordingError:
            self._drop_delivered()
            raise
        if self._size >= self._spool_limit and not self._closed:
            self._turn()

    def _write(self, data: bytes) -> None:
        if os.write(self._handle, data) != len(data):
            raise OSError(errno.ENOSPC, "the recording was written in part")
        self._size += len(data)
        self._frames += len(self._pending)
        self._pending.clear()
        self._pending_size = 0
        self._unsynced = True

    def _drop_delivered(self) -> None:
        """Bound what is kept in memory while the disk fails: delivered bytes, and notes when they are many, become a count."""
        self.lost = True
        closing = self._pending.pop() if self._closed else b""
        self._pending[:] = without_bulk(self._pending, self._now(), BUFFERED)
        self._pending += [closing] if closing else []
        self._pending_size = sum(map(len, self._pending))

    def _failed(self, error: OSError) -> RecordingError:
        """After a failed write: leave no torn frame, give up the reserve when the disk is full; answers what to raise."""
        self._torn = True
        if error.errno in FULL:
            self._reserve.release()
        try:
            self._cut()
        except RecordingError as failure:
            return failure
        return RecordingError("the recording cannot be written", detail=str(error))

    def _cut(self) -> None:
        try:
            os.ftruncate(self._handle, self._size)
        except OSError as error:
            raise RecordingError("the recording cannot be repaired", detail=str(error)) from None
        self._torn = False

    def _turn(self) -> None:
        """Begin the next spool and hand the full one over; when that cannot be done now, this one just grows."""
        if not self._sealer.accepts():
            return
        full = FullSpool(self._path, self._frames - self._first, self._size)
        try:
            if self.durable:
                os.fdatasync(self._handle)
            path, handle = self._make_spool(self._number + 1)
        except OSError:
            return
        os.close(self._handle)
        self.full.append(full)
        self._number += 1
        self._path, self._handle = path, handle
        self._sealer.hand_over(self)

    def _make_spool(self, number: int) -> tuple[Path, int]:
        """A new spool with its head; raises `OSError`. Sets the size."""
        path, handle, self._size = new_spool(self._folder, self.session, number, self._frames)
        self._first = self._frames
        return path, handle
