"""Microseconds that the analysis of a statement takes when its text was never seen: parsing and walking, the catalog warm.

Two sets of statements: the evasion corpus of the tests (short, and twisted on purpose), and generated ones of the kind that
applications and reports send. The analyst keeps nothing between commands, so that a text may be timed more than once.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML

from interpose.analysis.sql import PostgresAnalyst
from interpose.model.analysis import Analysis
from interpose.model.command import Command, CommandKind, SqlContext
from tests.support.catalog import PATH, ShopCatalog

_CORPUS = Path(__file__).parents[1] / "tests" / "corpus"
_COLUMNS = {
    "customers": "id name email phone ssn card note",
    "orders": "id customer_id total status note",
    "payments": "id order_id card amount",
}


def corpus() -> list[str]:
    """The statements of the evasion corpus that have an analysis."""
    found: dict[str, None] = {}
    for file in sorted(_CORPUS.rglob("*.yaml")):
        cases = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
        for case in cases if isinstance(cases, list) else ():
            if isinstance(case, dict) and isinstance(case.get("sql"), str):
                found[case["sql"]] = None
    return list(found)


def generated(rng: random.Random, count: int) -> Iterator[str]:
    """Statements of applications (one table, a key) and of reports (joins, groups, subqueries), all different."""
    for number in range(count):
        table = rng.choice(list(_COLUMNS))
        columns = _COLUMNS[table].split()
        some = ", ".join(rng.sample(columns, 3))
        match number % 6:
            case 0:
                yield f"SELECT {some} FROM public.{table} WHERE {columns[0]} = {number}"
            case 1:
                pairs = ", ".join(f"{c} = 'v{number}'" for c in rng.sample(columns[1:], 2))
                yield f"UPDATE public.{table} SET {pairs} WHERE id = {number} RETURNING {some}"
            case 2:
                rows = ", ".join(f"({number}{i}, 'n{i}', 'e{i}@example.com')" for i in range(rng.randrange(1, 20)))
                yield f"INSERT INTO public.customers (id, name, email) VALUES {rows} ON CONFLICT (id) DO NOTHING"
            case 3:
                yield (
                    f"SELECT c.name, count(*) AS n, sum(o.total) AS total{number} FROM public.customers c JOIN public.orders o"
                    f" ON o.customer_id = c.id LEFT JOIN public.payments p ON p.order_id = o.id WHERE o.status IN ('a', 'b{number}')"
                    " AND p.amount > 10 GROUP BY c.name HAVING count(*) > 2 ORDER BY total DESC LIMIT 50"
                )
            case 4:
                yield (
                    f"WITH recent AS (SELECT id, customer_id, total FROM public.orders WHERE id > {number}), best AS (SELECT customer_id,"
                    " max(total) AS top, row_number() OVER (ORDER BY max(total) DESC) AS place FROM recent GROUP BY customer_id)"
                    " SELECT c.*, b.top, coalesce(b.place, 0) FROM best b JOIN public.customers c ON c.id = b.customer_id"
                    f" WHERE EXISTS (SELECT 1 FROM public.payments p WHERE p.amount > {number} AND p.order_id IN (SELECT id FROM recent))"
                )
            case _:
                yield f"SELECT v.*, o.{rng.choice(_COLUMNS['orders'].split())} FROM public.customer_view v, public.orders o WHERE v.id = {number}"


def run(*, rounds: int = 3, count: int = 1200) -> None:
    """Print p50, p99 and the most, in microseconds, for both sets: of each statement the quickest of `rounds` counts."""
    print(f"analysis of statements never seen, catalog warm, µs; of each the quickest of {rounds} rounds")
    for name, statements in (("evasion corpus", corpus()), ("generated", list(generated(random.Random(7), count)))):
        times = sorted(_times(statements, rounds))
        cuts = statistics.quantiles(times, n=100)
        print(
            f"  {name:16}{len(times):>6} statements, mean length {statistics.mean(map(len, statements)):.0f}:"
            f" p50 {cuts[49]:.0f}, p99 {cuts[98]:.0f}, most {times[-1]:.0f}"
        )


def _times(statements: list[str], rounds: int) -> list[float]:
    """Microseconds for each statement that has an analysis: parsing, walking, and the key that it is kept under."""
    analyst, catalog, context = PostgresAnalyst(), ShopCatalog(), SqlContext(PATH, 17)
    best: dict[str, float] = {}
    for _ in range(rounds):
        for text in statements:
            command = Command(CommandKind.QUERY, text, context)
            started = time.perf_counter()
            found = analyst.analyse(command, catalog)
            analyst.cache_key(text)
            taken = (time.perf_counter() - started) * 1e6
            if isinstance(found, Analysis):
                best[text] = min(taken, best.get(text, taken))
    return list(best.values())
