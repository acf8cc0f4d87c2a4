"""Rows on the bytes of DataRow messages, through either kernel."""

import struct

import pytest

from interpose.masking.kernel import Kernel
from interpose.masking.patterns import CONTENT_CLASSES, EMAIL
from interpose.masking.plan import MaskingPlan, build_plan
from interpose.masking.rows import mask_data_rows
from interpose.model.errors import Malformed
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape
from tests.support.kernels import KERNELS

KEY = b"k" * 16

both = pytest.mark.parametrize("kernel", KERNELS)


def data_row(*values: bytes | None) -> bytes:
    body = b"".join(b"\xff" * 4 if v is None else struct.pack(">i", len(v)) + v for v in values)
    return b"D" + struct.pack(">ih", len(body) + 6, len(values)) + body


def plan_for(*rules: str | None, content: bool = False) -> MaskingPlan:
    shape = ResultShape(tuple(ResultColumn("c", 0, 0, 25, -1, -1, 0) for _ in rules))
    content_rules = {name: MaskRule("redact") for name in CONTENT_CLASSES} if content else {}
    plan = build_plan(shape, [(rule and MaskRule(rule)) or None for rule in rules], content_rules, KEY)
    assert plan is not None
    return plan


@both
def test_masked_cells_get_their_own_lengths_and_the_others_keep_their_bytes(kernel: Kernel) -> None:
    data = data_row(b"1", b"ada@example.com", None, b"tail") + data_row(b"2", None, b"", b"")
    shown, rows = mask_data_rows(plan_for(None, "partial-email", None, None), data, 0, len(data), kernel)
    assert shown == data_row(b"1", b"a***@e***.com", None, b"tail") + data_row(b"2", None, b"", b"")
    assert rows == 2


@both
def test_only_the_given_part_of_the_buffer_is_read(kernel: Kernel) -> None:
    row = data_row(b"secret")
    data = b"junk" + row + b"junk"
    expected = (data_row(b"[redacted]"), 1)
    assert mask_data_rows(plan_for("redact"), data, 4, 4 + len(row), kernel) == expected
    assert mask_data_rows(plan_for("redact"), memoryview(data), 4, 4 + len(row), kernel) == expected
    assert mask_data_rows(plan_for("redact"), bytearray(row), 0, len(row), kernel) == expected
    assert mask_data_rows(plan_for("redact"), data, 4, 4, kernel) == (b"", 0)


@both
def test_nulls_made_and_kept(kernel: Kernel) -> None:
    data = data_row(b"x", None)
    assert mask_data_rows(plan_for("null", "null"), data, 0, len(data), kernel)[0] == data_row(None, None)


@both
def test_content_is_found_in_any_row_of_a_batch(kernel: Kernel) -> None:
    clean = data_row(b"a", b"nothing") * 50
    data = clean + data_row(b"a", b"see eve@example.com") + clean + data_row(None, None)
    shown, rows = mask_data_rows(plan_for(None, None, content=True), data, 0, len(data), kernel)
    assert shown == clean + data_row(b"a", b"see [redacted]") + clean + data_row(None, None)
    assert rows == 102
    assert mask_data_rows(plan_for(None, None, content=True), clean, 0, len(clean), kernel) == (clean, 50)


@both
def test_framing_bytes_beside_a_cell_do_not_hide_what_is_in_it(kernel: Kernel) -> None:
    # The last byte of a length may be a letter, a digit or a mark: cells of every length up to 130 bytes.
    plan = plan_for(None, None, content=True)
    for filler in range(100):
        for secret in (b"4111111111111111", b"078-05-1120", b"ada@example.com", b"DE89370400440532013000"):
            data = data_row(secret + b" " + b"." * filler, b"." * filler + b" " + secret)
            assert secret not in mask_data_rows(plan, data, 0, len(data), kernel)[0]


@both
def test_a_cell_beyond_the_inspected_length_is_redacted_even_when_the_prefilter_sees_nothing(kernel: Kernel) -> None:
    shape = ResultShape((ResultColumn("c", 0, 0, 25, -1, -1, 0),))
    plan = build_plan(shape, [None], {EMAIL: MaskRule("redact")}, KEY, max_inspected=1000)
    assert plan is not None
    data = data_row(b"x" * 1000) + data_row(b"x" * 1001)
    assert mask_data_rows(plan, data, 0, len(data), kernel)[0] == data_row(b"x" * 1000) + data_row(b"[redacted]")


@both
@pytest.mark.parametrize("rules", [("redact", None), (None, "redact"), (None, None)])
@pytest.mark.parametrize(
    "data",
    [
        b"D",
        b"D\0\0\0\x06",
        data_row(b"a"),
        data_row(b"a", b"b", b"c"),
        data_row(b"a", b"b")[:-1],
        data_row(b"a", b"b") + b"\0",
        b"T" + data_row(b"a", b"b")[1:],
        b"D" + struct.pack(">ih", 6, 2),
        b"D" + struct.pack(">ihii", 14, 2, -2, -1),
        b"D" + struct.pack(">ihii", 14, 2, -1, -2),
        b"D" + struct.pack(">ihii", 14, 2, 0x7FFFFFFF, -1),
        b"D" + struct.pack(">ihii", 15, 2, -1, -1) + b"x",
        b"D" + struct.pack(">ihii", 13, 2, -1, -1),
        b"D" + struct.pack(">ihii", -1, 2, -1, -1),
        b"D" + struct.pack(">ih", 14, 2) + struct.pack(">i", 5) + b"abcd",
    ],
)
def test_anything_but_whole_rows_of_the_plans_width_is_malformed(
    kernel: Kernel, rules: tuple[str | None, ...], data: bytes
) -> None:
    with pytest.raises(Malformed):
        mask_data_rows(plan_for(*rules, content=True), data, 0, len(data), kernel)


@both
def test_what_is_remembered_is_bounded(kernel: Kernel) -> None:
    plan = plan_for("last4")
    data = b"".join(data_row(b"%09d" % i) for i in range(5000)) + data_row(b"x" * 500)
    mask_data_rows(plan, data, 0, len(data), kernel)
    assert len(plan.memo[0]) <= 2048
    assert all(len(cell) <= 128 for cell in plan.memo[0])
