"""Which columns the compiled kernel may mask by itself."""

import pytest

from interpose.masking.cells import cell_mask
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.transforms import parse_transform
from interpose.masking.twins import Twin, twin_of

TEXT, VARCHAR, BPCHAR, NAME, INT4, JSONB, TEXTS = 25, 1043, 1042, 19, 23, 3802, 1009


def twin(transform: str, oid: int, modifier: int = -1, wire_format: int = 0) -> Twin | None:
    parsed = parse_transform(transform)
    mask = cell_mask(parsed, oid, modifier, wire_format, Pseudonyms(b"k" * 16))
    return twin_of(mask, parsed, oid, modifier)


@pytest.mark.parametrize(
    ("transform", "oid", "wire_format", "constant"),
    [
        ("null", TEXT, 0, b"\xff\xff\xff\xff"),
        ("null", TEXTS, 1, b"\xff\xff\xff\xff"),
        ("redact", TEXT, 0, b"\0\0\0\x0a[redacted]"),
        ("redact", INT4, 1, b"\0\0\0\x04\0\0\0\0"),
        ("fixed:x", BPCHAR, 0, b"\0\0\0\x01x"),
        ("partial-email", INT4, 0, b"\0\0\0\x010"),
        ("redact", 99_999, 0, b"\xff\xff\xff\xff"),
    ],
)
def test_what_is_the_same_for_every_value_is_a_constant(
    transform: str, oid: int, wire_format: int, constant: bytes
) -> None:
    assert twin(transform, oid, -1, wire_format) == Twin("constant", constant)


@pytest.mark.parametrize(
    ("transform", "operation", "keep"),
    [
        ("partial-email", "email", 0),
        ("partial-phone", "phone", 0),
        ("partial-card", "card", 0),
        ("partial-name", "name", 0),
        ("last4", "last", 4),
        ("last:32", "last", 32),
        ("first:1", "first", 1),
    ],
)
def test_texts_have_twins(transform: str, operation: str, keep: int) -> None:
    assert twin(transform, TEXT, 9) == Twin(operation, keep=keep)
    assert twin(transform, VARCHAR) == Twin(operation, keep=keep)
    assert twin(transform, VARCHAR, 14) == Twin(operation, keep=keep, limit=10)


@pytest.mark.parametrize("oid", [BPCHAR, NAME, JSONB, TEXTS])
def test_other_types_have_none(oid: int) -> None:
    assert twin("partial-email", oid) is None


@pytest.mark.parametrize("transform", ["hash", "date-year", "date-month"])
def test_other_transforms_have_none(transform: str) -> None:
    assert twin(transform, TEXT) is None
