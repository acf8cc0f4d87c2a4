"""Both sides on one database: a statement through the server's oracle and through the analyst, and the verdicts counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, LiteralString, cast

import psycopg

from tests.support.oracle.gateway import Finding, Gateway, Verdict, compare
from tests.support.oracle.server import OracleDisagreesError, Rejected, ServerOracle

_KEPT: Final = 50


@dataclass(slots=True)
class Tally:
    """How many statements had each verdict, with the first texts of those that are not equal."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    findings: dict[Verdict, list[tuple[str, Finding]]] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)

    @property
    def compared(self) -> int:
        """Statements that both sides looked at."""
        return sum(self.verdicts.values())

    def add(self, text: str, finding: Finding) -> None:
        """Count one."""
        self.verdicts[finding.verdict] += 1
        if finding.verdict != "equal":
            kept = self.findings.setdefault(finding.verdict, [])
            if len(kept) < _KEPT or finding.verdict == "miss":
                kept.append((text, finding))

    def misses(self) -> list[str]:
        """Texts of which the gateway knows less than the server, with what it does not know."""
        return [f"{text}\n   lacks {'; '.join(finding.missing)}" for text, finding in self.findings.get("miss", ())]


@dataclass(slots=True)
class Rig:
    """The two sides."""

    server: ServerOracle
    gateway: Gateway

    def judge(self, text: str) -> Finding | Rejected:
        """The verdict on one statement, or why the server does not take it."""
        truth = self.server.ask(text)
        return truth if isinstance(truth, Rejected) else compare(self.gateway.analyse(text), truth)

    def run(self, texts: Iterable[str], tally: Tally, *, until: int) -> None:
        """Judge statements until so many were compared, or there are no more."""
        for text in texts:
            if tally.compared >= until:
                return
            self.count(text, tally)

    def count(self, text: str, tally: Tally) -> None:
        """Judge one statement and count its verdict."""
        try:
            verdict = self.judge(text)
        except OracleDisagreesError as error:
            tally.disagreements.append(f"{text}\n    {error}")
            return
        if isinstance(verdict, Rejected):
            tally.rejected[verdict.reason[:60]] += 1
        elif any("pg_temp" in word for word in (*verdict.missing, *verdict.extra)):
            # The catalog connection does not see another session's temporary tables.
            tally.rejected["a temporary table"] += 1
        else:
            tally.add(text, verdict)


@contextmanager
def rig(dsn: str, schema: str, path: tuple[str, ...], major: int) -> Iterator[Rig]:
    """A rig on a database that gets this schema first; names are looked up along `path`."""
    with psycopg.connect(dsn, autocommit=True) as session, psycopg.connect(dsn, autocommit=True) as catalog:
        # A prepared question would keep the oid of an oracle that is gone.
        session.prepare_threshold = None
        session.execute(cast(LiteralString, schema))
        named = ", ".join(each for each in path if not each.startswith("pg_"))
        session.execute(cast(LiteralString, f"SET search_path = {named}"))
        session.execute("SET statement_timeout = '10s'")
        yield Rig(ServerOracle(session), Gateway(catalog, path, major))
