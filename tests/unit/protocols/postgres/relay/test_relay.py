"""The contract's methods."""

from __future__ import annotations

import pytest

from interpose.protocols.contract import LoginOptions, SessionFacts
from interpose.protocols.intents import Close
from interpose.protocols.postgres.login import PostgresLogin
from interpose.protocols.postgres.relay.relay import PostgresRelay
from tests.support.playbook import CLEARANCE, KEY, SESSION, Play, Q


def test_only_what_the_dial_ended_with_can_be_relayed() -> None:
    with pytest.raises(TypeError):
        PostgresRelay(object(), PostgresLogin(LoginOptions()), SessionFacts(SESSION, KEY, "t", CLEARANCE, 1, 1))


def test_a_fault_of_ours_closes_the_session_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play()

    def broken(self: PostgresRelay) -> None:
        raise KeyError("canary")

    monkeypatch.setattr(PostgresRelay, "_pump", broken)
    assert play.client(Q("select 1")) == ["reply E:XX000", "close internal_error"]
    (_, close) = play.intents
    assert isinstance(close, Close)
    assert close.detail == "KeyError"
    assert play.client(Q("select 1")) == []


def test_an_answer_without_a_question_is_a_fault_of_ours() -> None:
    assert Play().allow() == ["reply E:XX000", "close internal_error"]


def test_nothing_is_said_after_the_end() -> None:
    play = Play()
    play.relay.client_closed()
    assert play.relay.client_closed() == []
    assert play.relay.upstream_closed() == []
    assert play.upstream(b"Z\0\0\0\5I") == []
    assert play.hold() == []
    assert play.relay.buffered == 0
