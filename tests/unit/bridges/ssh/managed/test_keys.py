"""Keys from bytes: a closed list, however the bytes are cut, and nothing behind the end of a line is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.keys import Keys

from interpose.bridges.ssh.managed.keys import LONGEST, ChannelInput

TYPED = st.lists(
    st.one_of(
        st.binary(max_size=6),
        st.sampled_from(
            [b"\x1b[A", b"\x1b[200~", b"\x1b[201~", b"\x1bb", b"\x1b9", b"\x18(", b"\r", b"\x03", "ü".encode()]
        ),
    ),
    max_size=20,
)


def _keys(*chunks: bytes, flush: bool = False) -> list[str]:
    read = ChannelInput(lambda data: None)
    found = []
    for chunk in chunks:
        read.feed(chunk)
        found += read.read_keys()
    if flush:
        found += read.flush_keys()
    return [str(getattr(each.key, "value", each.key)) for each in found]


def test_text_and_keys_of_the_list() -> None:
    assert _keys("aü\x1b[D\x01".encode()) == ["a", "ü", "left", "c-a"]
    assert _keys(b"\x1bb\x1b9\x18\x16\x1b[5~\x1b[M !!\x00x") == ["escape", "b", " ", "!", "!", "x"]


def test_a_paste_is_one_key_and_a_long_one_is_dropped() -> None:
    read = ChannelInput(lambda data: None)
    read.feed(b"\x1b[200~two\r\nlines\x1b[2J\x1b[201~")
    (paste,) = read.read_keys()
    assert (paste.key, paste.data) == (Keys.BracketedPaste, "two\nlines[2J")
    read.feed(b"\x1b[200~" + b"x" * (LONGEST + 10))
    assert read.read_keys() == []
    read.feed(b"yyy\x1b[201~z")
    assert [each.key for each in read.read_keys()] == ["z"]


def test_what_follows_the_end_of_a_line_stays_for_whoever_reads_next() -> None:
    read = ChannelInput(lambda data: None)
    read.line_is_over = lambda: True
    read.feed(b"cat\rfor cat\r")
    assert [each.key for each in read.read_keys()] == ["c", "a", "t", Keys.ControlM]
    assert read.take() == b"for cat\r"
    assert read.take() == b""


def test_an_escape_that_goes_nowhere_is_dropped() -> None:
    assert _keys(b"\x1b[1;", flush=True) == ["[", "1", ";"]
    assert _keys(b"\x1b[" + b"1" * 100)[:2] != ["escape", "["]


@given(TYPED)
def test_any_bytes_are_read_or_kept_within_bounds(chunks: list[bytes]) -> None:
    took: list[bytes] = []
    read = ChannelInput(took.append)
    for chunk in chunks:
        read.feed(chunk)
        for key in read.read_keys():
            assert isinstance(key.key, Keys) or len(key.key) == 1
    rest = b""
    for _ in range(200):
        read.flush_keys()
    rest = read.take()
    assert b"".join(took) + rest == b"".join(chunks)
