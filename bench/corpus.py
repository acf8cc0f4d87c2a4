"""The corpus of content detection: values of every class in many spellings and surroundings, disguised ones, and look-alikes.

Generated, the same on every run. It is no sample of anybody's data: its counts compare versions of the detectors, and show what
they miss. `tests/corpus/detection` pins them.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from interpose.masking.detect import detect
from interpose.masking.national_ids import is_national_id
from interpose.masking.numberplans import IBAN_LENGTHS
from interpose.masking.patterns import (
    API_KEY,
    AWS_KEY,
    CARD,
    EMAIL,
    IBAN,
    JWT,
    NATIONAL_ID,
    PASSWORD,
    PHONE,
    PRIVATE_KEY,
    SSN,
)
from interpose.masking.validators import luhn
from interpose.model.ids import DataClassName

SEED = 20240506

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


def make_national_id(rng: random.Random) -> str:
    """One of a country's forms, with whatever check digits make it right."""
    d = digits
    year, month, day = f"{rng.randint(40, 99)}", f"{rng.randint(1, 12):02d}", f"{rng.randint(1, 28):02d}"
    forms: list[Callable[[], str]] = [
        lambda: f"{rng.choice('12')}{year}{month}{d(rng, 8)}{d(rng, 2)}",
        lambda: f"1 {year} {month} {d(rng, 2)} {d(rng, 3)} {d(rng, 3)} {d(rng, 2)}",
        lambda: f"{d(rng, 6)}19{year}{month}{day}{d(rng, 3)}{rng.choice('0123456789X')}",
        lambda: f"{year}{month}{day}{d(rng, 5)}",
        lambda: f"{day}{month}{year}{d(rng, 5)}",
        lambda: f"{year}.{month}.{day}-{d(rng, 3)}.{d(rng, 2)}",
        lambda: f"756.{d(rng, 4)}.{d(rng, 4)}.{d(rng, 2)}",
        lambda: f"{d(rng, 3)}.{d(rng, 3)}.{d(rng, 3)}-{d(rng, 2)}",
        lambda: f"{rng.choice(['', '19'])}{year}{month}{day}-{d(rng, 4)}",
        lambda: f"{day}{month}{year}-{d(rng, 3)}{rng.choice('0123456789ABCDEFHJKLMNPRSTUVWXY')}",
        lambda: f"{d(rng, 8)}{rng.choice(['', '-'])}{rng.choice('TRWAGMYFPDXBNJZSQVHLCKE')}",
        lambda: "".join(rng.choice(string.ascii_uppercase) for _ in range(6)) + f"{year}{rng.choice('ABCDEHLMPRST')}{day}F{d(rng, 3)}{rng.choice(string.ascii_uppercase)}",
        lambda: f"{rng.randint(2000, 9999)} {d(rng, 4)} {d(rng, 4)}",
        lambda: f"{rng.choice(['AB', 'JG', 'SR'])}{rng.choice(['', ' '])}{d(rng, 6)}{rng.choice('ABCD')}",
    ]  # fmt: skip
    form = rng.choice(forms)
    while not is_national_id(made := form()):
        pass
    return made


def make_api_key(rng: random.Random) -> str:
    def some(alphabet: str, count: int) -> str:
        return "".join(rng.choice(alphabet) for _ in range(count))

    return rng.choice(
        [
            f"{rng.choice(['ghp', 'gho', 'ghs'])}_{some(WORD, 36)}", f"glpat-{some(WORD, 19)}7", f"AIza{some(WORD + '-_', 34)}x",
            f"xoxb-{digits(rng, 12)}-{digits(rng, 12)}-{some(WORD, 24)}", f"sk_live_{some(WORD, 24)}", f"npm_{some(WORD, 36)}",
            f"SG.{some(WORD, 22)}.{some(WORD, 43)}", f"sk-proj-{some(WORD, 47)}3",
        ]
    )  # fmt: skip


def make_password(rng: random.Random) -> str:
    word = "".join(rng.choice(WORD + "!$#") for _ in range(rng.randint(6, 16))) + "7a"
    return rng.choice(
        [
            f"postgres://app:{word}@db.internal:5432/shop", f"mongodb+srv://u:{word}@cluster0.example.net/x", f"redis://:{word}@cache/0",
            f"host=db user=app password={word} dbname=shop", f"Server=db;Uid=app;Pwd={word};Database=x",
        ]
    )  # fmt: skip


MAKERS: dict[DataClassName, Callable[[random.Random], str]] = {
    EMAIL: make_email, CARD: make_card, SSN: make_ssn, IBAN: make_iban, PHONE: make_phone, JWT: make_jwt,
    AWS_KEY: make_aws, PRIVATE_KEY: make_key, NATIONAL_ID: make_national_id, API_KEY: make_api_key, PASSWORD: make_password,
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
    yield f"{rng.randint(1, 99)},{digits(rng, 3)},{digits(rng, 3)}.{digits(rng, 2)} EUR, {digits(rng, 4)}.{digits(rng, 2)} USD"
    yield f"17{digits(rng, 8)} 17{digits(rng, 11)} 17{digits(rng, 14)}"
    yield f"978-{digits(rng, 1)}-{digits(rng, 4)}-{digits(rng, 4)}-{digits(rng, 1)} EAN {digits(rng, 13)}"
    yield ":".join("".join(rng.choice(hexadecimal) for _ in range(2)) for _ in range(6))
    yield f"{rng.randint(-90, 90)}.{digits(rng, 6)}, {rng.randint(-180, 180)}.{digits(rng, 6)}"
    yield f"ORD-20{digits(rng, 2)}-{digits(rng, 6)} {rng.choice(string.ascii_uppercase)}{digits(rng, 7)} part {digits(rng, 8)}{rng.choice(string.ascii_uppercase)}"
    yield "https://example.com:8443/a@b/c?page=2 git+ssh://host/x password=${PW} pwd=***"
    yield f"{digits(rng, 2)}.{digits(rng, 2)}.{digits(rng, 4)} {digits(rng, 2)}:{digits(rng, 2)} {digits(rng, 3)}x{digits(rng, 3)} #{digits(rng, 6)}"
    yield f"“quoted” \u2013 with a dash… 5\u00a0km, 20\u201330 pieces, \u2116\u00a0{digits(rng, 4)}"


DISGUISED: tuple[DataClassName, ...] = (EMAIL, CARD, SSN, IBAN)
"""Classes whose values are also written in disguise."""


def disguised(value: str, rng: random.Random) -> str:
    """The value as somebody may write it who does not mean to be found, or as a program encodes it."""
    fullwidth = {c: chr(ord(c) + 0xFEE0) for c in string.digits + "@"}
    return rng.choice(
        [
            lambda: "".join(fullwidth.get(c, c) for c in value),
            lambda: value.replace(" ", "\u00a0").replace("-", "\u2011").replace("@", "%40"),
            lambda: value.replace("-", "\u2013").replace("@", "\\u0040").replace(" ", "\u202f"),
            lambda: "".join(f"\\u00{ord(c):02x}" if c in "@0123456789" else c for c in value),
            lambda: value[:3] + "\u200b" + value[3:],
            lambda: value.replace("@", "&#64;").replace(" ", "\u2007").replace("-", "\u2212"),
        ]
    )()


@dataclass(slots=True)
class Counts:
    """Of one class: planted values found and missed, and findings where there is none."""

    found: int = 0
    missed: int = 0
    wrong: int = 0


def counted(count: int, seed: int = SEED) -> tuple[dict[str, Counts], int]:
    """The counts by class, with `count` values of each, and the number of look-alikes. A planted value counts as found when its whole span is
    covered by its class. The disguised values of a class are counted as `pii.email (disguised)`."""
    rng = random.Random(seed)
    rows = {str(name): Counts() for name in MAKERS}
    for name, make in MAKERS.items():
        for _ in range(count):
            _plant(rows, rng, name, str(name), make(rng))
    for name in DISGUISED:
        for _ in range(count):
            _plant(rows, rng, name, f"{name} (disguised)", disguised(MAKERS[name](rng), rng))
    negatives = 0
    for _ in range(count):
        for text in look_alikes(rng):
            negatives += 1
            for finding in detect(text):
                rows[finding.data_class].wrong += 1
    return rows, negatives


def _plant(rows: dict[str, Counts], rng: random.Random, name: DataClassName, row: str, value: str) -> None:
    text = rng.choice(AROUND).format(value)
    start = text.index(value)
    end = start + len(value)
    if name == AWS_KEY and value.startswith("aws_secret"):
        start += 22
    if name == PASSWORD:
        # The secret is the word that ends in `7a`; what stands around it is not asked for.
        end = text.index("7a", start) + 2
        start = max(text.rfind(mark, start, end) for mark in (":", "password=", "Pwd="))
        start += {":": 1, "p": 9, "P": 4}[text[start]]
    covered = False
    for finding in detect(text):
        if finding.data_class != name:
            rows[finding.data_class].wrong += 1
        elif finding.start <= start and finding.end >= end:
            covered = True
    counts = rows.setdefault(row, Counts())
    if covered:
        counts.found += 1
    else:
        counts.missed += 1
