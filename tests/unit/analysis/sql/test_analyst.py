"""The analyst as a whole: rounds with the catalog, limits, the cache key's promise, and that it never raises."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.analysis.sql import Limits, PostgresAnalyst
from interpose.analysis.sql.analyst import AnyStatement
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, NeedsCatalog, SessionChange, Unanalysable
from interpose.model.command import Command, CommandKind, SqlContext
from tests.support.catalog import PATH, ShopCatalog, analysed, answer

ANALYST = PostgresAnalyst()
CONTEXT = SqlContext(PATH, 17)


def ask(text: str, catalog: ShopCatalog, limits: Limits | None = None) -> Analysis | NeedsCatalog | Unanalysable:
    """An analysis with a catalog and limits of its own."""
    return PostgresAnalyst(limits).analyse(Command(CommandKind.QUERY, text, CONTEXT), catalog)


def test_all_missing_names_are_asked_for_at_once() -> None:
    catalog = ShopCatalog(frozenset({"orders", "payments", "lower", "touch"}))
    found = ask("SELECT lower(note), public.touch() FROM orders; DELETE FROM public.payments", catalog)
    assert isinstance(found, NeedsCatalog)
    assert found.names.routines == {(None, "lower"), ("public", "touch")}
    assert (None, "orders") in found.names.relations


def test_what_a_view_reads_is_asked_for_in_the_next_round() -> None:
    found = ask("SELECT contact FROM customer_view", ShopCatalog(frozenset({"customers", "right"})))
    assert isinstance(found, NeedsCatalog)
    assert found.names.relations == {("public", "customers")}
    assert found.names.routines == {("pg_catalog", "right")}


def test_names_behind_a_followed_path_are_asked_with_their_schema() -> None:
    found = ask("SET search_path TO app; SELECT * FROM log", ShopCatalog(frozenset({"log"})))
    assert isinstance(found, NeedsCatalog)
    assert found.names.relations == {("pg_catalog", "log")}


def test_the_analysis_says_under_which_catalog_it_was_made() -> None:
    assert analysed("SELECT 1").catalog_version == ShopCatalog().version


def test_a_prepared_analysis_is_taken_as_it_is() -> None:
    prepared = analysed("DELETE FROM orders")
    command = Command(CommandKind.EXECUTE, "", CONTEXT, analysis=prepared)
    assert ANALYST.analyse(command, ShopCatalog()) is prepared


def test_sql_reaches_names_of_the_session() -> None:
    known = SqlContext(
        PATH, 17, prepared={"p": analysed("DELETE FROM orders")}, cursors={"c": analysed("TABLE payments")}
    )
    executed = analysed("EXECUTE p", known)
    assert Action.DELETE in {effect.action for effect in executed.effects}
    assert executed.depends_on_session
    fetched = analysed("FETCH c", known).statements[0]
    assert fetched.outputs is not None and fetched.outputs.columns is not None
    assert [column.name for column in fetched.outputs.columns] == ["id", "order_id", "card", "amount"]
    assert not analysed("DELETE FROM orders").depends_on_session


def test_nesting_beyond_the_walks_limit_is_refused() -> None:
    deep = ask("SELECT " + "(SELECT " * 100 + "1" + ")" * 100, ShopCatalog())
    assert isinstance(deep, Unanalysable) and deep.reason == "too_deep"
    chain = ask("SELECT a" + "||a" * 1_500 + " FROM orders", ShopCatalog())
    assert isinstance(chain, Analysis), "left-nested chains cost no depth"
    unions = ask("SELECT 1" + " UNION ALL SELECT 1" * 1_000, ShopCatalog())
    assert isinstance(unions, Analysis)
    long = ask("SELECT 12345", ShopCatalog(), Limits(max_bytes=10))
    assert isinstance(long, Unanalysable) and long.reason == "too_long"


def test_a_fault_of_ours_refuses_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("a bug")

    monkeypatch.setattr(AnyStatement, "statement", broken)
    found = answer("SELECT 1")
    assert isinstance(found, Unanalysable) and found.reason == "analysis_failed"


def test_changes_are_of_all_statements() -> None:
    changes = analysed("BEGIN; SET x.y = 1; CREATE TABLE z (a int)").changes
    assert changes == {SessionChange.TRANSACTION, SessionChange.SETTINGS, SessionChange.CATALOG}


FRAGMENTS = [
    "SELECT {} FROM orders WHERE id = {}",
    "SELECT id FROM orders WHERE {} = {}",
    "SELECT id FROM orders LIMIT {}",
    "SELECT set_config({}, {}, false)",
    "SELECT nextval({})",
    "SELECT current_setting({}), {}",
    "SELECT query_to_xml({}, true, true, '')",
    "SELECT pg_notify({}, note) FROM orders WHERE id = {}",
    "SELECT {}::regclass, INTERVAL '1 day', {}",
    "INSERT INTO orders (id, note) VALUES ({}, {})",
    "UPDATE orders SET note = {} WHERE id = {} OR {}",
    "DELETE FROM orders WHERE {}",
    "DELETE FROM orders WHERE id IN ({}, {})",
    "SELECT CASE WHEN note = {} THEN {} END FROM orders ORDER BY 1",
    "SELECT * FROM generate_series({}, {}) g",
    "WITH x AS (SELECT {} AS a) SELECT a FROM x LIMIT {}",
    "SET search_path = {}",
    "PREPARE p AS SELECT {}",
    "EXPLAIN SELECT {}",
    "COPY (SELECT {}) TO STDOUT",
    "NOTIFY c, {}",
    "DECLARE c CURSOR FOR SELECT {}",
    "SELECT {} UNION SELECT {} ORDER BY 1",
    "SELECT dblink({}, {})",
]
CONSTANTS = [
    *(
        "1",
        "42",
        "'x'",
        "'role'",
        "'client_encoding'",
        "'search_path'",
        "'orders_id_seq'",
        "true",
        "false",
        "NULL",
        "-5",
        "2.5",
    ),
    *(
        "$1",
        "$2",
        "'SELECT ssn FROM customers_2024'",
        "'DELETE FROM orders'",
        "E'a\\'b'",
        "$$x$$",
        "b'1'",
        "U&'\\0061'",
    ),
]


@st.composite
def twins(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts of one shape with different constants."""
    shape = draw(st.sampled_from(FRAGMENTS))
    count = shape.count("{}")
    one, other = (draw(st.lists(st.sampled_from(CONSTANTS), min_size=count, max_size=count)) for _ in range(2))
    return shape.format(*one), shape.format(*other)


@given(twins())
def test_equal_keys_have_equal_analyses_unless_they_say_otherwise(pair: tuple[str, str]) -> None:
    one, other = pair
    key = ANALYST.cache_key(one)
    if key is None or key != ANALYST.cache_key(other):
        return
    first, second = answer(one), answer(other)
    if isinstance(first, Analysis) and not first.depends_on_literals:
        assert second == first
    if isinstance(second, Analysis) and not second.depends_on_literals:
        assert first == second


def test_the_key_hides_plain_constants_and_nothing_else() -> None:
    key = ANALYST.cache_key
    assert key("SELECT note FROM orders WHERE id = 1") == key("SELECT note FROM orders WHERE id = 2")
    assert key("SELECT note FROM orders") != key("SELECT id FROM orders")
    assert not analysed("SELECT note FROM orders WHERE id = 1").depends_on_literals
    assert analysed("SELECT note FROM orders LIMIT 1").depends_on_literals
    assert analysed("SET x.y = 1").depends_on_literals
    assert key("SELECT 1\0") is None
    assert key("SELEC") is None
    assert key("SELECT '" + "x" * 20_000 + "'") is None


WORDS = (
    "SELECT FROM WHERE INSERT INTO VALUES UPDATE SET DELETE WITH AS ( ) , ; * orders customers public . id ssn note = 1 'x' "
    "AND OR NOT NULL UNION ALL JOIN ON USING LATERAL GROUP BY ORDER LIMIT CASE WHEN THEN END count lower ROW ARRAY [ ] :: "
    "text COPY TO STDOUT CREATE TABLE VIEW DROP ALTER GRANT RETURNING EXISTS IN $1 EXPLAIN PREPARE EXECUTE BEGIN COMMIT"
).split()


@given(st.one_of(st.text(max_size=200), st.text(alphabet=string.printable, max_size=200)))
def test_no_text_makes_it_raise(text: str) -> None:
    assert isinstance(answer(text), Analysis | NeedsCatalog | Unanalysable)
    ANALYST.cache_key(text)


@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_no_sentence_makes_it_fail(text: str) -> None:
    found = answer(text)
    assert not (isinstance(found, Unanalysable) and found.reason == "analysis_failed"), text
    if isinstance(found, Analysis):
        assert found.effects
        assert all(info.tag for info in found.statements)


def test_too_many_statements_in_one_message_are_refused() -> None:
    few = ask("select 1; " * 3, ShopCatalog(), Limits(max_statements=3))
    assert isinstance(few, Analysis)
    many = ask("select 1; " * 4, ShopCatalog(), Limits(max_statements=3))
    assert isinstance(many, Unanalysable) and many.reason == "too_long"
    assert "4 statements" in many.message
