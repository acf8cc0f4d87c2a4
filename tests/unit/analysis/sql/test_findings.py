"""Findings become effects once each, with the facts of their own level, and never none at all."""

from interpose.analysis.sql.lineage import Lineage
from interpose.model.actions import Action
from interpose.model.analysis import StatementInfo
from interpose.model.resources import ColumnResource, ConnectionResource
from tests.support.catalog import analysed, effect_words
from tests.unit.analysis.sql.walking import a_statement

A = ColumnResource("public", "t", "a")


def test_the_same_effect_counts_once() -> None:
    found = analysed(
        "SELECT a.note FROM orders a WHERE a.note = 'x' UNION SELECT b.note FROM orders b WHERE b.note = 'y'"
    )
    assert [effect_words(effect) for effect in found.effects] == ["select public.orders.note"]


def test_levels_keep_their_own_facts() -> None:
    found = analysed("SELECT note FROM orders WHERE id IN (SELECT order_id FROM payments)")
    facts = {effect_words(effect): effect.facts["has_where"] for effect in found.effects}
    assert facts == {
        "select public.orders.note": True,
        "select public.orders.id": True,
        "select public.payments.order_id": False,
    }


def test_facts_of_the_command_are_on_every_effect() -> None:
    found = analysed("SELECT lower(note) FROM orders; DROP TABLE payments")
    for effect in found.effects:
        assert effect.facts["statement_count"] == 2
        assert effect.facts["tables"] == ("public.orders", "public.payments")
        assert effect.facts["functions"] == ("pg_catalog.lower",)
    assert {effect.facts["statement"] for effect in found.effects} == {"SELECT", "DROP TABLE"}


def test_nothing_found_is_unknown() -> None:
    walk = a_statement()
    walk.settle()
    assert [(effect.action, effect.resource) for effect in walk.effects({})] == [(Action.UNKNOWN, ConnectionResource())]


def test_a_value_in_its_own_column_is_no_sink() -> None:
    walk = a_statement()
    walk.stores(Lineage(frozenset({A})), A)
    assert not walk.sinks
    walk.stores(Lineage(frozenset({A})), ColumnResource("public", "t", "b"))
    assert walk.sinks == {A} and walk.sinks_known
    walk.stores(Lineage(frozenset(), known=False))
    assert not walk.sinks_known
    info = walk.info()
    assert isinstance(info, StatementInfo) and info.sinks == {A} and not info.sinks_known
