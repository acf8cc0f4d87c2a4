"""Function calls: users' functions may do anything, reviewed ones do what the list says, unreviewed ones are unknown."""

import pytest

from interpose.analysis.sql.functions import DEEDS
from interpose.analysis.sql.reviewed import REVIEWED, Verdict
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, SessionChange
from tests.support.catalog import analysed, effect_words

PUBLIC_SSN = "public.customers.ssn"


def named(verdict: Verdict) -> list[str]:
    """Some functions with a verdict."""
    return sorted(name for name, each in REVIEWED.items() if each.verdict is verdict)


def called(name: str) -> Analysis:
    """A call over a hidden column."""
    return analysed(f'SELECT "{name}"(ssn) FROM public.customers')


def shown(found: Analysis) -> tuple[bool, set[str]]:
    """Whether the lineage of the one result column is known, and what it is."""
    outputs = found.statements[0].outputs
    assert outputs is not None and outputs.columns is not None
    (column,) = outputs.columns
    return column.known, {f"{each.schema}.{each.table}.{each.name}" for each in column.sources}


def sinks(found: Analysis) -> set[str]:
    """What the statement stores or sends."""
    return {f"{each.schema}.{each.table}.{each.name}" for each in found.statements[0].sinks}


def actions(found: Analysis) -> set[Action]:
    """What it does."""
    return {effect.action for effect in found.effects}


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_every_function_with_a_deed_has_an_effect_beyond_its_call(name: str) -> None:
    found = actions(analysed(f"SELECT {name}('a', 'b')"))
    assert found - {Action.CALL, Action.SELECT} or name in ("lo_get", "loread")


@pytest.mark.parametrize("verdict", [Verdict.COMPUTES, Verdict.REPORTS])
def test_what_only_computes_or_reports_is_only_called_and_its_result_is_its_arguments(verdict: Verdict) -> None:
    for name in named(verdict)[::7]:
        found = called(name)
        assert actions(found) == {Action.CALL, Action.SELECT}, name
        assert not found.changes, name
        assert not sinks(found), name
        assert shown(found) == (True, {PUBLIC_SSN}), name


@pytest.mark.parametrize("name", named(Verdict.KEEPS))
def test_what_keeps_its_argument_is_given_nothing_hidden(name: str) -> None:
    found = called(name)
    assert actions(found) == {Action.CALL, Action.SELECT}
    assert sinks(found) == {PUBLIC_SSN}


@pytest.mark.parametrize("name", named(Verdict.CATALOG))
def test_of_what_shows_stored_values_nothing_is_known(name: str) -> None:
    found = called(name)
    assert actions(found) == {Action.CALL, Action.SELECT}
    assert shown(found) == (False, {PUBLIC_SSN})


@pytest.mark.parametrize("name", named(Verdict.DEFINES))
def test_what_shows_definitions_says_so(name: str) -> None:
    found = called(name)
    assert actions(found) == {Action.CALL, Action.SELECT}
    assert shown(found) == (True, {PUBLIC_SSN, "pg_catalog..definition"})


@pytest.mark.parametrize("name", [*named(Verdict.INNER)[::20], "domain_in", "made_up_in_version_19"])
def test_what_nobody_reviewed_or_should_call_is_unknown(name: str) -> None:
    found = called(name)
    assert Action.UNKNOWN in actions(found)
    assert found.changes == {SessionChange.OPAQUE}
    assert sinks(found) == {PUBLIC_SSN}
    assert shown(found) == (False, {PUBLIC_SSN})


@pytest.mark.parametrize("name", ["touch", "tidy", "get_rows", "set_limit"])
def test_a_users_function_may_do_anything_whatever_it_is_declared_as(name: str) -> None:
    found = called(name)
    assert f"call function public.{name}" in {effect_words(effect) for effect in found.effects}
    assert found.changes == {SessionChange.OPAQUE}
    assert sinks(found) == {PUBLIC_SSN}
    assert shown(found) == (False, {PUBLIC_SSN})


def test_a_function_that_is_not_there_may_do_anything() -> None:
    assert analysed("SELECT absent(1, 2)").changes == {SessionChange.OPAQUE}


def test_an_extension_that_computes_only_computes() -> None:
    found = called("digest")
    assert shown(found) == (True, {PUBLIC_SSN})
    assert not found.changes
    assert not sinks(found)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id @@@ 1 FROM orders",
        "SELECT id OPERATOR(public.@@@) 1 FROM orders",
        "SELECT (1 = 1) @@@ true FROM orders",
        "SELECT 1 @@@ ANY (SELECT id FROM orders)",
        "SELECT 1 @@@ ALL (ARRAY[1]) FROM orders",
        "SELECT (@@@ id) + 1 FROM orders",
        "SELECT '1'::public.leaky FROM orders",
        "SELECT CAST(id AS public.leaky) FROM orders",
        "SELECT public.leaky '1' FROM orders",
        "SELECT (id::leaky)::text FROM orders",
        "SELECT ARRAY[id]::leaky[] FROM orders",
        "SELECT xmlserialize(CONTENT note AS leaky) FROM orders",
    ],
)
def test_a_users_function_behind_an_operator_or_a_cast_is_called(text: str) -> None:
    found = analysed(text)
    words = {effect_words(effect) for effect in found.effects}
    assert words & {"call function public.leak", "call function public.to_leaky"}
    assert not shown(found)[0]
    assert SessionChange.OPAQUE in found.changes


def test_an_order_by_a_users_operator_calls_its_function() -> None:
    found = analysed("SELECT id FROM orders ORDER BY id USING OPERATOR(public.@@@)")
    assert "call function public.leak" in {effect_words(effect) for effect in found.effects}


def test_operators_of_extensions_in_c_compute() -> None:
    found = analysed("SELECT ssn %% 'x' FROM public.customers")
    assert shown(found) == (True, {PUBLIC_SSN})
    assert actions(found) == {Action.SELECT}


def test_an_operator_over_a_built_in_function_is_judged_as_that_function() -> None:
    assert Action.SERVER_FILE in actions(analysed("SELECT 1 /~ 2"))


def test_operators_that_cannot_be_looked_up_are_doubted_and_not_refused() -> None:
    found = analysed("SET search_path TO DEFAULT; SELECT 1 + 1")
    column = found.statements[1].outputs
    assert column is not None and column.columns is not None and not column.columns[0].known
    assert Action.UNKNOWN not in actions(found)


def test_an_operator_of_pg_catalog_needs_no_look_at_the_path() -> None:
    found = analysed("SELECT ssn OPERATOR(pg_catalog.~) 'x' FROM public.customers")
    assert shown(found) == (True, {PUBLIC_SSN})


def test_a_shadowed_name_counts_as_both() -> None:
    effects = {effect_words(effect) for effect in analysed("SELECT public.pg_read_file(1)").effects}
    assert "server_file function pg_catalog.pg_read_file" in effects
    assert "call function public.pg_read_file" in effects


def test_a_literal_query_is_analysed_where_it_stands() -> None:
    found = analysed("SELECT query_to_xml('SELECT card FROM payments', true, true, '')")
    assert Action.DYNAMIC_SQL in actions(found)
    assert "select public.payments.card" in {effect_words(effect) for effect in found.effects}
    assert found.depends_on_literals
    for text in ("SELEC", "SELECT 1; SELECT 2", "SELECT 1 INTO x", "DROP TABLE orders"):
        found = analysed(f"SELECT query_to_xml('{text}', true, true, '')")
        assert Action.DYNAMIC_SQL in actions(found)
        assert not found.statements[0].used_known and not found.statements[0].sinks_known


def test_a_literal_inside_a_literal_is_bounded() -> None:
    text = "SELECT 1"
    for _ in range(6):
        text = "SELECT query_to_xml('" + text.replace("'", "''") + "', true, true, '''')".replace("''''", "''")
    assert analysed(text).effects


def test_a_users_answer_may_be_shown_but_what_is_done_with_it_is_not_known() -> None:
    assert analysed("SELECT touch() FROM orders").statements[0].used_known
    for text in (
        "SELECT id FROM orders WHERE touch() = 1",
        "SELECT id FROM orders ORDER BY touch()",
        "SELECT upper(touch())",
        "SELECT 1 @@@ 2 IS NULL",
        "SELECT * FROM get_rows() AS g(a, b)",
    ):
        assert not analysed(text).statements[0].used_known, text


def test_a_view_is_taken_at_its_owners_word_only_for_what_it_does_to_the_session() -> None:
    found = analysed("SELECT t FROM helped_view")
    assert not found.changes
    assert not shown(found)[0]
    assert not found.statements[0].used_known
    assert analysed("SELECT t FROM touching_view").changes == {SessionChange.OPAQUE}


def test_reading_a_definition_is_not_comparing_with_values_but_its_text_is_hidden() -> None:
    found = analysed("SELECT pg_get_expr(relpartbound, oid), relpartbound IS NULL FROM pg_class")
    outputs = found.statements[0].outputs
    assert outputs is not None and outputs.columns is not None
    assert [column.known for column in outputs.columns] == [False, True]
    assert found.statements[0].used_known
