"""The corpus itself: that the search finds what it looks for, and that the page tells what the files hold."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest

from tests.support.leak_cases import load
from tests.support.leak_page import PAGE, page
from tests.support.leak_rig import SECRETS
from tests.support.leak_search import find

SSN, PAY = SECRETS["a"][0]


def _row(*cells: bytes) -> tuple[bytes, bytes]:
    body = struct.pack("!h", len(cells)) + b"".join(struct.pack("!i", len(cell)) + cell for cell in cells)
    return b"D", body


@pytest.mark.parametrize(
    "disguised",
    [
        SSN,
        SSN.swapcase(),
        SSN[::-1],
        SSN[2:9],
        SSN.encode().hex(),
        SSN.encode().hex().upper(),
        base64.b64encode(f"a{SSN}b".encode()).decode(),
        base64.b64encode(f"ab{SSN}".encode()).decode(),
        base64.b64encode(SSN.encode()).decode(),
        hashlib.md5(SSN.encode()).hexdigest(),
        ",".join(SSN),
        " ".join(str(ord(char)) for char in SSN),
        f"{int(PAY):,}",
        f"{int(PAY):b}",
        PAY[::-1],
    ],
)
def test_the_search_finds_a_disguised_value(disguised: str) -> None:
    assert find(b"before " + disguised.encode() + b" after", [], (SSN, PAY))


@pytest.mark.parametrize("data", [SSN.encode("utf-16-le"), struct.pack("!i", int(PAY)), struct.pack("!d", int(PAY))])
def test_the_search_finds_bytes(data: bytes) -> None:
    assert find(b"before" + data + b"after", [], (SSN, PAY))


def test_the_search_finds_what_is_spread_over_rows() -> None:
    assert find(b"", [_row(char.encode()) for char in SSN], (SSN,))
    assert find(b"", [_row(b"1", str(ord(char)).encode()) for char in SSN], (SSN,))
    assert find(b"", [_row(digit.encode()) for digit in PAY], (PAY,))


def test_the_search_finds_nothing_where_there_is_nothing() -> None:
    other = SECRETS["b"][0]
    assert find(f"{other} [redacted] 0".encode(), [_row(b"[redacted]", b"0")], (SSN, PAY)) == []


def test_the_corpus_is_as_large_as_it_says() -> None:
    cases = load()
    assert len(cases) >= 200
    assert all(case.infers.endswith(".") for case in cases if case.infers)
    assert all(case.beyond.endswith(".") for case in cases if case.beyond)


def test_the_page_tells_what_the_files_hold() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.support.leak_page"
