"""Where earlier boots' chains ended, read from their files: what the first entry of a new chain names.

So chains of boots hang together: deleting a whole file of a chain, or cutting its end off after a later boot began, shows.
"""

from __future__ import annotations

import os
from pathlib import Path

from interpose.recording.chain import ChainHead, Entry, EntryError, entry_hash, link, parse_entry
from interpose.store.files.layout import chains
from interpose.store.files.locks import Abandoned

_STEP = 64 * 1024


def abandoned_heads(folder: Path) -> tuple[tuple[ChainHead, ...], tuple[str, ...]]:
    """The heads of all ended chains that no other chain names yet, and the names of chains whose end cannot be read.

    Chains of workers that live are left to a later boot.
    """
    found = chains(folder)
    named: set[str] = set()
    for segments in found.values():
        first = _first_entry(segments[0])
        previous = first.fields.get("previous") if first is not None else None
        if isinstance(previous, tuple):
            named.update(head.name for head in map(ChainHead.parse, previous) if head is not None)
    heads: list[ChainHead] = []
    unreadable: list[str] = []
    for name, segments in found.items():
        if name in named:
            continue
        with Abandoned(segments[0]) as old:
            if not old.taken:
                continue
        head = chain_head(name, segments)
        if head is None:
            unreadable.append(name)
        else:
            heads.append(head)
    return tuple(heads), tuple(unreadable)


def chain_head(name: str, segments: list[Path]) -> ChainHead | None:
    """Where a chain ends, from its last whole line alone; None when that cannot be read. An empty chain has size 0."""
    for path in reversed(segments):
        line = _last_line(path)
        if line is None:
            continue
        try:
            entry = parse_entry(line)
        except EntryError:
            return None
        return ChainHead(name, entry.seq + 1, link(bytes.fromhex(entry.prev), entry_hash(line)).hex())
    return ChainHead(name, 0, bytes(32).hex())


def last_entry_time(segments: list[Path]) -> float | None:
    """When a chain's last whole entry was written, in wall-clock seconds; None when that cannot be read."""
    for path in reversed(segments):
        line = _last_line(path)
        if line is not None:
            try:
                return parse_entry(line).ts / 1e6
            except EntryError:
                return None
    return None


def _first_entry(path: Path) -> Entry | None:
    with path.open("rb") as file:
        try:
            return parse_entry(file.readline().removesuffix(b"\n"))
        except EntryError:
            return None


def _last_line(path: Path) -> bytes | None:
    """The last line that has its line end; None when there is none."""
    with path.open("rb") as file:
        at = file.seek(0, os.SEEK_END)
        tail = b""
        while at > 0:
            start = max(0, at - _STEP)
            file.seek(start)
            tail = file.read(at - start) + tail
            at = start
            end = tail.rfind(b"\n")
            if end >= 0:
                begin = tail.rfind(b"\n", 0, end)
                if begin >= 0 or at == 0:
                    return tail[begin + 1 : end]
        return None
