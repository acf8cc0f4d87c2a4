"""Surveys: the names of their columns, and samples that do not show themselves."""

from interpose.model.resources import ColumnResource
from interpose.model.survey import Sample, SurveyedTable


def test_a_table_names_its_columns() -> None:
    assert SurveyedTable("public", "people", "table", ()).column("a.b") == ColumnResource("public", "people", "a.b")


def test_a_sample_is_not_shown_by_accident() -> None:
    assert "secret" not in repr(Sample((("secret",),)))
