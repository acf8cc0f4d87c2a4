"""Arrays in both formats."""

import struct

import pytest

from interpose.masking.arrays import MAX_ARRAY, array_mask


def shout(value: bytes) -> bytes | None:
    return None if value == b"gone" else value.upper()


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (b"{}", b"{}"),
        (b"{a,b}", b"{A,B}"),
        (b'{"a b",NULL,c}', b'{"A B",NULL,C}'),
        (b'{"null",""}', b'{"NULL",""}'),
        (b'{"a\\"b\\\\c"}', b'{"A\\"B\\\\C"}'),
        (b"{{a,gone},{c,d}}", b"{{A,NULL},{C,D}}"),
        (b"[0:1]={a,b}", b"[0:1]={A,B}"),
        (b'{"a,b","{x}"}', b'{"A,B","{X}"}'),
    ],
)
def test_text(value: bytes, masked: bytes) -> None:
    assert array_mask(shout, 25, 0, b"{}")(value) == masked


@pytest.mark.parametrize("value", [b"", b"a", b"{a", b"{a}}", b'{"a', b'{"a\\', b"{a\\b}", b"secret={a}", b"\xff{a}"])
def test_text_that_is_no_array_becomes_the_empty_array(value: bytes) -> None:
    assert array_mask(shout, 25, 0, b"{}")(value) == b"{}"


def binary(*elements: bytes | None, oid: int = 25) -> bytes:
    head = struct.pack(">iiIii", 1, int(None in elements), oid, len(elements), 1)
    return head + b"".join(b"\xff" * 4 if e is None else struct.pack(">i", len(e)) + e for e in elements)


def test_binary() -> None:
    mask = array_mask(shout, 25, 1, b"empty")
    assert mask(binary(b"a", None, b"bc")) == binary(b"A", None, b"BC")
    assert mask(binary(b"gone", b"x")) == binary(None, b"X")
    assert mask(struct.pack(">iiI", 0, 0, 25)) == struct.pack(">iiI", 0, 0, 25)


@pytest.mark.parametrize(
    "value",
    [b"", binary(b"a")[:-1], binary(b"a") + b"x", binary(b"a", oid=23), struct.pack(">iiIii", 1, 0, 25, 2**30, 1)],
)
def test_binary_that_is_no_array_of_the_type_becomes_the_empty_array(value: bytes) -> None:
    assert array_mask(shout, 25, 1, b"empty")(value) == b"empty"


def test_an_array_that_is_too_long_becomes_the_empty_array() -> None:
    assert array_mask(shout, 25, 0, b"{}")(b"{" + b"a" * MAX_ARRAY + b"}") == b"{}"
