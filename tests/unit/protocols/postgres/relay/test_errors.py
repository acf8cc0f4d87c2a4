"""Errors, notices and reports from the upstream."""

from __future__ import annotations

from interpose.model.masks import MaskRule, RevealTable
from interpose.model.resources import ColumnResource
from interpose.protocols.postgres.wire import cstring, frame
from tests.support.playbook import BOUND, IDLE, NOTHING, PARSED, B, E, H, P, Play, Q, S, down, report, status

HIDES = RevealTable({ColumnResource("public", "people", "ssn"): MaskRule("redact")})


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


def test_what_other_code_says_is_withheld_where_something_is_hidden() -> None:
    told = {"W": "PL/pgSQL function spill() line 1 at RAISE"}
    play = Play()
    play.client(Q("insert into orders values (1)"))
    play.allow(reveal=HIDES, describe=True)
    play.upstream(report(b"N", "00000", "canary", "NOTICE", told), report(code="P0001", text="canary", more=told), IDLE)
    assert b"canary" not in down(play.intents)
    assert b"P0001" in down(play.intents)


def test_what_is_said_of_a_hidden_row_is_withheld_and_of_another_is_not() -> None:
    play = Play()
    for table, hidden in (("people", True), ("orders", False)):
        play.client(Q("commit"))
        play.allow(reveal=HIDES, describe=True)
        play.upstream(report(code="23505", text="canary", more={"s": "public", "t": table}), IDLE)
        assert (b"canary" not in down(play.intents)) is hidden


def test_an_error_about_a_name_in_the_statement_keeps_its_words() -> None:
    play = Play()
    play.client(Q("select sssn from people"))
    play.allow(reveal=HIDES, describe=True, scrub=True)
    play.upstream(report(code="42703", text='column "sssn" does not exist', more={"F": "parse_relation.c"}), IDLE)
    assert b"sssn" in down(play.intents)


def test_a_notification_loses_its_payload_where_something_is_hidden() -> None:
    heard = frame(b"A", b"\0\0\0\7" + cstring("changed") + cstring("canary"))
    play = Play()
    assert b"canary" in down(play.relay.upstream_bytes(heard))
    play.client(Q("listen changed"))
    play.allow(reveal=HIDES, describe=True)
    told = down(play.relay.upstream_bytes(heard))
    assert b"canary" not in told
    assert b"\0\0\0\7changed\0\0" in told


def test_an_error_of_the_gateways_own_describe_is_scrubbed_too() -> None:
    play = Play()
    play.client(P("select ssn::int from people"), B(), E(), S)
    play.allow(reveal=HIDES, describe=True, scrub=True)
    play.allow(reveal=HIDES, describe=True, scrub=True)
    play.upstream(PARSED, BOUND, report(code="22P02", text="canary"), IDLE)
    assert b"canary" not in down(play.intents)
    assert b"22P02" in down(play.intents)
