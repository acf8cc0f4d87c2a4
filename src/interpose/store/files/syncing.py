"""The sync thread of an audit chain: group `fdatasync`, whoever waits for it, and signed checkpoints of what is on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final, Protocol

from interpose.engine.ports import Clock
from interpose.model.errors import RecordingError
from interpose.store.files.checkpoints import CheckpointLog
from interpose.store.files.reserve import FULL, Reserve
from interpose.store.files.segments import SegmentFile

_RETRY_AFTER: Final = 1.0

Done = Callable[[RecordingError | None], None]
"""Called in the sync thread with None or the error."""


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


@dataclass(frozen=True, slots=True)
class Unsynced:
    """A chain at one moment: how long, its value, how many entries no checkpoint covers, and its files."""

    size: int
    chain: bytes
    leaves: int
    old: tuple[SegmentFile, ...]
    current: SegmentFile
    length: int


class SyncedChain(Protocol):
    """What the thread needs from the chain that it syncs."""

    def snapshot(self) -> Unsynced:
        """The chain now, with all that was appended written; raises `RecordingError`."""
        ...

    def settle(self, old: Sequence[SegmentFile]) -> None:
        """These full segments are on disk."""
        ...

    def take_leaves(self, count: int) -> list[bytes]:
        """Hashes for the next checkpoint."""
        ...


class ChainSync:
    """Syncs one chain at most `sync_within` after an append, at once when somebody waits.

    `error` is not empty from a failed sync until one succeeds (tried every second): nothing may be appended meanwhile.
    """

    def __init__(
        self, chain: SyncedChain, checkpoints: CheckpointLog, *, clock: Clock, reserve: Reserve, options: ChainOptions
    ) -> None:
        """The thread runs from `start` to `stop`."""
        self.hooks: list[Callable[[], None]] = []
        self.dirty = False
        self.error = ""
        self.checkpoint_error = ""
        self.synced = 0
        self.checkpointed = 0
        self._chain = chain
        self._checkpoints = checkpoints
        self._clock = clock
        self._reserve = reserve
        self._options = options
        self._checkpointed_at = clock.monotonic()
        self._lock = Lock()
        self._waiters: list[Done] = []
        self._wake = Event()
        self._urgent = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name="audit-sync", daemon=True)

    @property
    def copy_error(self) -> str:
        """Why the last checkpoint could not be copied; empty when it could."""
        return self._checkpoints.copy_error

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def touch(self) -> None:
        """Something was appended."""
        self.dirty = True
        self._wake.set()

    def wait(self, done: Done) -> None:
        """Have `done` called when everything appended so far is on disk."""
        with self._lock:
            self._waiters.append(done)
        self._urgent.set()
        self._wake.set()

    def stop(self) -> None:
        """End the thread, sync a last time and sign the last checkpoint."""
        self._stopping = True
        self._wake.set()
        self._urgent.set()
        self._thread.join()
        self._sync(last=True)

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.wait(self._pause())
                self._wake.clear()
                if not self._waiters and not self._stopping:
                    self._urgent.wait(self._options.sync_within)
                self._urgent.clear()
                self._sync()
        finally:
            if not self._stopping:
                # INVARIANT: nothing is appended that nobody would sync.
                self.error = "the sync thread has ended"

    def _pause(self) -> float | None:
        """How long there is nothing to do unless somebody wakes the thread; None for ever."""
        if self.error or self.checkpoint_error:
            return _RETRY_AFTER
        if self.checkpointed == self.synced:
            return None
        return max(0.0, self._options.checkpoint_after - (self._clock.monotonic() - self._checkpointed_at))

    def _sync(self, *, last: bool = False) -> None:
        """Sync what was appended so far, tell who waits, sign a checkpoint when one is due."""
        with self._lock:
            waiters, self._waiters = self._waiters, []
        failure: RecordingError | None = None
        try:
            now = self._chain.snapshot()
        except RecordingError as error:
            self.error = error.detail or str(error)
            for done in waiters:
                done(error)
            return
        try:
            for index, segment in enumerate(now.old):
                following = now.old[index + 1] if index + 1 < len(now.old) else now.current
                segment.sync(segment.size, following.synced_chain)
            if now.current.synced != now.length or now.current.suspect:
                now.current.sync(now.length, now.chain)
        except OSError as error:
            self.error = str(error) or type(error).__name__
            failure = RecordingError("the audit chain could not be synced to disk", detail=self.error)
        else:
            self._chain.settle(now.old)
            self.synced = now.size
            self.error = ""
        if waiters:
            failure = failure or self._call_hooks()
            for done in waiters:
                done(failure)
        if not self.error:
            self._checkpoint(now, last=last)

    def _call_hooks(self) -> RecordingError | None:
        """Have what else must be durable synced as well; the error, if it was not."""
        try:
            for hook in self.hooks:
                hook()
        except OSError as error:
            return RecordingError("the recording could not be synced to disk", detail=str(error))
        return None

    def _checkpoint(self, now: Unsynced, *, last: bool) -> None:
        """Sign what is on disk, when it is time to."""
        time = self._clock.monotonic()
        fresh = now.size - self.checkpointed
        due = (
            fresh >= self._options.checkpoint_entries
            or time - self._checkpointed_at >= self._options.checkpoint_after
            or bool(self.checkpoint_error)
        )
        if not fresh or not (due or last):
            return
        hashes = self._chain.take_leaves(now.leaves)
        try:
            self._checkpoints.write(hashes, now.chain.hex(), int(self._clock.wall() * 1_000_000))
        except OSError as error:
            if error.errno in FULL:
                self._reserve.release()
            self.checkpoint_error = str(error) or type(error).__name__
            return
        self.checkpointed, self._checkpointed_at, self.checkpoint_error = now.size, time, ""
