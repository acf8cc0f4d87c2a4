"""Binary numerics, against bytes that a server sent."""

import pytest

from interpose.masking.numeric import canonical_number, decode_numeric, encode_numeric


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("0", "0000000000000000"),
        ("1", "00010000000000000001"),
        ("-12345.678", "0003000140000003000109291a7c"),
        ("0.0001", "0001ffff000000040001"),
        ("10000", "00010001000000000001"),
        ("0.00", "0000000000000002"),
        ("NaN", "00000000c0000000"),
        ("-Infinity", "00000000f0000000"),
    ],
)
def test_known_bytes(text: str, raw: str) -> None:
    assert decode_numeric(bytes.fromhex(raw)) == text
    assert encode_numeric(text) == bytes.fromhex(raw)


@pytest.mark.parametrize(
    "raw", ["", "00", "0001000000000000", "00010000000000002710", "0000000012340000", "ffff000000000000"]
)
def test_malformed_bytes_raise(raw: str) -> None:
    with pytest.raises(ValueError, match="numeric"):
        decode_numeric(bytes.fromhex(raw))


@pytest.mark.parametrize("text", ["", "-", "1e5", "x", "1.x", "٣", "1.2.3", " 1"])
def test_what_is_no_decimal_number_raises(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        encode_numeric(text)


@pytest.mark.parametrize(
    ("text", "same"), [("1.50", "1.5"), ("-0.0", "0"), ("007", "7"), ("+2", "2"), ("-1.0", "-1"), ("100", "100")]
)
def test_equal_numbers_have_one_spelling(text: str, same: str) -> None:
    assert canonical_number(text) == same
