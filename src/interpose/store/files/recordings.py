"""All recordings of one worker: opens them, and seals them in a thread off the hot path. The port `Recordings`.

The thread turns full and closed spools into chunks, writes what sessions left buffered within about a second, and syncs
spools. On a slow disk spools grow and sessions wait for their writes; nothing is dropped. A spool that cannot be sealed (full disk)
is tried again every second, and at the next start when the worker dies before.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Final

from interpose.engine.ports import Clock, SessionHeader
from interpose.model.errors import RecordingError
from interpose.recording.container import RecordingFormatError, new_compress
from interpose.recording.header import RecordingHeader, encode_header
from interpose.store.files.chain import FileAuditChain
from interpose.store.files.layout import LIVE, OWNER_LOCK, recording_path, safe_name, sync_folder
from interpose.store.files.locks import lock
from interpose.store.files.recorder import FileSessionRecorder
from interpose.store.files.recording_file import RecordingFile
from interpose.store.files.reserve import Reserve

_TICK: Final = 1.0

PEER_LOST: Final = frozenset({"peer_lost", "upstream_closed"})
"""Close reasons after which a recording is `truncated(peer)`: one side vanished without a word."""


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """How sessions are recorded. Sizes in bytes.

    `delivered_cap` is how much of what a command delivered is kept, and of each of its streams; `terminal_cap` how much of each
    stream of a terminal in an hour; `backlog` is how many sessions may wait for sealing before
    spools are left to grow, `closed_backlog` how many closed ones before no new session is opened.
    """

    delivered_cap: int = 256 * 1024
    terminal_cap: int = 64 * 1024 * 1024
    spool_size: int = 1 << 20
    backlog: int = 64
    closed_backlog: int = 20_000


@dataclass(frozen=True, slots=True)
class RecordingsState:
    """How sealing goes, for health and metrics. `trouble` is empty when all is well."""

    waiting: int
    sealed: int
    trouble: str


class FileRecordings:
    """The recordings of the worker that writes `chain`."""

    def __init__(
        self,
        folder: Path,
        *,
        node: str,
        boot: str,
        clock: Clock,
        chain: FileAuditChain,
        reserve: Reserve,
        options: RecordingOptions = RecordingOptions(),
        gateway: str = "",
    ) -> None:
        """`gateway` is the version that headers name. Raises `RecordingError` when the folder cannot be made."""
        self._folder = folder
        self._node = node
        self._boot = boot
        self._clock = clock
        self._chain = chain
        self._reserve = reserve
        self._options = options
        self._gateway = gateway
        self._compress = new_compress()
        self._jobs: SimpleQueue[FileSessionRecorder | None] = SimpleQueue()
        self._retry: deque[FileSessionRecorder] = deque()
        self._touched: list[FileSessionRecorder] = []
        self._durable: set[FileSessionRecorder] = set()
        self._touch_lock = Lock()
        self._new_names = False
        self._sealed = 0
        self._trouble = ""
        self._ticked = monotonic()
        self._live = folder / LIVE / safe_name(f"{node}-{boot}", "name of a worker")
        try:
            self._owner = _own(self._live)
        except OSError as error:
            raise RecordingError("the recordings' folder cannot be used", detail=str(error)) from None
        chain.on_sync(self._sync_durable)
        self._thread = Thread(target=self._run, name=f"recording-seal-{boot}", daemon=True)
        self._thread.start()

    def open(self, header: SessionHeader) -> FileSessionRecorder:
        """Begin a recording; its header is written to the operating system before this returns. Raises `RecordingError`."""
        session = safe_name(header.session, "id of a session")
        if not self._reserve.held and not self._reserve.regain():
            raise RecordingError(
                "the recordings' disk is full", hint="nothing new is started until there is space again"
            )
        if self._jobs.qsize() + len(self._retry) > self._options.closed_backlog:
            raise RecordingError(
                "recordings cannot be sealed as fast as sessions end", hint="ask an operator to check the disk"
            )
        opened_at = int(header.opened_at * 1_000_000)
        payload = encode_header(
            RecordingHeader(
                session=session,
                principal=header.principal,
                connection=header.connection,
                protocol=header.protocol,
                source=header.source,
                opened_at=opened_at,
                mono=int(self._clock.monotonic() * 1e9),
                node=self._node,
                boot=self._boot,
                gateway=self._gateway,
                details=header.details,
            )
        )
        recording = RecordingFile(
            recording_path(self._folder, session, opened_at), header.session, self._chain, self._compress
        )
        try:
            recorder = FileSessionRecorder(
                header,
                payload,
                folder=self._live,
                recording=recording,
                sealer=self,
                clock=self._clock,
                reserve=self._reserve,
                cap=self._options.delivered_cap,
                terminal_cap=self._options.terminal_cap,
                spool_limit=self._options.spool_size,
            )
        except OSError as error:
            raise RecordingError("the recording cannot be begun", detail=str(error)) from None
        self._new_names = True
        self.touched(recorder)
        return recorder

    def state(self) -> RecordingsState:
        """How sealing goes."""
        trouble = self._trouble if self._thread.is_alive() else "the sealing thread has ended"
        if not trouble and not self._reserve.held and not self._reserve.regain():
            trouble = "the recordings' disk is full"
        return RecordingsState(self._jobs.qsize() + len(self._retry), self._sealed, trouble)

    def close(self) -> None:
        """Seal what is handed over and stop; call before the chain is closed and after the sessions were.

        Raises `RecordingError` when something could not be sealed; it stays in the live folder for the next start.
        """
        self._jobs.put(None)
        self._thread.join()
        self._seal_again()
        left = bool(self._retry)
        if not left:
            (self._live / OWNER_LOCK).unlink()
            left = any(self._live.iterdir())
            if not left:
                self._live.rmdir()
        os.close(self._owner)
        if left:
            raise RecordingError(
                "some recordings are not sealed", detail=self._trouble, hint="the next start seals them"
            )

    def touched(self, recorder: FileSessionRecorder) -> None:
        """A recorder has something buffered or not yet synced."""
        with self._touch_lock:
            self._touched.append(recorder)

    def written(self, recorder: FileSessionRecorder) -> None:
        """A durable recorder wrote a command: whoever waits for durability waits for it too."""
        with self._touch_lock:
            self._durable.add(recorder)

    def accepts(self) -> bool:
        """Whether full spools may be handed over now."""
        return self._jobs.qsize() < self._options.backlog

    def hand_over(self, recorder: FileSessionRecorder) -> None:
        """A recorder has full spools or is closed."""
        self._jobs.put(recorder)

    def _run(self) -> None:
        """The sealing thread."""
        while True:
            try:
                job = self._jobs.get(timeout=max(0.01, self._ticked + _TICK - monotonic()))
            except Empty:
                self._tick()
                continue
            if job is None:
                return
            self._try_to_seal(job)
            if monotonic() - self._ticked >= _TICK:
                self._tick()

    def _tick(self) -> None:
        """Once a second: write what is buffered, sync spools, try again what could not be sealed."""
        self._ticked = monotonic()
        with self._touch_lock:
            recorders, self._touched = self._touched, []
        trouble = ""
        for recorder in recorders:
            try:
                recorder.flush()
                recorder.sync()
            except (RecordingError, OSError) as error:
                trouble = str(error)
                self.touched(recorder)
        try:
            if self._new_names:
                self._new_names = False
                sync_folder(self._live)
        except OSError as error:
            trouble = str(error)
        self._trouble = trouble
        self._seal_again()

    def _seal_again(self) -> None:
        for _ in range(len(self._retry)):
            self._try_to_seal(self._retry.popleft())

    def _try_to_seal(self, recorder: FileSessionRecorder) -> None:
        try:
            self._seal(recorder)
        except (RecordingError, RecordingFormatError, OSError) as error:
            self._trouble = str(error)
            self._retry.append(recorder)

    def _seal(self, recorder: FileSessionRecorder) -> None:
        """Turn a recorder's full spools into chunks and, when it is closed, seal the recording."""
        recording = recorder.recording
        if recording.trailer is not None:
            return
        spools, closed = recorder.sealable()
        # INVARIANT: a recording that is not sealed has a spool, or a crash would leave it unsealed for ever.
        for spool in spools[:-1] if closed else spools:
            recording.absorb_whole(spool.path, spool.frames, spool.size)
            spool.path.unlink()
            recorder.full.remove(spool)
        if not closed:
            return
        last = spools[-1]
        recording.absorb_whole(last.path, last.frames, last.size)
        rest = recorder.take_rest()
        recording.append(rest)
        rest.clear()
        reason = recorder.reason or ""
        state = "truncated(disk)" if recorder.lost else "truncated(peer)" if reason in PEER_LOST else "complete"
        recording.seal(state, reason)
        last.path.unlink()
        self._sealed += 1
        with self._touch_lock:
            self._durable.discard(recorder)

    def _sync_durable(self) -> None:
        """Called when somebody waits for the chain's durability: sync the commands of sessions that asked for it."""
        with self._touch_lock:
            recorders, self._durable = self._durable, set()
        for recorder in recorders:
            try:
                recorder.sync()
            except OSError:
                self.written(recorder)
                raise


def _own(live: Path) -> int:
    """Make a worker's live folder, locked before anybody can see it; answers the handle that holds the lock. Raises `OSError`."""
    temporary = live.with_name(f".{live.name}")
    temporary.mkdir(parents=True, mode=0o700)
    handle = os.open(temporary / OWNER_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    lock(handle)
    try:
        temporary.rename(live)
    except OSError:
        os.close(handle)
        (temporary / OWNER_LOCK).unlink()
        temporary.rmdir()
        raise
    return handle
