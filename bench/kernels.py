"""The rows kernels alone, without a network: rows a second by transform, in processor time, for the reference and its compiled twin."""

from __future__ import annotations

import struct
import time

from interpose.masking.kernel import KERNEL, PYTHON, Kernel
from interpose.masking.plan import build_plan
from interpose.masking.rows import mask_data_rows
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape

_OIDS = (23, 25, 25, 25, 23, 1184)  # those of `people` in bulk.py
_RULES = {
    "e-mail: partial-email, card: last4": {2: "partial-email", 3: "last4"},
    "name: partial-name, card: partial-card": {1: "partial-name", 3: "partial-card"},
    "name: redact, card: null": {1: "redact", 3: "null"},
    "id: last4, created: date-year": {0: "last4", 5: "date-year"},
    "e-mail: hash, card: hash": {2: "hash", 3: "hash"},
}
_AT_ONCE = 700  # rows of one read from the network


def run(*, rows: int = 100_000, rounds: int = 3) -> None:
    """Print the rate of each kernel for each pair of masked columns of six, every value new; the best of `rounds` counts."""
    made = [_row(number) for number in range(rows)]
    batches = [b"".join(made[at : at + _AT_ONCE]) for at in range(0, rows, _AT_ONCE)]
    print(
        f"{rows:,} rows of 6 columns, 2 of them masked, all values new; rows a second of processor time, best of {rounds}"
    )
    for name, rules in _RULES.items():
        rates = [_rate(kernel, rules, batches, rows, rounds) for kernel in (PYTHON, KERNEL)]
        print(
            f"  {name:42}{PYTHON.name:>8}{rates[0]:>12,.0f}{KERNEL.name:>10}{rates[1]:>12,.0f}{rates[1] / rates[0]:>7.1f}x"
        )


def _row(number: int) -> bytes:
    cells = (
        b"%d" % number,
        b"person%d" % number,
        b"person%d@example.com" % number,
        b"%016d" % (4 * 10**15 + number),
        b"%d" % (number % 100),
        b"2026-11-21 15:48:58.%06d+00" % number,
    )
    body = b"".join(struct.pack(">i", len(cell)) + cell for cell in cells)
    return b"D" + struct.pack(">ih", len(body) + 6, len(cells)) + body


def _rate(kernel: Kernel, rules: dict[int, str], batches: list[bytes], rows: int, rounds: int) -> float:
    shape = ResultShape(tuple(ResultColumn("c", 0, 0, oid, -1, -1, 0) for oid in _OIDS))
    columns = [MaskRule(rules[i]) if i in rules else None for i in range(len(_OIDS))]
    best = float("inf")
    for _ in range(rounds):
        plan = build_plan(shape, columns, {}, b"k" * 32)  # a new one: nothing is remembered from the last round
        if plan is None:
            raise SystemExit("nothing is masked")
        started = time.process_time()
        for batch in batches:
            mask_data_rows(plan, batch, 0, len(batch), kernel)
        best = min(best, time.process_time() - started)
    return rows / best
