"""Carrying out retention: finds what is kept, has it planned, says in the audit chain what goes, then deletes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from interpose.engine.ports import AuditChain
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.ids import SessionId
from interpose.recording.prove import REMOVED, REMOVED_RECORDING
from interpose.recording.retention import KeptChain, KeptRecording, RetentionPlan, RetentionRules, plan_retention
from interpose.store.files.heads import chain_head, last_entry_time
from interpose.store.files.layout import LIVE, RECORDING_SUFFIX, chains, checkpoints_path, spools
from interpose.store.files.locks import Abandoned


class Retention:
    """Deletes what is older than the rules allow, each deletion after its audit event."""

    def __init__(self, audit: Path, recordings: Path, chain: AuditChain, rules: RetentionRules) -> None:
        """`chain` is the caller's own living chain, which is never deleted."""
        self._audit = audit
        self._recordings = recordings
        self._chain = chain
        self._rules = rules

    def plan(self, now: float) -> RetentionPlan:
        """What would be deleted at `now` (wall-clock seconds). Walks the folders: call it in a thread. Raises `OSError`."""
        return plan_retention(self._kept_recordings(), self._kept_chains(), self._rules, now)

    async def carry_out(self, plan: RetentionPlan) -> None:
        """Delete what the plan says; raises `RecordingError` when it cannot be recorded (then nothing is deleted), `OSError`."""
        for recording in plan.recordings:
            fields = {"action": REMOVED_RECORDING, "reason": "retention"}
            self._chain.append(AuditEvent(AuditKind.ADMINISTERED, SessionId(recording.session), fields=fields))
        for chain in plan.chains:
            fields = {"action": REMOVED, "head": str(chain.head), "reason": "retention"}
            self._chain.append(AuditEvent(AuditKind.ADMINISTERED, fields=fields))
        await self._chain.sync()
        await asyncio.to_thread(self._delete, plan)

    def _delete(self, plan: RetentionPlan) -> None:
        for recording in plan.recordings:
            self._delete_recording(recording.session)
        for chain in plan.chains:
            self._delete_chain(chain.head.name)

    def _delete_recording(self, session: str) -> None:
        for path in self._recordings.glob(f"*/{session}{RECORDING_SUFFIX}"):
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()

    def _delete_chain(self, name: str) -> None:
        """Segments from the last to the first, so that a deletion that is cut short leaves a chain that only ends early."""
        for path in reversed(chains(self._audit).get(name, [])):
            path.unlink()
        checkpoints_path(self._audit, name).unlink(missing_ok=True)

    def _kept_recordings(self) -> Iterator[KeptRecording]:
        """Every recording file; the time of its last change is that of its seal, unless spools show that it is not sealed."""
        live = {session for worker in (self._recordings / LIVE).glob("[!.]*") for session in spools(worker)}
        for path in sorted(self._recordings.glob(f"*/*{RECORDING_SUFFIX}")):
            session = path.name.removesuffix(RECORDING_SUFFIX)
            yield KeptRecording(session, None if session in live else path.stat().st_mtime)

    def _kept_chains(self) -> Iterator[KeptChain]:
        """Every chain whose writer is gone."""
        for name, segments in chains(self._audit).items():
            with Abandoned(segments[0]) as old:
                head = chain_head(name, segments) if old.taken else None
            if head is not None:
                yield KeptChain(head, last_entry_time(segments))
