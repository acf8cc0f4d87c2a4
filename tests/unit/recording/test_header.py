"""The header of a recording."""

from __future__ import annotations

import pytest

from interpose.recording.frames import FrameError
from interpose.recording.header import RecordingHeader, decode_header, encode_header

HEADER = RecordingHeader(
    session="s_1", principal="User:alice", connection="orders", protocol="postgres", source="192.0.2.1",
    opened_at=1_790_000_000_000_000, mono=12, node="n", boot="b", gateway="0.1", details=(("application", "psql"),),
)  # fmt: skip


def test_a_header_reads_back() -> None:
    assert decode_header(encode_header(HEADER)) == HEADER


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff", encode_header(HEADER).replace(b'"format":1', b'"format":2')])
def test_what_is_no_header(payload: bytes) -> None:
    with pytest.raises(FrameError):
        decode_header(payload)
