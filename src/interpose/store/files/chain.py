"""The audit chain of one worker and one boot, in files: the port `AuditChain`.

`append` is one write to the operating system; a thread syncs the group at most 100 ms later and signs checkpoints. A write that
fails leaves nothing behind: the file is cut back to its last whole record (or a new segment is begun) before anything
further is appended, and until that works everything is refused. When the disk is full the reserve is given up: what ends
something is still written, what begins something is refused until there is space again.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Event, Lock, Thread
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

ENDS: Final = frozenset(
    {
        AuditKind.COMMAND_ENDED,
        AuditKind.SESSION_CLOSED,
        AuditKind.SESSION_SEALED,
        AuditKind.RECORDING_CHUNK,
        AuditKind.APPROVAL_CLOSED,
        AuditKind.TOKEN_REVOKED,
        AuditKind.GATEWAY_STOPPED,
    }
)
"""The kinds that end or take away something: written even when the disk is full, in the reserve's space."""

_RETRY_AFTER: Final = 1.0


@dataclass(frozen=True, slots=True)
class ChainOptions:
    """How a chain is kept. Times in seconds, sizes in bytes.

    `checkpoint_copy` is a second folder for the checkpoints, best on another machine: the chain shows alteration by whoever owns
    this one only up to the last checkpoint that left it.
    """

    sync_within: float = 0.1
    checkpoint_after: float = 60.0
    checkpoint_entries: int = 1000
    segment_size: int = 64 * 1024 * 1024
    checkpoint_copy: Path | None = None


@dataclass(slots=True)
class _Waiter:
    """Somebody who waits for durability; `done` gets None or the error, in the sync thread."""

    done: Callable[[RecordingError | None], None]


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


@dataclass(slots=True)
class _Progress:
    """What the sync thread has reached."""

    synced: int = 0
    checkpointed: int = 0
    checkpointed_at: float = 0.0
    checkpoint_error: str = ""
    old: list[SegmentFile] = field(default_factory=list)


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
        options: ChainOptions = ChainOptions(),
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
        self._sync_lock = Lock()
        self._wake = Event()
        self._urgent = Event()
        self._size = 0
        self._chain = GENESIS
        self._prev = GENESIS.hex()
        self._leaves: list[bytes] = []
        self._waiters: list[_Waiter] = []
        self._hooks: list[Callable[[], None]] = []
        self._trouble = ""
        self._sync_error = ""
        self._dirty = False
        self._closed = False
        self._progress = _Progress(checkpointed_at=clock.monotonic())
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
        self._checkpoints = CheckpointLog(folder, self.name, key, options.checkpoint_copy)
        fields: dict[str, AuditValue] = dict(started or {})
        fields["previous"] = tuple(map(str, heads))
        fields["unreadable"] = unreadable
        self._thread = Thread(target=self._run, name=f"audit-sync-{boot}", daemon=True)
        self.append(AuditEvent(AuditKind.GATEWAY_STARTED, fields=fields))
        self._thread.start()

    def append(self, event: AuditEvent) -> int:
        """Write to the operating system and answer the sequence number.

        Raises `RecordingError` when it cannot, and then nothing of the event is in the chain.
        """
        clock = self._clock
        with self._lock:
            if self._trouble or self._sync_error or self._closed or not self._reserve.held:
                self._check(event.kind)
            sequence = self._size
            line = encode_event(
                seq=sequence,
                ts=int(clock.wall() * 1_000_000),
                mono=int(clock.monotonic() * 1_000_000),
                node=self._node,
                boot=self._boot,
                kind=event.kind.value,
                session=event.session,
                actor=event.actor,
                fields=event.fields,
                prev=self._prev,
            )
            record = line + b"\n"
            try:
                written = os.write(self._segment.handle, record)
            except OSError as error:
                self._failed(error, event.kind, record)
            else:
                if written != len(record):
                    self._failed(OSError(errno.ENOSPC, "the record was written in part"), event.kind, record)
            segment = self._segment
            segment.size += len(record)
            leaf = sha256(b"\x00" + line).digest()
            chain = sha256(self._chain + leaf).digest()
            self._chain = chain
            self._prev = chain.hex()
            self._leaves.append(leaf)
            self._size = sequence + 1
            if segment.size >= self._options.segment_size:
                self._begin_segment()
            if not self._dirty:
                self._dirty = True
                self._wake.set()
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
            self._waiters.append(_Waiter(done))
            self._urgent.set()
            self._wake.set()
        await future

    def on_sync(self, hook: Callable[[], None]) -> None:
        """Have `hook` called in the sync thread whenever somebody waits for durability; it raises `OSError` when it fails."""
        self._hooks.append(hook)

    def head(self) -> ChainHead:
        """How far the chain has come."""
        with self._lock:
            return ChainHead(self.name, self._size, self._prev)

    def state(self) -> ChainState:
        """How the chain is, for health and metrics."""
        progress = self._progress
        with self._lock:
            return ChainState(
                self._size,
                progress.synced,
                progress.checkpointed,
                self._trouble or self._sync_error,
                progress.checkpoint_error,
                self._checkpoints.copy_error,
                not self._reserve.held,
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
            self._wake.set()
            self._urgent.set()
        self._thread.join()
        self._sync_group(last=True)
        with self._lock:
            for segment in (self._first, *self._progress.old, self._segment):
                segment.close()
        problem = self._sync_error or self._progress.checkpoint_error
        if error is not None or problem:
            raise error or RecordingError("the audit chain could not be closed in order", detail=problem)

    def _check_open(self) -> None:
        if self._closed:
            raise RecordingError("the audit chain is closed")

    def _check(self, kind: AuditKind) -> None:
        """Whether this kind may be appended now; repairs what can be repaired. Raises `RecordingError`."""
        self._check_open()
        if self._sync_error:
            raise RecordingError(
                "the audit chain cannot be written", detail=self._sync_error, hint="ask an operator to check its disk"
            )
        if self._segment.torn:
            self._repair()
        self._trouble = ""
        if not self._reserve.held and kind not in ENDS and not self._reserve.regain():
            raise RecordingError(
                "the audit chain's disk is full", hint="nothing new is started until there is space again"
            )

    def _failed(self, error: OSError, kind: AuditKind, record: bytes) -> None:
        """After a failed write: leave no torn record, and try once more if this may use the reserve. Raises `RecordingError`."""
        self._segment.torn = True
        self._trouble = str(error)
        if error.errno in FULL:
            self._reserve.release()
        self._repair()
        if error.errno in FULL and kind in ENDS:
            try:
                if os.write(self._segment.handle, record) == len(record):
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
        self._progress.old.append(self._segment)
        self._segment = segment
        return True

    def _run(self) -> None:
        """The sync thread."""
        try:
            while not self._closed:
                self._wake.wait(self._pause())
                self._wake.clear()
                if not self._waiters and not self._closed:
                    self._urgent.wait(self._options.sync_within)
                self._urgent.clear()
                self._sync_group()
        finally:
            if not self._closed:
                # INVARIANT: nothing is appended that nobody would sync.
                self._sync_error = "the sync thread has ended"

    def _pause(self) -> float | None:
        """How long there is nothing to do unless somebody wakes the thread; None for ever."""
        if self._sync_error or self._progress.checkpoint_error:
            return _RETRY_AFTER
        if self._progress.checkpointed == self._size:
            return None
        elapsed = self._clock.monotonic() - self._progress.checkpointed_at
        return max(0.0, self._options.checkpoint_after - elapsed)

    def _sync_group(self, *, last: bool = False) -> None:
        """Sync what was appended so far, tell who waits, sign a checkpoint when one is due."""
        with self._sync_lock:
            with self._lock:
                size, chain, leaves = self._size, self._chain, len(self._leaves)
                current, length, old = self._segment, self._segment.size, list(self._progress.old)
                waiters, self._waiters = self._waiters, []
                self._dirty = False
            failure: RecordingError | None = None
            try:
                for index, segment in enumerate(old):
                    following = old[index + 1] if index + 1 < len(old) else current
                    segment.sync(segment.size, following.synced_chain)
                if current.synced != length or current.suspect:
                    current.sync(length, chain)
            except OSError as error:
                self._sync_error = str(error)
                failure = RecordingError("the audit chain could not be synced to disk", detail=str(error))
            else:
                self._settle(old, size)
            if waiters:
                failure = failure or self._call_hooks()
                for waiter in waiters:
                    waiter.done(failure)
            if not self._sync_error:
                self._checkpoint(size, chain, leaves, last=last)

    def _call_hooks(self) -> RecordingError | None:
        """Have what else must be durable synced as well; the error, if it was not."""
        try:
            for hook in self._hooks:
                hook()
        except OSError as error:
            return RecordingError("the recording could not be synced to disk", detail=str(error))
        return None

    def _settle(self, old: list[SegmentFile], size: int) -> None:
        """After a good sync: close the segments that are full and on disk, and admit appends again."""
        with self._lock:
            for segment in old:
                self._progress.old.remove(segment)
                if segment is not self._first:
                    segment.close()
            self._progress.synced = size
            self._sync_error = ""

    def _checkpoint(self, size: int, chain: bytes, leaves: int, *, last: bool) -> None:
        """Sign what is on disk, when it is time to."""
        progress, options = self._progress, self._options
        now = self._clock.monotonic()
        fresh = size - progress.checkpointed
        due = fresh >= options.checkpoint_entries or now - progress.checkpointed_at >= options.checkpoint_after
        if not fresh or not (due or last or progress.checkpoint_error):
            return
        with self._lock:
            hashes = self._leaves[:leaves]
            del self._leaves[:leaves]
        try:
            self._checkpoints.write(hashes, chain.hex(), int(self._clock.wall() * 1_000_000))
        except OSError as error:
            if error.errno in FULL:
                self._reserve.release()
            progress.checkpoint_error = str(error)
            return
        progress.checkpointed, progress.checkpointed_at, progress.checkpoint_error = size, now, ""
