"""COPY's directions and layouts, tables made from queries, and EXPLAIN's two kinds."""

import pytest

from interpose.model.analysis import CopyLayout, SessionChange, StatementInfo
from tests.support.catalog import analysed


def info(text: str) -> StatementInfo:
    """The last statement."""
    return analysed(text).statements[-1]


@pytest.mark.parametrize(
    ("options", "layout"),
    [
        ("", CopyLayout()),
        ("WITH CSV HEADER", CopyLayout("csv", ",", "", header=True)),
        ("(FORMAT csv, DELIMITER ';', QUOTE '''', NULL 'x')", CopyLayout("csv", ";", "x", "'", "'")),
        ("(FORMAT csv, ESCAPE '\\', HEADER off)", CopyLayout("csv", ",", "", '"', "\\")),
        ("(FORMAT text, DELIMITER '|', ENCODING 'utf-8')", CopyLayout("text", "|")),
        ("(FORMAT binary)", CopyLayout("binary")),
        ("BINARY", CopyLayout("binary")),
        ("(ENCODING 'latin1')", None),
        ("(SURPRISE true)", None),
        ("(FORMAT xml)", None),
        ("(DELIMITER 'ab')", None),
    ],
)
def test_layouts(options: str, layout: CopyLayout | None) -> None:
    assert info(f"COPY orders TO STDOUT {options}").layout == layout


def test_directions() -> None:
    assert info("COPY orders TO STDOUT").copy == "out"
    assert info("COPY orders FROM STDIN").copy == "in"
    for text in ("COPY orders TO '/x'", "COPY orders FROM '/x'", "COPY orders TO PROGRAM 'x'"):
        found = info(text)
        assert found.copy is None and found.layout is None and found.outputs is None


def test_a_column_that_is_not_there_makes_the_whole_unknown() -> None:
    outputs = info("COPY orders (id, absent) TO STDOUT").outputs
    assert outputs is not None and outputs.columns is None


def test_explaining_stores_nothing_and_analyzing_does() -> None:
    text = "CREATE TABLE x AS SELECT note FROM orders"
    assert not info(f"EXPLAIN {text}").sinks and not info(f"EXPLAIN {text}").changes
    assert info(f"EXPLAIN ANALYZE {text}").sinks
    assert SessionChange.CATALOG in info(f"EXPLAIN (ANALYZE on) {text}").changes
    assert SessionChange.CATALOG in info(f"EXPLAIN (ANALYZE off, ANALYZE) {text}").changes
    assert info("EXPLAIN SELECT touch()").changes == {SessionChange.OPAQUE}, "planning may run a function"
    assert all(effect.facts.get("explain") for effect in analysed("EXPLAIN DELETE FROM orders").effects)
    assert not any("explain" in effect.facts for effect in analysed("EXPLAIN ANALYZE DELETE FROM orders").effects)
