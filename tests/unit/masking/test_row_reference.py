"""The pieces of the reference: counting rows, masking one cell, the error. The whole is in `test_rows.py`."""

import pytest

from interpose.masking import row_reference
from interpose.masking.row_reference import by_rule, framed_cell, malformed, walk
from interpose.model.errors import Malformed
from tests.unit.masking.test_rows import data_row, plan_for


def test_rows_are_counted() -> None:
    assert walk(2, b"") == 0
    assert walk(2, data_row(b"a", None) + data_row(b"", b"b")) == 2
    assert walk(0, data_row()) == 1
    with pytest.raises(Malformed):
        walk(1, data_row(b"a", None))


def test_a_cell_is_framed_and_remembered() -> None:
    plan = plan_for(None, "last4")
    assert framed_cell(plan, 0, b"12345678") == b"\0\0\0\x07***5678"
    assert plan.memo[0] == {b"12345678": b"\0\0\0\x07***5678"}
    assert framed_cell(plan_for("null"), 0, b"x") == b"\xff\xff\xff\xff"
    long = b"x" * (row_reference.MEMO_BYTES + 1)
    framed_cell(plan, 0, long)
    assert long not in plan.memo[0]


def test_what_is_remembered_is_what_is_shown() -> None:
    plan = plan_for("last4")
    row = data_row(b"12345678")
    assert by_rule(plan, row) == by_rule(plan, row) == (data_row(b"***5678"), 1)


def test_the_error_names_no_value_and_says_what_to_do() -> None:
    assert malformed().hint
    assert isinstance(malformed(), Malformed)
