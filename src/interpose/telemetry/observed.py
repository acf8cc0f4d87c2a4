"""Wrappers that count what passes through a port, so that the engine itself need not know of metrics."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from interpose.model.audit import AuditKind
from interpose.model.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.engine.gate import Gate
    from interpose.engine.ports import AuditChain
    from interpose.engine.sessions import Session
    from interpose.model.audit import AuditEvent
    from interpose.model.command import Command
    from interpose.model.refusal import HoldNotice
    from interpose.protocols.intents import Answer
    from interpose.telemetry.metrics import CommandMetrics, JudgeSeconds


class ObservedChain:
    """An `AuditChain` that counts decisions, holds and failed appends: what is in the chain is what was counted."""

    __slots__ = ("_chain", "_metrics")

    def __init__(self, chain: AuditChain, metrics: CommandMetrics) -> None:
        """`chain` does the work."""
        self._chain = chain
        self._metrics = metrics

    def append(self, event: AuditEvent) -> int:
        """Append and count; raises `RecordingError`."""
        try:
            sequence = self._chain.append(event)
        except RecordingError:
            self._metrics.append_failed()
            raise
        kind = event.kind
        if kind is AuditKind.COMMAND_DECIDED:
            decision = str(event.fields.get("decision", ""))
            self._metrics.decided(decision)
            if decision == "forbid":
                self._metrics.refused(str(event.fields.get("reason", "")))
        elif kind is AuditKind.APPROVAL_OPENED:
            self._metrics.hold("opened")
        elif kind is AuditKind.APPROVAL_CLOSED:
            self._metrics.hold(str(event.fields.get("state", "closed")))
        return sequence

    async def sync(self) -> None:
        """Wait for the disk; raises `RecordingError`."""
        try:
            await self._chain.sync()
        except RecordingError:
            self._metrics.append_failed()
            raise


class ObservedGate:
    """A gate whose judgements within a callback are timed; those that wait are not: a person's time is not ours."""

    __slots__ = ("_gate", "_seconds")

    def __init__(self, gate: Gate, seconds: JudgeSeconds) -> None:
        """`gate` does the work."""
        self._gate = gate
        self._seconds = seconds

    def judge_now(self, session: Session, command: Command) -> Answer | None:
        """As `Gate.judge_now`, timed."""
        began = perf_counter()
        answer = self._gate.judge_now(session, command)
        self._seconds.observe(perf_counter() - began)
        return answer

    async def judge(self, session: Session, command: Command, on_hold: Callable[[HoldNotice], None]) -> Answer:
        """As `Gate.judge`."""
        return await self._gate.judge(session, command, on_hold)
