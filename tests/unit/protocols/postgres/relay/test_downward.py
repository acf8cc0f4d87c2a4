"""The walk over what comes down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.wire import frame
from tests.support.playbook import IDLE, Play, Q, columns, down, report, row, tag

ANSWER = columns("a") + row(b"1") + row(b"2") + tag("SELECT 2") + report(b"N", "01000", "x", "NOTICE") + IDLE


@given(st.lists(st.integers(1, 30), max_size=30))
def test_bytes_cut_anywhere_come_down_the_same(sizes: list[int]) -> None:
    play = Play()
    play.client(Q("select"))
    play.allow()
    shown, ends, position = b"", [], 0
    for size in [*sizes, len(ANSWER)]:
        said = play.upstream(ANSWER[position : position + size])
        ends += [line for line in said if line.startswith("ended")]
        shown += down(play.intents)
        position += size
    assert shown == ANSWER
    assert ends == ["ended ok: SELECT 2 rows=2"]
    assert len(play.relay._upstream) == 0


def test_a_message_that_is_not_whole_is_kept() -> None:
    play = Play()
    play.client(Q("select"))
    play.allow()
    notice = report(b"N", "01000", "x", "NOTICE")
    assert play.upstream(notice[:-1]) == []
    assert play.upstream(notice[-1:]) == ["deliver N:01000"]


def test_a_message_longer_than_the_limit_is_the_upstreams_fault() -> None:
    play = Play(max_message=100)
    assert play.upstream(frame(b"N", b"x" * 200))[-1] == "close upstream_protocol_error"


def test_an_end_comes_behind_the_bytes_it_is_about() -> None:
    play = Play()
    play.client(Q("a"), Q("b"))
    play.allow()
    play.allow()
    assert play.upstream(tag("A"), IDLE, tag("B"), IDLE) == [
        "deliver C Z:I",
        "ended ok: A",
        "deliver C Z:I",
        "ended ok: B",
    ]
