"""`python -m bench.detection`: precision and recall of content detection, and how fast it and the rows kernel are.

The corpus is generated here, the same on every run: every class in many spellings and surroundings, and look-alikes that must
not be taken for it. It is no sample of anybody's data: the figures compare versions of the detectors, and show what they miss.
"""

from __future__ import annotations

import base64
import json
import random
import string
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator

from interpose.masking.content import content_scanner
from interpose.masking.detect import detect
from interpose.masking.numberplans import IBAN_LENGTHS
from interpose.masking.patterns import (
    AWS_KEY,
    CARD,
    CONTENT_CLASSES,
    EMAIL,
    IBAN,
    JWT,
    PHONE,
    PRIVATE_KEY,
    SSN,
)
from interpose.masking.plan import build_plan
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.rows import mask_data_rows
from interpose.masking.validators import luhn
from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape

NAMES = "ada grace alan edsger barbara donald radia ken margaret jürgen søren o'neil".split()
DOMAINS = "example.com mail.example.co.uk example.org corp.example.museum bücher.example sub.sub.example.io".split()
AROUND = (
    "{}",
    "see {} for it",
    "id=7;value={};x=1",
    "({})",
    '{{"k": "{}"}}',
    "a,{},b",
    "{}\nnext line",
    "'{}'",
    "x: {}.",
)
PROSE = "the order was sent to our warehouse on monday and will arrive with the next delivery of spare parts".split()
WORD = string.ascii_letters + string.digits


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(count))


def make_email(rng: random.Random) -> str:
    local = rng.choice(NAMES) + rng.choice(["", ".", "_", "-", "+"]) + rng.choice(["x", "lovelace", digits(rng, 3)])
    return f"{local}@{rng.choice(DOMAINS)}"


def make_card(rng: random.Random) -> str:
    prefix, length = rng.choice(
        [("4", 16), ("51", 16), ("37", 15), ("6011", 16), ("3530", 16), ("36", 14), ("2221", 16)]
    )
    body = prefix + digits(rng, length - len(prefix) - 1)
    number = next(body + last for last in string.digits if luhn(body + last))
    cuts = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[length]
    separator = rng.choice(["", " ", "-"])
    groups, position = [], 0
    for cut in cuts:
        groups.append(number[position : position + cut])
        position += cut
    return separator.join(groups)


def make_ssn(rng: random.Random) -> str:
    area = rng.choice([rng.randint(1, 665), rng.randint(667, 899)])
    separator = rng.choice("--- ")
    return f"{area:03d}{separator}{rng.randint(1, 99):02d}{separator}{rng.randint(1, 9999):04d}"


def make_iban(rng: random.Random) -> str:
    country = rng.choice(sorted(IBAN_LENGTHS))
    body = "".join(rng.choice(string.digits + "ABC") for _ in range(IBAN_LENGTHS[country] - 4))
    check = 98 - int("".join(str(int(c, 36)) for c in f"{body}{country}00")) % 97
    plain = f"{country}{check:02d}{body}"
    return " ".join(plain[i : i + 4] for i in range(0, len(plain), 4)) if rng.random() < 0.5 else plain


def make_phone(rng: random.Random) -> str:
    area, line = rng.choice([415, 650, 720, 938]), f"{rng.randint(220, 899)}"
    last = digits(rng, 4)
    return rng.choice(
        [
            f"+1{area}{line}{last}", f"+1 {area} {line} {last}", f"({area}) {line}-{last}", f"{area}-{line}-{last}",
            f"+49 170 {digits(rng, 7)}", f"+44 20 7946 {digits(rng, 4)}", f"0049 30 {digits(rng, 8)}", f"+33 6 12 34 {digits(rng, 2)} 78",
            f"{area}.{line}.{last}", f"030 {digits(rng, 7)}",  # the last has no country: it is not claimed
        ]
    )  # fmt: skip


def make_jwt(rng: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    header = {"alg": rng.choice(["HS256", "RS256", "EdDSA"]), "typ": "JWT", "kid": digits(rng, 4)}
    return f"{part(header)}.{part({'sub': digits(rng, 8)})}.{''.join(rng.choice(WORD + '-_') for _ in range(43))}"


def make_aws(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(["AKIA", "ASIA"]) + "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))
    return "aws_secret_access_key=" + "".join(rng.choice(WORD + "/+") for _ in range(40))


def make_key(rng: random.Random) -> str:
    label = rng.choice(["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
    body = "\n".join("".join(rng.choice(WORD) for _ in range(64)) for _ in range(4))
    return f"-----BEGIN {label}PRIVATE KEY-----\n{body}\n-----END {label}PRIVATE KEY-----"


MAKERS: dict[DataClassName, Callable[[random.Random], str]] = {
    EMAIL: make_email, CARD: make_card, SSN: make_ssn, IBAN: make_iban, PHONE: make_phone, JWT: make_jwt,
    AWS_KEY: make_aws, PRIVATE_KEY: make_key,
}  # fmt: skip


def look_alikes(rng: random.Random) -> Iterator[str]:
    hexadecimal = "0123456789abcdef"
    yield "-".join("".join(rng.choice(hexadecimal) for _ in range(n)) for n in (8, 4, 4, 4, 12))
    yield "".join(rng.choice(hexadecimal) for _ in range(rng.choice([32, 40, 64])))
    yield f"20{digits(rng, 2)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)} 1{rng.randint(0, 9)}:30:{rng.randint(10, 59)}.{digits(rng, 6)}+02"
    yield digits(rng, rng.randint(5, 24))
    yield f"{digits(rng, 3)}.{digits(rng, 12)}"
    yield f"10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}:5432"
    yield f"v{rng.randint(1, 9)}.{rng.randint(0, 30)}.{digits(rng, 4)}-rc{rng.randint(1, 9)}"
    yield f"INV-{digits(rng, 4)}-{digits(rng, 6)} / {digits(rng, 5)}"
    yield f"{digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)}"
    yield f"icon@{rng.randint(2, 3)}x.png and @mention and user@host"
    yield "".join(rng.choice(WORD) for _ in range(rng.choice([22, 32, 44])))
    yield f"DE{digits(rng, 20)}"
    yield f"{rng.randint(900, 999)}-{digits(rng, 2)}-{digits(rng, 4)}"
    yield f"eyJ{''.join(rng.choice(WORD) for _ in range(30))}.{digits(rng, 8)}.{digits(rng, 8)}"
    yield f"-----BEGIN PUBLIC KEY-----\n{digits(rng, 64)}\n-----END PUBLIC KEY-----"
    yield f"+{digits(rng, 3)} points, ({digits(rng, 3)}) {digits(rng, 3)}, -{digits(rng, 8)}"
    yield " ".join(rng.choice(PROSE) for _ in range(12))


def quality(rng: random.Random, count: int) -> None:
    """Print precision and recall by class. A planted value counts as found when its whole span is covered by its class."""
    found, missed, wrong = Counter[str](), Counter[str](), Counter[str]()
    for name, make in MAKERS.items():
        for _ in range(count):
            value, around = make(rng), rng.choice(AROUND)
            text = around.format(value)
            start = text.index(value) + (22 if value.startswith("aws_secret") else 0)
            end = text.index(value) + len(value)
            covered = False
            for finding in detect(text):
                if finding.data_class != name:
                    wrong[finding.data_class] += 1
                elif finding.start <= start and finding.end >= end:
                    covered = True
            (found if covered else missed)[name] += 1
    negatives = 0
    for _ in range(count):
        for text in look_alikes(rng):
            negatives += 1
            for finding in detect(text):
                wrong[finding.data_class] += 1
    print(f"{count} planted values a class, {negatives} look-alikes\n")
    print(f"{'data class':<20}{'found':>7}{'missed':>8}{'wrong':>7}{'precision':>11}{'recall':>8}")
    for name in MAKERS:
        hit, miss, false = found[name], missed[name], wrong[name]
        print(f"{name:<20}{hit:>7}{miss:>8}{false:>7}{hit / max(hit + false, 1):>11.3f}{hit / (hit + miss):>8.3f}")


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
    generator = random.Random(20240506)
    quality(generator, 1000)
    speed(generator)
