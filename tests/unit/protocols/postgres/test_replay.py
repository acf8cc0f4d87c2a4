"""Recorded bytes as words."""

from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.replay import replay
from interpose.protocols.postgres.wire import frame
from tests.support.playbook import COPY_DONE, COPY_OUT, IDLE, columns, copy_data, report, row, status, tag

RESULT = columns("id", "name") + row(b"1", b"ann") + row(b"20", None) + tag("SELECT 2") + IDLE


def test_rows_are_a_table() -> None:
    rows, done = replay(RESULT)
    assert rows.kind == "rows"
    assert rows.text == "id | name\n---+-----\n1  | ann\n20 | ∅\n(2 rows)"
    assert (done.kind, done.text) == ("tag", "SELECT 2")


def test_rows_without_a_description_are_told_all_the_same() -> None:
    (rows,) = replay(row(b"1", b"2"))
    assert rows.text.startswith("column 1 | column 2")


def test_errors_notices_copies_reports_and_notifications() -> None:
    data = (
        report(b"N", "01000", "held", "NOTICE")
        + report()
        + COPY_OUT
        + copy_data(b"a\tb\n")
        + COPY_DONE
        + status("TimeZone", "UTC")
        + frame(b"A", b"\0\0\0\1news\0hello\0")
    )
    assert [(block.kind, block.text) for block in replay(data)] == [
        ("notice", "NOTICE:  held (01000)"),
        ("error", "ERROR:  division by zero (22012)"),
        ("copy", "a\tb"),
        ("control", "TimeZone is UTC"),
        ("notice", "notification on news: hello"),
    ]


PARTS = (columns("id", "name"), row(b"1", b"ann"), row(b"20", None), tag("SELECT 2"), IDLE)
BOUNDARIES = {len(b"".join(PARTS[:count])) for count in range(len(PARTS) + 1)}


@given(st.integers(0, len(RESULT)))
def test_what_is_cut_short_says_so(size: int) -> None:
    blocks = replay(RESULT[:size])
    assert (bool(blocks) and blocks[-1].kind == "cut") is (size not in BOUNDARIES)


@given(st.binary(max_size=80))
def test_any_bytes_are_told(data: bytes) -> None:
    replay(data)


def test_long_results_and_long_cells_are_shortened() -> None:
    (rows,) = replay(columns("a") + row(b"x" * 500) * 1500)
    assert "500 not shown here" in rows.text
    assert max(len(line) for line in rows.text.split("\n")) < 100
