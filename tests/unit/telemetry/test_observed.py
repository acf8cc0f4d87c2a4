"""Counting at the ports: decisions, holds, failed appends, and the time that judging takes."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.errors import RecordingError
from interpose.telemetry.metrics import CommandMetrics, JudgeSeconds
from interpose.telemetry.observed import ObservedChain, ObservedGate


class Chain:
    """Takes events, or fails."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.broken = False

    def append(self, event: AuditEvent) -> int:
        if self.broken:
            raise RecordingError("disk full")
        self.events.append(event)
        return len(self.events)

    async def sync(self) -> None:
        if self.broken:
            raise RecordingError("disk full")


async def test_what_is_in_the_chain_is_what_is_counted() -> None:
    chain, registry = Chain(), CollectorRegistry()
    observed = ObservedChain(chain, CommandMetrics(registry))
    for fields in ({"decision": "permit"}, {"decision": "forbid", "reason": "policy_error"}, {"decision": "hold"}):
        observed.append(AuditEvent(AuditKind.COMMAND_DECIDED, fields=fields))
    observed.append(AuditEvent(AuditKind.APPROVAL_OPENED))
    assert observed.append(AuditEvent(AuditKind.APPROVAL_CLOSED, fields={"state": "expired"})) == 5
    observed.append(AuditEvent(AuditKind.SESSION_OPENED))
    await observed.sync()
    chain.broken = True
    with pytest.raises(RecordingError):
        observed.append(AuditEvent(AuditKind.COMMAND_DECIDED, fields={"decision": "permit"}))
    with pytest.raises(RecordingError):
        await observed.sync()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("interpose_commands_total", decision="permit") == 1.0
    assert value("interpose_commands_total", decision="forbid") == 1.0
    assert value("interpose_commands_total", decision="hold") == 1.0
    assert value("interpose_commands_refused_total", code="policy_error") == 1.0
    assert value("interpose_policy_errors_total") == 1.0
    assert value("interpose_holds_total", state="opened") == 1.0
    assert value("interpose_holds_total", state="expired") == 1.0
    assert value("interpose_audit_append_failures_total") == 2.0


async def test_judgements_are_timed_and_answered_as_they_were() -> None:
    registry = CollectorRegistry()
    answer: Any = object()

    class Gate:
        def judge_now(self, session: Any, command: Any) -> Any:
            return answer

        async def judge(self, session: Any, command: Any, on_hold: Any) -> Any:
            on_hold("notice")
            return answer

    gate: Any = Gate()
    session: Any = None
    command: Any = None
    observed = ObservedGate(gate, JudgeSeconds(registry))
    assert observed.judge_now(session, command) is answer
    notices: list[Any] = []
    assert await observed.judge(session, command, notices.append) is answer
    assert notices == ["notice"]
    assert registry.get_sample_value("interpose_judge_seconds_count") == 1.0
