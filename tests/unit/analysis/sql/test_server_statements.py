"""Maintenance and administration: each statement has its action, and what reaches beyond the database administers it."""

import pytest

from interpose.analysis.sql.server_statements import SIMPLE
from interpose.model.actions import Action
from tests.support.catalog import analysed, effect_words


@pytest.mark.parametrize(
    ("text", "effects"),
    [
        ("LOCK orders, payments", {"lock public.orders", "lock public.payments"}),
        ("VACUUM", {"maintain connection"}),
        ("ANALYZE orders (note)", {"maintain public.orders"}),
        ("CLUSTER", {"maintain connection"}),
        ("CLUSTER orders USING i", {"maintain public.orders"}),
        ("REINDEX TABLE orders", {"maintain public.orders"}),
        ("REINDEX INDEX app.i", {"maintain index app.i"}),
        ("REINDEX SCHEMA app", {"maintain schema app"}),
        ("REFRESH MATERIALIZED VIEW totals", {"maintain public.totals:matview"}),
        ("CHECKPOINT", {"maintain connection"}),
        ("LOAD 'x'", {"administer_server library x"}),
        ("ALTER SYSTEM RESET ALL", {"administer_server connection"}),
        (
            "ALTER ROLE ALL SET work_mem = '1MB'",
            {"alter role all", "administer_server role all", "set setting work_mem"},
        ),
        ("ALTER DATABASE d SET x.y = 1", {"alter database d", "administer_server database d", "set setting x.y"}),
        ("DROP ROLE a, b", {"drop role a", "drop role b", "administer_server role a", "administer_server role b"}),
        ("CREATE DATABASE d", {"create database d", "administer_server database d"}),
        ("CREATE TABLESPACE s LOCATION '/x'", {"create tablespace s", "administer_server tablespace s"}),
        ("CREATE LANGUAGE l", {"create extension l", "administer_server extension l"}),
        ("CREATE SERVER s FOREIGN DATA WRAPPER w", {"create foreign_server s", "administer_server foreign_server s"}),
        (
            "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION touch()",
            {"create event_trigger t", "administer_server event_trigger t"},
        ),
        ("ALTER PUBLICATION p ADD TABLE orders", {"alter publication p", "administer_server publication p"}),
        (
            "CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM f",
            {"create conversion c", "administer_server conversion c"},
        ),
    ],
)
def test_effects(text: str, effects: set[str]) -> None:
    assert {effect_words(effect) for effect in analysed(text).effects} == effects


def test_every_simple_statement_administers() -> None:
    assert len(SIMPLE) >= 25
    text = "DROP SUBSCRIPTION s; ALTER EXTENSION e UPDATE; DROP USER MAPPING FOR a SERVER s; CREATE ACCESS METHOD m TYPE TABLE HANDLER h"
    found = analysed(text)
    administered = [effect for effect in found.effects if effect.action is Action.ADMINISTER_SERVER]
    assert len(administered) == 4
