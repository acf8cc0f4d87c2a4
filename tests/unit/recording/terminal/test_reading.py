"""All channels of a recording as lines."""

from __future__ import annotations

from interpose.recording.channel_frames import StreamName
from interpose.recording.terminal.reading import MOST_CHANNELS, Line, TerminalReader
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelOpened,
    Resized,
    Streamed,
    StreamOmitted,
    TimelineEvent,
)

IN, OUT = StreamName.STDIN, StreamName.STDOUT


def read(*events: TimelineEvent, rows: bool = False) -> list[Line]:
    reader = TerminalReader(rows=rows)
    found = [line for event in events for line in reader.event(event)]
    return found + list(reader.finish())


def test_channels_are_read_apart() -> None:
    lines = read(
        ChannelOpened(0.0, 3, 1, "shell", "xterm"),
        ChannelOpened(0.0, 4, 2, "exec", ""),
        Resized(0.0, 3, 1, 20, 5),
        Streamed(1.0, 3, 1, OUT, b"$ "),
        Streamed(2.0, 3, 1, IN, b"id\r"),
        Streamed(2.0, 4, 2, OUT, b"one\nt"),
        StreamOmitted(2.5, 4, 2, OUT, 9, False),
        Streamed(2.5, 4, 2, OUT, b"wo\n"),
        Streamed(3.0, 3, 1, OUT, b"id\r\nuid=0\r\n"),
        ChannelClosed(4.0, 4, 2, 0),
        Streamed(5.0, 9, 9, OUT, b"nobody opened it"),
    )
    assert lines == [
        Line(3.0, 3, 1, "id", True),
        Line(4.0, 4, 2, "one"),
        Line(4.0, 4, 2, "two"),
        Line(5.0, 3, 1, "$ id"),
        Line(5.0, 3, 1, "uid=0"),
    ]


def test_rows_are_told_as_they_change() -> None:
    opened = ChannelOpened(0.0, 3, 1, "shell", "xterm")
    lines = read(opened, Streamed(1.0, 3, 1, OUT, b"seen\x1b[2K"), Streamed(2.0, 3, 1, OUT, b"\rthen"), rows=True)
    assert Line(2.0, 3, 1, "then") in lines


def test_channels_that_never_close_are_given_up() -> None:
    events: list[TimelineEvent] = []
    for number in range(MOST_CHANNELS + 1):
        events += [ChannelOpened(0.0, 1, number, "exec", ""), Streamed(0.0, 1, number, OUT, b"%d" % number)]
    assert {line.text for line in read(*events)} == {str(number) for number in range(MOST_CHANNELS + 1)}
