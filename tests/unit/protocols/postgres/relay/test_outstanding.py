"""Entries for answers that are due."""

from interpose.protocols.postgres.relay.outstanding import (
    CLIENT_SYNC,
    OWN_SYNC,
    PASS,
    QUERY,
    SCRUBBED_SYNC,
    UNDECIDED,
    Running,
)
from tests.support.playbook import CLEARANCE, NOTHING, Play


def running(*, describe: bool) -> Running:
    play = Play()
    play.client(b"Q\0\0\0\x0dselect 1\0")
    play.allow(NOTHING, describe=describe)
    return Running(QUERY, play.answers[0], None, CLEARANCE)


def test_rows_pass_only_when_nothing_is_hidden() -> None:
    assert running(describe=False).mode == PASS
    assert running(describe=True).mode == UNDECIDED


def test_what_one_command_counts_is_not_shared_with_another() -> None:
    one, other = running(describe=False), running(describe=False)
    one.rows += 1
    one.tags = ["SELECT 1"]
    assert (other.rows, other.tags) == (0, None)


def test_syncs_are_shared_and_hold_nothing() -> None:
    assert not CLIENT_SYNC.own
    assert OWN_SYNC.own
    assert SCRUBBED_SYNC.scrub
    assert all(each.answer is None and each.portal is None for each in (CLIENT_SYNC, OWN_SYNC, SCRUBBED_SYNC))
