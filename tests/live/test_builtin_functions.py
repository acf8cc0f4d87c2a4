"""The reviewed list of functions against real servers of every supported major: nothing new, nothing gone, nothing changed."""

from __future__ import annotations

import pytest

from interpose.analysis.sql.reviewed import REVIEWED, Verdict
from tests.support.postgres import PostgresServer
from tests.support.postgres_binaries import MAJORS, Major
from tools.builtin_functions import LIST, Found, ask, differences, merged, text_of

_BEHIND = """
SELECT 'operator', o.oprname, p.proname FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
UNION SELECT 'cast', k.castsource::regtype::text || ' to ' || k.casttarget::regtype, p.proname
FROM pg_cast k JOIN pg_proc p ON p.oid = k.castfunc
"""


def test_every_built_in_function_of_every_major_is_reviewed() -> None:
    found = ask()
    assert not differences(REVIEWED, found)
    assert LIST.read_text(encoding="utf-8") == text_of(merged(REVIEWED, found).values())


def test_a_function_that_the_list_lacks_is_told() -> None:
    found = {"brand_new": Found({"f"}, {"i"}, {"internal"}, {18})}
    (told,) = differences({}, found)
    assert told == "brand_new: not in the list"
    unreviewed = merged({}, found)
    assert unreviewed["brand_new"].verdict is Verdict.UNREVIEWED
    assert differences(unreviewed, found) == ["brand_new: nobody has reviewed it"]
    assert differences(unreviewed, {}) == ["brand_new: no server has it"]


@pytest.mark.parametrize("major", MAJORS)
def test_operators_and_casts_of_its_own_only_compute(major: Major) -> None:
    """That is why analysis asks only for operators and casts that are not PostgreSQL's own."""
    with PostgresServer(major) as server:
        rows = [line.split("|") for line in server.psql(_BEHIND).splitlines()]
    assert len(rows) > 800
    answers = {Verdict.COMPUTES, Verdict.REPORTS}
    assert not [row for row in rows if REVIEWED[row[-1]].verdict not in answers]
