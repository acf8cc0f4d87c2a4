"""`python -m bench.detection`: precision and recall of content detection, and how fast it and the rows kernel are.

The corpus is generated (`bench.corpus`), the same on every run: every class in many spellings and surroundings, and look-alikes that must
not be taken for it.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable

from bench.corpus import PROSE, SEED, counted, make_email
from interpose.masking.content import content_scanner
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.plan import build_plan
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.rows import mask_data_rows
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape


def quality(count: int) -> None:
    """Print precision and recall by class."""
    rows, negatives = counted(count)
    print(f"{count} planted values a class, {negatives} look-alikes\n")
    print(f"{'data class':<24}{'found':>7}{'missed':>8}{'wrong':>7}{'precision':>11}{'recall':>8}")
    for name, row in rows.items():
        precision = f"{row.found / max(row.found + row.wrong, 1):.3f}" if "(" not in name else ""
        print(f"{name:<24}{row.found:>7}{row.missed:>8}{row.wrong:>7}{precision:>11}{row.found / count:>8.3f}")


def fastest(run: Callable[[], object], rounds: int = 5) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best


def data_row(values: list[bytes]) -> bytes:
    body = b"".join(struct.pack(">i", len(v)) + v for v in values)
    return b"D" + struct.pack(">ih", len(body) + 6, len(values)) + body


def speed(rng: random.Random) -> None:
    """Print MB/s of the scan and rows/s of the kernel."""
    rules = {name: MaskRule("redact") for name in CONTENT_CLASSES}
    scanner = content_scanner(rules, Pseudonyms(b"k" * 32), 1 << 18)
    if scanner is None:
        raise SystemExit("no class can be detected")
    clean = " ".join(rng.choice(PROSE) for _ in range(12000)).encode()[:65536]
    seconds = fastest(lambda: scanner.may_match(clean))
    print(f"\nscan, 64 KiB of clean text: {len(clean) / seconds / 1e6:.0f} MB/s")
    for share in (0.0, 0.02, 0.2):
        values = [
            (make_email(rng) if rng.random() < share else " ".join(rng.choice(PROSE) for _ in range(8))).encode()
            for _ in range(20000)
        ]
        chunks = [b"".join(data_row([b"7", v]) for v in values[i : i + 500]) for i in range(0, len(values), 500)]
        shape = ResultShape(tuple(ResultColumn(n, 0, 0, oid, -1, -1, 0) for n, oid in (("id", 23), ("note", 25))))
        plan = build_plan(shape, [None, None], rules, b"k" * 32)
        if plan is None:
            raise SystemExit("nothing to do")
        seconds = fastest(lambda c=chunks, p=plan: [mask_data_rows(p, data, 0, len(data)) for data in c])  # type: ignore[misc]
        size = sum(map(len, chunks))
        print(
            f"rows with content detection, {share:.0%} of them with an address: "
            f"{len(values) / seconds:,.0f} rows/s, {size / seconds / 1e6:.0f} MB/s"
        )
    oids = [23, 25, 25, 25, 25, 1082, 1700, 16, 25, 25]
    shape = ResultShape(tuple(ResultColumn(f"c{i}", 0, 0, oid, -1, -1, 0) for i, oid in enumerate(oids)))
    columns: list[MaskRule | None] = [None] * 10
    columns[3], columns[4] = MaskRule("partial-email"), MaskRule("last4")
    rows = [
        data_row([b"%d" % i, b"Ada", b"Lovelace", b"ada%d@example.com" % i, b"%016d" % (4 * 10**15 + i), b"2024-05-06",
                  b"12.50", b"t", b"some address line", b"DE"])
        for i in range(20000)
    ]  # fmt: skip
    chunks = [b"".join(rows[i : i + 500]) for i in range(0, len(rows), 500)]

    def masked() -> None:
        plan = build_plan(shape, columns, {}, b"k" * 32)  # a new plan: nothing is remembered from the last round
        if plan is None:
            raise SystemExit("nothing to do")
        for data in chunks:
            mask_data_rows(plan, data, 0, len(data))

    print(f"rows of 10 columns, 2 of them masked, all values new: {len(rows) / fastest(masked):,.0f} rows/s")


if __name__ == "__main__":
    quality(1000)
    speed(random.Random(SEED))
