"""What would crash or stall the parser never reaches it; what is merely big and flat does."""

import postgast
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.analysis.sql.guard import Limits, check, deepest_chain

LIMITS = Limits()

CHAINS = {
    "plus": ("SELECT a", "+a", ""),
    "concat": ("SELECT a", "||b", ""),
    "cast": ("SELECT a", "::int", ""),
    "collate": ("SELECT a", ' COLLATE "C"', ""),
    "is null": ("SELECT a", " IS NULL", ""),
    "at time zone": ("SELECT a", " AT TIME ZONE b", ""),
    "union": ("SELECT 1", " UNION SELECT 1", ""),
    "except": ("SELECT 1, 2 WHERE a AND b", " EXCEPT SELECT 1, 2 WHERE a AND b", ""),
    "join": ("SELECT * FROM t", " JOIN t ON true AND true", ""),
    "between": ("SELECT a", " IS NULL BETWEEN 1 AND 2", ""),
    "case": ("SELECT a", " + CASE WHEN a AND b THEN 1 END", ""),
    "brackets": ("SELECT a", "+f(b, c)", ""),
    "not": ("SELECT ", "NOT ", "a"),
    "minus": ("SELECT ", "- ", "a"),
}


@pytest.mark.parametrize("shape", CHAINS)
def test_long_chains_are_refused(shape: str) -> None:
    start, link, end = CHAINS[shape]
    refusal = check(start + link * 20_000 + end, LIMITS)
    assert refusal is not None and refusal.reason == "too_deep"
    assert refusal.hint


def test_a_chain_cannot_hide_behind_separators_in_brackets() -> None:
    text = "SELECT " + "(" * 30 + "a" + ("+a" * 2_900 + ")") * 30
    refusal = check(text, LIMITS)
    assert refusal is not None and refusal.reason == "too_deep"


def test_chains_between_betweens_add_up() -> None:
    refusal = check("SELECT a" + (" IS NULL" * 2_900 + " BETWEEN 1 AND 2") * 20, LIMITS)
    assert refusal is not None and refusal.reason == "too_deep"


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES " + ",".join(["(1, 'two', 3.0 + 1)"] * 10_000),
        "SELECT 1 WHERE a IN (" + ",".join(["12345"] * 50_000) + ")",
        "SELECT 1 WHERE " + " AND ".join(["a = 1 OR b = 2"] * 10_000),
        "SELECT " + ", ".join(f"t.c{number} AS column_{number}" for number in range(1_600)),
        "SELECT CASE " + " ".join(["WHEN a = 1 THEN 'x' || b"] * 5_000) + " END",
        "SELECT 1;" * 50_000,
        "SELECT '" + "x" * 1_000_000 + "'",
        "/* " + "-" * 5_000 + " */ SELECT 1" + " -- ***/*** \n" * 500,
    ],
)
def test_big_and_flat_passes(text: str) -> None:
    assert check(text, LIMITS) is None
    postgast.parse(text)


def test_nested_comments_in_one_run_are_refused() -> None:
    refusal = check("/*" * 20_000 + "*/" * 20_000 + "SELECT 1", LIMITS)
    assert refusal is not None and refusal.reason == "too_deep"


def test_nul_length_and_surrogates_are_refused() -> None:
    nul = check("SELECT 1\0, ssn", LIMITS)
    assert nul is not None and (nul.reason, nul.position) == ("nul_byte", 9)
    long = check("é" * 600_000, LIMITS)
    assert long is not None and long.reason == "too_long"
    assert check("é" * 500_000, LIMITS) is None
    broken = check("SELECT '\ud800'", LIMITS)
    assert broken is not None and (broken.reason, broken.position) == ("invalid_text", 9)


def _height(node: object) -> int:
    """Messages on the longest way down a tree, without recursion."""
    deepest, waiting = 0, [(node, 1)]
    while waiting:
        message, depth = waiting.pop()
        deepest = max(deepest, depth)
        for descriptor, value in message.ListFields():  # type: ignore[attr-defined]
            if descriptor.message_type is not None:
                waiting += [(item, depth + 1) for item in (value if descriptor.is_repeated else (value,))]
    return deepest


ATOM = st.sampled_from(["a", "1", "f(a, b)", "(a + b)", "CASE WHEN a AND b THEN c END", "'x'", "ARRAY[a, b]"])
LINK = st.sampled_from(
    ["+", "||", "AND", "OR", "=", "IS DISTINCT FROM", "LIKE", "BETWEEN 1 AND", "::int +", "IS NULL OR"]
)


@given(st.lists(st.tuples(LINK, ATOM), max_size=60))
def test_the_estimate_is_never_below_the_truth(parts: list[tuple[str, str]]) -> None:
    text = "SELECT a " + " ".join(f"{link} {atom}" for link, atom in parts)
    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError:
        return
    # A link makes two messages (Node and A_Expr, say); what stands around the chain and inside an atom makes a few more.
    assert _height(tree) <= 2 * deepest_chain(postgast.scan(text).tokens, 10**9) + 20
