"""Winding a recording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.channel_frames import StreamName
from interpose.recording.terminal import tape as module
from interpose.recording.terminal.screen import Screen
from interpose.recording.terminal.tape import Cut, Missing, Said, Shown, Sized, Tape, terminal_channels
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelOpened,
    Noted,
    Resized,
    Streamed,
    StreamOmitted,
    TimelineEvent,
)
from tests.support.terminals import HOSTILE

IN, OUT, ERR = StreamName.STDIN, StreamName.STDOUT, StreamName.STDERR
EVENTS: list[TimelineEvent] = [
    Noted(1.0, "hold", "before"),
    ChannelOpened(2.0, 3, 1, "shell", "xterm"),
    ChannelOpened(2.0, 3, 5, "exec", ""),
    Resized(2.0, 3, 1, 20, 5),
    Streamed(3.0, 3, 1, OUT, b"a"),
    Streamed(3.5, 3, 5, OUT, b"other"),
    Streamed(13.0, 3, 1, IN, b"typed"),
    Streamed(13.5, 3, 1, ERR, b"b"),
    StreamOmitted(14.0, 3, 1, OUT, 7, False),
    Noted(14.0, "hold", "x"),
    ChannelClosed(15.0, 3, 1, 2),
]


@pytest.mark.parametrize(("limit", "times"), [(None, [0, 1, 11.5, 12, 12]), (2.0, [0, 1, 3.5, 4, 4])])
def test_moments_of_one_channel_with_pauses_cut(limit: float | None, times: list[float]) -> None:
    cut = Cut(1, limit)
    moments = [moment for event in EVENTS if (moment := cut.moment(event)) is not None]
    assert moments == [
        Sized(times[0], 20, 5),
        Shown(times[1], b"a"),
        Shown(times[2], b"b"),
        Missing(times[3], 7),
        Said(times[4], "hold: x"),
    ]
    assert (cut.term, cut.kind, cut.status, cut.began) == ("xterm", "shell", 2, 2.0)
    assert list(terminal_channels(EVENTS)) == [(1, True), (5, False)]


@given(
    st.lists(st.tuples(st.floats(0, 2), HOSTILE), max_size=20),
    st.lists(st.floats(-1, 30), max_size=8),
    st.integers(1, 40),
)
def test_winding_anywhere_and_back_shows_what_a_screen_showed_then(
    parts: list[tuple[float, bytes]], places: list[float], keep: int
) -> None:
    before = module.KEEP_EVERY
    module.KEEP_EVERY = keep
    try:
        tape, at = Tape(), 0.0
        for pause, data in parts:
            at += pause
            tape.add(Shown(at, data))
        for place in places:
            while not tape.wind(place, 10):
                pass
            expected = Screen()
            for moment in tape._moments:
                if moment.at <= place:
                    assert isinstance(moment, Shown)
                    expected.feed(moment.data)
            assert tape.screen.text() == expected.text()
    finally:
        module.KEEP_EVERY = before


def test_what_was_said_and_is_missing_is_told_in_its_place() -> None:
    tape = Tape()
    for moment in (Sized(0.0, 10, 2), Shown(1.0, b"a\x1b]0;"), Missing(2.0, 7), Shown(2.0, b"b"), Said(3.0, "hold: x")):
        tape.add(moment)
    assert (tape.length, tape.next_at) == (3.0, 0.0)
    assert tape.wind(2.0)
    assert (tape.screen.text(), tape.said) == (["ab", ""], "7 bytes were not recorded here")
    assert tape.wind(9.0)
    assert (tape.said, tape.next_at) == ("hold: x", None)
    assert tape.wind(1.0)
    assert (tape.said, tape.screen.text()[0]) == ("", "a")
