"""After a crash: the spools that dead workers left are sealed as far as they go. Living workers are not touched.

Can be run again at any time: what is sealed is not sealed twice, what could not be sealed stays for the next run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from interpose.engine.ports import AuditChain
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import RecordingError
from interpose.model.ids import SessionId
from interpose.recording.container import SPOOL_HEAD, Compress, RecordingFormatError, new_compress
from interpose.recording.frames import HEADER, FrameError, read_frames
from interpose.recording.header import decode_header
from interpose.store.files.layout import LIVE, OWNER_LOCK, RECORDING_SUFFIX, recording_path, spools
from interpose.store.files.locks import Abandoned
from interpose.store.files.recording_file import RecordingFile
from interpose.store.files.recordings import PEER_LOST


@dataclass(frozen=True, slots=True)
class RecoveredSession:
    """One orphan that was sealed. `torn` is how many bytes of torn frames were cut off."""

    session: SessionId
    worker: str
    state: str
    frames: int
    torn: int


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a recovery did. `problems` has one sentence for each thing that could not be done, `living` are the workers that it left alone."""

    sessions: tuple[RecoveredSession, ...]
    workers: tuple[str, ...]
    problems: tuple[str, ...]
    living: tuple[str, ...] = ()


def recover(folder: Path, chain: AuditChain) -> RecoveryReport:
    """Seal the orphans under a recordings folder; their hashes and seals go to `chain`, the caller's own.

    Nothing that goes wrong with one session stops the others; it is named in `problems`.
    """
    sessions: list[RecoveredSession] = []
    workers: list[str] = []
    living: list[str] = []
    problems: list[str] = []
    compress = new_compress()
    live = folder / LIVE
    for worker in sorted(live.iterdir()) if live.is_dir() else ():
        if worker.name.startswith(".") or not worker.is_dir():
            continue
        try:
            with Abandoned(worker / OWNER_LOCK) as old:
                if not old.taken:
                    living.append(worker.name)
                    continue
                workers.append(worker.name)
                for session, paths in spools(worker).items():
                    try:
                        sessions.append(
                            _recover_session(folder, worker.name, SessionId(session), paths, chain, compress, problems)
                        )
                    except (OSError, RecordingError, RecordingFormatError) as error:
                        problems.append(f"session `{session}` of `{worker.name}` is not sealed: {error}")
                _remove(worker)
        except OSError as error:
            problems.append(f"the folder `{worker.name}` is not cleared: {error}")
    return RecoveryReport(tuple(sessions), tuple(workers), tuple(problems), tuple(living))


def _recover_session(
    folder: Path,
    worker: str,
    session: SessionId,
    paths: list[Path],
    chain: AuditChain,
    compress: Compress,
    problems: list[str],
) -> RecoveredSession:
    """Seal one orphan and delete its spools; raises `OSError`, `RecordingError`, `RecordingFormatError`."""
    path = _find(folder, session, paths[0])
    if path is None:
        # The crash came before the header was written: there is nothing of this session.
        event = AuditEvent(
            AuditKind.SESSION_SEALED,
            session,
            fields={
                "chunks": 0,
                "frames": 0,
                "reason": "crash",
                "recording": "",
                "state": "truncated(crash)",
                "trailer": "",
            },
        )
        torn = sum(spool.stat().st_size for spool in paths)
        chain.append(event)
        for spool in paths:
            spool.unlink()
        return RecoveredSession(session, worker, "truncated(crash)", 0, torn)
    recording = RecordingFile(path, session, chain, compress)
    torn = recording.resume()
    if recording.trailer is None:
        torn += sum(recording.absorb(spool) for spool in paths)
    if recording.gap:
        problems.append(f"frames of session `{session}` of `{worker}` are missing: a spool is gone")
    closing = recording.closing
    if closing is None:
        state, reason = "truncated(crash)", "crash"
    else:
        reason = closing.payload.decode("utf-8", "replace")
        state = "truncated(disk)" if closing.flags else "truncated(peer)" if reason in PEER_LOST else "complete"
    recording.seal(state, reason)
    for spool in paths:
        spool.unlink()
    sealed = recording.trailer.state if recording.trailer is not None else state
    return RecoveredSession(session, worker, sealed, recording.frames, torn)


def _find(folder: Path, session: str, first: Path) -> Path | None:
    """Where the session's recording is or belongs: it may be begun already, or the first spool's header says its day."""
    begun = sorted(folder.glob(f"*/{session}{RECORDING_SUFFIX}"))
    if begun:
        return begun[0]
    with first.open("rb") as file:
        file.seek(SPOOL_HEAD)
        for frame, _ in read_frames(file.read):
            if frame.type != HEADER:
                return None
            try:
                return recording_path(folder, session, decode_header(frame.payload).opened_at)
            except FrameError:
                return None
    return None


def _remove(worker: Path) -> None:
    """Delete a dead worker's folder if nothing is left in it but its lock; raises `OSError`."""
    if any(path.name != OWNER_LOCK for path in worker.iterdir()):
        return
    (worker / OWNER_LOCK).unlink(missing_ok=True)
    worker.rmdir()
