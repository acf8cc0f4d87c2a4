"""The search for a secret in what a client received: plain and in every disguise that a statement could put it in.

Knows bytes and PostgreSQL's result messages. A search that finds nothing is only worth something because every case is run
directly first, where it must find.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

Message = tuple[bytes, bytes]

PIECE: Final = 6
"""So many characters of a text secret in a row are a find."""

_SHORT: Final = 4
"""Cells up to this length are put together: a value that is shown a few characters a row."""


def _windows(secret: str) -> Iterator[bytes]:
    for start in range(len(secret) - PIECE + 1):
        piece = secret[start : start + PIECE].lower()
        yield piece.encode()
        yield piece[::-1].encode()


def disguises(secret: str) -> dict[str, bytes]:
    """Forms that are looked for as they stand, whatever the case of letters (but for base64)."""
    data = secret.encode()
    forms = {
        "hex": data.hex().encode(),
        "hex reversed": data[::-1].hex().encode(),
        "utf-16": secret.encode("utf-16-le"),
        "utf-16 big": secret.encode("utf-16-be"),
        "utf-32": secret.encode("utf-32-le"),
        "percent": "".join(f"%{byte:02x}" for byte in data).encode(),
        "octal": "".join(f"\\{byte:03o}" for byte in data).encode(),
        "escaped": "".join(f"\\u{byte:04x}" for byte in data).encode(),
        **{
            name: hashlib.new(name, data).hexdigest().encode() for name in ("md5", "sha1", "sha224", "sha256", "sha512")
        },
    }
    if secret.isdigit():
        number = int(secret)
        forms |= {
            "number": data,
            "number reversed": data[::-1],
            "grouped": f"{number:,}".encode(),
            "in hex": f"{number:x}".encode(),
            "in octal": f"{number:o}".encode(),
            "in bits": f"{number:b}".encode(),
            "int4": struct.pack("!i", number),
            "float8": struct.pack("!d", float(number)),
            "numeric": struct.pack("!hh", number // 10000, number % 10000),
        }
    return forms


def exact_disguises(secret: str) -> dict[str, bytes]:
    """Forms in which the case of letters counts."""
    data = secret.encode()
    forms = {}
    for name, text in (("base64", data), ("base64 reversed", data[::-1])):
        for shift in range(3):
            # Whatever stands before and behind it, the middle is the same.
            forms[f"{name} at {shift}"] = base64.b64encode(b"x" * shift + text)[
                4 : -4 if (shift + len(text)) % 3 else None
            ]
    for name in ("md5", "sha224", "sha256", "sha384", "sha512"):
        digest = hashlib.new(name, data).digest()
        forms[f"{name} in bytes"] = digest
        forms[f"{name} in base64"] = base64.b64encode(digest)[:20]
    return forms


def _apart(secret: str) -> dict[str, re.Pattern[bytes]]:
    """The characters with something between them, and their codes."""
    gap = rb"[^0-9A-Za-z]{1,8}"
    letters = [re.escape(char.encode()) for char in secret]
    codes = [str(ord(char)).encode() for char in secret]
    pairs = [f"{ord(char):02x}".encode() for char in secret]
    return {
        "apart": re.compile(gap.join(letters), re.IGNORECASE),
        "apart reversed": re.compile(gap.join(letters[::-1]), re.IGNORECASE),
        "codes": re.compile(rb"\D{1,8}".join(codes)),
        "codes reversed": re.compile(rb"\D{1,8}".join(codes[::-1])),
        "hex apart": re.compile(gap.join(pairs), re.IGNORECASE),
    }


def cells(messages: Iterable[Message]) -> list[list[bytes]]:
    """The rows of all results."""
    rows = []
    for kind, body in messages:
        if kind != b"D":
            continue
        (count,) = struct.unpack_from("!h", body)
        position, row = 2, []
        for _ in range(count):
            (length,) = struct.unpack_from("!i", body, position)
            position += 4
            row.append(body[position : position + max(length, 0)])
            position += max(length, 0)
        rows.append(row)
    return rows


def _joined(rows: Sequence[Sequence[bytes]]) -> Iterator[bytes]:
    """Short cells put together: by row, and by column."""
    widest = max(map(len, rows), default=0)
    orders = [[cell for row in rows for cell in row]]
    orders += [[row[column] for row in rows if column < len(row)] for column in range(widest)]
    for order in orders:
        short = [cell for cell in order if 0 < len(cell) <= _SHORT]
        yield b"".join(short)
        yield b"".join(cell[:1] for cell in short)
        numbers = [int(cell) for cell in short if cell.isdigit()]
        yield bytes(number for number in numbers if 31 < number < 127)
        binary = [struct.unpack("!i", cell)[0] for cell in short if len(cell) == 4]
        yield bytes(number for number in binary if 31 < number < 127)


def find(received: bytes, messages: Sequence[Message], secrets: Iterable[str], more: Iterable[bytes] = ()) -> list[str]:
    """Where and how a secret (or one of `more`, as it stands) is found; empty when it is not."""
    found = []
    lower = received.lower()
    together = [piece.lower() for piece in _joined(cells(messages))]
    copied = b"".join(body for kind, body in messages if kind == b"d")
    texts = [lower, copied.lower(), *together]
    for secret in secrets:
        if not secret.isdigit():
            found += [
                f"{secret}: {piece.decode()}" for piece in _windows(secret) if any(piece in text for text in texts)
            ]
        elif any(secret.encode() in text or secret[::-1].encode() in text for text in together):
            found.append(f"{secret}: digit by digit")
        found += [
            f"{secret}: {form}"
            for form, data in disguises(secret).items()
            if data in received or any(data.lower() in text for text in texts)
        ]
        found += [f"{secret}: {form}" for form, data in exact_disguises(secret).items() if data in received]
        found += [
            f"{secret}: {form}"
            for form, pattern in _apart(secret).items()
            if pattern.search(received) or pattern.search(copied)
        ]
    found += [f"as the case says: {data!r}" for data in more if len(data) >= 4 and data in received]
    return found
