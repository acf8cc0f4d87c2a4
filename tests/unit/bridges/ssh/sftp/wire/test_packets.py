"""Framing and fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.bridges.ssh.sftp.wire.packets import (
    MOST_PACKET,
    Fields,
    Kind,
    MalformedError,
    Splitter,
    Status,
    framed,
    status,
    string,
    u32,
    u64,
)


@given(st.lists(st.binary(min_size=1, max_size=40)), st.lists(st.integers(1, 30)))
def test_packets_come_out_whatever_the_cuts(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(u32(len(body)) + body for body in bodies)
    splitter = Splitter()
    found = []
    for size in [*cuts, len(stream) + 1]:
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert found == bodies


@pytest.mark.parametrize("length", [0, MOST_PACKET + 1, 0xFFFF_FFFF])
def test_an_impossible_length_is_refused_at_once(length: int) -> None:
    with pytest.raises(MalformedError):
        Splitter().feed(u32(length))


def test_one_byte_at_a_time() -> None:
    splitter = Splitter()
    stream = status(7, Status.EOF, b"over")
    packets = [packet for each in stream for packet in splitter.feed(bytes([each]))]
    assert packets == [stream[4:]]


def test_fields_are_read_as_they_are_written() -> None:
    packet = framed(Kind.OPEN, u32(1), u64(2**63), string(b"x"), b"\xff")[4:]
    fields = Fields(packet)
    assert (fields.byte(), fields.u32(), fields.u64(), fields.string()) == (Kind.OPEN, 1, 2**63, b"x")
    assert not fields.ended
    at = fields.position
    with pytest.raises(MalformedError):
        fields.end()
    assert fields.rest() == b"\xff"
    assert fields.since(at) == b"\xff"
    fields.end()


@pytest.mark.parametrize("data", [b"", u32(1), u32(0xFFFF_FFFF) + b"x"])
def test_a_string_that_is_not_there_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Fields(data).string()
