"""Lineage against an independent oracle: the tree that a real server makes of the same statement, checked by its `pg_depend`.

A bounded sample; `python -m bench.oracle` runs tens of thousands, sqlsmith's and PostgreSQL's regression scripts too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.database import Database
from tests.support.oracle.gateway import Finding
from tests.support.oracle.random_sql import RandomSql
from tests.support.oracle.rig import Rig, Tally, rig
from tests.support.oracle.schema import PATH, SCHEMA
from tests.support.oracle.server import Rejected
from tests.support.postgres_binaries import Major

pytestmark = pytest.mark.live


@pytest.fixture
def both(fresh_database: Database, postgres_major: Major) -> Iterator[Rig]:
    """The gateway's analyst and the server's oracle, on the oracle's schema."""
    with rig(fresh_database.dsn(), SCHEMA, PATH, postgres_major) as found:
        yield found


@pytest.mark.parametrize("seed", [1, 2])
def test_random_statements_of_fixed_seeds_have_no_miss(both: Rig, postgres_major: Major, seed: int) -> None:
    random = RandomSql(seed, postgres_major)
    tally = Tally()
    both.run((random.statement() for _ in itertools.count()), tally, until=300)
    assert tally.misses() == []
    assert tally.disagreements == []
    assert tally.verdicts["equal"] > 220
    assert tally.verdicts["refused"] == 0


@settings(
    max_examples=60, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(seed=st.integers(0, 2**40))
def test_random_statements_of_any_seed_have_no_miss(both: Rig, postgres_major: Major, seed: int) -> None:
    text = RandomSql(seed, postgres_major).statement()
    verdict = both.judge(text)
    assert isinstance(verdict, Rejected) or not verdict.missing, (text, verdict)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("SELECT * FROM t", "equal"),
        ("SELECT t FROM t", "equal"),
        ("SELECT count(*) FROM t", "equal"),
        ("SELECT a, max(b) FROM t GROUP BY id", "equal"),
        ("SELECT (p).a, g, l[1] FROM t", "equal"),
        ("SELECT plain(a) FROM t", "unknown"),
        ("WITH q AS (SELECT e FROM (v CROSS JOIN (SELECT plain('x')) f) e) SELECT 1 FROM q", "equal"),
        ("SELECT id FROM t JOIN public.u USING (id)", "wider"),
    ],
)
def test_verdicts(both: Rig, text: str, verdict: str) -> None:
    found = both.judge(text)
    assert isinstance(found, Finding)
    assert found.verdict == verdict, found


def test_what_the_server_does_not_take_is_no_verdict(both: Rig) -> None:
    assert isinstance(both.judge("SELECT absent FROM t"), Rejected)


def test_a_gateway_that_sees_less_is_a_miss(both: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rig can fail: an analyst that takes a view for a table does not know what is behind it."""
    monkeypatch.setattr("interpose.analysis.sql.queries.Queries.view_columns", lambda walk, relation: {})
    monkeypatch.setattr("interpose.analysis.sql.from_clause.UNKNOWN", _NOTHING)
    found = both.judge("SELECT a FROM plain_view")
    assert isinstance(found, Finding)
    assert found.verdict == "miss"
    assert "1 a: public.t.b" in found.missing


class _Nothing:
    sources: frozenset[object] = frozenset()
    known = True
    direct = False


_NOTHING = _Nothing()
