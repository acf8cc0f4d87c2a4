"""What a command could show of hidden values: which must be masked, which would escape, and whether free text must be scrubbed.

Pure: the columns that are hidden from a principal against what analysis says of a command.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from interpose.model.analysis import Analysis, SessionChange, StatementInfo
from interpose.model.masks import RevealTable
from interpose.model.resources import ColumnResource


@dataclass(frozen=True, slots=True)
class Exposure:
    """`escaping` are hidden columns whose values the command would put where they cannot be masked on the way out.

    `escapes` is true when there are some, or when analysis cannot tell. `scrub`: hidden values are within reach, so error
    and notice texts may carry them.
    """

    escapes: bool
    escaping: tuple[ColumnResource, ...]
    scrub: bool


NOTHING = Exposure(False, (), False)
"""The exposure of a principal from whom nothing is hidden."""


def exposure_of(analysis: Analysis, reveal: RevealTable) -> Exposure:
    """What this command could do with what is hidden.

    A command without statements was not understood, so it reaches everything. Values that only a content detector finds have
    no columns: they are hidden in results and free text, and any statement may meet them.
    """
    if not reveal:
        return NOTHING
    hidden = reveal.columns
    escaping: set[ColumnResource] = set()
    escapes = False
    scrub = bool(reveal.content) or not analysis.statements or SessionChange.OPAQUE in analysis.changes
    for statement in _with_inner(analysis):
        if hidden and not statement.sinks_known:
            escapes = True
        for column in statement.sinks:
            if column in hidden:
                escapes = True
                escaping.add(column)
        if hidden and not scrub:
            scrub = not statement.used_known or not statement.sinks_known
            scrub = scrub or any(column in hidden for column in statement.used)
    return Exposure(escapes, tuple(sorted(escaping, key=_spelled)), scrub)


def _with_inner(analysis: Analysis) -> Iterator[StatementInfo]:
    """All statements, and those that a statement prepares or declares: what escapes when they run is refused at once."""
    for statement in analysis.statements:
        yield statement
        for made in (statement.prepares, statement.declares):
            if made is not None:
                yield from _with_inner(made.analysis)


def _spelled(column: ColumnResource) -> str:
    return f"{column.schema}.{column.table}.{column.name}"


def escape_words(exposure: Exposure) -> tuple[str, str]:
    """Message and hint of the refusal of a command whose hidden values would escape."""
    if exposure.escaping:
        names = ", ".join(f"`{_spelled(column)}`" for column in exposure.escaping[:5])
        return (
            f"this would store or send values of {names}, which are hidden from you",
            "leave these columns out, or select them directly: they are then shown masked",
        )
    return (
        "it cannot be told whether this would store or send values that are hidden from you",
        "write it as a plain statement that names its columns, without code that runs inside the server",
    )
