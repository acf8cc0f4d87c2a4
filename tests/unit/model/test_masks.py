"""A reveal table is true exactly when it hides something."""

from interpose.model.ids import DataClassName
from interpose.model.masks import NOTHING_HIDDEN, MaskRule, RevealTable
from interpose.model.resources import ColumnResource


def test_a_table_is_true_when_it_hides_a_column_or_a_class() -> None:
    rule = MaskRule("redact")
    assert not NOTHING_HIDDEN
    assert RevealTable(columns={ColumnResource("public", "customers", "email"): rule})
    assert RevealTable(content={DataClassName("pii.email"): rule})
