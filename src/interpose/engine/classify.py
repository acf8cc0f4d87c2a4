"""Proposing classifications for a connection: from names, comments, foreign keys and a sample of values.

Knows how evidence is weighed, not how an upstream is asked or a file is written. INVARIANT: sampled values are counted and
dropped here; a proposal, a note and an error carry counts and names of columns only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from interpose.masking.column_names import class_of_comment, class_of_name
from interpose.masking.detect import TooMuchToInspect, detector_for
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.sqlstates import CONDITIONS
from interpose.model.resources import ColumnResource
from interpose.model.survey import ColumnKind, SampleRequest, SurveyedColumn, SurveyedTable
from interpose.policy.classifications import spell_column

if TYPE_CHECKING:
    from interpose.engine.ports import SurveySource
    from interpose.model.ids import DataClassName
    from interpose.model.survey import Survey

MAX_SAMPLE: Final = 1000
"""The most rows of one table that are sampled."""
CELL: Final = 2048
"""Characters of one value that are looked at."""

_MOST: Final = 0.5
"""The share of sampled values that must look like a class for the column to be proposed for it."""
_COVERED: Final = 0.8
"""How much of a value must be the finding for the value to look like it, rather than to contain it."""
_ANSWER_CELLS: Final = 4096
"""Values of one answer: with `CELL` of four bytes each they stay below what a dialogue takes."""
_SAMPLED: Final = frozenset({"table", "partitioned", "matview"})
_SEARCHED: Final = frozenset(
    {ColumnKind.TEXT, ColumnKind.TEXTS, ColumnKind.JSON, ColumnKind.NUMBER, ColumnKind.BYTES, ColumnKind.NETWORK}
)
_CONTAINERS: Final = frozenset({ColumnKind.JSON, ColumnKind.TEXTS})
"""Kinds of which a value is a collection: what is in it counts as what it looks like."""

Known = Mapping[ColumnResource, frozenset["DataClassName"]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A column, the data classes that it should carry beside those that it has, and why, a sentence for each reason."""

    column: ColumnResource
    classes: tuple[DataClassName, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found. `notes` are sentences about columns that are proposed for nothing; `unread` names each table that could
    not be sampled with the reason."""

    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...]
    unread: tuple[tuple[str, str], ...]
    tables: int
    columns: int


@dataclass(slots=True)
class _Counts:
    """What the sample of one column showed. `alike` and `holding` by data class, over `values` that are not NULL."""

    values: int
    alike: Counter[DataClassName]
    holding: Counter[DataClassName]


async def scan(
    source: SurveySource,
    known: Known,
    *,
    schema: str | None,
    sample: int,
    excepted: Callable[[str], bool] = lambda column: False,
    progress: Callable[[int, int, str], None],
) -> ScanReport:
    """Survey an upstream and propose what is not in `known`. `sample` rows of each table are looked at, none when it is 0.

    `excepted` says, of a column as `classifications.yaml` spells it, that nothing is to be proposed for it.
    `progress` hears the tables done, all tables, and the table that is next. Raises `UpstreamError`; a table that may not
    be read is no error.
    """
    survey = await source.survey(schema)
    stored = [table for table in survey.tables if table.kind not in ("view", "matview")]
    found: dict[ColumnResource, dict[DataClassName, list[str]]] = {}
    notes: list[str] = []
    unread: list[tuple[str, str]] = []
    for done, table in enumerate(stored):
        progress(done, len(stored), f"{table.schema}.{table.name}")
        counts: dict[str, _Counts] = {}
        if sample and table.kind in _SAMPLED:
            counts, refused = await _sampled(source, table, sample)
            if refused:
                unread.append((_spelled(table), refused))
        elif sample:
            unread.append((_spelled(table), "a foreign table: its rows are on another server, so they are not sampled"))
        for column in table.columns:
            reasons, note = _weighed(table, column, counts.get(column.name))
            resource = table.column(column.name)
            if excepted(spell_column(resource)):
                continue
            new = {name: why for name, why in reasons.items() if not _covered(name, known.get(resource, frozenset()))}
            if new:
                found[resource] = new
            if note and resource not in known and not new:
                notes.append(note)
    progress(len(stored), len(stored), "")
    _follow_keys(survey, known, found, excepted)
    notes += _derived(survey.tables, {*known, *found})
    return ScanReport(
        tuple(_proposal(column, found[column]) for column in sorted(found, key=lambda c: (c.schema, c.table))),
        tuple(notes),
        tuple(unread),
        len(stored),
        sum(len(table.columns) for table in stored),
    )


def _proposal(column: ColumnResource, reasons: Mapping[DataClassName, list[str]]) -> Proposal:
    return Proposal(column, tuple(sorted(reasons)), tuple(why for name in sorted(reasons) for why in reasons[name]))


# --- one column


def _weighed(
    table: SurveyedTable, column: SurveyedColumn, counts: _Counts | None
) -> tuple[dict[DataClassName, list[str]], str]:
    """The data classes that a column should carry, with the reasons, and a note when it only holds some among other text."""
    reasons: dict[DataClassName, list[str]] = {}
    note = ""
    named = class_of_name(column.name, column.kind, table.name)
    commented = class_of_comment(column.comment, column.kind) if column.comment else None
    if counts is not None and counts.values:
        for name, number in _likely(column.kind, counts):
            reasons[name] = [f"{number} of {counts.values} sampled values {_looks(column.kind)} {_DESCRIBED[name]}"]
        if not reasons and counts.holding:
            held = ", ".join(f"{_DESCRIBED[name]} in {number}" for name, number in counts.holding.most_common())
            note = (
                f"{_spelled(table, column)}: of {counts.values} sampled values some contain {held}; "
                "`detect_content: true` on the connection hides these in the text"
            )
    by_content = set(reasons)
    for guessed, why in ((named, "its name"), (commented, "its comment")):
        if guessed is None:
            continue
        # What the values are is better known than what the name says: `tax_id` that holds social security numbers.
        if by_content and guessed not in by_content and not _related(guessed, by_content):
            continue
        target = guessed if guessed in reasons or not by_content else min(by_content)
        reasons.setdefault(target, []).append(why)
        if target in CONTENT_CLASSES and not by_content and counts is not None and counts.values >= 20:
            reasons[target].append(f"none of {counts.values} sampled values looks like it")
    return reasons, note


def _likely(kind: ColumnKind, counts: _Counts) -> Iterator[tuple[DataClassName, int]]:
    of = counts.holding if kind in _CONTAINERS else counts.alike
    for name, number in of.most_common():
        if number >= _MOST * counts.values:
            yield name, number


def _related(guessed: DataClassName, found: set[DataClassName]) -> bool:
    """Whether a guess says nothing that the findings do not: they have the same first word."""
    top = guessed.partition(".")[0]
    return any(name.partition(".")[0] == top for name in found)


def _covered(name: DataClassName, carried: Iterable[DataClassName]) -> bool:
    """Whether a column that somebody has classified already needs this class too: not when it has one of the same kind."""
    return _related(name, set(carried))


def _looks(kind: ColumnKind) -> str:
    return "contain" if kind in _CONTAINERS else "look like"


# --- samples


async def _sampled(source: SurveySource, table: SurveyedTable, rows: int) -> tuple[dict[str, _Counts], str]:
    """What a sample of each column shows, and why there is none, in words."""
    wanted = [column for column in table.columns if column.kind in _SEARCHED]
    columns = [column for column in wanted if column.readable]
    refused = "" if len(columns) == len(wanted) else "the gateway's role may not read all of its columns"
    counts: dict[str, _Counts] = {}
    width = max(1, _ANSWER_CELLS // rows)
    for start in range(0, len(columns), width):
        part = tuple(columns[start : start + width])
        percent = _percent(table, rows)
        answer = await source.sample(SampleRequest(table, part, rows, CELL, percent))
        if percent is not None and not answer.refused and len(answer.rows) < rows // 2:
            # The server's estimate was wrong, or the pages that were looked at are empty.
            answer = await source.sample(SampleRequest(table, part, rows, CELL))
        if answer.refused:
            return counts, f"{CONDITIONS.get(answer.refused, 'refused')} ({answer.refused})"
        for index, column in enumerate(part):
            counts[column.name] = _counted(row[index] for row in answer.rows)
    return counts, refused


def _percent(table: SurveyedTable, rows: int) -> float | None:
    """How many percent of the pages hold about four samples; None for all of them, in a table that is not large."""
    if table.rows < rows * 20:
        return None
    return min(100.0, max(400.0 * rows / table.rows, 0.001))


def _counted(values: Iterable[str | None]) -> _Counts:
    counts = _Counts(0, Counter(), Counter())
    detector = detector_for(frozenset(CONTENT_CLASSES))
    for value in values:
        text = "" if value is None else value.strip()
        if not text:
            continue
        counts.values += 1
        data = _as_bytes(text)
        try:
            findings = detector.find(data)
        except TooMuchToInspect:
            continue
        covered: Counter[DataClassName] = Counter()
        for finding in findings:
            covered[finding.data_class] += finding.end - finding.start
        for name, size in covered.items():
            counts.holding[name] += 1
            counts.alike[name] += size >= _COVERED * len(data)
    return counts


def _as_bytes(text: str) -> bytes:
    """The text of a value in UTF-8; of a `bytea` value, which comes as hexadecimal, what is in it."""
    if text.startswith("\\x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            return text.encode()
    return text.encode("utf-8", "surrogatepass")


# --- what follows from other columns


def _follow_keys(
    survey: Survey,
    known: Known,
    found: dict[ColumnResource, dict[DataClassName, list[str]]],
    excepted: Callable[[str], bool],
) -> None:
    """Columns that a foreign key joins hold the same values: what one of them carries the other must carry too."""
    surveyed = {table.column(column.name) for table in survey.tables for column in table.columns}
    pairs = [pair for child, parent in survey.joined for pair in ((child, parent), (parent, child))]
    changed = True
    while changed:
        changed = False
        for column, other in pairs:
            if column not in surveyed or excepted(spell_column(column)):
                continue
            carried = {*known.get(column, ()), *found.get(column, ())}
            for name in (*known.get(other, ()), *found.get(other, ())):
                if name not in carried and not _covered(name, carried):
                    why = f"a foreign key joins it to {spell_column(other)}"
                    found.setdefault(column, {}).setdefault(name, []).append(why)
                    carried.add(name)
                    changed = True


def _derived(tables: Iterable[SurveyedTable], classified: set[ColumnResource]) -> Iterator[str]:
    """Materialized views that read classified columns: nothing is proposed for them, and this says why."""
    for table in tables:
        if table.kind == "matview" and (read := sorted(map(spell_column, table.reads & classified))):
            yield (
                f"{_spelled(table)}: a materialized view that reads {', '.join(read)}; "
                "the gateway masks its columns through its definition, so they need no entry"
            )


def _spelled(table: SurveyedTable, column: SurveyedColumn | None = None) -> str:
    spelled = spell_column(table.column("x" if column is None else column.name))
    return spelled.removesuffix(".x") if column is None else spelled


_DESCRIBED: Final = {
    name: {
        "pii.email": "e-mail addresses",
        "pci.card": "card numbers",
        "pii.ssn": "US social security numbers",
        "pii.iban": "bank accounts (IBAN)",
        "pii.phone": "phone numbers",
    }.get(name, f"`{name}`")
    for name in CONTENT_CLASSES
}
