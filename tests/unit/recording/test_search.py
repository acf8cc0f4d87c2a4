"""Which commands match."""

from __future__ import annotations

import pytest

from interpose.recording.channel_frames import StreamName
from interpose.recording.search import MOST_OUTPUT, HitKind, SearchQuery, search
from interpose.recording.timeline import ChannelClosed, ChannelOpened, CommandDecided, SessionOpened, Streamed
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
    assert [hit.sequence for hit in hits] == sequences
    assert [hit.wall for hit in hits] == [OPENED + {1: 1.0, 2: 5.0}[hit.sequence] for hit in hits]


def test_a_session_that_cannot_match_is_not_read_on() -> None:
    read: list[int] = []

    def events() -> object:
        for index, event in enumerate(EVENTS):
            read.append(index)
            yield event

    assert list(search(events(), SearchQuery(principal="bob"))) == []  # type: ignore[arg-type]
    assert read == [0]


OUT, IN = StreamName.STDOUT, StreamName.STDIN
TERMINAL = [
    SessionOpened(0.0, HEADER),
    CommandDecided(0.5, 7, "shell", "", (), "permit"),
    ChannelOpened(1.0, 7, 1, "shell", "xterm"),
    Streamed(2.0, 7, 1, OUT, b"$ "),
    Streamed(3.0, 7, 1, IN, b"sudo Reboot\r"),
    Streamed(3.1, 7, 1, OUT, b"sudo Re\x1b[1mboot\r\n"),
    Streamed(4.0, 7, 1, OUT, b"The system will \x1b[31mre\x1b[0mboot now\r\n$ "),
    ChannelClosed(5.0, 7, 1, 0),
]


def test_words_on_a_terminal_are_found_however_they_are_drawn() -> None:
    hits = list(search(TERMINAL, SearchQuery(text="REBOOT")))
    assert [(hit.kind, hit.text, hit.wall - OPENED) for hit in hits] == [
        (HitKind.DETECTED, "sudo Reboot", pytest.approx(3.1)),
        (HitKind.OUTPUT, "$ sudo Reboot", pytest.approx(3.1)),
        (HitKind.OUTPUT, "The system will reboot now", pytest.approx(4.0)),
    ]
    assert {hit.sequence for hit in hits} == {7}
    late = list(search(TERMINAL, SearchQuery(text="reboot", since=OPENED + 3.5)))
    assert [hit.text for hit in late] == ["The system will reboot now"]
    assert list(search(TERMINAL, SearchQuery(text="reboot", decision="permit"))) == []


def test_a_flood_of_lines_answers_only_some() -> None:
    flood = b"".join(b"needle %d\r\n" % number for number in range(1000))
    events = [*TERMINAL[:4], Streamed(3.0, 7, 1, OUT, flood)]
    assert len(list(search(events, SearchQuery(text="needle")))) == MOST_OUTPUT
