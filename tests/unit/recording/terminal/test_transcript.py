"""What a terminal showed, as lines."""

from __future__ import annotations

from interpose.recording.terminal.screen import Screen
from interpose.recording.terminal.transcript import Transcript


def lines(data: bytes) -> list[str]:
    transcript = Transcript(Screen(10, 3))
    transcript.screen.feed(data)
    return transcript.take() + transcript.finish()


def test_every_line_comes_once_and_in_order() -> None:
    assert lines(b"\r\n".join(b"%d" % number for number in range(20))) == [str(number) for number in range(20)]


def test_wrapped_lines_are_one() -> None:
    assert lines(b"a" * 45 + b"\r\nb") == ["a" * 45, "b"]


def test_what_is_cleared_and_what_an_editor_showed_is_kept() -> None:
    assert lines(b"one\x1b[H\x1b[2Jtwo") == ["one", "two"]
    assert lines(b"one\x1b[?1049h\x1b[Htext\r\n~\x1b[?1049l\r\ntwo") == ["text", "~", "one", "two"]
    assert lines(b"one\x1b[?1049h\x1b[Htext") == ["text"]


def test_drawing_without_line_ends_is_bounded() -> None:
    transcript = Transcript(Screen(10, 3))
    transcript.screen.feed(b"x" * 250_000)
    assert [len(line) for line in transcript.take()] == [100_010, 100_010]
