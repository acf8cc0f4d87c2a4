"""One cell of every kind of type under every kind of transform."""

import struct
from uuid import UUID

import pytest

from interpose.masking.cells import CellMask, cell_mask
from interpose.masking.numeric import decode_numeric, encode_numeric
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.transforms import EXAMPLES, TRANSFORM_NAMES, parse_transform
from interpose.masking.types import TYPES
from interpose.model.errors import Unmaskable

KEY = Pseudonyms(b"k" * 32)


def mask_of(transform: str, oid: int, wire_format: int = 0, modifier: int = -1) -> CellMask:
    return cell_mask(parse_transform(transform), oid, modifier, wire_format, KEY)


@pytest.mark.parametrize(
    ("transform", "oid", "value", "masked"),
    [
        ("partial-email", 25, b"ada@example.com", b"a***@e***.com"),
        ("partial-email", 25, b"\xff", b"[redacted]"),
        ("last4", 25, b"078-05-1120", b"***1120"),
        ("last4", 23, b"12345678", b"5678"),
        ("last4", 23, b"1234567", b"0"),
        ("last4", 1700, b"12345678.5", b"0"),
        ("first:1", 23, b"12345678", b"0"),
        ("redact", 23, b"5", b"0"),
        ("redact", 3802, b"{}", b'"[redacted]"'),
        ("null", 25, b"x", None),
        ("redact", 99_999, b"x", None),
        ("hash", 99_999, b"x", None),
        ("hash", 701, b"1.5", b"0"),
        ("date-year", 1082, b"1985-07-21", b"1985-01-01"),
        ("date-month", 1184, b"1985-07-21 10:20:30+02", b"1985-07-01 00:00:00+00"),
        ("date-year", 1082, b"21.07.1985", b"1970-01-01"),
        ("date-year", 1082, b"infinity", b"infinity"),
        ("date-year", 23, b"5", b"0"),
        ("fixed:12", 23, b"5", b"12"),
        ("fixed:x", 23, b"5", b"0"),
        ("fixed:99999", 21, b"5", b"0"),
        ("fixed:x", 114, b"{}", b'"x"'),
        ("fixed:<x", 142, b"<a/>", b"<redacted/>"),
        ("partial-name", 3802, b'"Ada Lovelace"', b'"A*** L***"'),
        ("partial-name", 3802, b'{"name": "Ada"}', b'"[redacted]"'),
        ("partial-email", 1009, b"{ada@example.com,NULL}", b"{a***@e***.com,NULL}"),
        ("redact", 3904, b"[1,5)", b"empty"),
        ("date-week", 1114, b"1985-07-21 10:20:30", b"1985-07-15 00:00:00"),
        ("date-day", 1114, b"1985-07-21 10:20:30", b"1985-07-21 00:00:00"),
        ("date-day", 1082, b"1985-07-21", b"1970-01-01"),
        ("date-year", 1083, b"10:20:30", b"00:00:00"),
        ("bucket:1000", 23, b"-1", b"-1000"),
        ("bucket:1000", 21, b"-32768", b"0"),
        ("bucket:10", 1700, b"NaN", b"0"),
        ("bucket:10", 1700, b"19.99", b"10"),
        ("bucket:10", 701, b"19.99", b"10.0"),
        ("bucket:10", 701, b"-Infinity", b"0"),
        ("bucket:1000", 790, b"$1,234.56", b"$1,000.00"),
        ("bucket:1000", 790, b"1.234,56 \xe2\x82\xac", b"0"),
        ("bucket:1000", 790, b"-$92,233,720,368,547,758.08", b"0"),
        ("bucket:10", 25, b"47", b"40"),
        ("bucket:10", 25, b"many", b"[redacted]"),
        ("bucket:10", 1007, b"{11,NULL,29}", b"{10,NULL,20}"),
        ("bucket:10", 3904, b"[11,25)", b"[10,20)"),
        ("bucket:10", 4451, b"{[11,25),[31,33)}", b"{[10,20),[30,30)}"),
        ("bucket:10", 3912, b"[1985-07-21,)", b"empty"),
        ("date-year", 3912, b"[1985-07-21,1990-01-05)", b"[1985-01-01,1990-01-01)"),
        ("date-day", 3908, b'["1985-07-21 10:20:30",)', b'["1985-07-21 00:00:00",)'),
        ("hash", 3904, b"[1,5)", b"empty"),
        ("json:$.a", 3802, b'{"a": 1, "b": "x"}', b'{"a": 0, "b": "x"}'),
        ("json:$.a", 25, b'{"a": "y", "b": "x"}', b'{"a": "[redacted]", "b": "x"}'),
        ("json:$.a", 25, b"no json", b"[redacted]"),
        ("json:$.a", 114, b"no json", b'"[redacted]"'),
        ("json:$.a=null", 3807, b'{"{\\"a\\": 1}"}', b'{"{\\"a\\": null}"}'),
        ("redact", 1020, b"{(1,1),(0,0);(2,2),(1,1)}", b'{"(0,0),(0,0)";"(0,0),(0,0)"}'),
        ("redact", 2205, b"customers", b"0"),
    ],
)
def test_text_format(transform: str, oid: int, value: bytes, masked: bytes | None) -> None:
    assert mask_of(transform, oid)(value) == masked


def test_padded_and_limited_types() -> None:
    assert mask_of("partial-name", 1042, modifier=4 + 14)(b"Ada Lovelace  ") == b"A*** L***     "
    assert mask_of("hash", 1043, modifier=4 + 8)(b"Ada") == KEY.text("Ada")[:8].encode()


def test_binary_format() -> None:
    assert mask_of("last4", 20, 1)(struct.pack(">q", 123456789)) == struct.pack(">q", 6789)
    assert mask_of("date-year", 1082, 1)(struct.pack(">i", -5278)) == struct.pack(">i", -5478)
    assert mask_of("last4", 1700, 1)(encode_numeric("12345678")) == encode_numeric("5678")
    assert mask_of("redact", 3802, 1)(b"\x01{}") == b'\x01"[redacted]"'
    assert mask_of("hash", 2950, 1)(bytes(16)) == UUID(mask_of("hash", 2950)(b"0" * 32).decode()).bytes  # type: ignore[union-attr]


def test_a_pseudonym_is_the_same_in_both_formats_and_for_both_spellings_of_a_number() -> None:
    in_text, in_binary = mask_of("hash", 23)(b"42"), mask_of("hash", 23, 1)(struct.pack(">i", 42))
    assert in_text is not None and in_binary is not None
    assert int(in_text) == int.from_bytes(in_binary, "big")
    assert mask_of("hash", 1700)(b"1.50") == mask_of("hash", 1700)(b"1.5")
    binary = mask_of("hash", 1700, 1)(encode_numeric("1.50"))
    assert binary is not None and decode_numeric(binary).encode() == mask_of("hash", 1700)(b"1.5")
    assert mask_of("hash", 17)(b"\\x61") == b"\\x" + KEY.digest(b"a").hex().encode()


def test_a_pseudonym_fits_the_precision_of_its_column() -> None:
    modifier = (5 << 16 | 2) + 4  # numeric(5, 2)
    for i in range(50):
        masked = mask_of("hash", 1700, modifier=modifier)(str(i).encode())
        assert masked is not None and int(masked) < 1000


@pytest.mark.parametrize("wire_format", [0, 1])
def test_no_bytes_make_any_mask_raise(wire_format: int) -> None:
    for name in TRANSFORM_NAMES:
        transform = EXAMPLES.get(name, name)
        for oid in [*TYPES, 99_999]:
            mask = mask_of(transform, oid, wire_format)
            for value in (b"", b"\xff", b"\0" * 16, b'"', b"{", b"[" * 5000, b"\x01" + b"[" * 5000, b"9" * 5000):
                assert mask(value) != value or not value or value.strip(b"\0") == b""


@pytest.mark.parametrize(
    ("transform", "oid", "size", "value"),
    [
        ("bucket:10", 23, ">i", 47),
        ("hash-form", 20, ">q", 1234567),
        ("hash-card", 20, ">q", 4111111111111111),
        ("last4", 20, ">q", 123456789),
    ],
)
def test_whole_numbers_are_masked_alike_in_both_formats(transform: str, oid: int, size: str, value: int) -> None:
    in_text, in_binary = (
        mask_of(transform, oid)(str(value).encode()),
        mask_of(transform, oid, 1)(struct.pack(size, value)),
    )
    assert in_text is not None and in_binary is not None
    assert int(in_text) == struct.unpack(size, in_binary)[0] != value


def test_binary_ranges_and_money() -> None:
    bounds = struct.pack(">Biiii", 2, 4, 11, 4, 25)
    assert mask_of("bucket:10", 3904, 1)(bounds) == struct.pack(">Biiii", 2, 4, 10, 4, 20)
    assert mask_of("redact", 3904, 1)(bounds) == b"\x01"
    assert mask_of("bucket:10", 790, 1)(struct.pack(">q", 1999)) == struct.pack(">q", 1000)
    assert mask_of("bucket:10", 790, 1)(b"x") == bytes(8)
    assert mask_of("bucket:1000", 790, 1)(struct.pack(">q", -(1 << 63))) == bytes(8)


def test_infinite_moments_stay_in_binary_too() -> None:
    infinity = struct.pack(">q", (1 << 63) - 1)
    assert mask_of("date-year", 1114, 1)(infinity) == infinity
    assert mask_of("date-year", 1114, 1)(b"short") == mask_of("redact", 1114, 1)(b"x")


def test_an_unknown_format_cannot_be_masked() -> None:
    with pytest.raises(Unmaskable):
        mask_of("redact", 25, 2)
