"""Refusals and holds in PostgreSQL's words."""

import json

from interpose.model.ids import ApprovalId, PolicyId
from interpose.model.refusal import ConfirmationNotice, HoldNotice, Refusal
from interpose.protocols.postgres.backend import read_fields
from interpose.protocols.postgres.refusals import (
    confirmation_message,
    hold_message,
    refusal_message,
    said_message,
    sqlstate_of,
)


def test_a_refusal_is_for_people_and_for_programs() -> None:
    refusal = Refusal("forbidden", "no `drop`", "ask", (PolicyId("p1"),), ApprovalId("ap-1"), "17", 5)
    fields = read_fields(refusal_message(refusal)[5:])
    assert (fields["S"], fields["C"], fields["M"], fields["H"], fields["P"]) == (
        "ERROR",
        "42501",
        "no `drop`",
        "ask",
        "5",
    )
    assert json.loads(fields["D"]) == {
        "code": "forbidden",
        "policies": ["p1"],
        "reason": "no `drop`",
        "what_to_do": "ask",
        "approval": "ap-1",
        "reference": "17",
    }


def test_codes_have_sqlstates() -> None:
    assert sqlstate_of("authentication_failed") == "28P01"
    assert sqlstate_of("connection_unavailable") == "3D000"
    assert sqlstate_of("syntax_error") == "42601"
    assert sqlstate_of("cancelled") == "57014"
    assert sqlstate_of("anything else") == "42501"


def test_a_hold_says_who_can_approve_and_how() -> None:
    fields = read_fields(hold_message(HoldNotice(ApprovalId("ap-7"), "risky", ("dba", "sec"), 2, 40.0))[5:])
    assert fields["S"] == "NOTICE"
    assert (
        fields["M"] == "held for approval ap-7: risky; group dba and group sec can approve (2 needed), expires in 40 s"
    )
    assert "interpose approvals approve ap-7" in fields["H"]
    assert json.loads(fields["D"])["approvers"] == ["dba", "sec"]


def test_a_login_that_waits_says_where_and_by_which_code() -> None:
    notice = ConfirmationNotice("https://gw.example/confirm", "BCDF-GHJK", "zoe", "shop", "192.0.2.9", 120.0)
    fields = read_fields(confirmation_message(notice)[5:])
    assert fields["M"] == (
        "open https://gw.example/confirm in a browser, sign in as `zoe` and enter the code BCDF-GHJK within 2 min"
    )
    assert "give it to nobody" in fields["H"]
    assert json.loads(fields["D"]) == {
        "code": "confirm_login",
        "url": "https://gw.example/confirm",
        "user_code": "BCDF-GHJK",
        "connection": "shop",
        "source": "192.0.2.9",
        "expires_in": 120,
    }


def test_a_message_of_an_operator_is_a_notice() -> None:
    message = said_message("lunch (User:carol)")
    fields = read_fields(message[5:])
    assert message[:1] == b"N"
    assert (fields["S"], fields["M"]) == ("NOTICE", "message from the gateway's operators: lunch (User:carol)")
