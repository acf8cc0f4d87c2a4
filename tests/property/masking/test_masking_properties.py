"""What holds of masking for any input."""

from __future__ import annotations

import json
import re
import string
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.masking.calendar import civil_from_days, days_from_civil, format_date, parse_date
from interpose.masking.cells import cell_mask
from interpose.masking.content import content_scanner
from interpose.masking.copy_lines import CSV_OPTIONS, CopyFormat, CopyOptions, mask_copy_csv, mask_copy_text
from interpose.masking.copying import CopyStream
from interpose.masking.detect import TooMuchToInspect, detect, detector_for
from interpose.masking.numeric import decode_numeric, encode_numeric
from interpose.masking.patterns import CONTENT_CLASSES, PATTERNS
from interpose.masking.plan import MaskingPlan, build_plan
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.rows import mask_data_rows
from interpose.masking.texts import text_transform
from interpose.masking.transforms import parse_transform
from interpose.masking.types import TYPES, Family
from interpose.masking.validators import VALIDATORS
from interpose.masking.values import decode_value, encode_value
from interpose.model.errors import Malformed
from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape

KEY = Pseudonyms(b"k" * 32)
TRANSFORMS = [
    "null", "redact", "fixed", "fixed:42", "hash", "first:2", "last4", "partial-email", "partial-phone",
    "partial-card", "partial-name", "date-year", "date-month",
]  # fmt: skip
CONTENT = {name: MaskRule("redact") for name in CONTENT_CLASSES}
LETTERS = string.ascii_lowercase + string.digits

transforms = st.sampled_from(TRANSFORMS)
oids = st.sampled_from([*TYPES, 99_999])
formats = st.integers(0, 1)
words = st.text(LETTERS, min_size=4, max_size=12)
cells = st.none() | st.binary(max_size=20) | st.sampled_from([b"ada@example.com", b"4111 1111 1111 1111", b"12345678"])


def data_row(values: list[bytes | None]) -> bytes:
    body = b"".join(b"\xff" * 4 if v is None else struct.pack(">i", len(v)) + v for v in values)
    return b"D" + struct.pack(">ih", len(body) + 6, len(values)) + body


@st.composite
def plans(draw: st.DrawFn, wire_format: int | None = None) -> MaskingPlan | None:
    width = draw(st.integers(1, 4))
    columns, rules = [], []
    for i in range(width):
        wire = draw(formats) if wire_format is None else wire_format
        columns.append(ResultColumn(f"c{i}", 0, 0, draw(oids), -1, -1, wire))
        name = draw(st.none() | transforms)
        rules.append(MaskRule(name) if name else None)
    return build_plan(ResultShape(tuple(columns)), rules, CONTENT if draw(st.booleans()) else {}, b"k" * 32)


@given(plans(), st.data())
def test_the_kernel_is_the_reference(plan: MaskingPlan | None, data: st.DataObject) -> None:
    if plan is None:
        return
    rows = data.draw(st.lists(st.lists(cells, min_size=plan.width, max_size=plan.width), max_size=5))
    buffer = b"".join(data_row(row) for row in rows)
    expected = b"".join(data_row(plan.mask_row(row)) for row in rows)
    assert mask_data_rows(plan, buffer, 0, len(buffer)) == (expected, len(rows))
    # Row by row, and a second time (with what is remembered), is the same.
    singly = [mask_data_rows(plan, row, 0, len(row))[0] for row in map(data_row, rows)]
    assert b"".join(singly) == expected


@given(plans(), st.binary(max_size=60))
def test_any_bytes_give_rows_or_malformed(plan: MaskingPlan | None, noise: bytes) -> None:
    if plan is None:
        return
    for buffer in (noise, b"D" + noise, b"D\0\0\0" + noise):
        try:
            shown, _rows = mask_data_rows(plan, buffer, 0, len(buffer))
        except Malformed:
            continue
        again, _rows = mask_data_rows(plan, shown, 0, len(shown))
        assert len(again) >= 7 or not buffer


@given(transforms, oids, formats, st.binary(max_size=40))
def test_a_masked_value_decodes_in_its_own_type(name: str, oid: int, wire_format: int, value: bytes) -> None:
    masked = cell_mask(parse_transform(name), oid, -1, wire_format, KEY)(value)
    pg_type = TYPES.get(oid)
    if masked is None or pg_type is None:
        return
    if pg_type.family in (Family.JSON, Family.JSONB):
        json.loads(decode_value(pg_type, wire_format, masked))
    elif pg_type.family in (Family.INTEGER, Family.NUMERIC, Family.FLOAT, Family.BOOL, Family.UUID, Family.DATE):
        text = decode_value(pg_type, wire_format, masked)
        assert encode_value(pg_type, -1, wire_format, text) == masked or pg_type.family is Family.FLOAT


@pytest.mark.parametrize(
    ("name", "kept"),
    [("null", 0), ("redact", 0), ("fixed:-", 0), ("hash", 0), ("partial-email", 2), ("partial-name", 4), ("first:1", 1),
     ("last:2", 2), ("partial-phone", 4), ("date-year", 0)],
)  # fmt: skip
@given(words, words, st.sampled_from(["{a}@{b}.com", "{a} {b}", "{a}", "x {a}, {b}"]))
def test_no_transform_leaves_more_of_a_text_than_it_says(name: str, kept: int, a: str, b: str, form: str) -> None:
    """No run of the secret's characters that is longer than what the transform keeps is in its output."""
    secret = form.format(a=a, b=b)
    masked = text_transform(parse_transform(name), KEY)(secret)
    if masked is None or name == "hash":
        assert masked is None or (masked.startswith("h_") and secret not in masked)
        return
    longest = kept if name in ("first:1", "last:2", "partial-phone") else 1 if kept else 0
    for word in (a, b):
        for start in range(len(word) - longest):
            run = word[start : start + longest + 1]
            assert run not in masked.replace(".com", "") or not run.strip("-.*"), (secret, masked)


@given(st.text(string.digits, min_size=13, max_size=19))
def test_partial_card_keeps_ten_digits_at_most(digits: str) -> None:
    masked = text_transform(parse_transform("partial-card"), KEY)(digits)
    assert masked is not None
    assert sum(character.isdigit() for character in masked) <= (10 if len(digits) >= 15 else 4)
    assert len(masked) == len(digits)


@given(st.integers(-(10**30), 10**30), st.integers(0, 20))
def test_numerics_survive_their_binary_form(number: int, scale: int) -> None:
    text = f"{abs(number):0{scale + 1}d}"
    text = f"{text[: len(text) - scale]}.{text[len(text) - scale :]}" if scale else text
    signed = f"-{text}" if number < 0 else text
    assert decode_numeric(encode_numeric(signed)) == signed


@given(st.integers(-2451545, 2145031948))
def test_days_survive_their_text(days: int) -> None:
    assert days_from_civil(*civil_from_days(days)) == days
    assert parse_date(format_date(days)) == days


values = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).map(str.encode)


def text_field(value: bytes | None, options: CopyOptions) -> bytes:
    if value is None:
        return options.null
    for raw, escaped in ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t")):
        value = value.replace(raw, escaped)
    return value.replace(options.delimiter, b"\\" + options.delimiter)


def csv_field(value: bytes | None) -> bytes:
    return b"" if value is None else b'"' + value.replace(b'"', b'""') + b'"'


@given(
    st.lists(st.lists(values, min_size=3, max_size=3), min_size=1, max_size=4), st.sampled_from(TRANSFORMS), st.data()
)
def test_copy_is_masked_like_rows_and_cuts_do_not_matter(
    rows: list[list[bytes | None]], name: str, data: st.DataObject
) -> None:
    shape = ResultShape(tuple(ResultColumn(c, 0, 0, 25, -1, -1, 0) for c in "abc"), copy=True)
    plan = build_plan(shape, [None, MaskRule(name), None], {}, b"k" * 32)
    assert plan is not None
    options = CopyOptions(delimiter=data.draw(st.sampled_from([b"\t", b"|", b","])))
    lines = [options.delimiter.join(text_field(v, options) for v in row) + b"\n" for row in rows]
    expected = [options.delimiter.join(text_field(v, options) for v in plan.mask_row(row)) + b"\n" for row in rows]
    assert [mask_copy_text(plan, line, options) for line in lines] == expected
    records = [b",".join(csv_field(v) for v in row) + b"\n" for row in rows]
    masked = [mask_copy_csv(plan, record, CSV_OPTIONS) for record in records]
    for chosen, whole, wanted in ((options, b"".join(lines), expected), (CSV_OPTIONS, b"".join(records), masked)):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
        stream = CopyStream(plan, chosen, 1 << 16)
        pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        assert b"".join(stream.feed(piece)[0] for piece in pieces) == b"".join(wanted)
        stream.finish()


@given(st.sampled_from(list(CopyFormat)), st.binary(max_size=80))
def test_any_copy_bytes_give_rows_or_malformed(chosen: CopyFormat, noise: bytes) -> None:
    shape = ResultShape(tuple(ResultColumn(c, 0, 0, 25, -1, -1, 0) for c in "ab"), copy=True)
    plan = build_plan(shape, [MaskRule("redact"), None], {}, b"k" * 32)
    assert plan is not None
    delimiter = b"," if chosen is CopyFormat.CSV else b"\t"
    stream = CopyStream(plan, CopyOptions(chosen, delimiter), 1 << 16)
    try:
        stream.feed(noise)
        stream.finish()
    except Malformed:
        return


SECRETS = ["ada.lovelace@example.com", "4111 1111 1111 1111", "078-05-1120", "GB82WEST12345698765432", "+49 170 1234567",
           "AKIAIOSFODNN7EXAMPLE"]  # fmt: skip
ordinary = st.text(st.characters(codec="utf-8", categories=["L", "Zs", "P"], exclude_characters="\0"), max_size=20)


@given(st.sampled_from(SECRETS), ordinary, ordinary, st.sampled_from([25, 114, 3802, 1009, 99_999]))
def test_what_is_planted_between_words_never_gets_through(secret: str, before: str, after: str, oid: int) -> None:
    scanner = content_scanner(CONTENT, KEY, 1 << 16)
    assert scanner is not None
    text = f"{before} ; {secret} ; {after}"
    value = text.encode()
    if oid in (114, 3802):
        value = json.dumps({"key": text}).encode()
    elif oid == 1009:
        value = b'{"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"}'
    scan = scanner.cell_scan(oid, -1, 0)
    assert scan is not None
    masked = scan(value)
    assert masked is None or secret.encode() not in masked
    if masked is not None and oid in (114, 3802):
        json.loads(masked)
    row = data_row([value])
    shape = ResultShape((ResultColumn("c", 0, 0, oid, -1, -1, 0),))
    plan = build_plan(shape, [None], CONTENT, b"k" * 32)
    assert plan is not None
    assert mask_data_rows(plan, row, 0, len(row))[0] == data_row([masked])


@given(st.text(max_size=60) | st.text(string.digits + "+-() .@aeyJ:AKIGB", max_size=60))
def test_detection_never_raises_and_its_offsets_are_in_the_text(text: str) -> None:
    try:
        findings = detect(text)
    except TooMuchToInspect:
        return
    for finding in findings:
        assert 0 <= finding.start < finding.end <= len(text)


@pytest.mark.parametrize("name", CONTENT_CLASSES)
@given(st.data(), st.binary(max_size=4), st.binary(max_size=4))
def test_the_prefilter_clears_nothing_that_a_validator_accepts(
    name: DataClassName, data: st.DataObject, before: bytes, after: bytes
) -> None:
    candidate = data.draw(st.from_regex(re.compile(PATTERNS[name].candidate.encode()), fullmatch=True))
    if VALIDATORS[name](candidate, 0, len(candidate)):
        assert detector_for(frozenset({name})).may_match(before + candidate + after)
