"""The rows kernel: masks many DataRow messages in one call. This is the pure Python reference.

Layout (PostgreSQL 17 §55.7, DataRow): `D`, Int32 length of all that follows itself included, Int16 number of columns, and
for each column an Int32 length (-1 for NULL) and that many bytes. A compiled twin may stand behind `mask_data_rows`; it gets the
same arguments, reads `MaskingPlan`'s public attributes and must give the same bytes or raise the same error.
"""

from __future__ import annotations

import struct
from typing import Final, NoReturn

from interpose.masking.plan import MaskingPlan
from interpose.model.errors import Malformed

_MEMO_ENTRIES: Final = 2048
"""Cells that are remembered for each masked column; when full, all are forgotten."""
_MEMO_BYTES: Final = 128
"""The longest cell that is remembered."""

_HEAD: Final = struct.Struct(">BiH")
_LENGTH: Final = struct.Struct(">i")
_DATA_ROW: Final = 0x44
_NULL: Final = b"\xff\xff\xff\xff"


def mask_data_rows(plan: MaskingPlan, buffer: bytes | memoryview, start: int, end: int) -> tuple[bytes, int]:
    """Mask the complete DataRow messages in `buffer[start:end]`: their bytes as they may be shown, and how many they are.

    Raises `Malformed` when anything there is not a whole DataRow of the plan's width, and what the masks raise
    (`Unmaskable`). Nothing of the result may then be shown.
    """
    # Bytes, whatever was handed in: cells are keys of the memo.
    data = buffer if type(buffer) is bytes and not start and end == len(buffer) else bytes(buffer[start:end])
    rows = -1
    if plan.masked:
        data, rows = _by_rule(plan, data)
    scanner = plan.scanner
    if plan.scanned and scanner is not None:
        if rows < 0:
            rows = _walk(plan, data)
        # One look over all of the bytes, framing included, decides for most batches: no pattern of the prefilter
        # depends on what stands before or behind a match, so the lengths between the cells cannot hide one.
        if len(data) > scanner.max_inspected or scanner.may_match(data):
            data = _by_content(plan, data)
    elif rows < 0:
        rows = _walk(plan, data)
    return data, rows


def _by_rule(plan: MaskingPlan, data: bytes) -> tuple[bytes, int]:
    """Apply the rules of the columns."""
    pieces: list[bytes] = []
    add = pieces.append
    unpack_head, pack_head, unpack_length = _HEAD.unpack_from, _HEAD.pack, _LENGTH.unpack_from
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
                _malformed()
            copied = offset = position + 7
            slot = len(pieces)
            add(b"")
            grown = 0
            for gap, memo, k in steps:
                for _ in gap:
                    (size,) = unpack_length(data, offset)
                    offset += 4 + size if size > 0 else 4
                    if size < -1:
                        _malformed()
                (size,) = unpack_length(data, offset)
                if size < 0:
                    if size != -1:
                        _malformed()
                    offset += 4
                    continue
                behind = offset + 4 + size
                if behind > row_end:
                    _malformed()
                cell = data[offset + 4 : behind]
                framed = memo.get(cell)
                if framed is None:
                    framed = _framed(plan, k, cell)
                if offset > copied:
                    add(data[copied:offset])
                add(framed)
                grown += len(framed) - 4 - size
                copied = offset = behind
            for _ in tail:
                (size,) = unpack_length(data, offset)
                offset += 4 + size if size > 0 else 4
                if size < -1:
                    _malformed()
            if offset != row_end:
                _malformed()
            if offset > copied:
                add(data[copied:offset])
            pieces[slot] = pack_head(_DATA_ROW, length + grown, width)
            position = row_end
            rows += 1
    except struct.error:
        _malformed()
    return b"".join(pieces), rows


def _framed(plan: MaskingPlan, k: int, cell: bytes) -> bytes:
    """The masked cell of the k-th masked column with its length in front; remembered when it is short."""
    mask = plan.masks[plan.masked[k]]
    if mask is None:
        raise ValueError("a masked position has a mask")
    value = mask(cell)
    framed = _NULL if value is None else _LENGTH.pack(len(value)) + value
    memo = plan.memo[k]
    if len(cell) <= _MEMO_BYTES:
        if len(memo) >= _MEMO_ENTRIES:
            memo.clear()
        memo[cell] = framed
    return framed


def _walk(plan: MaskingPlan, data: bytes) -> int:
    """Check the frames of all rows and count them."""
    unpack_head, unpack_length = _HEAD.unpack_from, _LENGTH.unpack_from
    width, end = plan.width, len(data)
    columns = range(width)
    position = rows = 0
    try:
        while position < end:
            kind, length, count = unpack_head(data, position)
            row_end = position + 1 + length
            if kind != _DATA_ROW or count != width or row_end > end:
                _malformed()
            offset = position + 7
            for _ in columns:
                (size,) = unpack_length(data, offset)
                offset += 4 + size if size > 0 else 4
                if size < -1:
                    _malformed()
            if offset != row_end:
                _malformed()
            position = row_end
            rows += 1
    except struct.error:
        _malformed()
    return rows


def _by_content(plan: MaskingPlan, data: bytes) -> bytes:
    """Look into the scanned cells of each row that the prefilter cannot clear. The frames were checked before."""
    scanner = plan.scanner
    if scanner is None:
        raise ValueError("a plan with scanned columns has a scanner")
    may_match, most, scans = scanner.may_match, scanner.max_inspected, plan.scans
    pieces: list[bytes] = []
    copied = position = 0
    end = len(data)
    while position < end:
        (length,) = _LENGTH.unpack_from(data, position + 1)
        row_end: int = position + 1 + length
        if length > most or may_match(data[position:row_end]):
            row: list[bytes] = []
            offset = position + 7
            for scan in scans:
                (size,) = _LENGTH.unpack_from(data, offset)
                behind = offset + 4 + max(size, 0)
                if scan is None or size < 0:
                    row.append(data[offset:behind])
                else:
                    value = scan(data[offset + 4 : behind])
                    row.append(_NULL if value is None else _LENGTH.pack(len(value)) + value)
                offset = behind
            body = b"".join(row)
            pieces += (data[copied:position], _HEAD.pack(_DATA_ROW, len(body) + 6, plan.width), body)
            copied = row_end
        position = row_end
    return data if not pieces else b"".join((*pieces, data[copied:]))


def _malformed() -> NoReturn:
    raise Malformed(
        "the upstream sent rows that do not match their description",
        hint="run the command again; if it happens again, tell the operator",
    )
