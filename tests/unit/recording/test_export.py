"""JSON lines."""

from __future__ import annotations

import base64
import json

from interpose.recording.chain import decode_entries
from interpose.recording.export import audit_jsonl, recording_jsonl
from interpose.recording.timeline import CommandDecided, Omitted
from tests.support.records import memory_chain
from tests.unit.recording.test_timeline import CHANNEL_EVENTS, EVENTS


def test_every_event_is_one_line() -> None:
    lines = [json.loads(line) for line in recording_jsonl(EVENTS)]
    assert [line["type"] for line in lines] == ["opened", "command", "delivered", "omitted", "ended", "note", "closed"]
    assert [line["at"] for line in lines] == [0, 1_000_000, 1_500_000, 2_000_000, 2_000_000, 3_000_000, 4_000_000]
    assert lines[0]["principal"] == "User:alice"
    assert lines[1]["parameters"] == [{"base64": "eA==", "text": "x"}, None]
    assert base64.b64decode(lines[2]["data"]) == b"D..."
    assert lines[3]["bytes"] == 99


def test_channels_are_exported_with_every_byte() -> None:
    lines = [json.loads(line) for line in recording_jsonl(CHANNEL_EVENTS)][1:]
    assert all((line["sequence"], line["channel"]) == (5, 2) for line in lines)
    types = ["channel_opened", "window", "stream", "stream_omitted", "channel_closed"]
    assert [line["type"] for line in lines] == types
    assert (lines[0]["kind"], lines[0]["term"], lines[1]["columns"], lines[1]["rows"]) == ("shell", "xterm", 80, 24)
    assert (lines[2]["stream"], base64.b64decode(lines[2]["data"])) == ("stdout", b"$ ")
    assert (lines[3]["stream"], lines[3]["bytes"], lines[3]["why"]) == ("stderr", 7, "disk")
    assert lines[4]["status"] is None


def test_binary_parameters_have_no_text() -> None:
    [line] = recording_jsonl([CommandDecided(0.0, 1, "execute", "SELECT $1", (b"\xff",), "permit")])
    assert json.loads(line)["parameters"] == [{"base64": "/w=="}]


def test_why_something_is_missing() -> None:
    lost, cut = recording_jsonl([Omitted(0.0, 1, 5, True), Omitted(0.0, 1, 5, False)])
    assert (json.loads(lost)["why"], json.loads(cut)["why"]) == ("disk", "cap")


def test_audit_entries_come_out_exactly_as_they_are_in_the_chain() -> None:
    chain = memory_chain(4)
    assert b"".join(audit_jsonl(decode_entries(chain.data))) == chain.data
