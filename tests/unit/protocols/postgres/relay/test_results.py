"""Rows: the hot loop and its limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.model.analysis import Analysis, StatementInfo
from interpose.protocols.intents import Deliver
from interpose.protocols.postgres.relay.results import MAX_CELL
from interpose.protocols.postgres.wire import frame
from tests.support.playbook import COPY_DONE, COPY_OUT, IDLE, Play, Q, columns, copy_data, down, redacting, row, tag


def running(*, max_rows: int | None = None) -> Play:
    play = Play()
    play.client(Q("select"))
    play.allow(Analysis((), (StatementInfo("SELECT", copy="out"),)), max_rows=max_rows)
    return play


@given(st.lists(st.binary(max_size=12), max_size=30), st.lists(st.integers(1, 50), max_size=20), st.booleans())
def test_rows_pass_byte_for_byte_and_are_counted(cells: list[bytes], sizes: list[int], copy: bool) -> None:
    play = running()
    body = b"".join(copy_data(cell) if copy else row(cell) for cell in cells)
    answer = (COPY_OUT + body + COPY_DONE if copy else columns("a") + body) + tag("SELECT") + IDLE
    shown, rows, position = b"", 0, 0
    for size in [*sizes, len(answer)]:
        play.upstream(answer[position : position + size])
        position += size
        shown += down(play.intents)
        rows += sum(intent.rows for intent in play.intents if isinstance(intent, Deliver))
    assert shown == answer
    assert rows == len(cells)


@pytest.mark.parametrize("cap", [0, 1, 5])
def test_a_cap_is_exact_however_the_rows_come(cap: int) -> None:
    answer = columns("a") + b"".join(row(b"x") for _ in range(5)) + tag("SELECT 5") + IDLE
    for size in (1, 10, 37, len(answer)):
        play = running(max_rows=cap)
        shown = b""
        for start in range(0, len(answer), size):
            play.upstream(answer[start : start + size])
            shown += down(play.intents)
        assert shown.count(row(b"x")) == cap
        assert (b"54000" in shown) is (cap < 5)
        assert shown.endswith(IDLE)


def test_what_is_not_shown_is_not_kept() -> None:
    play = running(max_rows=0)
    play.upstream(columns("a"))
    long = row(b"x" * 1_000_000)
    for start in range(0, len(long), 10_000):
        play.upstream(long[start : start + 10_000])
        assert len(play.relay._upstream) == 0
    assert play.upstream(tag("SELECT 1"), IDLE)[0] == "reply E:54000"


def test_a_row_that_cannot_be_masked_because_of_its_length_is_refused_early() -> None:
    play = Play()
    play.client(Q("select"))
    play.allow(describe=True)
    play.upstream(columns("a"))
    play.show(redacting(play))
    assert play.upstream(frame(b"D", b"")[:1] + (MAX_CELL + 100).to_bytes(4, "big") + b"\0\1") == []
    assert len(play.relay._upstream) == 0
