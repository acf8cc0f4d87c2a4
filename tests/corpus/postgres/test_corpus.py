"""Every evasion ever found, run against the analyst. The data files only grow; an expectation changes only with its reason.

A case: `sql`; `does` (effects that must be there, with facts in brackets), `not` (prefixes of effects that must not),
`refused` (the reason that it is not analysable), `shows` (lineage of the result: sources of each column, `=` before a direct
one, `?` for one that is not known, `*` when not even their number is), `sinks` (columns that flow elsewhere, `?` when not
known), `used`, `changes`, `tags`, `path` (the search path; null is unknown), `why`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, OutputColumn, Unanalysable
from interpose.model.command import SqlContext
from interpose.policy.facts import EFFECT_FACTS
from tests.support.catalog import PATH, answer, effect_words

_HERE = Path(__file__).parent
_KEYS = {"sql", "does", "not", "refused", "shows", "sinks", "used", "changes", "tags", "path", "why"}
DECLARED = {fact.name for fact in EFFECT_FACTS}
_YAML = YAML(typ="safe")


def _cases() -> list[Any]:
    found = []
    for file in sorted(_HERE.glob("*.yaml")):
        for number, case in enumerate(_YAML.load(file.read_text(encoding="utf-8")), 1):
            found.append(pytest.param(case, id=f"{file.stem}-{number}"))
    return found


CASES = _cases()


def _with_facts(effect: Effect, asked: str) -> bool:
    words, _, facts = asked.partition(" [")
    if effect_words(effect) != words:
        return False
    for fact in filter(None, facts.rstrip("]").split(", ")):
        name, _, value = fact.partition("=")
        known = effect.facts.get(name)
        text = (
            str(known).lower()
            if isinstance(known, bool)
            else "|".join(known)
            if isinstance(known, tuple)
            else str(known)
        )
        if text != value:
            return False
    return True


def _lineage(column: OutputColumn) -> str:
    if not column.known:
        return "?"
    sources = " ".join(sorted(f"{each.schema}.{each.table}.{each.name}" for each in column.sources))
    return f"={sources}" if column.direct else sources


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    assert not set(case) - _KEYS, "a key that nobody checks"
    assert set(case) & (_KEYS - {"sql", "path", "why"}), "a case that cannot fail"
    path = case.get("path", PATH)
    found = answer(case["sql"], SqlContext(tuple(path) if path is not None else None, 17))
    if "refused" in case:
        assert isinstance(found, Unanalysable), found
        assert found.reason == case["refused"]
        return
    assert isinstance(found, Analysis), found
    for effect in found.effects:
        if effect.action in (Action.UPDATE, Action.DELETE):
            assert {"has_where", "where_constant"} <= set(effect.facts), effect
        assert set(effect.facts) <= DECLARED, effect
    assert all(info.tag for info in found.statements)
    said = sorted(effect_words(effect) for effect in found.effects)
    for asked in case.get("does", ()):
        assert any(_with_facts(effect, asked) for effect in found.effects), (asked, found.effects)
    for unwanted in case.get("not", ()):
        assert not any(words.startswith(unwanted) for words in said), said
    last = found.statements[-1] if found.statements else None
    if "tags" in case:
        assert [info.tag for info in found.statements] == case["tags"]
    if "shows" in case:
        assert last is not None
        outputs = last.outputs
        if case["shows"] is None:
            assert outputs is None
        else:
            assert outputs is not None
            shown = ["*"] if outputs.columns is None else [_lineage(column) for column in outputs.columns]
            assert shown == case["shows"]
    if "sinks" in case:
        sinks = {f"{each.schema}.{each.table}.{each.name}" for info in found.statements for each in info.sinks}
        if not all(info.sinks_known for info in found.statements):
            sinks.add("?")
        assert sinks == set(case["sinks"])
    if "used" in case:
        used = {f"{each.schema}.{each.table}.{each.name}" for info in found.statements for each in info.used}
        if not all(info.used_known for info in found.statements):
            used.add("?")
        assert used == set(case["used"])
    if "changes" in case:
        assert {change.value for change in found.changes} == set(case["changes"])


def test_the_corpus_does_not_shrink() -> None:
    assert len(CASES) >= 150
