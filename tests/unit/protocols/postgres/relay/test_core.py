"""Emission and refusals: what the halves of the relay stand on."""

from interpose.protocols.intents import Control, Deliver, Reply
from interpose.protocols.postgres.backend import READY
from interpose.protocols.postgres.relay.core import Core
from interpose.protocols.postgres.relay.outstanding import CLIENT_SYNC
from tests.support.playbook import B, D, Play, kinds


def core() -> Core:
    return Play().relay


def test_what_goes_up_without_a_permit_is_named_by_its_messages() -> None:
    made = core()
    made._unsent = [B("s"), D(), D()]
    made._send_up()
    (control,) = made._take()
    assert isinstance(control, Control)
    assert control.kind == "Bind+Describe"
    assert made._take() == []


def test_one_range_goes_down_in_one_piece_without_a_copy() -> None:
    made = core()
    buffer = b"abcdef"
    made._down_start = 0
    made._deliver(buffer, 6)
    (deliver,) = made._take()
    assert isinstance(deliver, Deliver)
    assert deliver.data is buffer


def test_a_refusal_waits_for_its_turn() -> None:
    made = core()
    made._refuse(b"error", simple=True)
    (reply,) = made._take()
    assert reply == Reply(b"error" + READY["I"])
    made._queue.append(CLIENT_SYNC)
    made._refuse(b"error", simple=True)
    assert made._take() == []
    assert len(made._queue) == 2


def test_a_context_is_made_once_a_state() -> None:
    made = core()
    first = made._context()
    assert made._context() is first
    made._status = "T"
    assert made._context().in_transaction == "T"
    made._set_path("other", "none", "app")
    assert made._context().path == ("pg_temp", "pg_catalog", "other")


def test_a_notice_waits_while_a_long_row_goes_down() -> None:
    made = core()
    made._upstream_skip = 5
    made._say(b"notice")
    assert made._take() == []
    assert made._late == [b"notice"]


def test_a_last_word_is_said_once_and_nothing_after_it() -> None:
    made = core()
    made._close("reason", "", b"E\0\0\0\4")
    made._close("again")
    reply, close = made._take()
    assert isinstance(reply, Reply)
    assert kinds(reply.data) == "E"
    assert close.reason == "reason"  # type: ignore[union-attr]
