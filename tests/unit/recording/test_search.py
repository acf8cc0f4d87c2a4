"""Which commands match."""

from __future__ import annotations

import pytest

from interpose.recording.search import SearchQuery, search
from interpose.recording.timeline import CommandDecided, SessionOpened
from tests.unit.recording.test_header import HEADER

OPENED = 1_790_000_000.0
EVENTS = [
    SessionOpened(0.0, HEADER),
    CommandDecided(1.0, 1, "query", "SELECT * FROM Customers", (), "permit"),
    CommandDecided(5.0, 2, "query", "DROP TABLE customers", (), "forbid"),
]


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        (SearchQuery(), [1, 2]),
        (SearchQuery(text="customers"), [1, 2]),
        (SearchQuery(text="drop"), [2]),
        (SearchQuery(text="nothing"), []),
        (SearchQuery(decision="FORBID"), [2]),
        (SearchQuery(principal="ALICE"), [1, 2]),
        (SearchQuery(principal="bob"), []),
        (SearchQuery(connection="orders"), [1, 2]),
        (SearchQuery(connection="order"), []),
        (SearchQuery(since=OPENED + 2), [2]),
        (SearchQuery(until=OPENED + 2), [1]),
        (SearchQuery(until=OPENED - 1), []),
        (SearchQuery(text="customers", decision="permit"), [1]),
    ],
)
def test_what_matches(query: SearchQuery, sequences: list[int]) -> None:
    hits = list(search(EVENTS, query))
    assert [hit.command.sequence for hit in hits] == sequences
    assert [hit.wall for hit in hits] == [OPENED + hit.command.at for hit in hits]


def test_a_session_that_cannot_match_is_not_read_on() -> None:
    read: list[int] = []

    def events() -> object:
        for index, event in enumerate(EVENTS):
            read.append(index)
            yield event

    assert list(search(events(), SearchQuery(principal="bob"))) == []  # type: ignore[arg-type]
    assert read == [0]
