"""A recording as a sequence of timed, typed events: for replay, search and export.

Works on frames from wherever they come (sealed chunks, a live spool, both), so a recording that is still being written reads just
as well; its sequence then simply ends. What delivered bytes mean is their protocol's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

from interpose.recording.container import read_chunks
from interpose.recording.frames import (
    CLOSE,
    COMMAND,
    DELIVERED,
    ENDED,
    HEADER,
    NOTE,
    OMITTED,
    Frame,
    FrameError,
    decode_command,
    decode_ended,
    decode_note,
    decode_omitted,
    read_frames,
)
from interpose.recording.header import RecordingHeader, decode_header


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The first event. `at`, here and below, is seconds since the session opened, by the monotonic clock."""

    at: float
    header: RecordingHeader


@dataclass(frozen=True, slots=True)
class CommandDecided:
    """A command came and was decided; `sequence` is its decision's number in the audit chain."""

    at: float
    sequence: int
    kind: str
    text: str
    parameters: tuple[bytes | None, ...]
    decision: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """Bytes as the client got them, in the session's wire protocol."""

    at: float
    sequence: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Omitted:
    """So many bytes were delivered and not kept: beyond the cap, or `lost` to a disk error."""

    at: float
    sequence: int
    count: int
    lost: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that the gateway said or did."""

    at: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command is over: `outcome` is `ok`, `error` or `cut`."""

    at: float
    sequence: int
    outcome: str
    tag: str
    error_class: str
    rows: int


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The last event of a session that ended in order; `lost` says that something could not be written."""

    at: float
    reason: str
    lost: bool


TimelineEvent = SessionOpened | CommandDecided | Delivered | Omitted | Noted | CommandEnded | SessionClosed


def recording_frames(read: Callable[[int], bytes]) -> Iterator[Frame]:
    """Every frame of a sealed or half-written recording; `read(n)` as for `container.read_chunks`.

    Raises `RecordingFormatError` where the recording is damaged, `FrameError` when a chunk holds damaged frames.
    """
    for chunk in read_chunks(read):
        if chunk.trailer:
            return
        count = 0
        for frame, _ in read_frames(BytesIO(chunk.plain()).read):
            count += 1
            yield frame
        if count != chunk.frames:
            raise FrameError(f"chunk {chunk.index} holds {count} whole frames instead of {chunk.frames}")


def timeline(frames: Iterable[Frame]) -> Iterator[TimelineEvent]:
    """Frames to events, lazily. Raises `FrameError` for a payload that cannot be read or a type that is not known."""
    begun: int | None = None
    for frame in frames:
        if begun is None:
            begun = frame.time
        yield _event(frame, max(0, frame.time - begun) / 1e9)


def _event(frame: Frame, at: float) -> TimelineEvent:
    if frame.type == COMMAND:
        command = decode_command(frame.payload)
        return CommandDecided(at, frame.sequence, command.kind, command.text, command.parameters, command.decision)
    if frame.type == DELIVERED:
        return Delivered(at, frame.sequence, frame.payload)
    if frame.type == ENDED:
        end = decode_ended(frame.payload)
        return CommandEnded(at, frame.sequence, end.outcome, end.tag, end.error_class, end.rows)
    if frame.type == NOTE:
        return Noted(at, *decode_note(frame.payload))
    if frame.type == OMITTED:
        return Omitted(at, frame.sequence, *decode_omitted(frame.payload))
    if frame.type == HEADER:
        return SessionOpened(at, decode_header(frame.payload))
    if frame.type == CLOSE:
        return SessionClosed(at, frame.payload.decode("utf-8", "replace"), bool(frame.flags))
    raise FrameError(f"a frame of unknown type `{frame.type}`: this recording is from a newer version")
