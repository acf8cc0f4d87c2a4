"""Masking by content over values of every searched type."""

import struct

import pytest

from interpose.masking.content import ContentScanner, content_scanner, mask_text
from interpose.masking.patterns import CARD, CONTENT_CLASSES, EMAIL, SSN
from interpose.masking.plan import build_plan
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.rows import mask_data_rows
from interpose.model.errors import ConfigurationError
from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape

KEY = b"k" * 16
EVERY = {name: MaskRule("redact") for name in CONTENT_CLASSES}


def scanner(limit: int = 1 << 16, **rules: str) -> ContentScanner:
    named = {DataClassName(name.replace("__", ".")): MaskRule(transform) for name, transform in rules.items()} or EVERY
    made = content_scanner(named, Pseudonyms(KEY), limit)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("oid", "wire_format", "value", "masked"),
    [
        (25, 0, b"mail ada@example.com!", b"mail [redacted]!"),
        (25, 1, b"mail ada@example.com!", b"mail [redacted]!"),
        (25, 0, b"nothing here", b"nothing here"),
        (25, 0, b"\xff ada@example.com", b"[redacted]"),  # not UTF-8: what surrounds it cannot be kept
        (3802, 1, b'\x01{"a": "ada@example.com"}', b'\x01{"a": "[redacted]"}'),
        (3802, 1, b'\x02"ada@example.com"', b'\x01"[redacted]"'),
        (114, 0, b'["ada\\u0040example.com"]', b'["[redacted]"]'),
        (114, 0, b"'ada@example.com'", b'"[redacted]"'),
        (114, 0, b'"\xff ada@example.com"', b'"[redacted]"'),
        (1009, 0, b'{x,"mail ada@example.com"}', b'{x,"mail [redacted]"}'),
        (142, 0, b"<a>ada@example.com</a>", b"<a>[redacted]</a>"),
        (3614, 0, b"'ada@example.com':1", b""),
        (99_999, 0, b"(1,ada@example.com)", None),
        (99_999, 1, b"\0\0\0\x02ada@example.com", None),
        (99_999, 0, b"(1,2)", b"(1,2)"),
    ],
)
def test_cells(oid: int, wire_format: int, value: bytes, masked: bytes | None) -> None:
    scan = scanner().cell_scan(oid, -1, wire_format)
    assert scan is not None
    assert scan(value) == masked


@pytest.mark.parametrize("oid", [23, 21, 701, 1082, 1114, 2950, 1007])
def test_types_that_are_not_searched(oid: int) -> None:
    assert scanner().cell_scan(oid, -1, 0) is None


def test_a_long_cell_is_redacted_whole() -> None:
    for oid, constant in ((25, b"[redacted]"), (114, b'"[redacted]"'), (99_999, None)):
        scan = scanner(limit=100).cell_scan(oid, -1, 0)
        assert scan is not None
        assert scan(b"1" * 100) == b"1" * 100
        assert scan(b"1" * 101) == constant


def test_a_cell_with_too_much_in_it_is_redacted_whole() -> None:
    scan = scanner(limit=1 << 20).cell_scan(25, -1, 0)
    assert scan is not None
    assert scan(b"eyJ01234567.a.b " * 5000) == b"[redacted]"


def test_each_class_has_its_transform_and_an_overlap_gets_the_strictest() -> None:
    masker = scanner(pii__email="partial-email", pii__ssn="last4")
    assert masker.mask_text("ada@example.com 078-05-1120") == "a***@e***.com ***1120"
    overlap = scanner(pii__email="partial-email", pii__ssn="redact")
    assert overlap.mask_text("078-05-1120@example.com") == "[redacted]"


def test_a_rule_for_a_class_above_stands_for_those_below() -> None:
    masker = scanner(pii="redact", pii__email="hash")
    assert "078" not in masker.mask_text("078-05-1120")
    assert masker.mask_text("ada@example.com").startswith("h_")
    assert masker.mask_text("4111111111111111") == "4111111111111111"


def test_rules_without_a_detectable_class_need_no_scanner() -> None:
    assert content_scanner({DataClassName("hr.salary"): MaskRule("redact")}, Pseudonyms(KEY), 100) is None
    assert mask_text("ada@example.com", {DataClassName("hr.salary"): MaskRule("redact")}, KEY) == "ada@example.com"


def test_replacements_are_escaped_in_xml() -> None:
    scan = scanner(pii__email="fixed:<&>").cell_scan(142, -1, 0)
    assert scan is not None
    assert scan(b"<a>ada@example.com</a>") == b"<a>&lt;&amp;></a>"


def test_mask_text() -> None:
    rules = {EMAIL: MaskRule("partial-email"), CARD: MaskRule("null"), SSN: MaskRule("last:2")}
    assert mask_text("ä ada@example.com 4111111111111111", rules, KEY) == "ä a***@e***.com [redacted]"
    assert mask_text("x" * 11, rules, KEY, max_inspected=10) == "[redacted]"
    with pytest.raises(ConfigurationError):
        mask_text("x", {EMAIL: MaskRule("shred")}, KEY)


CARD_NUMBER = 4111111111111111


def _numeric(digits: list[int], weight: int, scale: int = 0) -> bytes:
    return struct.pack(f">hHHh{len(digits)}h", len(digits), weight, 0, scale, *digits)


@pytest.mark.parametrize(
    ("oid", "wire_format", "value", "masked"),
    [
        (20, 0, b"4111111111111111", b"0"),
        (20, 0, b"4111111111111112", b"4111111111111112"),
        (20, 1, struct.pack(">q", CARD_NUMBER), bytes(8)),
        (20, 1, struct.pack(">q", CARD_NUMBER + 1), struct.pack(">q", CARD_NUMBER + 1)),
        (20, 1, struct.pack(">q", -CARD_NUMBER), struct.pack(">q", -CARD_NUMBER)),
        (1700, 0, b"4111111111111111.00", b"0"),
        (1700, 0, b"4111111111111111.50", b"4111111111111111.50"),
        (1700, 0, b"NaN", b"NaN"),
        (17, 0, b"\\x" + b"mail ada@example.com".hex().encode(), b"\\x"),
        (17, 1, b"mail ada@example.com", b""),
        (17, 1, b"\xff\xd8 ada@example.com", b"\xff\xd8 ada@example.com"),  # an image
        (17, 0, b"\\x6e6f", b"\\x6e6f"),
        (1016, 0, b"{7,4111111111111111}", b"{7,0}"),
    ],
)
def test_values_that_do_not_stand_as_text(oid: int, wire_format: int, value: bytes, masked: bytes) -> None:
    scan = scanner().cell_scan(oid, -1, wire_format)
    assert scan is not None
    assert scan(value) == masked


def test_a_numeric_in_binary() -> None:
    scan = scanner().cell_scan(1700, -1, 1)
    assert scan is not None
    hidden = scan(_numeric([4111, 1111, 1111, 1111], 3))
    assert hidden == scan(_numeric([4111, 1111, 1111, 1111], 3, 2))
    assert hidden != _numeric([4111, 1111, 1111, 1111], 3)
    other = _numeric([4111, 1111, 1111, 1112], 3)
    assert scan(other) == other


def test_numbers_are_searched_only_for_cards() -> None:
    assert scanner(pii__email="redact").cell_scan(20, -1, 0) is None


def test_a_long_bytea_is_redacted_when_it_is_text() -> None:
    scan = scanner(limit=100).cell_scan(17, -1, 1)
    assert scan is not None
    assert scan(b"x" * 101) == b""
    assert scan(b"\xff" * 101) == b"\xff" * 101


@pytest.mark.parametrize(
    ("oid", "wire_format", "value"),
    [
        (20, 1, struct.pack(">q", CARD_NUMBER)),
        (20, 1, struct.pack(">q", 3782822463100_05)),
        (20, 1, struct.pack(">q", 4222222222222)),
        (1700, 1, _numeric([4111, 1111, 1111, 1111], 3)),
        (1700, 1, _numeric([4, 2222, 2222, 2222], 3, 4)),
        (17, 0, b"\\x" + b"ada@example.com".hex().encode()),
        (1016, 1, struct.pack(">iiIiiiq", 1, 0, 20, 1, 1, 8, CARD_NUMBER)),
        (25, 0, "\uff141111\uff11\uff11111111111".encode()),
        (25, 0, b"ada%40example.com"),
    ],
)
def test_the_prefilter_over_framed_rows_sees_them(oid: int, wire_format: int, value: bytes) -> None:
    shape = ResultShape((ResultColumn("id", 0, 0, 23, -1, -1, 0), ResultColumn("v", 0, 0, oid, -1, -1, wire_format)))
    plan = build_plan(shape, [None, None], EVERY, KEY)
    assert plan is not None
    body = struct.pack(">hi", 2, 1) + b"7" + struct.pack(">i", len(value)) + value
    row = b"D" + struct.pack(">i", len(body) + 4) + body
    masked, count = mask_data_rows(plan, row * 3, 0, len(row) * 3)
    assert count == 3
    assert value not in masked
