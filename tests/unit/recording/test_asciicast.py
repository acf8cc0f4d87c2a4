"""Casts, by the public description of the format."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.asciicast import asciicast
from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelOpened,
    Noted,
    Resized,
    SessionOpened,
    Streamed,
    StreamOmitted,
    TimelineEvent,
)
from tests.support.terminals import HOSTILE
from tests.unit.recording.terminal.test_harmless import only_allowed
from tests.unit.recording.test_header import HEADER

IN, OUT = StreamName.STDIN, StreamName.STDOUT
EVENTS: list[TimelineEvent] = [
    SessionOpened(0.0, HEADER),
    ChannelOpened(2.0, 3, 1, "shell", "xterm-256color"),
    Resized(2.0, 3, 1, 100, 30),
    Streamed(2.25, 3, 1, OUT, b"$ \xc3"),
    Streamed(2.5, 3, 1, OUT, b"\xa4\x1b]52;c;AAAA\x07"),
    Streamed(3.0, 3, 1, IN, b"l\xc3"),
    Streamed(3.0000004, 3, 1, IN, b"\xa4\r"),
    Streamed(3.5, 9, 2, OUT, b"another channel"),
    Resized(4.0, 3, 1, 100, 30),
    Resized(4.0, 3, 1, 90, 2**32 - 1),
    StreamOmitted(5.0, 3, 1, OUT, 7, False),
    Noted(6.0, "said", "lunch"),
    Streamed(20.0, 3, 1, OUT, b"bye\n\x1b[3"),
    ChannelClosed(21.0, 3, 1, 130),
]


def cast(version: int, events: list[TimelineEvent] = EVENTS, **options: object) -> list[object]:
    lines = list(asciicast(events, 1, version=version, **options))  # type: ignore[arg-type]
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    return [json.loads(line) for line in lines]


def test_version_2_has_absolute_times() -> None:
    header, *events = cast(2)
    assert header == {
        "version": 2,
        "width": 100,
        "height": 30,
        "env": {"TERM": "xterm-256color"},
        "timestamp": 1_790_000_002,
        "title": f"{HEADER.session}: {HEADER.principal} on {HEADER.connection}, shell",
    }
    assert events == [
        [0.25, "o", "$ "],
        [0.5, "o", "ä"],
        [2.0, "r", "90x500"],
        [3.0, "m", "7 bytes were not recorded here"],
        [4.0, "m", "said: lunch"],
        [18.0, "o", "bye\n"],
    ]


def test_version_3_has_intervals_and_the_status() -> None:
    header, *events = cast(3, typed=True)
    assert isinstance(header, dict)
    assert header["term"] == {"cols": 100, "rows": 30, "type": "xterm-256color"}
    assert "width" not in header
    assert events == [
        [0.25, "o", "$ "],
        [0.25, "o", "ä"],
        [0.5, "i", "l"],
        [0.0, "i", "ä\r"],
        [1.0, "r", "90x500"],
        [1.0, "m", "7 bytes were not recorded here"],
        [1.0, "m", "said: lunch"],
        [14.0, "o", "bye\n"],
        [1.0, "x", "130"],
    ]


def test_pauses_can_be_cut() -> None:
    assert cast(2, idle_limit=1.0)[-1] == [5.0, "o", "bye\n"]


def test_without_a_terminal_lines_return() -> None:
    events: list[TimelineEvent] = [EVENTS[0], ChannelOpened(1.0, 3, 1, "exec", ""), Streamed(1.0, 3, 1, OUT, b"a\nb\n")]
    header, line = cast(3, events)
    assert isinstance(header, dict)
    assert header["term"] == {"cols": 80, "rows": 24}
    assert line == [0.0, "o", "a\r\nb\r\n"]


def test_a_channel_that_showed_nothing_is_a_header_and_one_that_is_not_there_nothing() -> None:
    assert len(cast(2, EVENTS[:3])) == 1
    assert cast(2, EVENTS[:1]) == []


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.sampled_from([IN, OUT]), HOSTILE), max_size=20), st.sampled_from([2, 3])
)
def test_times_do_not_drift_and_output_is_harmless(parts: list[tuple[float, StreamName, bytes]], version: int) -> None:
    events, at = list(EVENTS[:3]), 2.0
    for pause, stream, data in parts:
        at += pause
        events.append(Streamed(at, 3, 1, stream, data))
    total = 0.0
    lines = [line for line in cast(version, events) if isinstance(line, list)]
    for time, code, text in lines:
        total = total + time if version == 3 else time
        assert code == "o"
        only_allowed(text)
    assert total <= at - 2.0 + 1e-5


@pytest.mark.parametrize("version", [2, 3])
def test_the_joined_output_is_that_of_the_stream(version: int) -> None:
    text = "".join(line[2] for line in cast(version) if isinstance(line, list) and line[1] == "o")
    assert text == "$ äbye\n"
