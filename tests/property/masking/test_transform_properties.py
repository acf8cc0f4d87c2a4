"""What each transform promises, for any value: nothing clear is left, the same again, the same in both formats, a value of its type."""

from __future__ import annotations

import json
import string
import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from interpose.masking.buckets import bucket
from interpose.masking.cells import cell_mask
from interpose.masking.coarse_dates import Unit, coarse_date
from interpose.masking.format_preserving import card_form, same_form
from interpose.masking.json_paths import JsonPath, Step, StepKind
from interpose.masking.numeric import decode_numeric, encode_numeric
from interpose.masking.pseudonyms import Pseudonyms
from interpose.masking.strictness import strictest, strictness
from interpose.masking.texts import text_transform
from interpose.masking.transforms import EXAMPLES, REDACT, TRANSFORM_NAMES, Transform, parse_transform
from interpose.masking.types import type_of
from interpose.masking.validators import luhn
from interpose.masking.values import decode_value, encode_value

KEY, OTHER = Pseudonyms(b"k" * 32), Pseudonyms(b"o" * 32)
ALL = [EXAMPLES.get(name, name) for name in TRANSFORM_NAMES]
HIDING = ["null", "redact", "fixed", "fixed:-", "hash", "hash-email", "hash-card", "hash-form"]

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
written = st.one_of(
    texts,
    st.text(string.ascii_letters + string.digits + "-@. ", min_size=1, max_size=30),
    st.text(string.digits, min_size=12, max_size=19),
    st.emails(),
)


@pytest.mark.parametrize("name", HIDING)
@given(written)
def test_what_hides_whole_values_never_shows_them(name: str, value: str) -> None:
    masked = text_transform(parse_transform(name), KEY)(value)
    if masked is not None and len(value) >= 4:
        assert value not in masked or (name in ("fixed", "fixed:-") and value in ("***", "-"))
    if masked is not None and name == "hash-form":
        assert len(masked) == len(value)
        for clear, shown in zip(value, masked, strict=True):
            assert shown.isascii()
            assert clear.isascii() or shown != clear
            if clear.isascii():
                assert clear.isdigit() == shown.isdigit() and clear.isalpha() == shown.isalpha()
                assert clear.isalnum() or clear == shown


@given(st.sampled_from(ALL), written)
def test_the_same_value_is_masked_the_same_again(name: str, value: str) -> None:
    transform = parse_transform(name)
    assert text_transform(transform, KEY)(value) == text_transform(transform, Pseudonyms(b"k" * 32))(value)


@given(st.text(string.ascii_letters + string.digits, min_size=12, max_size=30))
def test_another_scope_has_other_pseudonyms(value: str) -> None:
    for name in ("hash", "hash-form"):
        transform = parse_transform(name)
        assert text_transform(transform, KEY)(value) != text_transform(transform, OTHER)(value)


@given(st.text(string.digits, min_size=12, max_size=19))
def test_a_card_keeps_its_check_digit_and_is_nobodys(digits: str) -> None:
    masked = card_form(digits, KEY)
    assert masked is not None and masked != digits and len(masked) == len(digits)
    assert masked[0] == "9" and luhn(masked)


def in_binary(oid: int, value: str) -> bytes:
    if oid in (23, 20):
        return int(value).to_bytes(4 if oid == 23 else 8, "big", signed=True)
    return encode_numeric(value) if oid == 1700 else struct.pack(">d", float(value))


def read(oid: int, wire_format: int, masked: bytes | None) -> str | float | None:
    """The value of a masked cell, for comparison across formats."""
    if masked is None:
        return None
    text = decode_value(type_of(oid), wire_format, masked)
    return float(text) if oid == 701 else text


numbers = st.one_of(
    st.tuples(st.just(23), st.integers(-(1 << 31), (1 << 31) - 1).map(str)),
    st.tuples(st.just(20), st.integers(-(1 << 63), (1 << 63) - 1).map(str)),
    st.tuples(st.just(1700), st.decimals(allow_nan=False, allow_infinity=False, places=3).map(lambda n: f"{n:f}")),
    st.tuples(st.just(1700), st.sampled_from(["NaN", "Infinity", "-Infinity"])),
    st.tuples(st.just(701), st.floats().map(lambda n: repr(n).replace("inf", "Infinity").replace("nan", "NaN"))),
)


@given(numbers, st.sampled_from(ALL))
def test_numbers_are_masked_alike_in_both_formats(number: tuple[int, str], name: str) -> None:
    oid, value = number
    assume(oid != 1700 or len(value) < 100)
    shown = cell_mask(parse_transform(name), oid, -1, 0, KEY)(value.encode())
    raw = cell_mask(parse_transform(name), oid, -1, 1, KEY)(in_binary(oid, value))
    assert read(oid, 0, shown) == read(oid, 1, raw)


days = st.integers(-2451545, 2145031948)


@given(days, st.sampled_from(["date-year", "date-month", "date-week", "date-day", "redact", "hash"]))
def test_dates_are_masked_alike_in_both_formats(day: int, name: str) -> None:
    raw = struct.pack(">i", day)
    text = decode_value(type_of(1082), 1, raw)
    shown = cell_mask(parse_transform(name), 1082, -1, 0, KEY)(text.encode())
    masked = cell_mask(parse_transform(name), 1082, -1, 1, KEY)(raw)
    assert shown is not None and masked is not None
    assert shown.decode() == decode_value(type_of(1082), 1, masked)


@given(
    st.integers(-211813488000000000, 9223371331199999999), st.sampled_from(list(Unit)), st.sampled_from([1114, 1184])
)
def test_timestamps_are_masked_alike_in_both_formats(moment: int, unit: Unit, oid: int) -> None:
    raw = struct.pack(">q", moment)
    text = decode_value(type_of(oid), 1, raw)
    shown = cell_mask(Transform(unit.value), oid, -1, 0, KEY)(text.encode())
    masked = cell_mask(Transform(unit.value), oid, -1, 1, KEY)(raw)
    assert shown is not None and masked is not None
    assert shown.decode() == decode_value(type_of(oid), 1, masked)
    assert struct.unpack(">q", masked)[0] <= moment or masked == encode_value(
        type_of(oid), -1, 1, "1970-01-01 00:00:00" + "+00" * (oid == 1184)
    )


@given(days, days)
def test_coarse_dates_keep_the_order(one: int, other: int) -> None:
    for unit in (Unit.YEAR, Unit.MONTH, Unit.WEEK):
        shown = [
            coarse_date(decode_value(type_of(1082), 1, struct.pack(">i", day)), unit) for day in sorted((one, other))
        ]
        if None not in shown:
            first, second = (struct.unpack(">i", encode_value(type_of(1082), -1, 1, str(text)))[0] for text in shown)
            assert first <= second


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=4),
    st.integers(2, 10**15),
)
def test_a_bucket_is_the_multiple_at_or_below(number: object, width: int) -> None:
    low = bucket(f"{number:f}", width)
    assert low is not None
    assert int(low) % width == 0
    assert int(low) <= number < int(low) + width  # type: ignore[operator]


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-(1 << 31), (1 << 31) - 1), st.integers(2, 10**6))
def test_a_masked_range_is_a_range(one: int, other: int, width: int) -> None:
    lower, upper = sorted((one, other))
    mask = cell_mask(Transform("bucket", step=width), 3904, -1, 0, KEY)
    shown = mask(f"[{lower},{upper})".encode())
    assert shown is not None
    if shown != b"empty":
        low, high = shown[1:-1].split(b",")
        assert int(low) <= int(high)
    raw = cell_mask(Transform("bucket", step=width), 3904, -1, 1, KEY)(struct.pack(">Biiii", 2, 4, lower, 4, upper))
    assert raw is not None
    assert (raw == b"\x01") is (shown == b"empty")
    if raw != b"\x01":
        assert struct.unpack(">Biiii", raw) == (2, 4, int(low), 4, int(high))


SECRET = "s3cret-value"
keys = st.sampled_from(["a", "b", "c d", "é"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([SECRET, "x", "a"])
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
)
steps = st.one_of(
    keys.map(lambda key: Step(StepKind.KEY, key)),
    st.sampled_from([Step(StepKind.ANY_KEY), Step(StepKind.ELEMENTS), Step(StepKind.ANY_DEPTH)]),
)
paths = st.lists(steps, min_size=1, max_size=4).map(lambda made: JsonPath(tuple(made)))

HIDDEN = object()


def expected(value: object, path: tuple[Step, ...], plain: bool = True) -> object:
    """The document after one path, by recursion over values: an independent reading of the same rules."""
    if not path:
        return HIDDEN
    first, rest = path[0], path[1:]
    if first.kind is StepKind.ANY_DEPTH:
        here = expected(value, rest, False)
        if here is HIDDEN:
            return HIDDEN
        if isinstance(here, dict):
            return {key: both(value[key], here[key], expected(value[key], path, False)) for key in here}  # type: ignore[index]
        if isinstance(here, list):
            return [both(old, new, expected(old, path, False)) for old, new in zip(value, here, strict=True)]  # type: ignore[call-overload]
        return here
    if isinstance(value, list):
        inner = rest if first.kind is StepKind.ELEMENTS else path
        return [expected(each, inner, plain) for each in value]
    if first.kind is StepKind.ELEMENTS:
        return expected(value, rest, plain)
    if isinstance(value, dict):
        if first.kind is StepKind.ANY_KEY:
            return {key: expected(each, rest, False) for key, each in value.items()}
        return {key: expected(each, rest, plain) if key == first.key else each for key, each in value.items()}
    return HIDDEN if plain else value


def both(old: object, one: object, other: object) -> object:
    """What is hidden by either of two."""
    if one is HIDDEN or other is HIDDEN:
        return HIDDEN
    if isinstance(old, dict):
        return {key: both(old[key], one[key], other[key]) for key in old}  # type: ignore[index]
    if isinstance(old, list):
        return [both(a, b, c) for a, b, c in zip(old, one, other, strict=True)]  # type: ignore[call-overload]
    return one


def hides(new: object) -> bool:
    """Whether anything in an expected document is hidden."""
    inner = new.values() if isinstance(new, dict) else new if isinstance(new, list) else ()
    return new is HIDDEN or any(map(hides, inner))


def redacted(old: object, new: object) -> object:
    """The expected document with the constants of `redact`."""
    if new is HIDDEN:
        if old is None:
            return None
        return False if isinstance(old, bool) else 0 if isinstance(old, int | float) else "[redacted]"
    if isinstance(old, dict):
        return {key: redacted(old[key], new[key]) for key in old}  # type: ignore[index]
    if isinstance(old, list):
        return [redacted(a, b) for a, b in zip(old, new, strict=True)]  # type: ignore[call-overload]
    return new


@given(documents, paths, st.sampled_from([None, 1]), st.booleans())
def test_json_paths_hide_what_they_mean_and_nothing_else(
    document: object, path: JsonPath, indent: int | None, escaped: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=escaped)
    masked = text_transform(Transform("json", paths=((path, REDACT),)), KEY)(text)
    assert masked is not None
    # A document that is one scalar is hidden whatever the path.
    outcome = expected(document, path.steps) if isinstance(document, dict | list) else HIDDEN
    wanted = redacted(document, outcome)
    assert json.dumps(json.loads(masked)) == json.dumps(wanted)
    if not hides(outcome):
        assert masked == text


@given(st.lists(paths, min_size=1, max_size=3), texts)
def test_paths_are_read_back_as_they_are_written_and_any_text_gives_json_or_nothing(
    made: list[JsonPath], text: str
) -> None:
    transform = Transform("json", paths=tuple((path, REDACT) for path in made))
    assert parse_transform(str(transform)) == transform
    for tried in (text, json.dumps(text), '{"a": ' + text):
        masked = text_transform(transform, KEY)(tried)
        if masked is not None:
            json.loads(masked)


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=4))
def test_the_strictest_is_at_least_as_strict_as_each(names: list[str]) -> None:
    best = parse_transform(strictest(names))
    assert all(strictness(best) >= strictness(parse_transform(name)) for name in names)
    assert strictest([strictest(names), *names]) == strictest(names)


@given(
    st.binary(max_size=60),
    st.sampled_from(ALL),
    st.sampled_from([3904, 4451, 3912, 4533, 790, 1020, 3802, 114, 25, 1007]),
    st.integers(0, 1),
)
def test_no_bytes_make_a_mask_raise(value: bytes, name: str, oid: int, wire_format: int) -> None:
    masked = cell_mask(parse_transform(name), oid, -1, wire_format, KEY)(value)
    assert masked is None or isinstance(masked, bytes)


@given(texts)
def test_a_form_is_kept_within_the_length_of_the_column(value: str) -> None:
    masked = same_form(value, KEY)
    assert masked is None or len(masked) == len(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=2))
def test_numbers_keep_their_form(number: object) -> None:
    text = f"{number:f}"
    masked = cell_mask(parse_transform("hash-form"), 1700, -1, 0, KEY)(text.encode())
    assert masked is not None
    if masked != b"0":
        assert [c for c in masked.decode() if not c.isdigit()] == [c for c in text if not c.isdigit()]
        assert len(masked) == len(text) and masked.decode() != text
        assert decode_numeric(encode_numeric(masked.decode())) == masked.decode() or set(masked.decode()) <= set("-0.")
