"""Begins and ends everything that is recorded by one worker: reserve, key, chain, recovery of orphans, recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from interpose.engine.ports import Clock, Ids
from interpose.model.audit import AuditValue
from interpose.model.errors import RecordingError
from interpose.store.files.chain import FileAuditChain
from interpose.store.files.keys import load_or_create_key
from interpose.store.files.layout import safe_name, segment_path
from interpose.store.files.locks import Abandoned
from interpose.store.files.recordings import FileRecordings, RecordingOptions
from interpose.store.files.recovery import RecoveryReport, recover
from interpose.store.files.reserve import Reserve
from interpose.store.files.syncing import ChainOptions

AUDIT = "audit"
RECORDINGS = "recordings"
_RESERVE = ".reserve"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A worker's open record: hand `chain` and `recordings` to the engine, and `close` at the end."""

    chain: FileAuditChain
    recordings: FileRecordings
    reserve: Reserve
    recovered: RecoveryReport

    def close(self, fields: Mapping[str, AuditValue] | None = None) -> None:
        """Seal, sign, close; `fields` go into `gateway.stopped`. Raises the first `RecordingError` after all was tried."""
        failure: RecordingError | None = None
        try:
            self.recordings.close()
        except RecordingError as error:
            failure = error
        try:
            self.chain.close(fields)
        except RecordingError as error:
            failure = failure or error
        self.reserve.remove()
        if failure is not None:
            raise failure


def open_record(
    state: Path,
    *,
    node: str,
    boot: str,
    clock: Clock,
    ids: Ids,
    chain_options: ChainOptions = ChainOptions(),  # noqa: B008
    recording_options: RecordingOptions = RecordingOptions(),  # noqa: B008
    reserve_size: int = 256 * 1024,
    gateway: str = "",
    started: Mapping[str, AuditValue] | None = None,
) -> FileRecord:
    """Begin a chain under `state`, seal what dead workers left, open the recordings. Raises `RecordingError`.

    `boot` is new at every start of every worker; `node` names the machine. `gateway` is the version.
    """
    audit = state / AUDIT
    key = load_or_create_key(audit, node, ids)
    name = safe_name(f"{node}-{boot}", "name of a chain")
    reserve = Reserve(audit / f"{name}{_RESERVE}", clock, reserve_size)
    _drop_old_reserves(audit, keep=name)
    chain = FileAuditChain(
        audit, node=node, boot=boot, clock=clock, key=key, reserve=reserve, options=chain_options, started=started
    )
    recovered = recover(state / RECORDINGS, chain)
    recordings = FileRecordings(
        state / RECORDINGS,
        node=node,
        boot=boot,
        clock=clock,
        chain=chain,
        reserve=reserve,
        options=recording_options,
        gateway=gateway,
    )
    return FileRecord(chain, recordings, reserve, recovered)


def _drop_old_reserves(audit: Path, *, keep: str) -> None:
    """Delete the reserves of workers that died; one that cannot be deleted only takes up space."""
    for path in audit.glob(f"*{_RESERVE}"):
        name = path.name.removesuffix(_RESERVE)
        segment = segment_path(audit, name, 0)
        # A worker that just starts has its reserve before its chain: leave it alone.
        if name == keep or not segment.exists():
            continue
        try:
            with Abandoned(segment) as old:
                if old.taken:
                    path.unlink(missing_ok=True)
        except OSError:
            continue
