"""ALTER, DROP, COMMENT, GRANT: on which resource, and on what it is a part of."""

import pytest

from interpose.model.analysis import SessionChange
from tests.support.catalog import analysed, effect_words


@pytest.mark.parametrize(
    ("text", "effects"),
    [
        ("ALTER TABLE orders DROP COLUMN note CASCADE", {"alter public.orders"}),
        (
            "ALTER TABLE customers_2024 ALTER note SET DEFAULT touch()",
            {"alter public.customers_2024", "alter public.customers", "call function public.touch"},
        ),
        ("ALTER TABLE orders INHERIT app.log", {"alter public.orders", "alter app.log"}),
        ("ALTER TABLE orders DETACH PARTITION payments", {"alter public.orders", "alter public.payments"}),
        ("ALTER TABLE orders OWNER TO bob", {"alter public.orders", "grant role bob"}),
        ("ALTER INDEX i SET (fillfactor = 50)", {"alter index app.i"}),
        ("ALTER TYPE public.t ADD ATTRIBUTE a int", {"alter type public.t"}),
        ("ALTER TABLE orders RENAME COLUMN note TO ssn", {"alter public.orders"}),
        ("ALTER INDEX i RENAME TO j", {"alter index app.i"}),
        ("ALTER SCHEMA app RENAME TO x", {"alter schema app"}),
        ("ALTER ROLE a RENAME TO b", {"alter role a", "administer_server role a"}),
        ("ALTER FUNCTION touch() RENAME TO x", {"alter function public.touch"}),
        ("ALTER VIEW customer_view SET SCHEMA app", {"alter public.customer_view:view", "alter schema app"}),
        ("ALTER FUNCTION touch() OWNER TO CURRENT_USER", {"alter function public.touch", "grant role current_user"}),
        ("ALTER FUNCTION touch() DEPENDS ON EXTENSION x", {"alter function public.touch"}),
        ("ALTER SEQUENCE orders_id_seq RESTART", {"alter public.orders_id_seq:sequence"}),
        ("ALTER DOMAIN d ADD CHECK (touch(VALUE))", {"alter domain d", "call function public.touch"}),
        ("ALTER TYPE t ADD VALUE 'x'", {"alter type t"}),
        ("COMMENT ON TABLE orders IS 'x'", {"comment public.orders"}),
        ("COMMENT ON SCHEMA app IS NULL", {"comment schema app"}),
        (
            "GRANT SELECT, INSERT ON orders, payments TO a, b",
            {"grant public.orders", "grant public.payments", "grant role a", "grant role b"},
        ),
        ("GRANT EXECUTE ON FUNCTION touch() TO a", {"grant function public.touch", "grant role a"}),
        (
            "GRANT SET ON PARAMETER log_statement TO a",
            {"grant parameter_acl log_statement", "administer_server parameter_acl log_statement", "grant role a"},
        ),
        ("REVOKE a FROM b", {"revoke role a", "revoke role b"}),
        ("REASSIGN OWNED BY a TO b", {"alter role a", "administer_server role a"}),
    ],
)
def test_effects(text: str, effects: set[str]) -> None:
    assert {effect_words(effect) for effect in analysed(text).effects} == effects


def test_facts_of_a_drop() -> None:
    for effect in analysed("DROP TABLE IF EXISTS orders, payments CASCADE").effects:
        assert effect.facts["cascade"] is True and effect.facts["if_exists"] is True
    assert analysed("DROP TABLE orders").effects[0].facts["cascade"] is False


def test_facts_of_a_grant() -> None:
    facts = analysed("GRANT SELECT (note), UPDATE ON orders TO a").effects[0].facts
    assert facts["set_value"] == "select,update" and facts["columns"] == ("note",)


def test_only_what_moves_names_changes_the_catalog() -> None:
    assert SessionChange.CATALOG in analysed("ALTER TABLE orders RENAME TO x").changes
    assert not analysed("COMMENT ON TABLE orders IS 'x'").changes
    assert not analysed("GRANT SELECT ON orders TO a").changes
    assert not analysed("TRUNCATE orders").changes
