"""The gateway's side: the analyst over a catalog that is filled from a real server, as the gateway fills it; and the verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, LiteralString, cast

import psycopg

from interpose.analysis.sql import PostgresAnalyst
from interpose.analysis.sql.catalog import CatalogCache
from interpose.analysis.sql.lookup_queries import lookup_query, read_page
from interpose.model.analysis import Analysis, NeedsCatalog, OutputColumn, Unanalysable
from interpose.model.command import Command, CommandKind, SqlContext
from interpose.model.resources import ColumnResource
from tests.support.oracle.server import Truth

Verdict = Literal["equal", "wider", "unknown", "refused", "miss"]
"""Equal; more than the server says (safe); some set is *unknown* (safe); not analysed, so refused (safe); less: a leak."""

_MOST_ROUNDS: Final = 40
_OLD_LITERAL: Final = ("?column?", "bool")
"""PostgreSQL 14 names the literals `true` and `false` after their type; later majors, whose grammar the gateway has, do not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with what is different: columns that the gateway does not have, and those that only it has."""

    verdict: Verdict
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(slots=True)
class Gateway:
    """The analyst with its own connection to the catalog, which the session's temporary objects are not visible to."""

    connection: psycopg.Connection[tuple[object, ...]]
    path: tuple[str, ...]
    major: int
    cache: CatalogCache = field(default_factory=CatalogCache)

    def analyse(self, text: str) -> Analysis | Unanalysable:
        """Ask the analyst, and the catalog for what it needs, until it answers."""
        command = Command(CommandKind.QUERY, text, SqlContext(self.path, self.major))
        for _ in range(_MOST_ROUNDS):
            found = PostgresAnalyst().analyse(command, self.cache)
            if not isinstance(found, NeedsCatalog):
                return found
            self._learn(found)
        raise AssertionError("the catalog is never enough")

    def _learn(self, needs: NeedsCatalog) -> None:
        cursor = self.connection.execute(cast(LiteralString, lookup_query(needs.names, self.path)))
        rows: list[list[str | None]] = []
        while True:
            if cursor.description:
                rows += [[None if value is None else str(value) for value in row] for row in cursor.fetchall()]
            if not cursor.nextset():
                break
        self.cache.absorb(read_page(needs.names, self.path, rows))


def compare(analysis: Analysis | Unanalysable, truth: Truth) -> Finding:
    """The gateway's sets beside the server's: all columns that are read, and each column of the result."""
    if isinstance(analysis, Unanalysable):
        return Finding("refused", unknown=(analysis.reason,))
    info = analysis.statements[-1]
    missing: list[str] = []
    extra: list[str] = []
    unknown: list[str] = []
    if info.used_known:
        _sets("used", info.used, truth.used, missing, extra)
    else:
        unknown.append("used")
    columns = None if info.outputs is None else info.outputs.columns
    if truth.outputs and columns is None:
        unknown.append("outputs")
    elif columns is not None:
        pairs = [(column.name, name) for column, name in zip(columns, truth.names, strict=False)]
        if len(columns) != len(truth.names) or any(pair[0] != pair[1] and pair != _OLD_LITERAL for pair in pairs):
            missing.append(f"names: {[column.name for column in columns]} are {list(truth.names)}")
        for number, (column, sources) in enumerate(zip(columns, truth.outputs, strict=False), 1):
            _output(f"{number} {column.name}", column, sources, missing, extra, unknown)
    verdict: Verdict = "miss" if missing else "unknown" if unknown else "wider" if extra else "equal"
    return Finding(verdict, tuple(missing), tuple(extra), tuple(unknown))


def _output(
    label: str,
    column: OutputColumn,
    sources: frozenset[ColumnResource],
    missing: list[str],
    extra: list[str],
    unknown: list[str],
) -> None:
    if not column.known:
        unknown.append(label)
        return
    _sets(label, column.sources, sources, missing, extra)


def _sets(
    label: str,
    found: frozenset[ColumnResource],
    true: frozenset[ColumnResource],
    missing: list[str],
    extra: list[str],
) -> None:
    missing += [f"{label}: {_word(column)}" for column in sorted(true - found, key=_word)]
    extra += [f"{label}: {_word(column)}" for column in sorted(found - true, key=_word)]


def _word(column: ColumnResource) -> str:
    return f"{column.schema}.{column.table}.{column.name}"
