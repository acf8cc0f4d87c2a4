"""`tests/corpus/tools/expected.yaml`: what is refused or masked on purpose, and what the server answers anew each time; each entry is narrow and is used.

Knows the list and what an answer differs in; does not know how it was got.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML

from tests.support.tool_corpus import CORPUS, Difference, ToolFile, ToolQuery

_MODES: Final = frozenset({"output", "strict"})
_KEYS: Final = {
    "refused": {"tool", "statement", "modes", "why"},
    "masked": {"tool", "statement", "modes", "columns", "why"},
    "moves": {"tool", "statement", "columns", "why"},
}
"""The three lists, and what each entry of them must say."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One entry: statements of `tool` that `statement` finds, in `modes`; of its `columns`, where it is about cells."""

    kind: str
    place: int
    tool: str
    statement: re.Pattern[str]
    modes: frozenset[str]
    columns: frozenset[str]
    why: str

    def covers(self, query: ToolQuery, mode: str) -> bool:
        """Whether it is about this statement."""
        tool = query.file.partition("/")[0]
        return tool == self.tool and mode in self.modes and self.statement.search(query.sql) is not None

    def __str__(self) -> str:
        """Where it stands."""
        return f"{self.kind}[{self.place}] {self.tool}: {self.statement.pattern}"


def read_exceptions(text: str | None = None) -> list[Expected]:
    """The list; raises `ValueError` for an entry that says too little."""
    listed: Mapping[str, Sequence[Mapping[str, Any]]] = YAML(typ="safe").load(
        text if text is not None else (CORPUS / "expected.yaml").read_text(encoding="utf-8")
    )
    made: list[Expected] = []
    for kind, entries in listed.items():
        for place, entry in enumerate(entries):
            if set(entry) != _KEYS[kind] or not all(entry.values()):
                raise ValueError(f"{kind}[{place}] must say {sorted(_KEYS[kind])}, and nothing else")
            modes = frozenset(entry.get("modes", _MODES))
            columns = frozenset(entry.get("columns", ()))
            pattern = re.compile(entry["statement"])
            if pattern.search("") or not modes <= _MODES:
                raise ValueError(f"{kind}[{place}] is about any statement, or of no mode")
            made.append(Expected(kind, place, entry["tool"], pattern, modes, columns, entry["why"]))
    return made


class Exceptions:
    """The list in use: what of an answer it does not excuse, and which of its entries excused nothing."""

    def __init__(self, entries: Sequence[Expected]) -> None:
        """Nothing is used yet."""
        self._entries = entries
        self._used: set[tuple[Expected, str]] = set()

    def problem(
        self, query: ToolQuery, mode: str, difference: Difference, classified: Collection[tuple[int, int]]
    ) -> str | None:
        """What of this difference nothing excuses; a cell of a classified column, by the server's own word, needs no excuse."""
        if difference.refused is not None or difference.other is not None:
            return None if self._use("refused", query, mode) else difference.refused or difference.other
        wrong = {name for name, table, column in difference.columns if (table, column) not in classified}
        wrong -= self._moving(query, mode)
        if wrong:
            for entry in self._use("masked", query, mode):
                wrong -= entry.columns
        return f"masked without a reason: {', '.join(sorted(wrong))}" if wrong else None

    def same(self, query: ToolQuery, mode: str, difference: Difference | None) -> bool:
        """Whether the answer is the server's own, but for what moves by itself."""
        if difference is None:
            return True
        if difference.refused is not None or difference.other is not None:
            return False
        return {name for name, _, _ in difference.columns} <= self._moving(query, mode)

    def unused(self, files: Sequence[ToolFile]) -> Iterator[str]:
        """Entries that excused nothing where they could have: what moves by itself need not have moved, but be there."""
        tools = {file.name.partition("/")[0] for file in files}
        for entry in self._entries:
            if entry.tool not in tools:
                continue
            if entry.kind == "moves":
                if not any(entry.covers(query, "output") for file in files for query in file.queries):
                    yield f"{entry} is about no statement"
                continue
            for mode in entry.modes:
                if (entry, mode) not in self._used:
                    yield f"{entry} excuses nothing in mode {mode}"

    def _moving(self, query: ToolQuery, mode: str) -> set[str]:
        found = [entry.columns for entry in self._entries if entry.kind == "moves" and entry.covers(query, mode)]
        return set().union(*found)

    def _use(self, kind: str, query: ToolQuery, mode: str) -> list[Expected]:
        found = [entry for entry in self._entries if entry.kind == kind and entry.covers(query, mode)]
        self._used.update((entry, mode) for entry in found)
        return found
