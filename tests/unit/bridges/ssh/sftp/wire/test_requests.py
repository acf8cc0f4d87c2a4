"""Requests: each is read into one value and written from it; what is not in the vocabulary is not understood."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.bridges.ssh.sftp.wire.attributes import PERMISSIONS, Attributes
from interpose.bridges.ssh.sftp.wire.packets import Kind, MalformedError, framed, string, u32, u64
from interpose.bridges.ssh.sftp.wire.requests import (
    EXTENSIONS,
    Operation,
    Request,
    read_request,
    write_request,
)

_MODE = Attributes(u32(PERMISSIONS) + u32(0o644), PERMISSIONS, None, 0o644)


@pytest.mark.parametrize(
    "request_",
    [
        Request(1, Operation.OPEN, path=b"/a", flags=0x1A, attributes=_MODE),
        Request(1, Operation.CLOSE, handle=b"h"),
        Request(1, Operation.READDIR, handle=b"h"),
        Request(1, Operation.FSETSTAT, handle=b"h", attributes=_MODE),
        Request(1, Operation.SETSTAT, path=b"/a", attributes=_MODE),
        Request(1, Operation.MKDIR, path=b"/a", attributes=_MODE),
        Request(1, Operation.RENAME, path=b"/a", second=b"/b"),
        Request(1, Operation.SYMLINK, path=b"/a", second=b"/b"),
        Request(1, Operation.REALPATH, path=b"."),
        Request(1, Operation.POSIX_RENAME, path=b"/a", second=b"/b"),
        Request(1, Operation.HARDLINK, path=b"/a", second=b"/b"),
        Request(1, Operation.STATVFS, path=b"/a"),
        Request(1, Operation.LSETSTAT, path=b"/a", attributes=_MODE),
        Request(1, Operation.FSYNC, handle=b"h"),
        Request(1, Operation.LIMITS),
        Request(1, Operation.HOME_DIRECTORY, path=b"me"),
        Request(1, Operation.COPY_DATA, handle=b"h", offset=1, length=2, to_handle=b"i", to_offset=3),
    ],
    ids=lambda request: request.operation.name,
)
def test_what_is_written_is_what_was_read(request_: Request) -> None:
    packet = write_request(request_, 1)
    assert read_request(packet[4:]) == request_
    assert write_request(request_, 2)[:4] == packet[:4]


@pytest.mark.parametrize(
    "packet",
    [
        framed(Kind.EXTENDED, u32(9), string(b"users-groups-by-id@openssh.com"), string(b""), string(b"")),
        framed(Kind.EXTENDED, u32(9), string(b"check-file"), string(b"/etc/shadow")),
        framed(21, u32(9), string(b"/a"), string(b"/b"), u32(1)),
        framed(Kind.STATUS, u32(9), u32(0)),
        framed(Kind.OPEN, u32(9), string(b"/a"), u32(0x40), u32(0)),
        framed(255, u32(9)),
    ],
)
def test_what_is_not_understood_keeps_its_id_and_is_never_written(packet: bytes) -> None:
    found = read_request(packet[4:])
    assert found == Request(9, Operation.UNKNOWN)
    with pytest.raises(ValueError, match="not a request"):
        write_request(found, 1)


@pytest.mark.parametrize(
    "packet",
    [
        framed(Kind.STAT, u32(1)),
        framed(Kind.STAT, u32(1), string(b"/a"), b"x"),
        framed(Kind.STAT, u32(1), u32(5) + b"/a"),
        framed(Kind.RENAME, u32(1), string(b"/a")),
        framed(Kind.OPEN, u32(1), string(b"/a"), u32(1)),
        framed(Kind.STAT, b"\0"),
        framed(Kind.READ, u32(1), string(b"h"), u64(0), u32(1)),
    ],
)
def test_missing_and_surplus_bytes_are_malformed(packet: bytes) -> None:
    with pytest.raises(MalformedError):
        read_request(packet[4:])


@given(st.integers(0, 255), st.binary(max_size=80))
def test_any_bytes_are_read_or_malformed(kind: int, rest: bytes) -> None:
    with contextlib.suppress(MalformedError):
        found = read_request(bytes([kind]) + rest)
        if found.operation is not Operation.UNKNOWN:
            again = read_request(write_request(found, found.id)[4:])
            assert again == found


def test_the_list_of_extensions_is_closed() -> None:
    assert b"users-groups-by-id@openssh.com" not in EXTENSIONS
    assert EXTENSIONS[b"posix-rename@openssh.com"] == b"1"
    assert EXTENSIONS[b"statvfs@openssh.com"] == b"2"
