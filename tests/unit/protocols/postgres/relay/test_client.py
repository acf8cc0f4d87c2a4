"""What goes up, message by message."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.model.analysis import Analysis, StatementInfo
from tests.support.playbook import COPY_DONE, COPY_IN, IDLE, B, D, E, H, P, Play, Q, S, copy_data, tag, up

COPIES = Analysis((), (StatementInfo("COPY", copy="in"),))


@given(st.lists(st.binary(max_size=9), max_size=20), st.lists(st.integers(1, 40), max_size=20))
def test_copy_data_goes_up_byte_for_byte(rows: list[bytes], sizes: list[int]) -> None:
    play = Play()
    play.client(Q("copy t from stdin"))
    play.allow(COPIES)
    play.upstream(COPY_IN)
    sent = b"".join(copy_data(row) for row in rows) + COPY_DONE
    seen, position = b"", 0
    for size in [*sizes, len(sent)]:
        play.client(sent[position : position + size])
        seen += up(play.intents)
        position += size
    assert seen == sent
    assert play.upstream(tag("COPY 1"), IDLE)[-1] == "ended ok: COPY 1"


def test_a_message_that_is_not_whole_waits_and_does_not_count_as_kept() -> None:
    play = Play()
    assert play.client(Q("select 1")[:-1]) == []
    assert play.relay.buffered == 0
    assert play.client(Q("select 1")[-1:]) == ["ask query: select 1"]


def test_a_batch_leaves_in_as_few_pieces_as_there_are_permits() -> None:
    play = Play()
    play.client(P("select 1"), B(), D(), E(), B(), E(), S)
    assert play.allow()[0] == "forward P"
    assert play.allow()[0] == "forward B D E"
    assert play.allow() == ["forward B E S"]


def test_flush_goes_up_where_it_stands() -> None:
    play = Play()
    play.client(P("select 1"), H)
    assert play.allow() == ["forward P H"]
