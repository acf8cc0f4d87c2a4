"""Attributes: what they say, and that they are handed on as they came."""

from __future__ import annotations

import pytest

from interpose.bridges.ssh.sftp.wire.attributes import (
    ACMODTIME,
    EXTENDED,
    PERMISSIONS,
    SIZE,
    UIDGID,
    Attributes,
    read_attributes,
)
from interpose.bridges.ssh.sftp.wire.packets import Fields, MalformedError, string, u32, u64


def _read(raw: bytes) -> Attributes:
    fields = Fields(raw)
    found = read_attributes(fields)
    fields.end()
    return found


def test_everything_at_once() -> None:
    raw = u32(SIZE | UIDGID | PERMISSIONS | ACMODTIME | EXTENDED) + u64(5) + u32(0) * 2 + u32(0o100644) + u32(0) * 2
    raw += u32(1) + string(b"a") + string(b"b")
    found = _read(raw)
    assert (found.raw, found.size, found.permissions, found.extended) == (raw, 5, 0o100644, True)
    assert found.is_link is False
    assert found.changes
    assert not found.special


def test_only_a_size_changes_nothing_else() -> None:
    found = _read(u32(SIZE) + u64(0))
    assert (found.size, found.changes, found.is_link) == (0, False, None)


@pytest.mark.parametrize(
    ("mode", "link", "special"),
    [
        (0o120777, True, False),
        (0o040755, False, False),
        (0o4755, None, True),
        (0o2755, None, True),
        (0o1777, None, True),
    ],
)
def test_modes(mode: int, link: bool | None, special: bool) -> None:
    found = _read(u32(PERMISSIONS) + u32(mode))
    assert (found.is_link, found.special) == (link, special)


@pytest.mark.parametrize("raw", [u32(0x10), u32(SIZE) + u32(0), u32(EXTENDED) + u32(65), u32(EXTENDED) + u32(1)])
def test_what_version_3_does_not_have_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        _read(raw)
