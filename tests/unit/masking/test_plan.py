"""The plan for one result."""

import pytest

from interpose.masking.patterns import EMAIL
from interpose.masking.plan import MaskingPlan, build_plan
from interpose.model.errors import ConfigurationError, Malformed, Unmaskable
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape

KEY = b"k" * 16


def shape(*oids: int, wire_format: int = 0) -> ResultShape:
    return ResultShape(tuple(ResultColumn(f"c{i}", 0, 0, oid, -1, -1, wire_format) for i, oid in enumerate(oids)))


def test_nothing_to_do_is_no_plan() -> None:
    assert build_plan(shape(25, 23), [None, None], {}, b"") is None
    assert build_plan(shape(), [], {EMAIL: MaskRule("redact")}, KEY) is None
    assert build_plan(shape(23), [None], {EMAIL: MaskRule("redact")}, KEY) is None


def test_rules_and_content_in_one_row() -> None:
    plan = build_plan(
        shape(25, 23, 25, 25), [MaskRule("hash"), MaskRule("null"), None, None], {EMAIL: MaskRule("redact")}, KEY
    )
    assert plan is not None
    row = plan.mask_row([b"ada@example.com", b"5", b"see eve@example.com", None])
    assert row[0] is not None and row[0].startswith(b"h_")
    assert row[1:] == [None, b"see [redacted]", None]
    assert plan.masked == (0, 1)
    assert plan.scanned == (2, 3)
    assert plan.masked_names == ("c0", "c1")


def test_null_stays_null() -> None:
    plan = build_plan(shape(25), [MaskRule("redact")], {}, KEY)
    assert plan is not None
    assert plan.mask_row([None]) == [None]


def test_rules_that_do_not_fit_the_result_refuse_it() -> None:
    with pytest.raises(Unmaskable):
        build_plan(shape(25, 25), [MaskRule("redact")], {}, KEY)
    with pytest.raises(Unmaskable):
        build_plan(shape(25, wire_format=7), [MaskRule("redact")], {}, KEY)
    with pytest.raises(ConfigurationError):
        build_plan(shape(25), [MaskRule("shred")], {}, KEY)
    with pytest.raises(ValueError, match="key"):
        build_plan(shape(25), [MaskRule("hash")], {}, b"")
    with pytest.raises(ValueError, match="every column"):
        MaskingPlan(("a",), (), (), None)


def test_a_row_of_another_width_is_malformed() -> None:
    plan = build_plan(shape(25), [MaskRule("redact")], {}, KEY)
    assert plan is not None
    with pytest.raises(Malformed):
        plan.mask_row([b"a", b"b"])
