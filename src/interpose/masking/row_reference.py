"""The rows kernel in pure Python: what it makes of rows is right by definition, and `_rows.pyx` says the same faster.

Layout (PostgreSQL 17 §55.7, DataRow): `D`, Int32 length of all that follows itself included, Int16 number of columns, and
for each column an Int32 length (-1 for NULL) and that many bytes.
"""

from __future__ import annotations

import struct
from typing import Final

from interpose.masking.plan import MaskingPlan
from interpose.model.errors import Malformed

MEMO_ENTRIES: Final = 2048
"""Cells that are remembered for each masked column; when full, all are forgotten."""
MEMO_BYTES: Final = 128
"""The longest cell that is remembered."""

HEAD: Final = struct.Struct(">BiH")
"""What a row begins with: its type byte, its length, its number of columns."""
LENGTH: Final = struct.Struct(">i")
"""The length of a row or of a cell."""
NULL: Final = b"\xff\xff\xff\xff"
"""The length that stands for SQL NULL, as framed in a row."""
_DATA_ROW: Final = 0x44


def by_rule(plan: MaskingPlan, data: bytes) -> tuple[bytes, int]:
    """Apply the rules of the columns: the bytes that may be shown, and how many rows they are.

    Raises `Malformed` when anything in `data` is not a whole row of the plan's width, and what the masks raise.
    """
    pieces: list[bytes] = []
    add = pieces.append
    unpack_head, pack_head, unpack_length = HEAD.unpack_from, HEAD.pack, LENGTH.unpack_from
    width, end = plan.width, len(data)
    # How many columns to step over before each masked one, and behind the last.
    positions = plan.masked
    gaps = [range(b - a - 1) for a, b in zip((-1, *positions[:-1]), positions, strict=True)]
    steps = [(gap, plan.memo[k], k) for k, gap in enumerate(gaps)]
    tail = range(width - positions[-1] - 1)
    position = rows = 0
    try:
        while position < end:
            kind, length, count = unpack_head(data, position)
            row_end = position + 1 + length
            if kind != _DATA_ROW or count != width or row_end > end:
                raise malformed()
            copied = offset = position + 7
            slot = len(pieces)
            add(b"")
            grown = 0
            for gap, memo, k in steps:
                for _ in gap:
                    (size,) = unpack_length(data, offset)
                    offset += 4 + size if size > 0 else 4
                    if size < -1:
                        raise malformed()
                (size,) = unpack_length(data, offset)
                if size < 0:
                    if size != -1:
                        raise malformed()
                    offset += 4
                    continue
                behind = offset + 4 + size
                if behind > row_end:
                    raise malformed()
                cell = data[offset + 4 : behind]
                framed = memo.get(cell)
                if framed is None:
                    framed = framed_cell(plan, k, cell)
                if offset > copied:
                    add(data[copied:offset])
                add(framed)
                grown += len(framed) - 4 - size
                copied = offset = behind
            for _ in tail:
                (size,) = unpack_length(data, offset)
                offset += 4 + size if size > 0 else 4
                if size < -1:
                    raise malformed()
            if offset != row_end:
                raise malformed()
            if offset > copied:
                add(data[copied:offset])
            pieces[slot] = pack_head(_DATA_ROW, length + grown, width)
            position = row_end
            rows += 1
    except struct.error as error:
        raise malformed() from error
    return b"".join(pieces), rows


def framed_cell(plan: MaskingPlan, k: int, cell: bytes) -> bytes:
    """The masked cell of the k-th masked column with its length in front; remembered when it is short."""
    mask = plan.masks[plan.masked[k]]
    if mask is None:
        raise ValueError("a masked position has a mask")
    value = mask(cell)
    framed = NULL if value is None else LENGTH.pack(len(value)) + value
    memo = plan.memo[k]
    if len(cell) <= MEMO_BYTES:
        if len(memo) >= MEMO_ENTRIES:
            memo.clear()
        memo[cell] = framed
    return framed


def walk(width: int, data: bytes) -> int:
    """Check the frames of all rows and count them. Raises `Malformed`."""
    unpack_head, unpack_length = HEAD.unpack_from, LENGTH.unpack_from
    end = len(data)
    columns = range(width)
    position = rows = 0
    try:
        while position < end:
            kind, length, count = unpack_head(data, position)
            row_end = position + 1 + length
            if kind != _DATA_ROW or count != width or row_end > end:
                raise malformed()
            offset = position + 7
            for _ in columns:
                (size,) = unpack_length(data, offset)
                offset += 4 + size if size > 0 else 4
                if size < -1:
                    raise malformed()
            if offset != row_end:
                raise malformed()
            position = row_end
            rows += 1
    except struct.error as error:
        raise malformed() from error
    return rows


def malformed() -> Malformed:
    """The error for rows that are not as they were described, for raising."""
    return Malformed(
        "the upstream sent rows that do not match their description",
        hint="run the command again; if it happens again, tell the operator",
    )
