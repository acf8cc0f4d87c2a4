"""The records of `scp -O`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.bridges.ssh.scp_records import Records, ScpError, Transfer, named, parse_command, quiet

_UP = Transfer(True, ("/srv",), recursive=True, times=True)
_DOWN = Transfer(False, ("/srv/a", "/var/log/*.log"))


def _run(stream: bytes, transfer: Transfer, sizes: list[int]) -> tuple[list[str], bytes]:
    """The names that a stream announces and the contents in it, whatever the cuts."""
    records, names, contents = Records(transfer), [], b""
    for size in [*sizes, len(stream) + 1]:
        data, stream, at = stream[:size], stream[size:], 0
        while at < len(data):
            count = records.contents(data, at)
            if count:
                contents += data[at : at + count]
                at += count
                continue
            at, whole = records.line(data, at)
            record = records.read(whole) if whole is not None else None
            if record is not None:
                names.append("/".join((*record.above, record.name)))
                records.begin(record)
    return names, contents


@given(st.lists(st.integers(1, 9)))
def test_a_tree_is_followed_whatever_the_cuts(sizes: list[int]) -> None:
    stream = b"T1 0 1 0\nD0755 0 d\nC0644 5 a b\nC0\nE\n\0C0600 0 c\n\0E\nC0644 2 e\nxy\0"
    assert _run(stream, _UP, sizes) == (["d", "d/a b", "d/c", "e"], b"C0\nE\nxy")


@pytest.mark.parametrize(
    ("stream", "transfer"),
    [
        (b"C0644 5 b\n", _DOWN),
        (b"C0644 5 ..\n", _UP),
        (b"C0644 5 a/b\n", _UP),
        (b"D0777 0 .\n", _UP),
        (b"D0777 0 ..\n", _UP),
        (b"C0644 5 a\x1b[2J\n", _UP),
        (b"C0644 5 a\xff\n", _UP),
        (b"C0644 -5 a\n", _UP),
        (b"C0644 9223372036854775808 a\n", _UP),
        (b"C644 5 a\n", _UP),
        (b"C0644 5 \n", _UP),
        (b"D0755 0 a\n", _DOWN),
        (b"T1 0 1 0\n", _DOWN),
        (b"T-1 0 1 0\n", _UP),
        (b"E\n", _UP),
        (b"X\n", _UP),
        (b"\0", _UP),
        (b"C0644 1 a\nxC0644 1 b\n", _UP),
        (b"C" * 9000, _UP),
        (b"D0755 0 d\n" * 101, _UP),
    ],
)
def test_what_scp_would_not_send_is_refused(stream: bytes, transfer: Transfer) -> None:
    with pytest.raises(ScpError):
        _run(stream, transfer, [])


@given(st.binary(max_size=200), st.lists(st.integers(1, 9)))
def test_any_bytes_are_followed_or_refused(stream: bytes, sizes: list[int]) -> None:
    try:
        names, contents = _run(stream, _UP, sizes)
    except ScpError:
        return
    assert len(contents) <= len(stream)
    assert all("/../" not in f"/{name}/" for name in names)


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (("scp", "-t", "/srv"), Transfer(True, ("/srv",))),
        (("scp", "-r", "-p", "-d", "-t", "--", "-x"), Transfer(True, ("-x",), True, True, True)),
        (("/usr/bin/scp", "-pf", "a", "b"), Transfer(False, ("a", "b"), times=True)),
        (("scp", "a", "host:b"), None),
        (("scp", "-S", "prog", "-f", "a"), None),
    ],
)
def test_how_the_other_side_is_started(argv: tuple[str, ...], found: Transfer | None) -> None:
    assert parse_command(argv) == found


@pytest.mark.parametrize("argv", [("scp", "-t"), ("scp", "-t", "a", "b"), ("scp", "-t", "-f", "a")])
def test_other_ways_are_refused(argv: tuple[str, ...]) -> None:
    with pytest.raises(ScpError):
        parse_command(argv)


def test_names_are_those_that_were_asked_for() -> None:
    assert named(_DOWN, "a") == ("/srv/a",)
    assert named(_DOWN, "x.log") == ("/var/log/*.log",)
    assert named(_DOWN, ".bashrc") == ()
    assert named(_UP, "anything") == ("/srv",)
    assert named(Transfer(False, ("/a/x", "/b/x/", "/c/*")), "x") == ("/a/x", "/b/x/", "/c/*")


def test_words_of_errors_are_harmless() -> None:
    assert quiet(b"\0\x01a\x1b[2Jb\r\n\x02\xc3\xa4\n") == b"\0\x01a?[2Jb?\n\x02\xc3\xa4\n"
