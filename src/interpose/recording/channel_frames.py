"""Frames of channels: what went over a stream, when and how large its terminal was. For protocols without results, such as SSH.

A channel is opened by the command whose `sequence` its frames carry, and has up to three streams. Stream bytes are as the client
sent and got them. The encoder of stream bytes is on the path of every byte: one format and one CRC.

Payloads, little endian: opened is channel u32, lengths of kind and term (u8 each), then these; stream is channel u32, stream u8 and the
bytes; window is channel, columns and rows (u32 each); closed is channel u32 and exit status i64, -1 for none; omitted is channel u32,
stream u8, count u64 and lost u8.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final
from zlib import crc32

from interpose.recording.frames import FrameError, encode_frame

CHANNEL_OPENED: Final = 8
"""A channel begins to carry streams."""
STREAM: Final = 9
"""Bytes of one of its streams."""
WINDOW: Final = 10
"""The size of its terminal, from here on."""
CHANNEL_CLOSED: Final = 11
"""It carries nothing more."""
STREAM_OMITTED: Final = 12
"""How many bytes of one of its streams were not kept (cap, or `lost` to a disk error)."""

_STREAM_FRAME: Final = Struct("<BBQQIIB")
_STREAM: Final = Struct("<IB")
_OPENED: Final = Struct("<IBB")
_WINDOW: Final = Struct("<III")
_CLOSED: Final = Struct("<Iq")
_OMITTED: Final = Struct("<IBQB")
_CRC: Final = Struct("<I")
_LARGEST: Final = 0xFFFF_FFFF
_NO_STATUS: Final = -1


@unique
class StreamName(IntEnum):
    """Which stream of a channel; the values are those of file descriptors."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2


@dataclass(frozen=True, slots=True)
class ChannelOpenedPayload:
    """`kind` is what was started (`shell`, `exec`, …); `term` is the terminal's type, empty when there is no terminal."""

    channel: int
    kind: str
    term: str


@dataclass(frozen=True, slots=True)
class StreamPayload:
    """Bytes of one stream."""

    channel: int
    stream: StreamName
    data: bytes


@dataclass(frozen=True, slots=True)
class WindowPayload:
    """A terminal's size in characters, as the client said it: any number, not to be believed when memory is made from it."""

    channel: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class ChannelClosedPayload:
    """`status` is what the program exited with, None when it is not known."""

    channel: int
    status: int | None


@dataclass(frozen=True, slots=True)
class StreamOmittedPayload:
    """So many bytes of one stream were not kept; `lost` says that the disk, not the cap, was the reason."""

    channel: int
    stream: StreamName
    count: int
    lost: bool


def encode_channel_opened(time: int, sequence: int, channel: int, kind: str, term: str) -> bytes:
    """A CHANNEL_OPENED frame. Texts longer than 255 bytes are cut."""
    kind_bytes, term_bytes = _short(kind), _short(term)
    head = _OPENED.pack(channel, len(kind_bytes), len(term_bytes))
    return encode_frame(CHANNEL_OPENED, time, sequence, head + kind_bytes + term_bytes)


def encode_stream(time: int, sequence: int, channel: int, stream: StreamName, data: bytes) -> bytes:
    """A STREAM frame."""
    head = _STREAM_FRAME.pack(STREAM, 0, time, sequence, _STREAM.size + len(data), channel, stream)
    return b"%b%b%b" % (head, data, _CRC.pack(crc32(data, crc32(head))))


def encode_window(time: int, sequence: int, channel: int, columns: int, rows: int) -> bytes:
    """A WINDOW frame."""
    payload = _WINDOW.pack(channel, min(max(columns, 0), _LARGEST), min(max(rows, 0), _LARGEST))
    return encode_frame(WINDOW, time, sequence, payload)


def encode_channel_closed(time: int, sequence: int, channel: int, status: int | None) -> bytes:
    """A CHANNEL_CLOSED frame."""
    return encode_frame(CHANNEL_CLOSED, time, sequence, _CLOSED.pack(channel, _NO_STATUS if status is None else status))


def encode_stream_omitted(
    time: int, sequence: int, channel: int, stream: StreamName, count: int, *, lost: bool
) -> bytes:
    """A STREAM_OMITTED frame."""
    return encode_frame(STREAM_OMITTED, time, sequence, _OMITTED.pack(channel, stream, count, lost))


def decode_channel_opened(payload: bytes) -> ChannelOpenedPayload:
    """Read a CHANNEL_OPENED payload; raises `FrameError`."""
    try:
        channel, kinds, terms = _OPENED.unpack_from(payload)
    except StructError as error:
        raise FrameError(f"a channel frame cannot be read: {error}") from None
    rest = payload[_OPENED.size :]
    if len(rest) != kinds + terms:
        raise FrameError("a channel frame has the wrong length")
    return ChannelOpenedPayload(
        channel, rest[:kinds].decode("utf-8", "replace"), rest[kinds:].decode("utf-8", "replace")
    )


def decode_stream(payload: bytes) -> StreamPayload:
    """Read a STREAM payload; raises `FrameError`."""
    try:
        channel, stream = _STREAM.unpack_from(payload)
    except StructError as error:
        raise FrameError(f"a stream frame cannot be read: {error}") from None
    return StreamPayload(channel, _stream(stream), payload[_STREAM.size :])


def decode_window(payload: bytes) -> WindowPayload:
    """Read a WINDOW payload; raises `FrameError`."""
    try:
        return WindowPayload(*_WINDOW.unpack(payload))
    except StructError as error:
        raise FrameError(f"a window frame cannot be read: {error}") from None


def decode_channel_closed(payload: bytes) -> ChannelClosedPayload:
    """Read a CHANNEL_CLOSED payload; raises `FrameError`."""
    try:
        channel, status = _CLOSED.unpack(payload)
    except StructError as error:
        raise FrameError(f"a frame of a channel's end cannot be read: {error}") from None
    return ChannelClosedPayload(channel, None if status == _NO_STATUS else status)


def decode_stream_omitted(payload: bytes) -> StreamOmittedPayload:
    """Read a STREAM_OMITTED payload; raises `FrameError`."""
    try:
        channel, stream, count, lost = _OMITTED.unpack(payload)
    except StructError as error:
        raise FrameError(f"a frame of an omission from a stream cannot be read: {error}") from None
    return StreamOmittedPayload(channel, _stream(stream), count, bool(lost))


def _short(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:255]


def _stream(number: int) -> StreamName:
    try:
        return StreamName(number)
    except ValueError:
        raise FrameError(f"a stream of unknown number `{number}`: this recording is from a newer version") from None
