"""Replies: only what the request can have, and nothing that leads a client astray."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.bridges.ssh.sftp.wire.packets import Kind, MalformedError, Status, framed, status, string, u32, u64
from interpose.bridges.ssh.sftp.wire.replies import (
    LARGEST_TRANSFER,
    MOST_NAMES,
    HostileError,
    common_extensions,
    read_reply,
    read_version,
)
from interpose.bridges.ssh.sftp.wire.requests import Operation


def _names(*names: bytes) -> bytes:
    return framed(
        Kind.NAME, u32(5), u32(len(names)), *(string(name) + string(b"-rw " + name) + u32(0) for name in names)
    )[4:]


def test_replies_go_under_the_clients_id() -> None:
    reply = read_reply(status(5, Status.NO_SUCH_FILE, b"no\x1b[2J")[4:], Operation.STAT, 77)
    assert reply.code == Status.NO_SUCH_FILE
    assert reply.data == status(77, Status.NO_SUCH_FILE, b"no?[2J")
    listed = read_reply(_names(b".", b"..", b"a\xff"), Operation.READDIR, 77)
    assert [each.name for each in listed.names] == [b".", b"..", b"a\xff"]
    assert listed.data[4:9] == bytes([Kind.NAME]) + u32(77)
    assert read_reply(framed(Kind.HANDLE, u32(5), string(b"h"))[4:], Operation.OPEN, 77).handle == b"h"
    given_ = framed(Kind.ATTRS, u32(5), u32(1), u64(3))[4:]
    assert read_reply(given_, Operation.STAT, 77).data == framed(Kind.ATTRS, u32(77), u32(1), u64(3))


def test_a_status_of_version_2_has_no_words() -> None:
    assert read_reply(framed(Kind.STATUS, u32(5), u32(0))[4:], Operation.CLOSE, 1).code == Status.OK


@pytest.mark.parametrize(
    ("packet", "operation"),
    [
        (_names(b"../../.ssh/authorized_keys"), Operation.READDIR),
        (_names(b"a", b"/etc/passwd"), Operation.READDIR),
        (_names(b""), Operation.READDIR),
        (_names(b"a\0b"), Operation.READDIR),
        (_names(b"a", b"b"), Operation.READLINK),
        (_names(), Operation.REALPATH),
        (_names(b"relative"), Operation.REALPATH),
        (framed(Kind.HANDLE, u32(5), string(b"h"))[4:], Operation.STAT),
        (framed(Kind.DATA, u32(5), string(b"h"))[4:], Operation.STAT),
        (framed(Kind.ATTRS, u32(5), u32(0))[4:], Operation.OPEN),
        (framed(Kind.EXTENDED_REPLY, u32(5), u64(0) * 4)[4:], Operation.FSYNC),
        (framed(Kind.NAME, u32(5), u32(MOST_NAMES + 1))[4:], Operation.READDIR),
        (framed(Kind.VERSION, u32(5))[4:], Operation.STAT),
    ],
)
def test_answers_of_a_hostile_host_are_not_handed_on(packet: bytes, operation: Operation) -> None:
    with pytest.raises(HostileError):
        read_reply(packet, operation, 1)


def test_limits_are_the_lesser_of_both() -> None:
    huge = framed(Kind.EXTENDED_REPLY, u32(5), u64(2**40) * 4)[4:]
    data = read_reply(huge, Operation.LIMITS, 1).data
    assert data[9:] == u64(LARGEST_TRANSFER + 1024) + u64(LARGEST_TRANSFER) * 2 + u64(2**40)
    vfs = framed(Kind.EXTENDED_REPLY, u32(5), u64(1) * 11)[4:]
    assert read_reply(vfs, Operation.STATVFS, 5).data[4:] == vfs


def test_versions_and_extensions() -> None:
    packet = framed(Kind.VERSION, u32(3), string(b"statvfs@openssh.com"), string(b"2"), string(b"x"), string(b"1"))[4:]
    version, offered = read_version(packet)
    assert version == 3
    assert common_extensions(offered) == {b"statvfs@openssh.com": b"2"}
    assert common_extensions({b"statvfs@openssh.com": b"3"}) == {}
    for bad in (
        b"\x03\0\0\0\3",
        b"\x02\0\0",
        framed(2, u32(3), *[string(b"%d" % n) + string(b"") for n in range(65)])[4:],
    ):
        with pytest.raises(MalformedError):
            read_version(bad)


@given(st.sampled_from(list(Operation)), st.integers(100, 202), st.binary(max_size=80))
def test_any_bytes_are_a_reply_or_refused(operation: Operation, kind: int, rest: bytes) -> None:
    with contextlib.suppress(MalformedError, HostileError):
        reply = read_reply(bytes([kind]) + rest, operation, 77)
        assert reply.handle is not None or reply.data[5:9] == u32(77)
