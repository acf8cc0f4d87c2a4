"""The audit chain of one worker and one boot, in files: the port `AuditChain`.

`append` is one write to the operating system; a thread syncs the group at most 100 ms later and signs checkpoints. The end of a
command, which nothing waits for, is kept and written with the next event, or by that thread. A write that fails leaves nothing behind: the file is cut back to its last whole record (or a new segment is begun) before anything
further is appended, and until that works everything is refused. When the disk is full the reserve is given up: what ends
something is still written, what begins something is refused until there is space again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final

from interpose.engine.ports import Clock
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import RecordingError
from interpose.recording.canonical import encode_event
from interpose.recording.chain import GENESIS, ChainHead
from interpose.recording.checkpoint import SigningKey
from interpose.store.files.checkpoints import CheckpointLog
from interpose.store.files.heads import abandoned_heads
from interpose.store.files.layout import safe_name, segment_path
from interpose.store.files.reserve import FULL, Reserve
from interpose.store.files.segments import SegmentFile
from interpose.store.files.syncing import ChainOptions, ChainSync, Unsynced

ENDS: Final = frozenset(
    {
        AuditKind.COMMAND_ENDED,
        AuditKind.SESSION_CLOSED,
        AuditKind.SESSION_SEALED,
        AuditKind.RECORDING_CHUNK,
        AuditKind.APPROVAL_CLOSED,
        AuditKind.TOKEN_REVOKED,
        AuditKind.PRINCIPAL_DISABLED,
        AuditKind.GATEWAY_STOPPED,
    }
)
"""The kinds that end or take away something: written even when the disk is full, in the reserve's space."""

_KEPT: Final = 256
"""Ends of commands that may be kept in memory before they are written."""

Entry = tuple[AuditEvent, int, int]
"""An event with its times: wall clock and monotonic, whole microseconds."""


@dataclass(frozen=True, slots=True)
class ChainState:
    """How the chain is, for health and metrics. `trouble` is empty when all is well."""

    size: int
    synced: int
    checkpointed: int
    trouble: str
    checkpoint_error: str
    copy_error: str
    full: bool


class FileAuditChain:
    """The one writer of the chain `<node>-<boot>`. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        *,
        node: str,
        boot: str,
        clock: Clock,
        key: SigningKey,
        reserve: Reserve,
        options: ChainOptions = ChainOptions(),  # noqa: B008
        started: Mapping[str, AuditValue] | None = None,
    ) -> None:
        """Begin the chain with `gateway.started`, which names the ends of earlier boots' chains; `started` are more fields.

        `boot` must be new at every start. Raises `RecordingError` when the chain exists or cannot be written.
        """
        self.name = safe_name(f"{node}-{boot}", "name of a chain")
        self._folder = folder
        self._node = node
        self._boot = boot
        self._clock = clock
        self._reserve = reserve
        self._options = options
        self._lock = Lock()
        self._size = 0
        self._chain = GENESIS
        self._prev = GENESIS.hex()
        self._leaves: list[bytes] = []
        self._kept: list[Entry] = []
        self._old: list[SegmentFile] = []
        self._trouble = ""
        self._closed = False
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            heads, unreadable = abandoned_heads(folder)
            if options.checkpoint_copy is not None:
                options.checkpoint_copy.mkdir(parents=True, exist_ok=True)
            # INVARIANT: the first segment stays open, and locked, as long as the chain has a writer.
            self._first = self._segment = SegmentFile.create(segment_path(folder, self.name, 0), GENESIS)
        except OSError as error:
            raise RecordingError("the audit chain cannot be begun", detail=str(error)) from None
        self._number = 0
        checkpoints = CheckpointLog(folder, self.name, key, options.checkpoint_copy)
        self._syncing = ChainSync(self, checkpoints, clock=clock, reserve=reserve, options=options)
        fields: dict[str, AuditValue] = dict(started or {})
        fields["previous"] = tuple(map(str, heads))
        fields["unreadable"] = unreadable
        self.append(AuditEvent(AuditKind.GATEWAY_STARTED, fields=fields))
        self._syncing.start()

    def append(self, event: AuditEvent) -> int:
        """Write to the operating system and answer the sequence number.

        The end of a command may be kept until the next append, or until the next sync; it has its place in the order all the same.
        Raises `RecordingError` when it cannot be written, and then nothing of the event is in the chain.
        """
        clock, syncing, kind = self._clock, self._syncing, event.kind
        with self._lock:
            may_keep = kind is AuditKind.COMMAND_ENDED
            if self._trouble or syncing.error or self._closed or not self._reserve.held:
                # INVARIANT: while writing fails nothing more is kept: whoever appends is told.
                may_keep = may_keep and not self._trouble
                self._check(kind)
            entry = (event, int(clock.wall() * 1_000_000), int(clock.monotonic() * 1_000_000))
            kept = self._kept
            sequence = self._size + len(kept)
            if may_keep and len(kept) < _KEPT:
                kept.append(entry)
            elif kept:
                self._write_kept(entry)
            else:
                self._write((entry,))
            if not syncing.dirty:
                syncing.touch()
        return sequence

    async def sync(self) -> None:
        """Return when everything appended so far is on disk; raises `RecordingError`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def settle(error: RecordingError | None) -> None:
            if future.cancelled():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        def done(error: RecordingError | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, error)

        with self._lock:
            self._check_open()
            self._syncing.wait(done)
        await future

    def on_sync(self, hook: Callable[[], None]) -> None:
        """Have `hook` called in the sync thread whenever somebody waits for durability; it raises `OSError` when it fails."""
        self._syncing.hooks.append(hook)

    def head(self) -> ChainHead:
        """How far the chain has come."""
        with self._lock:
            return ChainHead(self.name, self._size, self._prev)

    def state(self) -> ChainState:
        """How the chain is, for health and metrics."""
        syncing = self._syncing
        with self._lock:
            return ChainState(
                size=self._size,
                synced=syncing.synced,
                checkpointed=syncing.checkpointed,
                trouble=self._trouble or syncing.error,
                checkpoint_error=syncing.checkpoint_error,
                copy_error=syncing.copy_error,
                full=not self._reserve.held,
            )

    def close(self, fields: Mapping[str, AuditValue] | None = None) -> None:
        """Append `gateway.stopped`, sync, sign the last checkpoint. Raises `RecordingError`; the files are closed all the same."""
        error: RecordingError | None = None
        try:
            self.append(AuditEvent(AuditKind.GATEWAY_STOPPED, fields=fields or {}))
        except RecordingError as failure:
            error = failure
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._syncing.stop()
        with self._lock:
            for segment in (self._first, *self._old, self._segment):
                segment.close()
        problem = self._syncing.error or self._syncing.checkpoint_error
        if error is not None or problem:
            raise error or RecordingError("the audit chain could not be closed in order", detail=problem)

    def snapshot(self) -> Unsynced:
        """What the sync thread is to make durable now; later appends are for the next time.

        What was kept is written first; raises `RecordingError` when that fails.
        """
        with self._lock:
            self._syncing.dirty = False
            if self._kept:
                if self._segment.torn:
                    self._repair()
                self._write(tuple(self._kept))
                self._kept.clear()
                self._trouble = ""
            return Unsynced(
                self._size, self._chain, len(self._leaves), tuple(self._old), self._segment, self._segment.size
            )

    def settle(self, old: Sequence[SegmentFile]) -> None:
        """These full segments are on disk: they are closed."""
        with self._lock:
            for segment in old:
                self._old.remove(segment)
                if segment is not self._first:
                    segment.close()

    def take_leaves(self, count: int) -> list[bytes]:
        """The hashes of the oldest entries that no checkpoint covers; they are handed out once."""
        with self._lock:
            hashes = self._leaves[:count]
            del self._leaves[:count]
        return hashes

    def _check_open(self) -> None:
        if self._closed:
            raise RecordingError("the audit chain is closed")

    def _check(self, kind: AuditKind) -> None:
        """Whether this kind may be appended now; repairs what can be repaired. Raises `RecordingError`."""
        self._check_open()
        if self._syncing.error:
            raise RecordingError(
                "the audit chain cannot be written",
                detail=self._syncing.error,
                hint="ask an operator to check its disk",
            )
        if self._segment.torn:
            self._repair()
        self._trouble = ""
        if not self._reserve.held and kind not in ENDS and not self._reserve.regain():
            raise RecordingError(
                "the audit chain's disk is full", hint="nothing new is started until there is space again"
            )

    def _write_kept(self, entry: Entry) -> None:
        """Write what was kept with an event behind it. Raises `RecordingError`: then the event is not in the chain.

        INVARIANT: what was kept is in the chain before anything that was appended after it.
        """
        kept = self._kept
        try:
            self._write((*kept, entry))
        except RecordingError:
            if not self._segment.torn and entry[0].kind not in ENDS:
                # There may be room in the reserve for what ends something.
                with contextlib.suppress(RecordingError):
                    self._write(tuple(kept))
                    kept.clear()
            raise
        kept.clear()

    def _write(self, entries: Sequence[Entry]) -> None:
        """Chain these events and write them with one call; raises `RecordingError`, and then the chain is as it was."""
        sequence, chain, prev = self._size, self._chain, self._prev
        records: list[bytes] = []
        leaves: list[bytes] = []
        for event, wall, monotonic in entries:
            line = encode_event(
                seq=sequence,
                ts=wall,
                mono=monotonic,
                node=self._node,
                boot=self._boot,
                kind=event.kind._value_,
                session=event.session,
                actor=event.actor,
                fields=event.fields,
                prev=prev,
            )
            leaf = sha256(b"\x00" + line).digest()
            chain = sha256(chain + leaf).digest()
            prev = chain.hex()
            leaves.append(leaf)
            records.append(line)
            sequence += 1
        records.append(b"")
        data = b"\n".join(records)
        try:
            written = os.write(self._segment.handle, data)
        except OSError as error:
            self._failed(error, entries, data)
        else:
            if written != len(data):
                self._failed(OSError(errno.ENOSPC, "the record was written in part"), entries, data)
        segment = self._segment
        segment.size += len(data)
        self._chain, self._prev, self._size = chain, prev, sequence
        self._leaves += leaves
        if segment.size >= self._options.segment_size:
            self._begin_segment()

    def _failed(self, error: OSError, entries: Sequence[Entry], data: bytes) -> None:
        """After a failed write: leave no torn record, and try once more if this may use the reserve. Raises `RecordingError`."""
        self._segment.torn = True
        self._trouble = str(error)
        if error.errno in FULL:
            self._reserve.release()
        self._repair()
        if error.errno in FULL and all(event.kind in ENDS for event, _, _ in entries):
            try:
                if os.write(self._segment.handle, data) == len(data):
                    self._trouble = ""
                    return
            except OSError as again:
                self._trouble = str(again)
            self._segment.torn = True
            self._repair()
        raise RecordingError("the audit chain cannot be written", detail=self._trouble)

    def _repair(self) -> None:
        """Cut the segment back, or begin a new one; raises `RecordingError` when neither works."""
        try:
            self._segment.cut()
        except OSError as error:
            if not self._begin_segment():
                raise RecordingError("the audit chain cannot be repaired", detail=str(error)) from None

    def _begin_segment(self) -> bool:
        """Go on in a new file; False (and the old one goes on) when it cannot be made."""
        try:
            segment = SegmentFile.create(segment_path(self._folder, self.name, self._number + 1), self._chain)
        except (OSError, RecordingError):
            return False
        self._number += 1
        self._old.append(self._segment)
        self._segment = segment
        return True
