"""Where chains ended, from their last lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.store.files.heads import abandoned_heads, chain_head, last_entry_time
from tests.support.records import memory_chain


def test_the_end_is_read_from_the_last_whole_line(tmp_path: Path) -> None:
    chain = memory_chain(3)
    path = tmp_path / "node-boot.0000.chain"
    path.write_bytes(chain.data + b'{"torn')
    head = chain_head("node-boot", [path])
    assert head is not None
    assert (head.size, head.chain) == (3, chain.chain.hex())
    assert last_entry_time([path]) == pytest.approx(1_790_000_000.000002)


def test_a_long_last_line(tmp_path: Path) -> None:
    chain = memory_chain(2)
    chain.add(fields={"text": "x" * 200_000})
    path = tmp_path / "node-boot.0000.chain"
    path.write_bytes(chain.data)
    head = chain_head("node-boot", [path])
    assert head is not None
    assert (head.size, head.chain) == (3, chain.chain.hex())


def test_an_empty_last_segment(tmp_path: Path) -> None:
    chain = memory_chain(2)
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(chain.data)
    second.write_bytes(b"torn")
    head = chain_head("node-boot", [first, second])
    assert head is not None
    assert head.size == 2
    assert last_entry_time([second]) is None


def test_an_end_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "node-bad.0000.chain").write_bytes(b"{nonsense}\n")
    (tmp_path / "node-none.0000.chain").write_bytes(b"")
    heads, unreadable = abandoned_heads(tmp_path)
    assert unreadable == ("node-bad",)
    assert [(head.name, head.size) for head in heads] == [("node-none", 0)]
