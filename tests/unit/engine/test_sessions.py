"""Sessions: their end, their seal, and the registry that finds them."""

from __future__ import annotations

import pytest

from interpose.engine.sessions import LONGEST_SAYING, Session
from interpose.model.audit import AuditKind
from interpose.model.errors import RecordingError
from interpose.model.ids import ConnectionName, SessionId
from interpose.model.proofs import ProofError
from interpose.model.refusal import Refusal
from interpose.protocols.intents import Allowed, Ended
from tests.support.gateway_core import Core
from tests.support.memory import connection, query
from tests.support.virtual import run

OVER = Refusal("killed", "killed by an operator")


async def _allowed(core: Core, session: Session) -> Allowed:
    answer = core.gate.judge_now(session, query("select"))
    if answer is None:
        answer = await core.gate.judge(session, query("select"), lambda _: None)
    assert isinstance(answer, Allowed)
    return answer


def test_the_end_of_a_command_closes_its_permit_and_is_recorded() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        answer = await _allowed(core, session)
        answer.permit.spend()
        session.command_ended(Ended(answer, "error", "", "42P01", 0))
        with pytest.raises(ProofError):
            answer.permit.check_part()
        (event,) = core.audit.of(AuditKind.COMMAND_ENDED)
        assert event.fields == {
            "command": answer.permit.sequence,
            "outcome": "error",
            "tag": "",
            "error_class": "42P01",
            "rows": 0,
        }
        assert core.recordings.made[0].ends == [(answer.permit.sequence, "error", "", "42P01", 0)]

    run(work())


@pytest.mark.parametrize("broken", ["audit", "recorder"])
def test_a_session_whose_record_is_lost_ends(broken: str) -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        ended: list[Refusal] = []
        session.on_end = ended.append
        answer = await _allowed(core, session)
        if broken == "audit":
            core.audit.fails = lambda _: True
        else:
            core.recordings.made[0].fails = True
        session.command_ended(Ended(answer, "ok"))
        assert [refusal.code for refusal in ended] == ["audit_unavailable"]

    run(work())


def test_the_first_reason_to_end_counts_and_is_told_once() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        told: list[Refusal] = []
        session.on_end = told.append
        session.end(OVER)
        session.end(Refusal("other", "another reason"))
        assert told == [OVER]
        assert session.ended_with is OVER

    run(work())


def test_an_end_before_the_driver_began_is_remembered() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        core.registry.end(session.id, OVER)
        assert session.ended_with is OVER

    run(work())


def test_closing_seals_once() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        assert core.registry.uses(session.connection.name)
        assert not core.registry.uses(ConnectionName("another"))
        core.gate.judge_now(session, query("select"))
        core.gate.judge_now(session, query("drop"))
        session.close("client_closed")
        session.close("again")
        assert not core.registry.uses(session.connection.name)
        assert core.recordings.made[0].closed == ["client_closed"]
        (event,) = core.audit.of(AuditKind.SESSION_CLOSED)
        assert dict(event.fields) == {"reason": "client_closed", "commands": 1, "refused": 1, "recording": "sealed"}
        assert core.index.closings == [(session.id, "client_closed", 1, 1)]
        assert len(core.registry) == 0
        assert core.registry.count_of("alice") == 0

    run(work())


def test_a_failing_recorder_keeps_no_session_open() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        core.recordings.made[0].fails = True
        with pytest.raises(RecordingError):
            session.close("client_closed")
        session.close("client_closed")
        (event,) = core.audit.of(AuditKind.SESSION_CLOSED)
        assert event.fields["recording"] == "unsealed"
        assert core.index.closings
        assert len(core.registry) == 0

    run(work())


def test_a_session_takes_its_upstream_name_and_keeps_its_own_secret() -> None:
    async def work() -> None:
        core = Core()
        session, other = await core.session(), await core.session()
        old = session.cancel_key
        cancelled: list[str] = []
        session.on_cancel = lambda: cancelled.append("first")
        other.on_cancel = lambda: cancelled.append("second")
        session.take_name(b"\0\0\x10\x01")
        other.take_name(b"\0\0\x10\x01")
        assert session.cancel_key == b"\0\0\x10\x01" + old[4:]
        assert not core.registry.cancel(old)
        assert core.registry.cancel(session.cancel_key[:8])
        assert core.registry.cancel(other.cancel_key)
        assert cancelled == ["first", "second"]
        other.close("client_closed")
        session.close("client_closed")
        assert not core.registry.cancel(session.cancel_key)

    run(work())


def test_a_name_that_would_make_two_keys_alike_is_not_taken() -> None:
    async def work() -> None:
        core = Core()
        session, other = await core.session(), await core.session()
        session.take_name(b"same")
        other.cancel_key, own = other.cancel_key[:4] + session.cancel_key[4:8] + other.cancel_key[8:], other.cancel_key
        core.registry._by_key[other.cancel_key[:8]] = core.registry._by_key.pop(own[:8])
        before = other.cancel_key
        other.take_name(b"same")
        assert other.cancel_key == before
        long = session.cancel_key
        session.take_name(b"a name as long as no protocol has it")
        assert session.cancel_key == long

    run(work())


def test_cancel_needs_the_whole_key_or_exactly_its_short_form() -> None:
    async def work() -> None:
        core = Core()
        session, other = await core.session(), await core.session("bob")
        cancelled: list[str] = []
        session.on_cancel = lambda: cancelled.append("alice")
        other.on_cancel = lambda: cancelled.append("bob")
        assert core.registry.cancel(session.cancel_key)
        assert core.registry.cancel(session.cancel_key[:8])
        assert cancelled == ["alice", "alice"]
        for wrong in (b"", session.cancel_key[:7], session.cancel_key[:12], session.cancel_key + b"x", b"\0" * 36):
            assert not core.registry.cancel(wrong)
        mixed = session.cancel_key[:8] + other.cancel_key[8:]
        assert not core.registry.cancel(mixed)
        assert cancelled == ["alice", "alice"]

    run(work())


def test_sessions_end_by_token_principal_connection_and_all() -> None:
    async def work() -> None:
        core = Core(connections=(connection("shop"), connection("stock")))
        alice = await core.session("alice")
        bob = await core.session("bob", on="stock")
        carol = await core.session("carol")
        assert core.registry.end_principal("alice", OVER) == 1
        assert core.registry.end_connection(ConnectionName("stock"), OVER) == 1
        assert (alice.ended_with, bob.ended_with, carol.ended_with) == (OVER, OVER, None)
        assert core.registry.end_all(OVER) == 3
        assert carol.ended_with is OVER
        assert not core.registry.end(SessionId("nobody"), OVER)

    run(work())


def test_a_message_is_recorded_before_it_is_shown_and_no_terminal_obeys_it() -> None:
    async def work() -> None:
        core = Core()
        session = await core.session()
        recorder = core.recordings.made[0]
        registry = core.registry
        assert not registry.say(session.id, "nobody took the hook")
        shown: list[tuple[str, int]] = []
        session.on_say = lambda text: shown.append((text, len(recorder.notes)))
        assert registry.say(session.id, "lunch\x1b]0;owned\x07" + "!" * 2000)
        ((text, notes),) = shown
        assert text.startswith("lunch\\x1b]0;owned\\x07!")
        assert len(text) == LONGEST_SAYING
        assert notes == 1
        assert recorder.notes == [("said", text)]
        assert not registry.say(SessionId("s_other"), "x")
        recorder.fails = True
        assert not registry.say(session.id, "cannot be recorded")
        assert len(shown) == 1
        assert session.ended_with is not None

    run(work())
