"""Primitives of the wire."""

import pytest

from interpose.protocols.postgres.wire import BodyError, cstring, frame, text_until_nul


def test_a_frame_counts_its_length_but_not_its_type() -> None:
    assert frame(b"Q", b"ab") == b"Q\0\0\0\6ab"


def test_a_string_cannot_hold_a_nul() -> None:
    assert cstring("ä") == b"\xc3\xa4\0"
    with pytest.raises(ValueError, match="NUL"):
        cstring("a\0b")


def test_strings_end_at_their_nul() -> None:
    assert text_until_nul(b"ab\0cd\0", 3) == ("cd", 6)


@pytest.mark.parametrize(("body", "sqlstate"), [(b"ab", "08P01"), (b"\xff\0", "22021")])
def test_a_broken_string_is_the_senders_fault(body: bytes, sqlstate: str) -> None:
    with pytest.raises(BodyError) as error:
        text_until_nul(body, 0)
    assert error.value.sqlstate == sqlstate
