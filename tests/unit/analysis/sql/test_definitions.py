"""CREATE: what is made, what it touches, and that bodies are places where values may go."""

import pytest

from interpose.model.analysis import SessionChange
from tests.support.catalog import analysed, effect_words


@pytest.mark.parametrize(
    ("text", "tag", "effects"),
    [
        ("CREATE TABLE t (LIKE orders)", "CREATE TABLE", {"create app.t", "show public.orders"}),
        ("CREATE TABLE t () INHERITS (orders)", "CREATE TABLE", {"create app.t", "alter public.orders"}),
        (
            "CREATE TABLE t PARTITION OF public.customers DEFAULT",
            "CREATE TABLE",
            {"create app.t", "alter public.customers"},
        ),
        (
            "CREATE FOREIGN TABLE t (a int) SERVER s",
            "CREATE FOREIGN TABLE",
            {"create app.t:foreign", "administer_server foreign_server s"},
        ),
        (
            "CREATE UNIQUE INDEX i ON orders (lower(note))",
            "CREATE INDEX",
            {"alter public.orders", "create index public.i", "select public.orders.note"},
        ),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", "CREATE FUNCTION", {"create function app.f"}),
        (
            "CREATE OR REPLACE PROCEDURE public.p() LANGUAGE sql AS ''",
            "CREATE PROCEDURE",
            {"create function public.p", "alter function public.p"},
        ),
        (
            "ALTER FUNCTION touch() SET work_mem = '1MB'",
            "ALTER FUNCTION",
            {"alter function public.touch", "set setting work_mem"},
        ),
        (
            "CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW WHEN (OLD.note <> NEW.note) EXECUTE FUNCTION touch()",
            "CREATE TRIGGER",
            {"create trigger public.orders.t", "alter public.orders"},
        ),
        (
            "CREATE RULE r AS ON SELECT TO orders DO INSTEAD NOTHING",
            "CREATE RULE",
            {"create rule public.orders.r", "alter public.orders"},
        ),
        (
            "CREATE POLICY p ON orders USING (touch(note))",
            "CREATE POLICY",
            {"create policy public.orders.p", "call function public.touch"},
        ),
        (
            "ALTER POLICY p ON orders USING (true)",
            "ALTER POLICY",
            {"alter policy public.orders.p", "alter public.orders"},
        ),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE", {"create app.s:sequence"}),
        ("CREATE SCHEMA AUTHORIZATION bob", "CREATE SCHEMA", {"create schema bob"}),
        (
            "CREATE DOMAIN d AS text CHECK (touch(VALUE))",
            "CREATE DOMAIN",
            {"create domain app.d", "call function public.touch"},
        ),
        ("CREATE TYPE t AS ENUM ('a')", "CREATE TYPE", {"create type app.t"}),
        ("CREATE TYPE t AS (a int)", "CREATE TYPE", {"create type app.t"}),
        ("CREATE TYPE t AS RANGE (subtype = int)", "CREATE TYPE", {"create type app.t"}),
        ("CREATE AGGREGATE a (int) (sfunc = x, stype = int)", "CREATE AGGREGATE", {"create function app.a"}),
        ("CREATE OPERATOR public.+ (leftarg = int, function = touch)", "CREATE OPERATOR", {"create operator public.+"}),
        (
            "CREATE STATISTICS s ON note, status FROM orders",
            "CREATE STATISTICS",
            {"create statistics app.s", "alter public.orders"},
        ),
    ],
)
def test_effects(text: str, tag: str, effects: set[str]) -> None:
    found = analysed(text)
    assert effects <= {effect_words(effect) for effect in found.effects}
    assert found.statements[0].tag == tag
    assert SessionChange.CATALOG in found.changes


@pytest.mark.parametrize(
    "text",
    [
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER t AFTER INSERT ON orders EXECUTE FUNCTION touch()",
        "CREATE RULE r AS ON INSERT TO orders DO ALSO NOTHING",
        "CREATE OPERATOR + (leftarg = int, function = touch)",
    ],
)
def test_bodies_are_sinks_of_anything(text: str) -> None:
    assert not analysed(text).statements[0].sinks_known


def test_a_schemas_own_statements_are_not_looked_up_in_the_path() -> None:
    effects = {
        effect_words(effect) for effect in analysed("CREATE SCHEMA s CREATE VIEW v AS SELECT note FROM orders").effects
    }
    assert "select orders:unresolved" in effects
