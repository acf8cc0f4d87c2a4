"""Errors, notices and reports from the upstream."""

from __future__ import annotations

from tests.support.playbook import IDLE, NOTHING, PARSED, B, E, H, P, Play, Q, S, report, status


def test_a_failed_batch_forgets_what_it_made() -> None:
    play = Play()
    play.client(P("select 1", "a"), P("bad", "b"), P("select 3", "c"), S)
    for _ in range(3):
        play.allow(NOTHING)
    play.upstream(PARSED, report(code="42601"), IDLE)
    names = {version.name for version in play.relay._statements.current()}
    assert names == {"a"}


def test_every_permit_of_a_failed_batch_is_accounted_for_once() -> None:
    play = Play()
    play.client(P("select 1"), B(), E(), S)
    play.allow()
    play.allow()
    said = play.upstream(report(code="42601"), IDLE)
    assert [line for line in said if line.startswith("ended")] == ["ended error 42601", "ended cut"]


def test_without_a_sync_the_rest_of_the_batch_is_dropped_as_the_server_drops_it() -> None:
    play = Play()
    play.client(P("bad"), H)
    play.allow()
    play.upstream(report(code="42601"))
    assert play.client(Q("select 1"), B(), H) == []
    assert play.client(S, Q("select 1")) == ["control Sync: S", "ask query: select 1"]


def test_notices_pass_when_nothing_is_hidden() -> None:
    play = Play()
    assert play.upstream(report(b"N", "01000", "hello", "NOTICE")) == ["deliver N:01000"]


def test_harmless_reports_pass_within_reach_of_hidden_values() -> None:
    play = Play()
    play.client(Q("set default_transaction_read_only=on"))
    play.allow(scrub=True)
    assert play.upstream(status("in_hot_standby", "on"), status("TimeZone", "canary"), IDLE) == [
        "deliver S",
        "deliver Z:I",
        "ended ok",
    ]
