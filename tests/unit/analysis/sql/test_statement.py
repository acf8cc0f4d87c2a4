"""What all statements share: results, new relations, and expressions inside definitions."""

from interpose.analysis.sql.lineage import Lineage
from interpose.analysis.sql.statement import columns_of, outputs_of
from interpose.model.analysis import OutputColumn, Outputs
from interpose.model.resources import ColumnResource
from tests.support.catalog import analysed, effect_words


def test_outputs_go_there_and_back() -> None:
    columns = [
        ("a", Lineage(frozenset({ColumnResource("public", "t", "a")}), direct=True)),
        ("b", Lineage(frozenset(), known=False)),
    ]
    found = columns_of(outputs_of(columns))
    assert found is not None
    assert [(name, value.sources, value.known, value.direct) for name, value in found] == [
        (name, value.sources, value.known, value.direct) for name, value in columns
    ]
    assert columns_of(outputs_of(None)) is None
    assert columns_of(None) is None
    assert outputs_of([]) == Outputs(())


def test_of_columns_of_unknown_number_the_bound_is_told_where_it_is_known() -> None:
    source = ColumnResource("public", "t", "a")
    assert outputs_of(None, Lineage(frozenset({source}))) == Outputs(None, OutputColumn("*", frozenset({source})))
    assert outputs_of(None, Lineage(frozenset({source}), known=False)) == Outputs(None, None)
    # Where the columns are known, they say more.
    assert outputs_of([], Lineage(frozenset({source}))) == Outputs(())


def test_star_over_a_function_is_bounded_by_its_arguments() -> None:
    for text, sources in (
        ("SELECT * FROM pg_options_to_table('{}')", set()),
        ("SELECT * FROM json_each_text((SELECT to_json(note) FROM orders LIMIT 1))", {"note"}),
    ):
        (statement,) = analysed(text).statements
        assert statement.outputs is not None
        every = statement.outputs.every
        columns = statement.outputs.columns
        found = columns if columns is not None else (every,)
        assert all(column is not None and column.known for column in found), text
        assert {source.name for column in found if column is not None for source in column.sources} <= sources


def test_a_select_of_nothing_is_still_asked() -> None:
    assert [effect_words(effect) for effect in analysed("SELECT 1").effects] == ["select connection"]


def test_definitions_are_searched_for_queries_and_calls() -> None:
    effects = {
        effect_words(effect)
        for effect in analysed(
            "CREATE TABLE t (a int DEFAULT nextval('orders_id_seq'), b text CHECK (touch(b)), "
            "c text GENERATED ALWAYS AS (lower(b)) STORED)"
        ).effects
    }
    assert effects >= {
        "create app.t",
        "update public.orders_id_seq:sequence",
        "call function public.touch",
        "call function pg_catalog.lower",
    }


def test_new_relations_land_in_the_first_schema_that_can_hold_them() -> None:
    for text, resource in (
        ("CREATE TABLE t (a int)", "create app.t"),
        ("CREATE TABLE public.t (a int)", "create public.t"),
        ("CREATE TEMP TABLE t (a int)", "create pg_temp.t:temp"),
        ("CREATE TABLE pg_temp.t (a int)", "create pg_temp.t:temp"),
        ("CREATE VIEW t AS SELECT 1", "create app.t:view"),
    ):
        assert resource in {effect_words(effect) for effect in analysed(text).effects}
