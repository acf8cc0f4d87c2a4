"""Recordings and audit events as JSON lines, one object a line, complete: nothing of the original is lost.

Bytes (parameters, delivered data) are base64; a parameter that is UTF-8 text is given as `text` as well, for people and search.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import assert_never

from interpose.recording.canonical import JsonValue, canonical
from interpose.recording.chain import Entry
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelEvent,
    ChannelOpened,
    CommandDecided,
    CommandEnded,
    Delivered,
    Noted,
    Omitted,
    Resized,
    SessionClosed,
    SessionOpened,
    Streamed,
    StreamOmitted,
    TimelineEvent,
)


def recording_jsonl(events: Iterable[TimelineEvent]) -> Iterator[bytes]:
    """A timeline as lines of canonical JSON with their line ends. `at` is microseconds since the session opened."""
    for event in events:
        yield canonical(_event(event)) + b"\n"


def audit_jsonl(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Audit entries exactly as they are in the chain, so that their hashes can be computed again."""
    for entry in entries:
        yield canonical(entry.as_mapping()) + b"\n"


def _event(event: TimelineEvent) -> dict[str, JsonValue]:
    at = round(event.at * 1_000_000)
    match event:
        case SessionOpened(header=header):
            fields: dict[str, JsonValue] = {name: getattr(header, name) for name in header.__struct_fields__}
            return {"at": at, "type": "opened", **fields}
        case CommandDecided():
            return {
                "at": at,
                "type": "command",
                "sequence": event.sequence,
                "kind": event.kind,
                "text": event.text,
                "parameters": [_parameter(value) for value in event.parameters],
                "decision": event.decision,
            }
        case Delivered():
            return {"at": at, "type": "delivered", "sequence": event.sequence, "data": b64encode(event.data).decode()}
        case Omitted():
            return {
                "at": at,
                "type": "omitted",
                "sequence": event.sequence,
                "bytes": event.count,
                "why": "disk" if event.lost else "cap",
            }
        case Streamed():
            return {
                **_channel(at, "stream", event),
                "stream": event.stream.name.lower(),
                "data": b64encode(event.data).decode(),
            }
        case Resized():
            return {**_channel(at, "window", event), "columns": event.columns, "rows": event.rows}
        case ChannelOpened():
            return {**_channel(at, "channel_opened", event), "kind": event.kind, "term": event.term}
        case ChannelClosed():
            return {**_channel(at, "channel_closed", event), "status": event.status}
        case StreamOmitted():
            return {
                **_channel(at, "stream_omitted", event),
                "stream": event.stream.name.lower(),
                "bytes": event.count,
                "why": "disk" if event.lost else "cap",
            }
        case Noted():
            return {"at": at, "type": "note", "kind": event.kind, "text": event.text}
        case CommandEnded():
            return {
                "at": at,
                "type": "ended",
                "sequence": event.sequence,
                "outcome": event.outcome,
                "tag": event.tag,
                "error_class": event.error_class,
                "rows": event.rows,
            }
        case SessionClosed():
            return {"at": at, "type": "closed", "reason": event.reason, "lost": event.lost}
        case _:
            assert_never(event)


def _channel(at: int, kind: str, event: ChannelEvent) -> dict[str, JsonValue]:
    return {"at": at, "type": kind, "sequence": event.sequence, "channel": event.channel}


def _parameter(value: bytes | None) -> JsonValue:
    if value is None:
        return None
    encoded: dict[str, JsonValue] = {"base64": b64encode(value).decode()}
    try:
        encoded["text"] = value.decode()
    except UnicodeDecodeError:
        return encoded
    return encoded
