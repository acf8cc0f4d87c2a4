"""What psql, pgAdmin, Django, Rails and the rest send passes through the gateway in both modes, with the server's own answer.

The corpus is replayed file by file: on two databases directly, and through a gateway with the example policy in mode output and in
mode strict. `tests/corpus/tools/expected.yaml` lists what is refused or masked on purpose.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.postgres import PostgresServer
from tests.support.postgres_binaries import Major
from tests.support.tool_corpus import CORPUS, Answer, Difference, ToolFile, ToolQuery, compared, read_corpus
from tests.support.tool_stage import MODES, ToolStage, tool_stage

_EXPECTED: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load(
    (CORPUS / "expected.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def files(postgres_major: Major) -> list[ToolFile]:
    """The files of this major; most tools were captured against one."""
    return [file for file in read_corpus() if int(file.header["server"]) == postgres_major]


@pytest.fixture(scope="module")
def stage(postgres_major: Major, files: list[ToolFile]) -> Iterator[ToolStage]:
    """A server of its own: it gets a subscription, and databases by the dozen."""
    with PostgresServer(postgres_major, tls="off") as server, tool_stage(server, files) as made:
        yield made


def _listed(kind: str, query: ToolQuery, mode: str) -> list[dict[str, Any]]:
    return [
        entry
        for entry in _EXPECTED[kind]
        if entry["in"] in query.file
        and entry.get("has", "") in query.sql
        and re.search(entry.get("like", ""), query.sql)
        and mode in entry.get("modes", MODES)
    ]


def _problem(
    query: ToolQuery, mode: str, difference: Difference | None, direct: list[Answer], classified: set[tuple[int, int]]
) -> str | None:
    """What is wrong with one answer of the gateway; None when it is as it should be."""
    if difference is None:
        return None
    if difference.refused is not None or difference.other is not None:
        return None if _listed("refused", query, mode) else difference.refused or difference.other
    origins = {name for answer in direct for name, table, column in answer.columns if (table, column) in classified}
    entries = _listed("masked", query, mode)
    if any("columns" not in entry for entry in entries):
        return None
    wrong = set(difference.columns) - origins - {name for entry in entries for name in entry["columns"]}
    return f"masked without a reason: {', '.join(sorted(wrong))}" if wrong else None


def _shown(direct: list[Answer], through: list[Answer], classified: set[tuple[int, int]]) -> Iterator[str]:
    """Columns that are classified by the server's own word, and came as they are."""
    for first, other in zip(direct, through, strict=False):
        for place, (name, table, column) in enumerate(first.columns):
            if (table, column) not in classified:
                continue
            cells = [(row[place], shown[place]) for row, shown in zip(first.rows, other.rows, strict=False)]
            if any(cell == shown and cell not in (None, b"", b"{}") for cell, shown in cells):
                yield name


def test_every_query_passes_in_both_modes(stage: ToolStage, files: list[ToolFile]) -> None:
    problems: list[str] = []
    counts: Counter[str] = Counter()
    for file in files:
        direct, again = stage.direct(file, "direct"), stage.direct(file, "again")
        sessions = {mode: stage.through(file, mode) for mode in MODES}
        classified = stage.classified(file)
        for query in file.queries:
            plain, twin = direct.ask(query), again.ask(query)
            counts["queries"] += 1
            for mode, session in sessions.items():
                answers = session.ask(query)
                difference = compared(plain, twin, answers)
                problem = _problem(query, mode, difference, plain, classified)
                if problem is not None:
                    problems.append(f"{mode} {query}: {problem[:200]}")
                elif difference is None:
                    counts[mode] += 1
                problems += [f"{mode} {query}: shows {name}" for name in _shown(plain, answers, classified)]
        for player in (direct, again, *sessions.values()):
            player.close()
    assert not problems, f"{len(problems)} of {counts}:\n" + "\n".join(problems[:40])
    assert counts["output"] > 0.7 * counts["queries"] > 500
