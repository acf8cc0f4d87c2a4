"""A replay shows what happened, and no recorded byte reaches the terminal unsanitised."""

import io

from rich.console import Console

from interpose.cli.replay import Replay
from interpose.protocols.contract import ReplayBlock
from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelOpened,
    CommandDecided,
    CommandEnded,
    Delivered,
    Noted,
    Omitted,
    Resized,
    SessionClosed,
    Streamed,
    StreamOmitted,
    TimelineEvent,
)

EVIL = "select '\x1b]52;c;ZXZpbA==\x07', '\x1b[2J'"


def shown(*events: TimelineEvent) -> str:
    """What the terminal gets."""
    out = io.StringIO()
    replay = Replay(Console(file=out, width=200), lambda data: [ReplayBlock("rows", data.decode())])
    for event in events:
        replay.show(event)
    replay.finish()
    return out.getvalue()


def test_a_command_and_its_result_are_shown() -> None:
    text = shown(
        CommandDecided(1.5, 7, "query", "select 1", (b"x", None), "permit"),
        Delivered(1.6, 7, b"on"),
        Delivered(1.6, 7, b"e"),
        Omitted(1.7, 7, 1234, False),
        CommandEnded(1.8, 7, "error", "", "42601", 0),
        SessionClosed(2.0, "client_closed", False),
    )
    assert "1.500s" in text
    assert "select 1" in text
    assert "$1 = x" in text and "$2 = NULL" in text
    assert "one" in text
    assert "1,234 bytes" in text
    assert "error (42601)" in text
    assert "closed: client_closed" in text


def test_what_was_under_way_where_the_record_stops_is_said() -> None:
    events = (
        CommandDecided(0.0, 1, "exec", "true", (), "permit"),
        CommandEnded(0.1, 1, "ok", "", "", 0),
        CommandDecided(0.2, 2, "file", "write_file /srv/a", (), "permit"),
        CommandDecided(0.3, 3, "file", "write_file /srv/b", (), "forbid"),
    )
    stopped = shown(*events)
    assert "no end is recorded of: write_file /srv/a" in stopped
    assert stopped.count("no end is recorded") == 1
    assert "no end is recorded" not in shown(*events, SessionClosed(1.0, "client_closed", False))


def test_no_escape_sequence_gets_through() -> None:
    text = shown(
        CommandDecided(0.0, 1, "query", EVIL, (EVIL.encode(),), "permit"),
        Noted(0.0, "hold", EVIL),
        Delivered(0.0, 1, EVIL.encode()),
    )
    assert "\x1b" not in text
    assert "\x07" not in text


def test_streams_are_shown_as_lines_and_detected_commands_marked() -> None:
    text = shown(
        ChannelOpened(0.0, 7, 1, "shell", "xterm\x1b[2J"),
        Resized(0.0, 7, 1, 100, 30),
        Streamed(1.0, 7, 1, StreamName.STDOUT, b"$ "),
        Streamed(2.0, 7, 1, StreamName.STDIN, b"id\r"),
        Streamed(3.0, 7, 1, StreamName.STDOUT, b"id\r\n\x1b]0;evil\x07uid=0\r\n"),
        StreamOmitted(4.0, 7, 1, StreamName.STDOUT, 1234, False),
        ChannelClosed(5.0, 7, 1, 130),
    )
    assert "\x1b" not in text
    assert "detected command: id" in text
    assert "uid=0" in text
    assert "1,234 bytes of stdout" in text
    assert "window 100x30" in text
    assert "with status 130" in text
