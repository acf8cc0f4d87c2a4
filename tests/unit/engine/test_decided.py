"""Both records, or neither permit."""

from __future__ import annotations

import pytest

from interpose.engine.decided import DecisionRecord
from interpose.model.audit import AuditKind
from interpose.model.errors import RecordingError
from interpose.model.refusal import Refusal
from tests.support.gateway_core import Core
from tests.support.memory import query
from tests.support.virtual import run


def test_a_recording_that_fails_after_the_chain_says_that_nothing_was_sent() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        record = DecisionRecord(core.audit)
        core.recordings.made[0].fails = True
        with pytest.raises(RecordingError):
            record.permitted(session, query("select"), {"decision": "permit"}, "permit")
        (decided,) = core.audit.of(AuditKind.COMMAND_DECIDED)
        (ended,) = core.audit.of(AuditKind.COMMAND_ENDED)
        assert ended.fields == {"command": core.audit.events.index(decided) + 1, "outcome": "not_sent"}
        assert session.commands == 0

    run(work())


def test_a_refusal_keeps_everything_that_the_client_is_told() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        refusal = Refusal("syntax_error", "message", "hint", (), None, None, 7)
        answer = DecisionRecord(core.audit).refused(session, query("x"), refusal, {"connection": "shop"})
        assert (answer.refusal.code, answer.refusal.position) == ("syntax_error", 7)
        assert answer.refusal.reference == str(len(core.audit.events))
        assert session.refused == 1

    run(work())
