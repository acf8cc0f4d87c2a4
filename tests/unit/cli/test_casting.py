"""The forms of an export."""

from __future__ import annotations

import json

import pytest

from interpose.cli.casting import Form, exported
from interpose.model.errors import ClientError
from interpose.recording.channel_frames import StreamName
from interpose.recording.timeline import ChannelOpened, SessionOpened, Streamed, TimelineEvent
from tests.unit.recording.test_header import HEADER

IN, OUT = StreamName.STDIN, StreamName.STDOUT
EVENTS: list[TimelineEvent] = [
    SessionOpened(0.0, HEADER),
    ChannelOpened(1.0, 3, 1, "shell", "xterm"),
    ChannelOpened(1.0, 3, 2, "exec", ""),
    Streamed(2.0, 3, 1, OUT, b"$ "),
    Streamed(3.0, 3, 1, IN, b"id\r"),
    Streamed(3.0, 3, 1, OUT, b"id\r\n\x1b]0;evil\x07uid=0\r\n$ "),
    Streamed(3.0, 3, 2, OUT, b"other\n"),
]


def lines(form: Form, channel: int | None = None) -> list[str]:
    data = exported(EVENTS, form, channel, typed=False, idle_limit=None)
    return [line.decode().rstrip("\n") for line in data]


def test_text_has_what_was_seen_and_marks_what_was_detected() -> None:
    assert lines(Form.TEXT) == ["# detected command: id", "$ id", "uid=0", "$", "other"]
    assert lines(Form.TEXT, 2) == ["other"]


@pytest.mark.parametrize(("form", "version"), [(Form.ASCIICAST_V2, 2), (Form.ASCIICAST_V3, 3)])
def test_a_cast_is_of_one_channel(form: Form, version: int) -> None:
    header, *rest = lines(form)
    assert json.loads(header)["version"] == version
    assert not any("other" in line for line in rest)
    assert any("other" in line for line in lines(form, 2))


def test_all_of_it_as_json() -> None:
    assert [json.loads(line)["type"] for line in lines(Form.JSONL)][:2] == ["opened", "channel_opened"]


def test_a_channel_that_is_not_there_is_said() -> None:
    with pytest.raises(ClientError, match="channel 9"):
        lines(Form.ASCIICAST_V3, 9)
    with pytest.raises(ClientError, match="no channel with streams"):
        list(exported(EVENTS[:1], Form.ASCIICAST_V2, None, typed=False, idle_limit=None))
