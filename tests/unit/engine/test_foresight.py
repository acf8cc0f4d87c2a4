"""What would be decided: as the gate decides, without a trace."""

from __future__ import annotations

from interpose.engine.foresight import Foresight
from interpose.model.actions import Action
from interpose.model.ids import PolicyId
from interpose.policy.rules import Rule
from tests.support.gateway_core import Core
from tests.support.memory import Rules, analysis, query
from tests.support.virtual import run

NAMES = 'permit (principal, action == Action::"exec", resource is Program) when { resource.name == "ls" };'


def test_what_would_be_decided_leaves_no_trace() -> None:
    async def work() -> None:
        table = {"may": analysis(Action.SELECT), "may not": analysis(Action.DROP)}
        core = Core(rules=Rules({Action.CONNECT, Action.SELECT}), table=table)
        session = await core.session()
        rules = [Rule(PolicyId("p"), True, "f", 1, NAMES)]
        foresight = Foresight(core.holder, {"table": core.analyst}, core.catalogs, core.clock, lambda policy: rules)
        before = len(core.audit.events)
        assert foresight.would(session, query("may")) == "permit"
        assert foresight.would(session, query("may not")) == "forbid"
        assert foresight.would(session, query("unheard of")) == "forbid"
        assert foresight.programs(session) == ["ls"]
        assert (len(core.audit.events), session.commands, session.refused) == (before, 0, 0)

    run(work())
