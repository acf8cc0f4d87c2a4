"""The stream of COPY TO STDOUT in text, CSV or binary format, cut anywhere, masked row by row.

A stream keeps at most one row that is not complete. The binary layout is that of PostgreSQL 17, COPY, "Binary
Format": a signature, flags and an extension, then tuples (Int16 number of fields, and Int32 length and bytes for each), then -1.
"""

from __future__ import annotations

import struct
from typing import Final, assert_never, final

from interpose.masking.copy_lines import (
    CopyFormat,
    CopyOptions,
    malformed_copy,
    mask_copy_text,
    mask_csv_record,
    read_csv,
    split_text,
)
from interpose.masking.plan import MaskingPlan

SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
"""The first bytes of binary COPY data."""

_HEAD: Final = struct.Struct(">11sII")
_COUNT: Final = struct.Struct(">h")
_LENGTH: Final = struct.Struct(">i")
_TRAILER: Final = b"\xff\xff"


@final
class CopyStream:
    """Masks the data of one COPY TO STDOUT, in the order in which it comes. Raises `Malformed` as soon as it is not understood;
    nothing more of it may then be shown."""

    __slots__ = ("_begun", "_ended", "_kept", "_max_row", "_options", "_plan")

    def __init__(self, plan: MaskingPlan, options: CopyOptions, max_row: int) -> None:
        """`plan` is built from a shape with the table's types, in text format for text and CSV and in binary for binary.

        `max_row` is in bytes: a longer row is refused.
        """
        self._plan = plan
        self._options = options
        self._max_row = max_row
        self._kept = b""
        self._begun = False
        self._ended = False

    @property
    def buffered(self) -> int:
        """Bytes of the row that is not complete."""
        return len(self._kept)

    def feed(self, data: bytes) -> tuple[bytes, int]:
        """More data: what may be shown of all complete rows, and how many they are."""
        data = self._kept + data
        shown, rows, end = self._rows(data)
        self._kept = data[end:]
        if len(self._kept) > self._max_row:
            malformed_copy()
        return b"".join(shown), rows

    def _rows(self, data: bytes) -> tuple[list[bytes], int, int]:
        """What may be shown, how many rows it has, and where the first row begins that is not complete."""
        match self._options.format:
            case CopyFormat.TEXT:
                return self._text(data)
            case CopyFormat.CSV:
                return self._csv(data)
            case CopyFormat.BINARY:
                return self._binary(data)
            case _ as never:
                assert_never(never)

    def finish(self) -> None:
        """The end of the data; raises `Malformed` when a row, or binary's trailer, is missing."""
        if self._kept or (self._options.format is CopyFormat.BINARY and not self._ended):
            malformed_copy()

    def _text(self, data: bytes) -> tuple[list[bytes], int, int]:
        shown: list[bytes] = []
        position = rows = 0
        while (end := data.find(b"\n", position) + 1) > 0:
            line = data[position:end]
            position = end
            if self._options.header and not self._begun:
                self._begun = True
                names = split_text(line.rstrip(b"\r\n"), self._options.delimiter)
                shown.append(self._header(line, [name.replace(b"\\\\", b"\\") for name in names]))
            else:
                shown.append(mask_copy_text(self._plan, line, self._options))
                rows += 1
        return shown, rows, position

    def _csv(self, data: bytes) -> tuple[list[bytes], int, int]:
        shown: list[bytes] = []
        position = rows = 0
        while position < len(data):
            record = read_csv(data, position, self._options)
            if record is None or not record.ending:
                break
            if self._options.header and not self._begun:
                self._begun = True
                shown.append(self._header(data[position : record.end], record.values))
            else:
                shown.append(mask_csv_record(self._plan, record, self._options))
                rows += 1
            position = record.end
        return shown, rows, position

    def _header(self, line: bytes, names: list[bytes] | list[bytes | None]) -> bytes:
        # INVARIANT: the first line passes only when it is the names that the plan was made for. An option that is told
        # wrongly must not let a row through.
        if [name or b"" for name in names] != [name.encode() for name in self._plan.names]:
            malformed_copy()
        return line

    def _binary(self, data: bytes) -> tuple[list[bytes], int, int]:
        shown: list[bytes] = []
        position = rows = 0
        if not self._begun:
            if len(data) < _HEAD.size:
                return shown, 0, 0
            signature, flags, extension = _HEAD.unpack_from(data)
            if signature != SIGNATURE or flags or extension:
                malformed_copy()
            self._begun = True
            position = _HEAD.size
            shown.append(data[:position])
        while not self._ended:
            if data[position : position + 2] == _TRAILER:
                self._ended = True
                shown.append(_TRAILER)
                position += 2
                break
            values, end = self._tuple(data, position)
            if end < 0:
                break
            shown.append(_COUNT.pack(len(values)))
            shown += [
                _LENGTH.pack(-1) if value is None else _LENGTH.pack(len(value)) + value
                for value in self._plan.mask_row(values)
            ]
            position = end
            rows += 1
        if self._ended and position < len(data):
            malformed_copy()
        return shown, rows, position

    def _tuple(self, data: bytes, position: int) -> tuple[list[bytes | None], int]:
        """The tuple that begins here and where it ends, -1 when it is not complete."""
        values: list[bytes | None] = []
        if len(data) < position + 2:
            return values, -1
        (count,) = _COUNT.unpack_from(data, position)
        if count != self._plan.width:
            malformed_copy()
        position += 2
        for _ in range(count):
            if len(data) < position + 4:
                return values, -1
            (size,) = _LENGTH.unpack_from(data, position)
            position += 4
            if size < -1:
                malformed_copy()
            if size > len(data) - position:
                return values, -1
            values.append(None if size < 0 else data[position : position + size])
            position += max(size, 0)
        return values, position
