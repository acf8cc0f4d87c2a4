"""Masks many DataRow messages in one call: by the rules of columns in a kernel, by content here.

The kernel (`kernel.py`) is compiled where it could be built and pure Python elsewhere; both give the same bytes and errors.
"""

from __future__ import annotations

from interpose.masking.kernel import KERNEL, Kernel
from interpose.masking.plan import MaskingPlan
from interpose.masking.row_reference import HEAD, LENGTH, NULL


def mask_data_rows(
    plan: MaskingPlan, buffer: bytes | memoryview, start: int, end: int, kernel: Kernel = KERNEL
) -> tuple[bytes, int]:
    """Mask the complete DataRow messages in `buffer[start:end]`: their bytes as they may be shown, and how many they are.

    Raises `Malformed` when anything there is not a whole DataRow of the plan's width, and what the masks raise
    (`Unmaskable`). Nothing of the result may then be shown.
    """
    # Bytes, whatever was handed in: cells are keys of the memo.
    data = buffer if type(buffer) is bytes and not start and end == len(buffer) else bytes(buffer[start:end])
    rows = -1
    if plan.masked:
        data, rows = kernel.by_rule(plan, data)
    scanner = plan.scanner
    if plan.scanned and scanner is not None:
        if rows < 0:
            rows = kernel.walk(plan.width, data)
        # One look over all of the bytes, framing included, decides for most batches: no pattern of the prefilter
        # depends on what stands before or behind a match, so the lengths between the cells cannot hide one.
        if len(data) > scanner.max_inspected or scanner.may_match(data):
            data = _by_content(plan, data)
    elif rows < 0:
        rows = kernel.walk(plan.width, data)
    return data, rows


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
        (length,) = LENGTH.unpack_from(data, position + 1)
        row_end: int = position + 1 + length
        if length > most or may_match(data[position:row_end]):
            row: list[bytes] = []
            offset = position + 7
            for scan in scans:
                (size,) = LENGTH.unpack_from(data, offset)
                behind = offset + 4 + max(size, 0)
                if scan is None or size < 0:
                    row.append(data[offset:behind])
                else:
                    value = scan(data[offset + 4 : behind])
                    row.append(NULL if value is None else LENGTH.pack(len(value)) + value)
                offset = behind
            body = b"".join(row)
            pieces += (data[copied:position], HEAD.pack(0x44, len(body) + 6, plan.width), body)
            copied = row_end
        position = row_end
    return data if not pieces else b"".join((*pieces, data[copied:]))
