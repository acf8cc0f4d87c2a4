"""Strict mode: what a command would tell of hidden columns beyond showing them masked, as effects that policy is asked about.

A hidden column that is only selected is masked on the way out. One that is compared, sorted, grouped, computed with or written to
is inferred from the answer, whatever is masked: that is the effect `infer`. A column on which policy plainly permits it (mode
`output`) is not asked about; every other (mode `strict`) is.
"""

from __future__ import annotations

from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Effect, FactValue, every_statement
from interpose.model.masks import RevealTable
from interpose.model.resources import ColumnResource


def inference_effects(analysis: Analysis, reveal: RevealTable) -> tuple[Effect, ...]:
    """The `infer` effects of a command: one a statement for each strict column that it uses, or may use.

    Where analysis cannot tell all that a statement uses, it may use any: the effects then say `resolved = false`.
    """
    strict = reveal.strict
    if not strict:
        return ()
    effects: list[Effect] = []
    if not analysis.statements:
        effects += _effects(strict, {"resolved": False})
    for statement in every_statement(analysis):
        facts: dict[str, FactValue] = {"statement": statement.tag, "statement_count": len(analysis.statements)}
        if statement.used_known:
            effects += _effects(statement.inferred & strict, facts)
        else:
            effects += _effects(strict, {**facts, "resolved": False})
    return tuple(effects)


def _effects(columns: frozenset[ColumnResource], facts: dict[str, FactValue]) -> list[Effect]:
    ordered = sorted(columns, key=lambda column: (column.schema, column.table, column.name))
    return [Effect(Action.INFER, column, facts) for column in ordered]
