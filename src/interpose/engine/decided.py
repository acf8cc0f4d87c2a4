"""Writing down what was decided of a command: in the audit chain, then in the session's recording. Nothing is minted here.

A refusal that cannot be written down is a refusal all the same, and says that it could not be.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from interpose.engine.digests import command_digest
from interpose.engine.sessions import RECORD_LOST
from interpose.model.audit import AuditEvent, AuditKind, AuditValue
from interpose.model.errors import RecordingError
from interpose.model.refusal import Refusal
from interpose.protocols.contract import Refused

if TYPE_CHECKING:
    from interpose.engine.ports import AuditChain
    from interpose.engine.sessions import Session
    from interpose.model.command import Command

Fields = Mapping[str, AuditValue]
"""Audit fields."""


class DecisionRecord:
    """The record of decisions, for the gate."""

    def __init__(self, audit: AuditChain) -> None:
        """Writes to this worker's chain and to each session's own recorder."""
        self._audit = audit

    def permitted(self, session: Session, command: Command, fields: Fields, word: str) -> int:
        """Record what is about to be permitted; answers the sequence number. Raises `RecordingError`: then nothing may be sent.

        INVARIANT: when this returns, both records are with the operating system.
        """
        sequence = self._append(session, command, fields)
        try:
            session.recorder.command(sequence, command.kind._value_, command.text, command.parameters, word)
        except RecordingError:
            # The chain says that it was permitted already: it must also say that it was not sent.
            with contextlib.suppress(RecordingError):
                ended: dict[str, AuditValue] = {"command": sequence, "outcome": "not_sent"}
                self._audit.append(AuditEvent(AuditKind.COMMAND_ENDED, session.id, session.label, ended))
            raise
        session.commands += 1
        return sequence

    def held(self, session: Session, command: Command, fields: Fields, reason: str) -> None:
        """Record that a command waits; raises `RecordingError`. Its text is recorded when it is decided."""
        self._append(session, command, fields)
        session.recorder.note("hold", reason)

    def refused(self, session: Session, command: Command, refusal: Refusal, fields: Fields) -> Refused:
        """Record a refusal and answer it with the number under which it is found."""
        session.refused += 1
        whole: dict[str, AuditValue] = {**fields, "decision": "forbid", "reason": refusal.code}
        if refusal.approval is not None:
            whole["approval"] = refusal.approval
        try:
            sequence = self._append(session, command, whole)
            session.recorder.command(sequence, command.kind._value_, command.text, command.parameters, "forbid")
            session.recorder.note("refusal", refusal.message)
        except RecordingError:
            return Refused(RECORD_LOST)
        return Refused(
            Refusal(
                refusal.code,
                refusal.message,
                refusal.hint,
                refusal.policies,
                refusal.approval,
                str(sequence),
                refusal.position,
            )
        )

    def lost(self, session: Session) -> Refused:
        """A command whose decision could not be recorded."""
        session.refused += 1
        return Refused(RECORD_LOST)

    def _append(self, session: Session, command: Command, fields: Fields) -> int:
        whole = {**fields, "kind": command.kind._value_, "digest": command_digest(session.salt, command)}
        return self._audit.append(AuditEvent(AuditKind.COMMAND_DECIDED, session.id, session.label, whole))
