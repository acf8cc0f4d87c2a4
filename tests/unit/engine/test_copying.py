"""What a COPY's data looks like."""

from __future__ import annotations

import pytest

from interpose.engine.copying import copy_layout, copy_shape, copy_stream
from interpose.masking.plan import build_plan
from interpose.model.actions import Action
from interpose.model.analysis import CopyLayout, OutputColumn, StatementInfo
from interpose.model.catalog import CatalogColumn, Relation
from interpose.model.errors import Unmaskable
from interpose.model.masks import MaskRule
from interpose.model.resources import ColumnResource
from interpose.model.shape import ResultColumn, ResultShape
from tests.support.memory import MemoryCatalog, analysis

AGE = ColumnResource("public", "people", "age")
SHAPE = ResultShape((ResultColumn("", 0, 0, 0, -1, -1, 0),), copy=True)
REDACT = MaskRule("redact")


def _catalog() -> MemoryCatalog:
    catalog = MemoryCatalog()
    catalog.relations[("public", "people")] = Relation(1, "public", "people", "table", (CatalogColumn("age", 1, 23),))
    return catalog


@pytest.mark.parametrize(
    ("output", "rule", "layout", "expected"),
    [
        (OutputColumn("age", frozenset({AGE}), direct=True), None, CopyLayout(), 23),
        (OutputColumn("age", frozenset({AGE}), direct=False), REDACT, CopyLayout(), 25),
        (OutputColumn("age", frozenset({AGE}), direct=False), REDACT, CopyLayout("binary"), 0),
        (OutputColumn("age", frozenset({AGE}), direct=False), None, CopyLayout("binary"), 25),
        (None, None, CopyLayout(), 25),
    ],
)
def test_types_come_from_the_catalog_where_they_can(
    output: OutputColumn | None, rule: MaskRule | None, layout: CopyLayout, expected: int
) -> None:
    outputs = None if output is None else (output,)
    (column,) = copy_shape(SHAPE, outputs, [rule], layout, _catalog()).columns
    assert column.type_oid == expected
    assert column.format == (layout.format == "binary")
    assert column.name == ("" if output is None else "age")


def test_a_declared_length_is_kept() -> None:
    catalog = _catalog()
    people = Relation(1, "public", "people", "table", (CatalogColumn("age", 1, 1043, type_modifier=9),))
    catalog.relations[("public", "people")] = people
    output = OutputColumn("age", frozenset({AGE}), direct=True)
    shape = copy_shape(SHAPE, (output,), [REDACT], CopyLayout(), catalog)
    plan = build_plan(shape, [REDACT], {}, b"k" * 32)
    assert plan is not None
    assert plan.mask_row([b"forty"]) == [b"[reda"]


def test_a_layout_belongs_to_its_statement() -> None:
    made = analysis(Action.COPY_OUT, statements=(StatementInfo("COPY", layout=CopyLayout("csv", ",", "")),))
    layout = copy_layout(made, 0)
    assert layout is not None
    assert layout.format == "csv"
    assert copy_layout(made, 1) is None
    assert copy_layout(made, None) is None


def test_a_stream_masks_what_the_plan_says_and_needs_a_layout() -> None:
    shape = copy_shape(SHAPE, None, [REDACT], CopyLayout("csv", ",", ""), _catalog())
    plan = build_plan(shape, [REDACT], {}, b"k" * 32)
    assert plan is not None
    shown, rows = copy_stream(plan, CopyLayout("csv", ",", ""), 1000).feed(b"secret\n")
    assert b"secret" not in shown
    assert rows == 1
    with pytest.raises(Unmaskable):
        copy_stream(plan, None, 1000)
