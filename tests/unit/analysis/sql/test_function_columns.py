"""Functions in FROM whose columns are known without asking."""

import pytest

from interpose.analysis.sql.function_columns import columns_of_call
from interpose.analysis.sql.tree import parse
from interpose.model.analysis import Unanalysable


def columns(call: str, alias: str = "") -> list[str] | None:
    """The columns of `SELECT <call>`."""
    parsed = parse(f"SELECT {call}")
    assert not isinstance(parsed, Unanalysable)
    return columns_of_call(parsed.stmts[0].stmt.select_stmt.target_list[0].res_target.val.func_call, alias)


@pytest.mark.parametrize(
    ("call", "alias", "expected"),
    [
        ("generate_series(1, 2)", "", ["generate_series"]),
        ("generate_series(1, 2)", "g", ["g"]),
        ("pg_catalog.generate_series(1, 2)", "g", ["g"]),
        ("app.generate_series(1, 2)", "g", None),
        ("jsonb_each('{}')", "e", ["key", "value"]),
        ("jsonb_array_elements('[]')", "e", ["value"]),
        ("unnest(ARRAY[1, 2])", "u", ["u"]),
        ("unnest(ARRAY[1, 2])", "", ["unnest"]),
        ("unnest(ARRAY['a'::text], $1::int[])", "u", ["unnest", "unnest"]),
        ("unnest(string_to_array('a', ','))", "u", ["u"]),
        ("unnest(tags)", "u", None),
        ("unnest(ARRAY[t])", "u", None),
        ("unnest(ARRAY[]::text[])", "u", ["u"]),
        ("unnest(x::app.pair[])", "u", None),
        ("unnest(x::text)", "u", None),
        ("json_to_record('{}')", "r", None),
    ],
)
def test_columns(call: str, alias: str, expected: list[str] | None) -> None:
    assert columns(call, alias) == expected
