"""The SQL of surveys: names are quoted, the session is read-only, and rows of another shape are refused."""

import pytest
from postgast import parse

from interpose.analysis.sql.survey_queries import read_sample, read_survey, sample_query, survey_query
from interpose.model.resources import ColumnResource
from interpose.model.survey import ColumnKind, SampleRequest, SurveyedColumn, SurveyedTable

TABLE = SurveyedTable('s"; drop table x; --', "t.u", "table", ())


def test_a_sample_is_read_only_bounded_and_quoted() -> None:
    columns = (SurveyedColumn('a"b', ColumnKind.TEXT, "text"), SurveyedColumn("raw", ColumnKind.BYTES, "bytea"))
    text = sample_query(SampleRequest(TABLE, columns, 100, 2048, 1.5))
    assert '"s""; drop table x; --"."t.u" TABLESAMPLE SYSTEM (1.500000) REPEATABLE (0) LIMIT 100' in text
    assert 'substr("a""b"::text, 1, 2048)' in text
    assert 'substr("raw", 1, 2048)::text' in text
    assert text.startswith(
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET default_transaction_read_only = on;"
    )
    assert "statement_timeout" in text
    assert parse(text).stmts[-1].stmt.WhichOneof("node") == "select_stmt"
    assert "TABLESAMPLE" not in sample_query(SampleRequest(TABLE, columns, 100, 2048))


def test_a_survey_of_one_schema_is_quoted() -> None:
    assert "n.nspname = 'it''s'" in survey_query("it's")
    assert len(parse(survey_query(None)).stmts) == 9


def test_rows_become_tables_and_keys() -> None:
    columns = (
        '[["a", "text", "S", "", "", "text", "the mail", true], ["b", "_jsonb", "A", "U", "jsonb", "jsonb[]", "", false],'
        ' ["c", "int8", "N", "", "", "bigint", "", true], ["d", "_int4", "A", "N", "int4", "integer[]", "", true]]'
    )
    survey = read_survey(
        [
            ["table", "public", "t", "m", "12", None, columns, '[["public", "u", "x"]]'],
            ["table", "public", "none", "r", "-1", "words", None, None],
            ["key", "public", "t", "a", "public", "u", "x"],
        ]
    )
    table, none = survey.tables
    assert [column.kind for column in table.columns] == [
        ColumnKind.TEXT,
        ColumnKind.TEXTS,
        ColumnKind.NUMBER,
        ColumnKind.OTHER,
    ]
    assert table.columns[0].comment == "the mail"
    assert not table.columns[1].readable
    assert table.kind == "matview"
    assert table.reads == {ColumnResource("public", "u", "x")}
    assert (none.columns, none.rows, none.comment) == ((), -1.0, "words")
    assert survey.joined == ((ColumnResource("public", "t", "a"), ColumnResource("public", "u", "x")),)


def test_rows_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="not understood"):
        read_survey([["table", "public"]])


def test_a_sample_keeps_its_nulls() -> None:
    assert read_sample([["x", None]]).rows == (("x", None),)
