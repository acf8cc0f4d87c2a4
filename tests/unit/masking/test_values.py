"""Constants and codecs of single values."""

import pytest

from interpose.masking.types import TYPES, Family, type_of
from interpose.masking.values import bytea_from_text, decode_value, encode_value, fit_text, redaction

CASES = [
    (21, "-7", "fff9"),
    (23, "42", "0000002a"),
    (20, "-1", "ffffffffffffffff"),
    (26, "4294967295", "ffffffff"),
    (16, "t", "01"),
    (25, "ä", "c3a4"),
    (17, "00ff", "00ff"),
    (701, "1.5", "3ff8000000000000"),
    (1082, "1985-07-21", "ffffeb63"),
    (2950, "00000000-0000-0000-0000-00000000abcd", "0000000000000000000000000000abcd"),
    (3802, '{"a": 1}', "017b2261223a20317d"),
    (114, "[1]", "5b315d"),
    (1114, "2000-01-02 00:00:00", "000000141dd76000"),
    (1184, "2000-01-02 00:00:00+00", "000000141dd76000"),
]


@pytest.mark.parametrize(("oid", "text", "raw"), CASES)
def test_binary_codecs(oid: int, text: str, raw: str) -> None:
    assert decode_value(type_of(oid), 1, bytes.fromhex(raw)) == text
    assert encode_value(type_of(oid), -1, 1, text).hex() == raw


def test_infinities_are_told() -> None:
    assert decode_value(type_of(1082), 1, bytes.fromhex("7fffffff")) == "infinity"
    assert decode_value(type_of(1184), 1, bytes.fromhex("8000000000000000")) == "-infinity"


@pytest.mark.parametrize(
    ("oid", "text"),
    [
        (21, "32768"),
        (23, "x"),
        (26, "-1"),
        (16, "maybe"),
        (2950, "x"),
        (1082, "infinity"),
        (701, "nan"),
        (1700, "1e3"),
        (3904, "empty"),
    ],
)
@pytest.mark.parametrize("wire_format", [0, 1])
def test_what_is_no_value_of_the_type_raises(oid: int, text: str, wire_format: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        encode_value(type_of(oid), -1, wire_format, text)


def test_a_value_of_another_size_than_its_type_raises() -> None:
    with pytest.raises(ValueError, match="size"):
        decode_value(type_of(23), 1, b"\0\0")
    with pytest.raises(ValueError, match="version"):
        decode_value(type_of(3802), 1, b"\x02{}")


def test_bytea_text_in_both_outputs() -> None:
    assert bytea_from_text("\\x00ff") == b"\0\xff"
    assert bytea_from_text("a\\\\b\\000") == b"a\\b\0"
    assert decode_value(type_of(17), 0, b"a\\377") == "61ff"


def test_every_type_but_opaque_and_bit_without_length_has_a_constant_in_both_formats() -> None:
    for pg_type in TYPES.values():
        expected = pg_type.family is not Family.BIT
        assert (redaction(pg_type, -1, 0) is not None) is expected, pg_type
        assert (redaction(pg_type, -1, 1) is not None) is expected, pg_type
        raw = redaction(pg_type, -1, 1)
        if raw is not None and pg_type.size:
            assert len(raw) == pg_type.size, pg_type
    assert redaction(type_of(99_999), -1, 0) is None


def test_constants_keep_to_the_columns_length() -> None:
    assert redaction(type_of(1043), 4 + 5, 0) == b"[reda"
    assert redaction(type_of(1042), 4 + 12, 0) == b"[redacted]  "
    assert redaction(type_of(1560), 9, 0) == b"000000000"
    assert redaction(type_of(1560), 9, 1) == b"\0\0\0\x09\0\0"
    assert fit_text(type_of(19), -1, "ä" * 40) == "ä".encode() * 31
