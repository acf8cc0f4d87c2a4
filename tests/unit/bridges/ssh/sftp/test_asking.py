"""What each operation is to policy."""

from __future__ import annotations

import pytest

from interpose.bridges.ssh.sftp.asking import actions, file_request, follows, reads, refused_request, words, writes
from interpose.bridges.ssh.sftp.places import Place
from interpose.bridges.ssh.sftp.wire.attributes import PERMISSIONS, SIZE, Attributes
from interpose.bridges.ssh.sftp.wire.requests import Operation, Request
from interpose.model.actions import Action

_SIZE = Attributes(b"", SIZE, 5)
_MODE = Attributes(b"", PERMISSIONS, None, 0o644)
_SETUID = Attributes(b"", PERMISSIONS, None, 0o4755)
_BOTH = Attributes(b"", SIZE | PERMISSIONS, 5, 0o644)


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (Request(1, Operation.OPEN, flags=0x01), "read_file"),
        (Request(1, Operation.OPEN, flags=0x00), "read_file"),
        (Request(1, Operation.OPEN, flags=0x1A), "write_file"),
        (Request(1, Operation.OPEN, flags=0x04), "write_file"),
        (Request(1, Operation.OPEN, flags=0x10), "write_file"),
        (Request(1, Operation.OPEN, flags=0x03), "write_file read_file"),
        (Request(1, Operation.OPEN, flags=0x09), "write_file read_file"),
        (Request(1, Operation.OPEN, flags=0x1A, attributes=_SETUID), "write_file change_file"),
        (Request(1, Operation.MKDIR, attributes=_MODE), "write_file"),
        (Request(1, Operation.MKDIR, attributes=_SETUID), "write_file change_file"),
        (Request(1, Operation.SETSTAT, attributes=_SIZE), "write_file"),
        (Request(1, Operation.SETSTAT, attributes=_MODE), "change_file"),
        (Request(1, Operation.FSETSTAT, attributes=_BOTH), "change_file write_file"),
        (Request(1, Operation.SETSTAT), "change_file"),
        (Request(1, Operation.REALPATH), "list_files"),
        (Request(1, Operation.RMDIR), "remove_file"),
        (Request(1, Operation.POSIX_RENAME), "rename_file"),
        (Request(1, Operation.HARDLINK), "link_file"),
    ],
)
def test_actions(request_: Request, found: str) -> None:
    assert " ".join(action.value for action in actions(request_)) == found


def test_what_has_no_path_is_judged_elsewhere() -> None:
    with pytest.raises(ValueError, match="not judged"):
        actions(Request(1, Operation.CLOSE))


def test_what_an_open_lets_do() -> None:
    for flags, may in (
        (0, (True, False)),
        (1, (True, False)),
        (2, (False, True)),
        (3, (True, True)),
        (8, (False, False)),
    ):
        request = Request(1, Operation.OPEN, flags=flags)
        assert (reads(request), writes(request)) == may


def test_links_at_the_end_are_followed_as_the_host_does() -> None:
    assert follows(Request(1, Operation.OPEN, flags=0x0A))
    assert not follows(Request(1, Operation.OPEN, flags=0x2A))
    assert follows(Request(1, Operation.SETSTAT))
    assert not follows(Request(1, Operation.LSETSTAT))
    assert not follows(Request(1, Operation.REMOVE))


def test_both_the_written_and_the_real_path_are_asked_about() -> None:
    request = Request(1, Operation.RENAME)
    place, target = Place("/a/l", "/b/l", ("/c",)), Place("/d", "/e", ("/f",))
    asked = file_request(request, place, target)
    assert (asked.path, asked.also, asked.path_to, asked.also_to) == ("/a/l", ("/b/l",), "/d", ("/e",))
    assert asked.passed == ("/c", "/f")
    assert asked.recursive
    assert words(request, place, target) == "rename /a/l (which is /b/l) to /d (which is /e)"
    assert file_request(Request(1, Operation.STAT), Place("/a", "/a"), None).also == ()


def test_lines_for_approvers() -> None:
    place = Place("/a", "/a")
    assert words(Request(1, Operation.OPEN, flags=0x1A), place, None) == "open (write, create, truncate) /a"
    assert words(Request(1, Operation.SETSTAT, attributes=_BOTH), place, None) == "setstat /a size=5 mode=0644"
    assert words(Request(1, Operation.STATVFS), Place("/\udcff", "/\udcff"), None) == "statvfs /\ufffdff"
    bad = Request(1, Operation.STAT, path=b"\0\x1b")
    assert words(bad, None, None) == "stat b'\\x00\\x1b'"
    assert refused_request(bad).path == ""
    assert refused_request(bad).action is Action.LIST_FILES
