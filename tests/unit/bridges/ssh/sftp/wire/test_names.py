"""Names: bytes, the gateway's text of them, and the text that policy judges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.bridges.ssh.sftp.wire.names import (
    MOST_BYTES,
    BadNameError,
    absolute,
    from_wire,
    is_entry,
    joined,
    judged,
    shown,
    to_wire,
    written,
)
from interpose.model.paths import is_canonical


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_come_back_and_no_two_names_are_judged_alike(one: bytes, other: bytes) -> None:
    texts = []
    for raw in (one, other):
        try:
            path = from_wire(raw)
        except BadNameError:
            return
        assert to_wire(path) == raw
        texts.append(judged(path))
        texts[-1].encode()
    assert (texts[0] == texts[1]) == (one == other)


def test_bytes_that_are_no_utf8_are_told_by_their_numbers() -> None:
    assert judged(from_wire(b"/a/\xff\xe9")) == "/a/\ufffdff\ufffde9"
    assert judged(from_wire("/ä".encode())) == "/ä"


@pytest.mark.parametrize("raw", [b"/a\0b", b"/" + b"a" * MOST_BYTES, "/\ufffdff".encode()])
def test_what_cannot_be_judged_is_refused(raw: bytes) -> None:
    with pytest.raises(BadNameError):
        from_wire(raw)


def test_relative_paths_begin_at_home() -> None:
    assert absolute("a/../b", "/home/me") == "/home/me/a/../b"
    assert absolute("/a", "/home/me") == "/a"


def test_canonical_forms() -> None:
    assert written("//a/./b//../c/") == "/a/c"
    assert joined([]) == "/"
    assert is_canonical(joined(["a", "b"]))
    with pytest.raises(BadNameError):
        written("/a" * 200)
    with pytest.raises(BadNameError):
        joined(["a" * 3000, "b" * 3000])


@pytest.mark.parametrize(
    ("name", "good"), [(b"a", True), (b"..", True), (b"", False), (b"a/b", False), (b"/etc", False), (b"a\0", False)]
)
def test_entries_of_folders(name: bytes, good: bool) -> None:
    assert is_entry(name) is good


def test_words_of_a_server_have_no_control_characters() -> None:
    assert shown(b"\x1b]0;x\x07 ok \xff\n") == b"?]0;x? ok \xff?"
