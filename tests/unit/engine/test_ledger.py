"""Every change of an approval's state has its audit event and its notification."""

from __future__ import annotations

from interpose.engine.approvals import HoldRequest
from interpose.engine.ledger import ApprovalLedger
from interpose.model.audit import AuditKind
from interpose.model.decisions import Held
from interpose.model.ids import PolicyId
from tests.support.gateway_core import UPDATE_RULE, Core
from tests.support.memory import DIGEST, person
from tests.support.virtual import run


def test_a_state_moves_once_and_is_recorded_once() -> None:
    async def work() -> None:
        core = Core()
        ledger = ApprovalLedger(core.store, core.holder, core.audit, core.notifier, core.clock)
        held = Held((PolicyId("hold-update"),), DIGEST, (UPDATE_RULE,), "because")
        session = await core.session()
        request = HoldRequest(session, person("alice"), held, "update", "|".join)
        approval = core.approvals._approval(request)
        await ledger.open(approval)
        assert core.notifier.opened == [approval]
        assert await ledger.close(approval, "pending", "denied", "denied")
        assert not await ledger.close(approval, "pending", "expired", "expired")
        kinds = [event.kind for event in core.audit.events if event.kind is not AuditKind.SESSION_OPENED]
        assert kinds == [AuditKind.APPROVAL_OPENED, AuditKind.APPROVAL_CLOSED]
        assert len(core.notifier.closed) == 1

    run(work())


def test_policy_is_asked_with_who_wants_what() -> None:
    async def work() -> None:
        core = Core()
        ledger = ApprovalLedger(core.store, core.holder, core.audit, core.notifier, core.clock)
        held = Held((PolicyId("hold-update"),), DIGEST, (UPDATE_RULE,), "because")
        session = await core.session()
        asked: list[dict[str, object]] = []
        core.rules.may = lambda *given: bool(asked.append(dict(given[3])) or True)  # type: ignore[method-assign]
        approval = core.approvals._approval(
            HoldRequest(session, person("alice", "dev"), held, "update", lambda words: "x")
        )
        assert ledger.permitted(approval)(person("bob", "dba"))
        assert asked == [{"requester": "alice", "requester_groups": ("dev",), "policies": ("hold-update",)}]
        core.connections.clear()
        core.swap()
        assert not ledger.permitted(approval)(person("bob", "dba"))

    run(work())
