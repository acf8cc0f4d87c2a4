"""What the gateway says in an SSH session, and what a client says in its user name."""

from __future__ import annotations

import pytest

from interpose.bridges.ssh.names import Wanted, parse_user_name
from interpose.bridges.ssh.words import (
    FAILED_STATUS,
    REFUSED_STATUS,
    line_bytes,
    nothing_named,
    refusal_line,
    status_of,
)
from interpose.model.ids import PolicyId
from interpose.model.refusal import Refusal


def test_a_refusal_is_one_line_that_no_terminal_obeys() -> None:
    line = refusal_line(Refusal("forbidden", "not \x1b]0;here\n", "ask \x07", (PolicyId("no-shells"),), reference="17"))
    assert line == r"interpose: not \x1b]0;here\x0a (policy no-shells; audit 17) - ask \x07"


def test_a_terminal_gets_a_carriage_return() -> None:
    assert line_bytes("a", terminal=True) == b"a\r\n"
    assert line_bytes("a", terminal=False) == b"a\n"


def test_what_policy_refuses_has_another_status_than_what_cannot_be_reached() -> None:
    assert status_of(Refusal("forbidden", "no")) == REFUSED_STATUS
    assert status_of(Refusal("host_key_mismatch", "no")) == FAILED_STATUS


def test_the_names_that_are_told_are_bounded() -> None:
    assert len(nothing_named([f"web-{number}" for number in range(1000)]).hint) < 500


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("alice", Wanted("alice", "")),
        ("alice+web-1", Wanted("alice", "web-1")),
        ("alice+ops@corp.example+web-1", Wanted("alice+ops@corp.example", "web-1")),
        ("alice+", Wanted("alice", "")),
        ("+web-1", Wanted("", "web-1")),
        ("", Wanted("", "")),
    ],
)
def test_the_last_plus_separates(text: str, wanted: Wanted) -> None:
    assert parse_user_name(text) == wanted
