"""The header frame: whose session a recording is. Canonical JSON, so that a person can read it in the raw file."""

from __future__ import annotations

from typing import Final

import msgspec

from interpose.recording.canonical import canonical
from interpose.recording.frames import FrameError

FORMAT: Final = 1
"""The version of the frames' payloads."""


class RecordingHeader(msgspec.Struct, frozen=True):
    """Who, where, when. `opened_at` is wall-clock microseconds, `mono` the monotonic nanoseconds of the same moment."""

    session: str
    principal: str
    connection: str
    protocol: str
    source: str
    opened_at: int
    mono: int
    node: str
    boot: str
    gateway: str = ""
    details: tuple[tuple[str, str], ...] = ()
    format: int = FORMAT


def encode_header(header: RecordingHeader) -> bytes:
    """The header frame's payload."""
    return canonical({name: getattr(header, name) for name in header.__struct_fields__})


def decode_header(payload: bytes) -> RecordingHeader:
    """Read a header frame's payload; raises `FrameError`."""
    try:
        header = msgspec.json.decode(payload, type=RecordingHeader)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FrameError(f"the header cannot be read: {error}") from None
    if header.format != FORMAT:
        raise FrameError(f"a recording of format `{header.format}`: this version reads format {FORMAT}")
    return header
