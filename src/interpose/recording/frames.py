"""Frames: the unit in which a session's recording is written, and the payload of each type.

A frame is `type u8 | flags u8 | time u64 (monotonic ns) | sequence u64 | length u32 | payload | CRC-32 u32`, little endian; the
CRC (zlib.crc32) covers everything before it. `sequence` is the audit sequence number of the command that the frame belongs to,
0 when it belongs to none. Frames are the same in a live spool and inside the chunks of a sealed recording.

The encoders of commands and ends are on the path of every statement: one `pack`, one format, one CRC. A command payload is four lengths
(kind u16, decision u16, text u32, parameters u32), then kind, decision, text, and each parameter as i32 length (-1 for NULL) and bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final
from zlib import crc32

HEADER: Final = 1
"""Who, where, when: JSON."""
COMMAND: Final = 2
"""A command with its decision."""
DELIVERED: Final = 3
"""Bytes as the client got them."""
NOTE: Final = 4
"""Something that the gateway said or did."""
ENDED: Final = 5
"""A command's end."""
CLOSE: Final = 6
"""The session's end; the last frame of a recording that was not cut by a crash."""
OMITTED: Final = 7
"""How many delivered bytes of a command were not kept (cap, or `lost` to a disk error)."""

_HEAD: Final = Struct("<BBQQI")
_CRC: Final = Struct("<I")
_U16: Final = Struct("<H")
_I32: Final = Struct("<i")
_NULL: Final = _I32.pack(-1)
_COMMAND: Final = Struct("<HHII")
_COMMAND_FRAME: Final = Struct("<BBQQIHHII")
_ENDED: Final = Struct("<QBBB")
_ENDED_FRAME: Final = Struct("<BBQQIQBBB")
_OMITTED: Final = Struct("<QB")
OVERHEAD: Final = _HEAD.size + _CRC.size
"""Bytes of a frame besides its payload."""
LARGEST_PAYLOAD: Final = 1 << 30
"""A longer payload is not written, and taken for damage when read. Bytes."""


class FrameError(ValueError):
    """A frame or its payload cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as read. `time` is monotonic nanoseconds of the writing process."""

    type: int
    flags: int
    time: int
    sequence: int
    payload: bytes


def encode_frame(frame_type: int, time: int, sequence: int, payload: bytes, flags: int = 0) -> bytes:
    """One frame as bytes."""
    body = _HEAD.pack(frame_type, flags, time, sequence, len(payload)) + payload
    return body + _CRC.pack(crc32(body))


def encode_command(
    time: int, sequence: int, kind: str, text: str, parameters: tuple[bytes | None, ...], decision: str
) -> bytes:
    """A COMMAND frame: kind, decision, text and parameters, in full. Parameters are raw as they were bound."""
    kind_bytes, decision_bytes, text_bytes = kind.encode(), decision.encode(), text.encode("utf-8", "surrogatepass")
    tail = b""
    if parameters:
        tail = b"".join([_NULL if value is None else _I32.pack(len(value)) + value for value in parameters])
    kinds, decisions, texts = len(kind_bytes), len(decision_bytes), len(text_bytes)
    length = _COMMAND.size + kinds + decisions + texts + len(tail)
    body = b"%b%b%b%b%b" % (
        _COMMAND_FRAME.pack(COMMAND, 0, time, sequence, length, kinds, decisions, texts, len(parameters)),
        kind_bytes,
        decision_bytes,
        text_bytes,
        tail,
    )
    return body + _CRC.pack(crc32(body))


def encode_ended(time: int, sequence: int, outcome: str, tag: str, error_class: str, rows: int) -> bytes:
    """An ENDED frame. Texts longer than 255 bytes are cut; rows beyond 2**64 do not happen."""
    outcome_bytes, tag_bytes, class_bytes = outcome.encode()[:255], tag.encode()[:255], error_class.encode()[:255]
    outcomes, tags, classes = len(outcome_bytes), len(tag_bytes), len(class_bytes)
    length = _ENDED.size + outcomes + tags + classes
    body = b"%b%b%b%b" % (
        _ENDED_FRAME.pack(ENDED, 0, time, sequence, length, rows, outcomes, tags, classes),
        outcome_bytes,
        tag_bytes,
        class_bytes,
    )
    return body + _CRC.pack(crc32(body))


def encode_note(time: int, sequence: int, kind: str, text: str) -> bytes:
    """A NOTE frame."""
    kind_bytes = kind.encode()
    return encode_frame(NOTE, time, sequence, _U16.pack(len(kind_bytes)) + kind_bytes + text.encode("utf-8", "replace"))


def encode_omitted(time: int, sequence: int, count: int, *, lost: bool) -> bytes:
    """An OMITTED frame: `count` bytes were not kept; `lost` says that the disk, not the cap, was the reason."""
    return encode_frame(OMITTED, time, sequence, _OMITTED.pack(count, lost))


def encode_close(time: int, reason: str, *, lost: bool) -> bytes:
    """A CLOSE frame; `lost` says that something of this session could not be written."""
    return encode_frame(CLOSE, time, 0, reason.encode("utf-8", "replace"), flags=int(lost))


@dataclass(frozen=True, slots=True)
class CommandPayload:
    """What a COMMAND frame says."""

    kind: str
    decision: str
    text: str
    parameters: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class EndedPayload:
    """What an ENDED frame says."""

    outcome: str
    tag: str
    error_class: str
    rows: int


def decode_command(payload: bytes) -> CommandPayload:
    """Read a COMMAND payload; raises `FrameError`."""
    try:
        kinds, decisions, texts, count = _COMMAND.unpack_from(payload, 0)
        kind_end = _COMMAND.size + kinds
        text_at = kind_end + decisions
        at = text_at + texts
        parameters: list[bytes | None] = []
        for _ in range(count):
            (length,) = _I32.unpack_from(payload, at)
            at += 4
            parameters.append(None if length < 0 else payload[at : at + length])
            at += max(length, 0)
        if at != len(payload):
            raise FrameError("a command frame has the wrong length")
        return CommandPayload(
            payload[_COMMAND.size : kind_end].decode(),
            payload[kind_end:text_at].decode(),
            payload[text_at : text_at + texts].decode("utf-8", "surrogatepass"),
            tuple(parameters),
        )
    except (StructError, UnicodeDecodeError) as error:
        raise FrameError(f"a command frame cannot be read: {error}") from None


def decode_ended(payload: bytes) -> EndedPayload:
    """Read an ENDED payload; raises `FrameError`."""
    try:
        rows, outcome_length, tag_length, class_length = _ENDED.unpack_from(payload, 0)
    except StructError as error:
        raise FrameError(f"an end frame cannot be read: {error}") from None
    rest = payload[_ENDED.size :]
    if len(rest) != outcome_length + tag_length + class_length:
        raise FrameError("an end frame has the wrong length")
    outcome, rest = rest[:outcome_length], rest[outcome_length:]
    tag, error_class = rest[:tag_length], rest[tag_length:]
    return EndedPayload(
        outcome.decode("utf-8", "replace"), tag.decode("utf-8", "replace"), error_class.decode("utf-8", "replace"), rows
    )


def decode_note(payload: bytes) -> tuple[str, str]:
    """Kind and text of a NOTE; raises `FrameError`."""
    try:
        (length,) = _U16.unpack_from(payload, 0)
    except StructError as error:
        raise FrameError(f"a note frame cannot be read: {error}") from None
    return payload[2 : 2 + length].decode("utf-8", "replace"), payload[2 + length :].decode("utf-8", "replace")


def decode_omitted(payload: bytes) -> tuple[int, bool]:
    """Count and `lost` of an OMITTED frame; raises `FrameError`."""
    try:
        count, lost = _OMITTED.unpack(payload)
    except StructError as error:
        raise FrameError(f"an omission frame cannot be read: {error}") from None
    return count, bool(lost)


def read_frames(read: Callable[[int], bytes]) -> Iterator[tuple[Frame, bytes]]:
    """Each whole, intact frame with its raw bytes, one in memory at a time; stops before the first that is torn or altered.

    `read(n)` gives up to n bytes and fewer only at the end. Whoever must know whether all was read adds up the raw lengths.
    """
    while len(head := read(_HEAD.size)) == _HEAD.size:
        frame_type, flags, time, sequence, length = _HEAD.unpack(head)
        if length > LARGEST_PAYLOAD:
            return
        rest = read(length + _CRC.size)
        raw = head + rest
        if len(rest) < length + _CRC.size or _CRC.unpack_from(rest, length)[0] != crc32(raw[: -_CRC.size]):
            return
        yield Frame(frame_type, flags, time, sequence, rest[:length]), raw
