"""The corpus of what real tools send (`tests/corpus/tools`), replayed directly and through a gateway, answer beside answer.

Knows the corpus' file format and libpq. A cell counts as changing by itself when two direct databases disagree on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import pq

CORPUS: Final = Path(__file__).parent.parent / "corpus" / "tools"
_DATABASES: Final = re.compile(rb"tools_[a-z0-9_]+_(direct|again|output|strict)")
"""The databases differ by name only, and that is taken out of what is answered."""

_PLACE: Final = re.compile(r"\{\{[^}]*\}\}")


@dataclass(frozen=True, slots=True)
class ToolQuery:
    """One statement of a tool: where it stands, what the tool was doing, text and parameters."""

    file: str
    line: int
    label: str
    sql: str
    parameters: tuple[str | None, ...] | None

    def __str__(self) -> str:
        """Where to look it up."""
        return f"{self.file}:{self.line} ({self.label})"


@dataclass(frozen=True, slots=True)
class ToolFile:
    """One session of one tool; `header` says which tool, how it was captured, and as whom it is replayed."""

    name: str
    header: Mapping[str, str]
    queries: tuple[ToolQuery, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one statement was answered: an error, or rows of cells as text with each column's name and origin."""

    error: str | None
    sqlstate: str | None
    columns: tuple[tuple[str, int, int], ...]
    rows: tuple[tuple[bytes | None, ...], ...]
    tag: str


def read_corpus() -> list[ToolFile]:
    """Every file of the corpus."""
    return [_read(path) for path in sorted(CORPUS.glob("*/*.sql"))]


def _read(path: Path) -> ToolFile:
    name = str(path.relative_to(CORPUS))
    header: dict[str, str] = {}
    queries: list[ToolQuery] = []
    label, start, parameters, lines = "", 0, None, list[str]()

    def close() -> None:
        if start and lines:
            queries.append(ToolQuery(name, start, label, "\n".join(lines).strip().removesuffix(";"), parameters))

    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.startswith("-- query:"):
            close()
            label = line.removeprefix("-- query:").strip() or label
            start, parameters, lines = number, None, []
        elif not start and line.startswith("-- ") and ": " in line:
            key, value = line[3:].split(": ", 1)
            header[key] = value
        elif start and not lines and line.startswith("-- parameters: "):
            parameters = tuple(json.loads(line.removeprefix("-- parameters: ")))
        else:
            lines.append(line)
    close()
    return ToolFile(name, header, tuple(queries))


def sample(file: ToolFile, every: int) -> ToolFile:
    """The same file with one of `every` pieces of its tool's work, each piece whole."""
    labels = list(dict.fromkeys(query.label for query in file.queries))[::every]
    return replace(file, queries=tuple(query for query in file.queries if query.label in labels))


def placed(text: str, oids: Mapping[str, str]) -> str:
    """The text with the objects' numbers in this database."""
    return _PLACE.sub(lambda place: oids.get(place[0], "0"), text)


class Player:
    """One session that statements are replayed on."""

    def __init__(self, session: psycopg.Connection[Any], oids: Mapping[str, str]) -> None:
        """`oids` are the numbers of the objects in its database."""
        self._pg = session.pgconn
        self._session = session
        self._oids = oids

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def ask(self, query: ToolQuery) -> list[Answer]:
        """Run one text: without parameters by the simple protocol, else by the extended one."""
        text = placed(query.sql, self._oids).encode()
        if query.parameters is None:
            self._pg.send_query(text)
        else:
            values: Sequence[bytes | None] = [
                None if value is None else placed(value, self._oids).encode() for value in query.parameters
            ]
            self._pg.send_query_params(text, values)
        return list(self._answers())

    def _answers(self) -> Iterator[Answer]:
        while (result := self._pg.get_result()) is not None:
            if result.status == pq.ExecStatus.COPY_OUT:
                lines: list[tuple[bytes | None, ...]] = []
                while (read := self._pg.get_copy_data(0))[0] > 0:
                    lines.append((bytes(read[1]),))
                yield Answer(None, None, (("copy", 0, 0),), tuple(lines), "COPY")
                continue
            if result.status == pq.ExecStatus.COPY_IN:
                self._pg.put_copy_end(None)
                continue
            yield self._answer(result)

    def _answer(self, result: pq.abc.PGresult) -> Answer:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            state = result.error_field(pq.DiagnosticField.SQLSTATE)
            return Answer(result.error_message.decode(errors="replace"), state and state.decode(), (), (), "")
        columns = tuple(
            ((result.fname(place) or b"").decode(), result.ftable(place), result.ftablecol(place))
            for place in range(result.nfields)
        )
        rows = tuple(
            tuple(self._cell(result.get_value(row, place)) for place in range(result.nfields))
            for row in range(result.ntuples)
        )
        return Answer(None, None, columns, rows, (result.command_status or b"").decode())

    @staticmethod
    def _cell(value: bytes | None) -> bytes | None:
        return None if value is None else _DATABASES.sub(b"shop", value)


@dataclass(frozen=True, slots=True)
class Difference:
    """How the gateway's answer differs from the direct one: `refused` its error, `columns` those with other cells, each with its origin."""

    refused: str | None
    columns: tuple[tuple[str, int, int], ...]
    other: str | None = None


def compared(direct: Sequence[Answer], again: Sequence[Answer], through: Sequence[Answer]) -> Difference | None:
    """None when they are the same, but for what two direct answers do not agree on."""
    failed = next((answer for answer in through if answer.error is not None), None)
    if failed is not None and not any(answer.error for answer in direct):
        return Difference(failed.error, ())
    if any(answer.error for answer in direct):
        same = [answer.sqlstate for answer in direct] == [answer.sqlstate for answer in through]
        return None if same else Difference(None, (), f"other error: {failed and failed.error}")
    if len(direct) != len(through):
        return Difference(None, (), f"{len(through)} results for {len(direct)}")
    changed: dict[tuple[str, int, int], None] = {}
    for first, second, other in zip(direct, again, through, strict=True):
        if [column[0] for column in first.columns] != [column[0] for column in other.columns]:
            return Difference(None, (), "other columns")
        if len(first.rows) != len(second.rows):
            continue
        if (first.tag != other.tag and first.tag == second.tag) or len(first.rows) != len(other.rows):
            return Difference(None, (), f"{other.tag} for {first.tag}")
        if sorted(map(repr, first.rows)) == sorted(map(repr, other.rows)):
            continue  # without ORDER BY, rows come as they lie
        for row, twin, shown in zip(first.rows, second.rows, other.rows, strict=True):
            for place, cell in enumerate(row):
                if cell == twin[place] and cell != shown[place]:
                    changed[first.columns[place]] = None
    return Difference(None, tuple(changed)) if changed else None
