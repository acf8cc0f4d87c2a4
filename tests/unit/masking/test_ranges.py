"""Ranges and multiranges, bound by bound."""

import struct

import pytest

from interpose.masking.ranges import MAX_RANGE, multirange_mask, range_mask


def tens(value: bytes) -> bytes | None:
    return None if value == b"13" else str(int(value) // 10 * 10).encode()


def words(value: bytes) -> bytes | None:
    return value.upper()


def short(value: bytes) -> bytes | None:
    return struct.pack(">i", struct.unpack(">i", value)[0] // 10 * 10)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (b"[11,25)", b"[10,20)"),
        (b"(,25]", b"(,20]"),
        (b"[11,)", b"[10,)"),
        (b"(,)", b"(,)"),
        (b"empty", b"empty"),
        (b"[13,25)", b"E"),
        (b"[11,25", b"E"),
        (b"11,25)", b"E"),
        (b"[11,25)x", b"E"),
        (b"[1,2,3)", b"E"),
        (b"", b"E"),
        (b"\xff", b"E"),
    ],
)
def test_text_ranges(value: bytes, masked: bytes) -> None:
    assert range_mask(tens, 0, b"E")(value) == masked


def test_quoted_bounds() -> None:
    mask = range_mask(words, 0, b"E")
    assert mask(b'["a b","c d")') == b'["A B","C D")'
    assert mask(b'["a b","c\\"d")') == b"E"
    assert mask(b'["a b') == b"E"


@pytest.mark.parametrize(
    ("value", "masked"),
    [(b"{[11,25),[31,33)}", b"{[10,20),[30,30)}"), (b"{}", b"{}"), (b"{[13,25)}", b"E"), (b"{[1,2)[3,4)}", b"E"), (b"[1,2)", b"E"),
     (b"{[1,2),}", b"E")],
)  # fmt: skip
def test_text_multiranges(value: bytes, masked: bytes) -> None:
    assert multirange_mask(tens, 0, b"E")(value) == masked


def bounds(flags: int, *numbers: int) -> bytes:
    return bytes([flags]) + b"".join(struct.pack(">ii", 4, number) for number in numbers)


def test_binary_ranges() -> None:
    mask = range_mask(short, 1, b"E")
    assert mask(bounds(0x02, 11, 25)) == bounds(0x02, 10, 20)
    assert mask(bounds(0x08, 25)) == bounds(0x08, 20)
    assert mask(bounds(0x18)) == bounds(0x18)
    assert mask(bounds(0x01)) == bounds(0x01)
    for broken in (
        b"",
        bounds(0x20, 1, 2),
        bounds(0x02, 11),
        bounds(0x02, 1, 2, 3),
        bounds(0x02, 1, 2)[:-1],
        b"\x02\xff\xff\xff\xff",
    ):
        assert mask(broken) == b"E"


def test_binary_multiranges() -> None:
    mask = multirange_mask(short, 1, b"E")
    one, masked = bounds(0x02, 11, 25), bounds(0x02, 10, 20)
    assert mask(struct.pack(">ii", 1, len(one)) + one) == struct.pack(">ii", 1, len(masked)) + masked
    assert mask(struct.pack(">i", 0)) == struct.pack(">i", 0)
    for broken in (
        b"",
        struct.pack(">ii", 1, 0),
        struct.pack(">i", 9),
        struct.pack(">ii", 1, 99) + one,
        struct.pack(">i", 0) + b"x",
    ):
        assert mask(broken) == b"E"
    assert mask(b"\0" * (MAX_RANGE + 1)) == b"E"
