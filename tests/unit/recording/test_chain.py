"""Entries, heads and links."""

from __future__ import annotations

import hashlib

import pytest

from interpose.recording.chain import ChainHead, EntryError, decode_entries, entry_hash, link, parse_entry
from tests.support.records import memory_chain


def test_an_entry_is_read_back_as_it_was_written() -> None:
    chain = memory_chain(2)
    entry = parse_entry(chain.lines[1])
    assert (entry.seq, entry.kind, entry.session, entry.actor) == (1, "command.decided", "s_1", "User:alice")
    assert entry.fields == {"n": 1, "text": "é"}
    assert entry.prev == link(bytes(32), entry_hash(chain.lines[0])).hex()


def test_the_hashes_are_as_documented() -> None:
    assert entry_hash(b"x") == hashlib.sha256(b"\x00x").digest()
    assert link(b"a", b"b") == hashlib.sha256(b"ab").digest()


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line[:-1],
        lambda line: b" " + line,
        lambda line: line.replace(b'"v":1', b'"v":2'),
        lambda line: line.replace(b'"kind"', b'"kond"'),
        lambda line: line.replace(b'"seq":0', b'"seq":"0"'),
        lambda line: b"\xff" + line,
        lambda line: b"",
    ],
)
def test_anything_else_is_no_entry(change: object) -> None:
    line = memory_chain(1).lines[0]
    assert callable(change)
    with pytest.raises(EntryError):
        parse_entry(change(line))


def test_a_head_reads_back() -> None:
    head = ChainHead("node-boot", 12, "ab" * 32)
    assert ChainHead.parse(str(head)) == head


@pytest.mark.parametrize("text", ["", "a", "a:1", "a:x:" + "0" * 64, ":1:" + "0" * 64, "a:1:00"])
def test_what_is_no_head(text: str) -> None:
    assert ChainHead.parse(text) is None


def test_listing_leaves_out_what_cannot_be_read() -> None:
    chain = memory_chain(3)
    data = chain.lines[0] + b"\n{broken\n" + chain.lines[2] + b"\n" + chain.lines[1][:20]
    assert [entry.seq for entry in decode_entries(data)] == [0, 2]
