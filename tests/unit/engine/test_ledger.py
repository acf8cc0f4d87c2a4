"""Every change of an approval's state has its audit event and its notification."""

from __future__ import annotations

from typing import Any

from interpose.engine.approvals import HoldRequest
from interpose.engine.callers import CallerProof, Vote
from interpose.engine.ledger import ApprovalLedger
from interpose.model.audit import AuditKind
from interpose.model.decisions import Held, Permitted
from interpose.model.ids import PolicyId
from interpose.model.principal import AuthenticationContext
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

        def decide(*given: Any) -> Permitted:
            asked.append(dict(given[3]))
            return Permitted((), DIGEST)

        core.rules.decide = decide  # type: ignore[method-assign]
        approval = core.approvals._approval(
            HoldRequest(session, person("alice", "dev"), held, "update", lambda words: "x")
        )
        now = core.clock.wall()
        context = AuthenticationContext(now - 90, frozenset({"otp", "pwd"}), mfa=True)
        vote = Vote("bob", True, now - 30, proof=CallerProof("token", "192.0.2.7", context))
        assert ledger.barred(approval)(vote, person("bob", "dba")) is None
        about = {"requester": "alice", "requester_groups": ("dev",), "policies": ("hold-update",)}
        proven = {"source_ip": "192.0.2.7", "session_method": "token", "amr": ("otp", "pwd"), "mfa": True}
        # The vote is 30 seconds old; the login was 60 seconds old when it was cast, and is so for this vote.
        assert asked == [{**about, **proven, "auth_time": int(now - 60)}]
        core.connections.clear()
        core.swap()
        assert ledger.barred(approval)(vote, person("bob", "dba")) is not None

    run(work())


def test_a_voter_is_told_what_the_policy_that_forbids_says() -> None:
    async def work() -> None:
        core = Core()
        ledger = ApprovalLedger(core.store, core.holder, core.audit, core.notifier, core.clock)
        held = Held((PolicyId("hold-update"),), DIGEST, (UPDATE_RULE,), "because")
        session = await core.session()
        approval = core.approvals._approval(HoldRequest(session, person("alice"), held, "update", lambda words: "x"))
        vote = Vote("bob", True, core.clock.wall())
        core.rules.refuse_approval = lambda facts, _: not facts["mfa"]
        refusal = ledger.barred(approval)(vote, person("bob", "dba"))
        assert refusal is not None
        assert (refusal.code, refusal.hint) == ("not_an_approver", "log in again")
        assert refusal.message.endswith(": not fresh enough")
        core.rules.approvers = lambda _: False
        refusal = ledger.barred(approval)(vote, person("bob", "dba"))
        assert refusal is not None
        assert refusal.hint == "ask another approver"

    run(work())
