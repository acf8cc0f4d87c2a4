"""The file formats: a live session's spool and a sealed recording, as bytes.

Spool: `IPSPOOL1`, the ordinal of its first frame (u64), then frames. Uncompressed, so that one write gives one frame to the
operating system.

Recording: `IPREC01\\n`, then chunks. A chunk is
`"C" | codec u8 | index u32 | first frame u64 | frames u32 | plain length u32 | stored length u32 | hash of the chunk before (32) | stored`,
little endian, codec 1 is zstd. The chunk's hash is SHA-256 over all of these bytes, as stored: it can be checked without
decompressing. The hash before the first chunk is SHA-256 of the session id. The trailer is a chunk of kind `T`
whose content (codec 0) is canonical JSON: state, reason, chunks, frames, bytes. The trailer's hash covers the whole recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Final

import msgspec
import zstandard

from interpose.recording.canonical import canonical

SPOOL_MAGIC: Final = b"IPSPOOL1"
RECORDING_MAGIC: Final = b"IPREC01\n"
SPOOL_HEAD: Final = len(SPOOL_MAGIC) + 8
"""Bytes before the first frame of a spool."""
CHUNK_LIMIT: Final = 1 << 20
"""Plain bytes after which a chunk is closed; a single larger frame makes a larger chunk."""

_CHUNK: Final = Struct("<cBIQIII32s")
CHUNK_HEAD: Final = _CHUNK.size
_ORDINAL: Final = Struct("<Q")
_PLAIN, _ZSTD = 0, 1
_LARGEST: Final = 1 << 31


class RecordingFormatError(ValueError):
    """A recording's bytes cannot be read; the text says why."""


def encode_spool_head(first_frame: int) -> bytes:
    """The start of a spool."""
    return SPOOL_MAGIC + _ORDINAL.pack(first_frame)


def decode_spool_head(data: bytes) -> int | None:
    """The ordinal of the spool's first frame; None when the head is torn or another file's."""
    if len(data) < SPOOL_HEAD or data[: len(SPOOL_MAGIC)] != SPOOL_MAGIC:
        return None
    ordinal: int = _ORDINAL.unpack_from(data, len(SPOOL_MAGIC))[0]
    return ordinal


def first_hash(session: str) -> bytes:
    """The hash that the first chunk of a session's recording hangs on."""
    return sha256(session.encode()).digest()


class Trailer(msgspec.Struct, frozen=True):
    """How a recording ended. `state` is `complete`, `truncated(crash)`, `truncated(disk)` or `truncated(peer)`."""

    state: str
    reason: str
    chunks: int
    frames: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk as stored. `offset` is where it starts in the file; `hash` is over its stored bytes and head."""

    trailer: bool
    index: int
    first_frame: int
    frames: int
    codec: int
    plain_length: int
    before: bytes
    stored: bytes
    offset: int
    hash: bytes

    @property
    def end(self) -> int:
        """The offset behind the chunk."""
        return self.offset + CHUNK_HEAD + len(self.stored)

    def plain(self) -> bytes:
        """The content; raises `RecordingFormatError` when it cannot be decompressed to exactly the stated length."""
        if self.codec == _PLAIN:
            return self.stored
        try:
            # INVARIANT: no more is set aside than the head says: the library believes the compressed data's own word before any limit.
            if zstandard.frame_content_size(self.stored) not in (-1, self.plain_length):
                raise RecordingFormatError(f"chunk {self.index} is not what its head says")
            plain = zstandard.ZstdDecompressor().decompress(self.stored, max_output_size=self.plain_length)
        except zstandard.ZstdError as error:
            raise RecordingFormatError(f"chunk {self.index} cannot be decompressed: {error}") from None
        if self.codec != _ZSTD or len(plain) != self.plain_length:
            raise RecordingFormatError(f"chunk {self.index} is not what its head says")
        return plain

    def read_trailer(self) -> Trailer:
        """The content of a trailer; raises `RecordingFormatError`."""
        try:
            return msgspec.json.decode(self.plain(), type=Trailer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RecordingFormatError(f"the trailer cannot be read: {error}") from None


Compress = Callable[[bytes], bytes]
"""Bytes to zstd. Keeps a working memory of about a megabyte: one is shared by all recordings that one thread writes."""


def new_compress(level: int = 3) -> Compress:
    """A compressor of this zstd level, for one thread."""
    return zstandard.ZstdCompressor(level=level).compress


class ChunkWriter:
    """Makes the chunks of one recording in order; holds no content. Each call's bytes are to be appended as they are."""

    __slots__ = ("_compress", "before", "frames", "index", "plain_bytes")

    def __init__(self, session: str, compress: Compress) -> None:
        """`compress` as `new_compress` gives it."""
        self._compress = compress
        self.before = first_hash(session)
        self.index = 0
        self.frames = 0
        self.plain_bytes = 0

    def resume(self, chunk: Chunk) -> None:
        """Go on behind a chunk that is already there."""
        self.before = chunk.hash
        self.index = chunk.index + 1
        self.frames = chunk.first_frame + chunk.frames
        self.plain_bytes += chunk.plain_length

    def chunk(self, plain: bytes, frames: int) -> tuple[bytes, bytes]:
        """Whole frames to the next chunk's bytes and hash; `commit` once they are written."""
        stored = self._compress(plain)
        data = _CHUNK.pack(b"C", _ZSTD, self.index, self.frames, frames, len(plain), len(stored), self.before) + stored
        return data, sha256(data).digest()

    def commit(self, chunk_hash: bytes, plain_length: int, frames: int) -> None:
        """The chunk was written: the next one hangs on it."""
        self.before = chunk_hash
        self.index += 1
        self.frames += frames
        self.plain_bytes += plain_length

    def trailer(self, state: str, reason: str) -> tuple[bytes, bytes]:
        """The trailer's bytes and hash."""
        content = canonical(
            {
                "bytes": self.plain_bytes,
                "chunks": self.index,
                "frames": self.frames,
                "reason": reason,
                "state": state,
            }
        )
        head = _CHUNK.pack(b"T", _PLAIN, self.index, self.frames, 0, len(content), len(content), self.before)
        data = head + content
        return data, sha256(data).digest()


def read_chunks(read: Callable[[int], bytes], session: str | None = None) -> Iterator[Chunk]:
    """Each whole chunk, one in memory at a time; `read(n)` gives up to n bytes and fewer only at the end.

    Stops before a torn last chunk (a live or crashed recording). Raises `RecordingFormatError` when a chunk does not hang
    on the one before it, or when `session` is given and the recording is another's.
    """
    magic = read(len(RECORDING_MAGIC))
    if magic != RECORDING_MAGIC:
        if RECORDING_MAGIC.startswith(magic):
            return
        raise RecordingFormatError("not a recording")
    offset, index, before = len(magic), 0, first_hash(session) if session is not None else None
    while len(head := read(CHUNK_HEAD)) == CHUNK_HEAD:
        kind, codec, stated, first, frames, plain_length, stored_length, stated_before = _CHUNK.unpack(head)
        if kind not in (b"C", b"T") or max(plain_length, stored_length) > _LARGEST:
            raise RecordingFormatError(f"no chunk at byte {offset}")
        if stated != index or (before is not None and stated_before != before):
            raise RecordingFormatError(f"the chunk at byte {offset} does not hang on the one before it")
        stored = read(stored_length)
        if len(stored) < stored_length:
            return
        before = sha256(head + stored).digest()
        yield Chunk(kind == b"T", index, first, frames, codec, plain_length, stated_before, stored, offset, before)
        offset += CHUNK_HEAD + stored_length
        index += 1
