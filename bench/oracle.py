"""Lineage against the server's own analysis, over tens of thousands of statements: equal, or *unknown*, and never a miss.

    python -m bench.oracle [random] [sqlsmith] [regress] [--count N] [--seed N] [--major N] [--source FOLDER] [--show VERDICT]

`random` are statements of our own grammar, full of names that mean another thing one level further in; `sqlsmith` needs Debian's
program of that name; `regress` takes the statements of PostgreSQL's regression scripts (`--source` as in `bench.regress`), run one
after another so that what they make is there. Ends with status 1 when there is a miss, or when
the oracle's tree and `pg_depend` say different things.
"""

from __future__ import annotations

import argparse
import itertools
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString, cast

import postgast
import psycopg

from bench.regress import debian_source, schedule
from tests.support.oracle.gateway import Gateway, Verdict
from tests.support.oracle.random_sql import RandomSql
from tests.support.oracle.rig import Rig, Tally, rig
from tests.support.oracle.schema import PATH, SCHEMA
from tests.support.oracle.server import ServerOracle
from tests.support.postgres import PostgresServer

_QUERIES = frozenset({"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})
_LEFT_OUT = frozenset({"transaction_stmt", "copy_stmt"})
"""Statements of the scripts that are not run: the oracle has transactions of its own, and data plays no part."""


def main() -> None:
    """Run the named sources and print a line for each, with the texts of what is to be looked at."""
    parser = argparse.ArgumentParser(prog="python -m bench.oracle", description=__doc__)
    parser.add_argument("sources", nargs="*", choices=["random", "sqlsmith", "regress", []], default=[])
    parser.add_argument("--count", type=int, default=10_000, help="statements to compare, of each source")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--major", type=int, default=17, choices=[14, 15, 16, 17, 18])
    parser.add_argument("--source", type=Path, help="an unpacked PostgreSQL source, for `regress`")
    parser.add_argument("--only", nargs="*", default=[], help="these regression scripts only")
    parser.add_argument("--show", default="miss", choices=["miss", "wider", "unknown", "refused"])
    options = parser.parse_args()
    sys.setrecursionlimit(20_000)
    missed = 0
    for source in options.sources or ["random", "sqlsmith", "regress"]:
        tally = Tally()
        started = time.monotonic()
        with PostgresServer(options.major, tls="off") as server:
            server.create_database("oracle")
            if source == "regress":
                _regress(server, options, tally)
            else:
                _made(source, server, options, tally)
        _report(source, tally, time.monotonic() - started, options.show)
        missed += tally.verdicts["miss"] + len(tally.disagreements)
    sys.exit(1 if missed else 0)


def _made(source: str, server: PostgresServer, options: argparse.Namespace, tally: Tally) -> None:
    with rig(server.dsn("oracle"), SCHEMA, PATH, options.major) as both:
        if source == "random":
            random = RandomSql(options.seed, options.major)
            both.run((random.statement() for _ in itertools.count()), tally, until=options.count)
        else:
            both.run(_sqlsmith(server, options.seed, options.count * 2), tally, until=options.count)


def _sqlsmith(server: PostgresServer, seed: int, most: int) -> Iterator[str]:
    """sqlsmith's statements, without running any."""
    target = f"host=127.0.0.1 port={server.port} user=postgres password={server.superuser_password} dbname=oracle"
    command = ["sqlsmith", f"--target={target}", "--dry-run", f"--seed={seed}", f"--max-queries={most}"]
    with subprocess.Popen(
        [*command, "--exclude-catalog"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if line.rstrip().endswith(";"):
                yield "".join(lines).strip().rstrip(";")
                lines.clear()
        process.kill()


# PostgreSQL's scripts


def _regress(server: PostgresServer, options: argparse.Namespace, tally: Tally) -> None:
    folder = (options.source or debian_source(options.major)) / "src" / "test" / "regress"
    dsn = server.dsn("oracle")
    with psycopg.connect(dsn, autocommit=True) as session, psycopg.connect(dsn, autocommit=True) as catalog:
        session.execute("SET statement_timeout = '10s'")
        session.prepare_threshold = catalog.prepare_threshold = None
        both = Rig(ServerOracle(session), Gateway(catalog, (), options.major))
        for name in schedule(folder, options.only):
            for text in _statements((folder / "sql" / f"{name}.sql").read_text("utf-8", "replace")):
                if tally.compared >= options.count:
                    return
                _step(both, session, text, tally)


def _step(both: Rig, session: psycopg.Connection[tuple[object, ...]], text: str, tally: Tally) -> None:
    """Judge a statement if it is a query, then run it."""
    try:
        parsed = postgast.parse(text).stmts
    except (postgast.PgQueryError, UnicodeDecodeError):
        return
    kind = parsed[0].stmt.WhichOneof("node") if len(parsed) == 1 else None
    if kind is None or kind in _LEFT_OUT or "standard_conforming_strings" in text or "statement_timeout" in text:
        return
    if kind in _QUERIES:
        _judge(both, session, text, tally)
    else:
        both.server.forget()
        both.gateway.cache.forget()
    try:
        session.execute(cast(LiteralString, text.replace("%", "%%") if False else text))
    except psycopg.Error:
        pass  # Many statements of the scripts are meant to fail.


def _judge(both: Rig, session: psycopg.Connection[tuple[object, ...]], text: str, tally: Tally) -> None:
    row = session.execute("SELECT current_schemas(true)").fetchone()
    assert row is not None
    both.gateway.path = tuple(cast("list[str]", row[0]))
    both.count(text, tally)


def _statements(script: str) -> Iterator[str]:
    """The statements of a psql script, without psql's own commands and the data of COPY."""
    kept: list[str] = []
    data = False
    for line in script.splitlines():
        if data:
            data = line != "\\."
        elif re.match(r"\s*\\", line):
            # `\gset` and its like end a statement.
            kept.append(";")
        else:
            kept.append(re.sub(r"\\(g|gx|gset|gexec|gdesc|crosstabview|watch|bind)\b.*$", ";", line))
            data = bool(re.match(r"(?i)\s*copy\b.*\bfrom\s+stdin\b", line))
    try:
        yield from (text.strip().rstrip(";") for text in postgast.split("\n".join(kept)))
    except postgast.PgQueryError:
        yield from (text.strip() for text in re.split(r";\s*\n", "\n".join(kept)) if text.strip(" ;\n"))


def _report(source: str, tally: Tally, seconds: float, show: Verdict) -> None:
    counts = ", ".join(f"{verdict} {count}" for verdict, count in tally.verdicts.most_common())
    share = tally.verdicts["unknown"] / max(1, tally.compared)
    print(
        f"{source}: {tally.compared} statements compared in {seconds:.0f} s: {counts}; "
        f"unknown {share:.1%}; {sum(tally.rejected.values())} not accepted by the server"
    )
    for text, finding in sorted(tally.findings.get(show, ()), key=lambda found: len(found[0]))[:20]:
        print(
            f"  {show}: {text}\n    lacks {finding.missing[:6]}, has besides {finding.extra[:6]}, unknown {finding.unknown[:6]}"
        )

    for text in tally.disagreements[:20]:
        print(f"  the oracle disagrees with itself: {text}")


if __name__ == "__main__":
    main()
