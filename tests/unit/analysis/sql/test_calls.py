"""Function calls: users' functions may do anything, reviewed ones do what the table says, unreviewed ones are unknown."""

import pytest

from interpose.analysis.sql.functions import DEEDS, HARMLESS_VOLATILE, Deed
from interpose.model.actions import Action
from interpose.model.analysis import SessionChange
from tests.support.catalog import analysed, effect_words


def test_the_tables_do_not_contradict_each_other() -> None:
    assert not set(DEEDS) & HARMLESS_VOLATILE
    assert set(Deed) == set(DEEDS.values())


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_every_reviewed_function_has_an_effect_beyond_its_call(name: str) -> None:
    effects = {effect.action for effect in analysed(f"SELECT {name}('a', 'b')").effects}
    assert effects - {Action.CALL, Action.SELECT} or name in ("lo_get", "loread")


@pytest.mark.parametrize("name", sorted(HARMLESS_VOLATILE))
def test_harmless_functions_are_only_called(name: str) -> None:
    found = analysed(f"SELECT {name}()")
    assert {effect.action for effect in found.effects} <= {Action.CALL, Action.SELECT}
    assert not found.changes


def test_only_volatile_user_functions_are_opaque() -> None:
    assert analysed("SELECT touch()").changes == {SessionChange.OPAQUE}
    assert analysed("SELECT tidy(1)").changes == frozenset()
    assert analysed("SELECT absent(1, 2)").changes == {SessionChange.OPAQUE}


def test_a_shadowed_name_counts_as_both() -> None:
    effects = {effect_words(effect) for effect in analysed("SELECT public.pg_read_file(1)").effects}
    assert "server_file function pg_catalog.pg_read_file" in effects
    assert "call function public.pg_read_file" in effects


def test_a_literal_query_is_analysed_where_it_stands() -> None:
    found = analysed("SELECT query_to_xml('SELECT card FROM payments', true, true, '')")
    assert "select public.payments.card" in {effect_words(effect) for effect in found.effects}
    assert found.depends_on_literals
    for text in ("SELEC", "SELECT 1; SELECT 2", "SELECT 1 INTO x", "DROP TABLE orders"):
        found = analysed(f"SELECT query_to_xml('{text}', true, true, '')")
        assert Action.UNKNOWN in {effect.action for effect in found.effects}


def test_a_literal_inside_a_literal_is_bounded() -> None:
    text = "SELECT 1"
    for _ in range(6):
        text = "SELECT query_to_xml('" + text.replace("'", "''") + "', true, true, '''')".replace("''''", "''")
    assert analysed(text).effects
