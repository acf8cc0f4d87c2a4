"""What psql, pgAdmin, Django, Rails and the rest send passes through the gateway in both modes, with the server's own answer.

The corpus is replayed file by file: on two databases directly, and through a gateway with the example policy in mode output and in
mode strict. `tests/corpus/tools/expected.yaml` lists what is refused or masked on purpose. All of it on one major; of the others a sample
of psql's, or all with `--all-majors`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.postgres import PostgresServer
from tests.support.postgres_binaries import DEFAULT_MAJOR, MAJORS, Major
from tests.support.tool_corpus import Answer, ToolFile, compared, read_corpus, sample
from tests.support.tool_exceptions import Exceptions, read_exceptions
from tests.support.tool_stage import MODES, ToolStage, tool_stage

_SAMPLED: Final[tuple[Major, ...]] = (14, 18)
_EVERY: Final = 12
"""Of the other majors one of so many backslash commands is replayed."""

_SAME: Final = {"output": 2704, "strict": 2664}
"""So many statements of the default major have the server's own answer, cell for cell."""


def _files(major: Major) -> list[ToolFile]:
    """The files of a major; most tools were captured against one."""
    return [file for file in read_corpus() if int(file.header["server"]) == major]


def _shown(direct: list[Answer], through: list[Answer], classified: set[tuple[int, int]]) -> Iterator[str]:
    """Columns that are classified by the server's own word, and came as they are."""
    for first, other in zip(direct, through, strict=False):
        for place, (name, table, column) in enumerate(first.columns):
            if (table, column) not in classified:
                continue
            cells = [(row[place], shown[place]) for row, shown in zip(first.rows, other.rows, strict=False)]
            if any(cell == shown and cell not in (None, b"", b"{}") for cell, shown in cells):
                yield name


def _replay(stage: ToolStage, files: list[ToolFile], exceptions: Exceptions) -> tuple[list[str], Counter[str]]:
    """What is wrong, and how many statements there are and have the server's own answer in each mode."""
    problems: list[str] = []
    counts: Counter[str] = Counter()
    for file in files:
        direct, again = stage.direct(file, "direct"), stage.direct(file, "again")
        sessions = {mode: stage.through(file, mode) for mode in MODES}
        classified = stage.classified(file)
        for query in file.queries:
            plain, twin = direct.ask(query), again.ask(query)
            counts["statements"] += 1
            for mode, session in sessions.items():
                answers = session.ask(query)
                difference = compared(plain, twin, answers)
                counts[mode] += exceptions.same(query, mode, difference)
                problem = difference and exceptions.problem(query, mode, difference, classified)
                if problem:
                    problems.append(f"{mode} {query}: {problem[:200]}")
                problems += [f"{mode} {query}: shows {name}" for name in _shown(plain, answers, classified)]
        for player in (direct, again, *sessions.values()):
            player.close()
    return problems, counts


def test_every_query_passes_in_both_modes(postgres_major: Major) -> None:
    files = _files(postgres_major)
    exceptions = Exceptions(read_exceptions())
    # A server of its own: it gets a subscription, and databases by the dozen.
    with PostgresServer(postgres_major, tls="off") as server, tool_stage(server, files) as stage:
        problems, counts = _replay(stage, files, exceptions)
    print(f"PostgreSQL {postgres_major}: {dict(counts)}")
    assert not problems, f"{len(problems)} of {counts}:\n" + "\n".join(problems[:60])
    assert list(exceptions.unused(files)) == []
    if postgres_major == DEFAULT_MAJOR:
        assert {mode: counts[mode] for mode in MODES if counts[mode] < _SAME[mode]} == {}, counts
    assert min(counts[mode] for mode in MODES) > 0.9 * counts["statements"] > 500


@pytest.mark.parametrize("major", [major for major in MAJORS if major != DEFAULT_MAJOR])
def test_the_other_majors_answer_psql_too(major: Major, request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--all-majors")
    if major == request.config.getoption("--postgres-major") or (major not in _SAMPLED and not every):
        pytest.skip("replayed with --all-majors")
    files = _files(major) if every else [sample(file, _EVERY) for file in _files(major)]
    with PostgresServer(major, tls="off") as server, tool_stage(server, files) as stage:
        problems, counts = _replay(stage, files, Exceptions(read_exceptions()))
    print(f"PostgreSQL {major}: {dict(counts)}")
    assert not problems, f"{len(problems)} of {counts}:\n" + "\n".join(problems[:40])
    assert min(counts[mode] for mode in MODES) > 0.9 * counts["statements"] > 30


@pytest.mark.parametrize(
    "entry",
    [
        "{tool: psql, statement: '', modes: [output], why: any statement}",
        "{tool: psql, statement: '.*', modes: [output], why: any statement}",
        "{tool: psql, statement: x, why: in no mode}",
        "{tool: psql, statement: x, modes: [all], why: in no mode}",
        "{tool: psql, statement: x, modes: [output], why: ''}",
        "{tool: psql, statement: x, modes: [output], why: about cells, columns: [a]}",
    ],
)
def test_an_exception_is_narrow(entry: str) -> None:
    with pytest.raises(ValueError, match=r"refused\[0\]"):
        read_exceptions(f"refused:\n  - {entry}")
