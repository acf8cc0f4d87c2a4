"""The audit chain: how one entry hangs on the one before it, and reading an entry back.

`entry_hash = SHA-256(0x00 || canonical bytes)`, which is also the leaf hash of RFC 6962 §2.1;
`chain = SHA-256(chain before || entry_hash)`. The canonical bytes hold the chain value before them as `prev`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from interpose.model.audit import AuditValue
from interpose.recording.canonical import VERSION

GENESIS: Final = bytes(32)
"""The chain value before the first entry."""


def entry_hash(line: bytes) -> bytes:
    """The hash of one entry's canonical bytes (without the line end)."""
    return sha256(b"\x00" + line).digest()


def link(before: bytes, entry: bytes) -> bytes:
    """The chain value after an entry, from the value before it and the entry's hash."""
    return sha256(before + entry).digest()


@dataclass(frozen=True, slots=True)
class ChainHead:
    """How far a chain has come: which chain (`<node>-<boot>`), how many entries, and its value after them (hex)."""

    name: str
    size: int
    chain: str

    def __str__(self) -> str:
        """`name:size:chain`, as the first entry of a later boot names it."""
        return f"{self.name}:{self.size}:{self.chain}"

    @staticmethod
    def parse(text: str) -> ChainHead | None:
        """The inverse of `str`; None for anything else."""
        name, _, rest = text.partition(":")
        size, _, chain = rest.partition(":")
        if not name or not size.isascii() or not size.isdigit() or len(chain) != 64:
            return None
        return ChainHead(name, int(size), chain)


class EntryError(ValueError):
    """A line is no audit entry; the text says why."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One audit entry as read back. `ts` (wall clock) and `mono` are microseconds."""

    actor: str
    boot: str
    fields: dict[str, AuditValue]
    kind: str
    mono: int
    node: str
    prev: str
    seq: int
    session: str | None
    ts: int
    v: int

    def as_mapping(self) -> Mapping[str, str | int | dict[str, AuditValue] | None]:
        """The entry as the JSON object that was written."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


_DECODER: Final = msgspec.json.Decoder(Entry)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def parse_entry(line: bytes) -> Entry:
    """Read one entry (without its line end); raises `EntryError` when it is none or not in canonical form."""
    try:
        entry = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EntryError(f"not an audit entry: {error}") from None
    if entry.v != VERSION:
        raise EntryError(f"unknown version `{entry.v}`")
    if _ENCODER.encode(entry) != line:
        raise EntryError("not in canonical form")
    return entry


def decode_entries(data: bytes) -> list[Entry]:
    """Every whole entry of one chain file, without proving anything; what cannot be read is left out.

    For listing and export; `verify` is what proves.
    """
    entries: list[Entry] = []
    for line in data.split(b"\n")[:-1]:
        try:
            entries.append(_DECODER.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return entries
