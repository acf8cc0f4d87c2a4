"""A recording as a sequence of timed, typed events: for replay, search and export.

Works on frames from wherever they come (sealed chunks, a live spool, both), so a recording that is still being written reads just
as well; its sequence then simply ends. What delivered bytes mean is their protocol's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

from interpose.recording.channel_frames import (
    CHANNEL_CLOSED,
    CHANNEL_OPENED,
    STREAM,
    STREAM_OMITTED,
    WINDOW,
    StreamName,
    decode_channel_closed,
    decode_channel_opened,
    decode_stream,
    decode_stream_omitted,
    decode_window,
)
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
class ChannelOpened:
    """A channel begins to carry streams: `kind` is what was started, `term` the terminal's type (empty: no terminal)."""

    at: float
    sequence: int
    channel: int
    kind: str
    term: str


@dataclass(frozen=True, slots=True)
class Streamed:
    """Bytes of one of a channel's streams, as the client sent or got them."""

    at: float
    sequence: int
    channel: int
    stream: StreamName
    data: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    """The size of a channel's terminal from here on, as the client said it: any number."""

    at: float
    sequence: int
    channel: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class StreamOmitted:
    """So many bytes of a stream were not kept: beyond the cap, or `lost` to a disk error."""

    at: float
    sequence: int
    channel: int
    stream: StreamName
    count: int
    lost: bool


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """A channel carries nothing more; `status` is its program's, None when it is not known."""

    at: float
    sequence: int
    channel: int
    status: int | None


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


ChannelEvent = ChannelOpened | Streamed | Resized | StreamOmitted | ChannelClosed
TimelineEvent = (
    SessionOpened | CommandDecided | Delivered | Omitted | ChannelEvent | Noted | CommandEnded | SessionClosed
)


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
    channel_event = _channel_event(frame, at)
    if channel_event is not None:
        return channel_event
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


def _channel_event(frame: Frame, at: float) -> ChannelEvent | None:
    if frame.type == STREAM:
        piece = decode_stream(frame.payload)
        return Streamed(at, frame.sequence, piece.channel, piece.stream, piece.data)
    if frame.type == WINDOW:
        window = decode_window(frame.payload)
        return Resized(at, frame.sequence, window.channel, window.columns, window.rows)
    if frame.type == CHANNEL_OPENED:
        opened = decode_channel_opened(frame.payload)
        return ChannelOpened(at, frame.sequence, opened.channel, opened.kind, opened.term)
    if frame.type == CHANNEL_CLOSED:
        closed = decode_channel_closed(frame.payload)
        return ChannelClosed(at, frame.sequence, closed.channel, closed.status)
    if frame.type == STREAM_OMITTED:
        gap = decode_stream_omitted(frame.payload)
        return StreamOmitted(at, frame.sequence, gap.channel, gap.stream, gap.count, gap.lost)
    return None
